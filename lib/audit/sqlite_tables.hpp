#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/whole.hpp"

namespace imgbuild {

/// A number of one to nine bytes, seven bits each; 0 at the end. `at` is then behind it.
std::uint64_t sqlite_number(View bytes, std::size_t& at);

/// Calls `use(type, begin, size)` for each column of a row (a record): what `type` says, and where in it the value is.
template <class Use>
void each_sqlite_column(View row, Use use) {
  static constexpr std::uint64_t widths[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  std::size_t at = 0;
  const std::uint64_t header = sqlite_number(row, at);
  auto begin = static_cast<std::size_t>(std::min<std::uint64_t>(header, row.size()));
  while (at < header && at < row.size()) {
    const std::uint64_t type = sqlite_number(row, at), size = type < 12 ? widths[type] : (type - 12) / 2;
    if (size > row.size() - begin) return;
    use(type, begin, static_cast<std::size_t>(size));
    begin += static_cast<std::size_t>(size);
  }
}

/// How much of a row of `size` bytes is in its cell; the rest is on a chain of other pages.
std::uint64_t sqlite_kept(std::uint64_t size, std::size_t usable_page, bool of_table);

/// The tables of an SQLite database (https://www.sqlite.org/fileformat2.html), a stranger's bytes, of which no more is
/// read than what is asked for. Read here rather than by its library, which would want the file on disk: one in
/// write-ahead mode cannot be opened from memory. Where it is damaged, what can be read of it. The file outlives it.
class SqliteTables {
 public:
  explicit SqliteTables(const Whole& file);

  struct Table {
    std::string name, sql;  ///< sql: the statement that made it
    std::uint64_t root = 0;
  };
  std::vector<Table> tables();

  /// Calls `use` with the columns of each row, as bytes: what is NULL, 0 or 1 is empty. They last as long as the call.
  void each_row(const Table& table, const std::function<void(const std::vector<View>&)>& use);

  /// Did tables claim more pages, or rows more bytes, than a sound file has? Then not all were read.
  bool overrun() const { return overrun_; }

 private:
  Bytes page(std::uint64_t number) const;
  void walk(std::uint64_t root, const std::function<void(View)>& use);
  void row(View all, std::size_t at, const std::function<void(View)>& use);

  const Whole& file_;
  std::uint64_t left_;      ///< of what its rows may hold together: each byte of a sound file is in one row
  std::vector<bool> seen_;  ///< pages: each is in one table
  bool overrun_ = false;
  std::size_t page_size_ = 0, usable_ = 0;
};

/// The names of the columns that a CREATE TABLE statement gives a table, in their order.
std::vector<std::string> columns_of_table(const std::string& sql);

/// Calls `use` with what a name of its own says of a value: the value of a column that is called password, secret and
/// the like, and what a table of settings has beside a name. Texts only, of one line. False where the file claims more
/// than it has (SqliteTables::overrun).
bool each_named_value(const Whole& database, const std::function<void(const std::string& name, View value)>& use);

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// The tables of an SQLite database (https://www.sqlite.org/fileformat2.html), a stranger's bytes in memory. Read here
/// rather than by its library, which would want the file on disk: one in write-ahead mode cannot be opened from memory.
/// Where it is damaged, what can be read of it. Looks into the bytes, which outlive it.
class SqliteTables {
 public:
  explicit SqliteTables(View file);

  struct Table {
    std::string name, sql;  ///< sql: the statement that made it
    std::uint64_t root = 0;
  };
  std::vector<Table> tables();

  /// Calls `use` with the columns of each row, as bytes: what is NULL, 0 or 1 is empty. They last as long as the call.
  void each_row(const Table& table, const std::function<void(const std::vector<View>&)>& use);

 private:
  View page(std::uint64_t number) const;
  void walk(std::uint64_t root, const std::function<void(View)>& use);
  void row(View all, std::size_t at, const std::function<void(View)>& use);

  View file_;
  std::uint64_t left_;  ///< of what its rows may hold together: each byte of a sound file is in one row
  std::size_t page_size_ = 0, usable_ = 0;
};

/// The names of the columns that a CREATE TABLE statement gives a table, in their order.
std::vector<std::string> columns_of_table(const std::string& sql);

/// Calls `use` with what a name of its own says of a value: the value of a column that is called password, secret and
/// the like, and what a table of settings has beside a name. Texts only, of one line.
void each_named_value(View database, const std::function<void(const std::string& name, View value)>& use);

}  // namespace imgbuild

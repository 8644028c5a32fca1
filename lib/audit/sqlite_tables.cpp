// Every offset is checked, and no page is visited twice.
#include "audit/sqlite_tables.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/numbers.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_row = std::size_t{32} << 20, most_columns = 64, most_tables = 10'000;
constexpr std::size_t longest_name = 80, shortest_value = 6, longest_value = 4096;

std::vector<View> columns_of(View row) {
  std::vector<View> columns;
  each_sqlite_column(row, [&](std::uint64_t, std::size_t begin, std::size_t size) {
    if (columns.size() < most_columns) columns.push_back(row.subspan(begin, size));
  });
  return columns;
}

bool is_name(View value) {
  return value.size() >= 3 && value.size() <= longest_name &&
         std::all_of(value.begin(), value.end(), [](std::uint8_t c) {
           const std::uint8_t letter = c | 0x20;
           return (letter >= 'a' && letter <= 'z') || (c >= '-' && c <= ':') || c == '_';
         });
}
bool is_text_value(View value) {
  return value.size() >= shortest_value && value.size() <= longest_value &&
         std::all_of(value.begin(), value.end(), [](std::uint8_t c) { return c > 0x20 && c != 0x7f && c != '"'; });
}

bool names_secret(const std::string& column) {
  const std::string small = lower(column);
  for (const std::string_view word :
       {"pass", "pwd", "secret", "token", "api_key", "apikey", "credential", "private_key"})
    if (small.find(word) != std::string::npos) return true;
  return false;
}
bool is_one_of(const std::string& column, std::initializer_list<std::string_view> names) {
  const std::string small = lower(column);
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return small == name || (small.size() > name.size() && small.ends_with("_" + std::string(name)));
  });
}

}  // namespace

std::uint64_t sqlite_number(View bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 9 && at < bytes.size(); ++i) {
    const std::uint8_t byte = bytes[at++];
    if (i == 8) return value << 8 | byte;
    value = value << 7 | (byte & 0x7fu);
    if ((byte & 0x80u) == 0) break;
  }
  return value;
}

std::uint64_t sqlite_kept(std::uint64_t size, std::size_t usable_page, bool of_table) {
  const std::uint64_t most = of_table ? usable_page - 35 : (usable_page - 12) * 64 / 255 - 23;
  const std::uint64_t least = (usable_page - 12) * 32 / 255 - 23;
  if (size <= most) return size;
  const std::uint64_t kept = least + (size - least) % (usable_page - 4);
  return kept <= most ? kept : least;
}

SqliteTables::SqliteTables(const Whole& file) : file_(file), left_(file.size()) {
  const Bytes head = file.part(0, 100);
  page_size_ = big_endian(head, 16, 2) == 1 ? 65536 : big_endian(head, 16, 2);
  const std::uint64_t reserved = big_endian(head, 20, 1);
  if (page_size_ < 512 || reserved + 480 > page_size_) page_size_ = 0;
  usable_ = page_size_ - (page_size_ == 0 ? 0 : reserved);
  if (page_size_ > 0) seen_.resize(static_cast<std::size_t>(file.size() / page_size_) + 1);
}

std::vector<SqliteTables::Table> SqliteTables::tables() {
  std::vector<Table> all;
  if (page_size_ == 0) return all;
  walk(1, [&](View row) {  // the schema: type, name, table, root page, SQL
    const auto columns = columns_of(row);
    if (columns.size() < 4 || text_of(columns[0]) != "table" || all.size() >= most_tables) return;
    all.push_back({std::string(text_of(columns[1])), columns.size() > 4 ? std::string(text_of(columns[4])) : "",
                   big_endian(columns[3], 0, columns[3].size())});
  });
  return all;
}

void SqliteTables::each_row(const Table& table, const std::function<void(const std::vector<View>&)>& use) {
  if (page_size_ == 0 || table.root == 0) return;
  walk(table.root, [&](View row) { use(columns_of(row)); });
}

Bytes SqliteTables::page(std::uint64_t number) const {
  if (number == 0 || number > file_.size() / page_size_) return {};
  return file_.part((number - 1) * page_size_, usable_);
}

void SqliteTables::walk(std::uint64_t root, const std::function<void(View)>& use) {
  std::vector<std::uint64_t> left{root};
  if (root < seen_.size() && seen_[root]) overrun_ = true;
  while (!left.empty()) {
    const std::uint64_t number = left.back();
    left.pop_back();
    if (number >= seen_.size() || seen_[number]) continue;
    seen_[number] = true;
    const Bytes all = page(number);
    if (all.empty()) continue;
    const std::size_t start = number == 1 ? 100 : 0;  // behind the file's own header
    const std::uint8_t type = all[start];
    if (type != 5 && type != 13) continue;
    const std::size_t cells = big_endian(all, start + 3, 2);
    if (type == 5) left.push_back(big_endian(all, start + 8, 4));
    for (std::size_t i = 0; i < cells; ++i) {
      std::size_t at = big_endian(all, start + (type == 5 ? 12 : 8) + 2 * i, 2);
      if (at == 0 || at >= all.size()) continue;
      if (type == 5)
        left.push_back(big_endian(all, at, 4));
      else
        row(all, at, use);
    }
    if (left.size() > seen_.size() + 65536) {
      overrun_ = true;
      return;
    }
  }
}

void SqliteTables::row(View all, std::size_t at, const std::function<void(View)>& use) {
  const std::uint64_t size = sqlite_number(all, at);
  sqlite_number(all, at);  // its number
  overrun_ = overrun_ || (size > left_ && size <= file_.size());
  if (size == 0 || size > most_row || size > left_) return;
  left_ -= size;
  const std::uint64_t local = sqlite_kept(size, usable_, true);
  const View here = rest_from(all, at);
  if (here.size() < local) return;
  if (local == size) return use(here.first(local));
  Bytes whole(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(local));
  for (std::uint64_t next = big_endian(here, local, 4); whole.size() < size;) {
    const Bytes overflow = page(next);
    if (overflow.empty()) return;
    const View piece = View(overflow).subspan(4, std::min<std::size_t>(usable_ - 4, size - whole.size()));
    whole.insert(whole.end(), piece.begin(), piece.end());
    next = big_endian(overflow, 0, 4);
  }
  use(whole);
}

std::vector<std::string> columns_of_table(const std::string& sql) {
  std::vector<std::string> columns;
  const std::size_t open = sql.find('(');
  if (open == std::string::npos) return columns;
  unsigned depth = 0;
  std::size_t begin = open + 1;
  for (std::size_t at = open; at < sql.size(); ++at) {
    const char c = sql[at];
    if (c == '"' || c == '`' || c == '\'' || c == '[') {
      const std::size_t close = sql.find(c == '[' ? ']' : c, at + 1);
      if (close == std::string::npos) break;
      at = close;
      continue;
    }
    if (c == '(') ++depth;
    if ((c == ',' && depth == 1) || (c == ')' && depth == 1)) {
      std::string_view column = trim(std::string_view(sql).substr(begin, at - begin));
      const char quote = column.empty() ? '\0' : column.front();
      if (quote == '"' || quote == '`' || quote == '[' || quote == '\'') {
        column.remove_prefix(1);
        column = column.substr(0, column.find(quote == '[' ? ']' : quote));
      } else {
        column = column.substr(0, column.find_first_of(" \t\r\n("));
      }
      const std::string small = lower(column);
      const bool constraint = quote != '"' && (small == "constraint" || small == "primary" || small == "unique" ||
                                               small == "check" || small == "foreign");
      if (!constraint && columns.size() < most_columns) columns.emplace_back(column);
      begin = at + 1;
    }
    if (c == ')' && --depth == 0) break;
  }
  return columns;
}

bool each_named_value(const Whole& database, const std::function<void(const std::string& name, View value)>& use) {
  SqliteTables sqlite(database);
  for (const auto& table : sqlite.tables()) {
    const std::vector<std::string> columns = columns_of_table(table.sql);
    std::vector<std::size_t> secrets;
    std::optional<std::size_t> name, value;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (names_secret(columns[i])) secrets.push_back(i);
      if (!name && is_one_of(columns[i], {"name", "key", "setting", "option", "variable", "property", "path", "code"}))
        name = i;
      if (!value && is_one_of(columns[i], {"value", "val", "data", "content"})) value = i;
    }
    if (secrets.empty() && !(name && value)) continue;
    sqlite.each_row(table, [&](const std::vector<View>& row) {
      for (const std::size_t i : secrets)
        if (i < row.size() && is_text_value(row[i])) use(columns[i], row[i]);
      if (name && value && *name < row.size() && *value < row.size() && is_name(row[*name]) &&
          is_text_value(row[*value]))
        use(std::string(text_of(row[*name])), row[*value]);
    });
  }
  return !sqlite.overrun();
}

}  // namespace imgbuild

// rpm's database, as far as it takes to know which package brought a file. Two formats, one inside the other:
//
// - sqlite: the table `Packages`, whose rows are a number and a blob (sqlite_tables.hpp)
// - the blob is rpm's header (rpm's "Header structure"): big-endian; an index of tags, then their data.
//
// The bytes are a stranger's: every offset is checked, and no page is visited twice.
#include "audit/rpm_records.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "audit/sqlite_tables.hpp"
#include "base/numbers.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_strings = 500'000;              // of one header
constexpr std::size_t most_paths = std::size_t{32} << 20;  // bytes, of one header

}  // namespace

void each_rpm_header(View database, const std::function<void(View header)>& use) {
  if (!text_of(database).starts_with(std::string_view("SQLite format 3\0", 16))) return;
  const ViewWhole whole(database);
  SqliteTables sqlite(whole);
  for (const auto& table : sqlite.tables())
    if (table.name == "Packages")
      sqlite.each_row(table, [&](const std::vector<View>& columns) {
        if (columns.size() >= 2) use(columns[1]);
      });
}

RpmPackage read_rpm_header(View header) {
  enum Tag : std::uint32_t {
    name = 1000,
    version = 1001,
    release = 1002,
    indexes = 1116,
    bases = 1117,
    folders = 1118
  };
  const std::uint64_t count = big_endian(header, 0, 4);
  if (header.size() < 8 || count > (header.size() - 8) / 16) return {};
  const View data = rest_from(header, 8 + static_cast<std::size_t>(count) * 16);
  struct Value {
    View bytes;
    std::size_t count = 0;
  };
  const auto value_of = [&](Tag tag) -> Value {
    for (std::size_t i = 0; i < count; ++i)
      if (const std::size_t at = 8 + 16 * i; big_endian(header, at, 4) == tag)
        return {rest_from(data, big_endian(header, at + 8, 4)),
                static_cast<std::size_t>(big_endian(header, at + 12, 4))};
    return {};
  };
  const auto strings = [&](Tag tag) {
    Value value = value_of(tag);
    std::vector<std::string> all;
    while (all.size() < std::min(value.count, most_strings) && !value.bytes.empty()) {
      const std::string_view rest = text_of(value.bytes);
      const std::size_t end = std::min(rest.find('\0'), rest.size());
      all.emplace_back(rest.substr(0, end));
      value.bytes = rest_from(value.bytes, end + 1);
    }
    return all;
  };
  const auto first = [](const std::vector<std::string>& all) { return all.empty() ? std::string() : all.front(); };
  RpmPackage package{first(strings(name)), first(strings(version)), {}};
  if (const std::string built = first(strings(release)); !built.empty()) package.version += "-" + built;
  const auto paths = strings(folders), names = strings(bases);
  const View index = value_of(indexes).bytes;
  std::size_t left = most_paths;  // a long folder may be named by every file
  for (std::size_t i = 0; i < names.size() && 4 * i + 4 <= index.size(); ++i) {
    const std::uint64_t folder = big_endian(index, 4 * i, 4);
    if (folder >= paths.size()) continue;
    if (paths[folder].size() + names[i].size() > left) break;
    left -= paths[folder].size() + names[i].size();
    package.files.push_back(paths[folder] + names[i]);
  }
  return package;
}

}  // namespace imgbuild

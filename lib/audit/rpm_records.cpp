// rpm's database, as far as it takes to know which package brought a file. Two formats, one inside the other:
//
// - sqlite (sqlite.org/fileformat2.html): the b-tree of the table `Packages`, whose rows are a number and a blob. Read
//   here rather than by its library, which would want the file on disk: rpm's is in write-ahead mode, and such a one
//   cannot be opened from memory.
// - the blob is rpm's header (rpm's "Header structure"): big-endian; an index of tags, then their data.
//
// The bytes are a stranger's: every offset is checked, and no page is visited twice.
#include "audit/rpm_records.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace imgbuild {
namespace {

constexpr std::size_t most_header = std::size_t{32} << 20;
constexpr std::size_t most_strings = 500'000;              // of one header
constexpr std::size_t most_paths = std::size_t{32} << 20;  // bytes, of one header

/// Numbers out of bytes; 0 behind their end.
std::uint64_t big(View bytes, std::size_t at, std::size_t width) {
  if (at > bytes.size() || width > bytes.size() - at) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | bytes[at + i];
  return value;
}
/// The rest from `at`; empty behind the end.
View from(View bytes, std::size_t at) { return bytes.subspan(std::min(at, bytes.size())); }

class Sqlite {
 public:
  explicit Sqlite(View file) : file_(file), left_(file.size()) {
    page_size_ = big(file, 16, 2) == 1 ? 65536 : big(file, 16, 2);
    const std::size_t reserved = file.size() > 20 ? file[20] : 0;
    if (page_size_ < 512 || reserved + 480 > page_size_) page_size_ = 0;
    usable_ = page_size_ - (page_size_ == 0 ? 0 : reserved);
  }

  /// Calls `use` with each row of the table.
  void rows_of(std::string_view table, const std::function<void(View)>& use) {
    if (page_size_ == 0) return;
    std::uint64_t root = 0;
    walk(1, [&](View row) {  // the schema: type, name, table, root page, SQL
      const auto columns = columns_of(row);
      if (columns.size() >= 4 && text_of(columns[0]) == "table" && text_of(columns[1]) == table)
        root = big(columns[3], 0, columns[3].size());
    });
    if (root > 0) walk(root, use);
  }

  /// A row's columns (a record): NULL, 0 and 1 are empty.
  static std::vector<View> columns_of(View row) {
    std::vector<View> columns;
    std::size_t at = 0;
    const std::uint64_t header = varint(row, at);
    std::size_t data = static_cast<std::size_t>(std::min<std::uint64_t>(header, row.size()));
    while (at < header && at < row.size() && columns.size() < 64) {
      static constexpr std::size_t widths[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
      const std::uint64_t type = varint(row, at);
      const std::uint64_t width = type < 12 ? widths[type] : (type - 12) / 2;
      if (width > row.size() - data) break;
      columns.push_back(row.subspan(data, static_cast<std::size_t>(width)));
      data += static_cast<std::size_t>(width);
    }
    return columns;
  }

 private:
  static std::uint64_t varint(View bytes, std::size_t& at) {
    std::uint64_t value = 0;
    for (int i = 0; i < 9 && at < bytes.size(); ++i) {
      const std::uint8_t byte = bytes[at++];
      if (i == 8) return value << 8 | byte;
      value = value << 7 | (byte & 0x7fu);
      if ((byte & 0x80u) == 0) break;
    }
    return value;
  }

  View page(std::uint64_t number) const {
    if (number == 0 || number > file_.size() / page_size_) return {};
    return file_.subspan(static_cast<std::size_t>(number - 1) * page_size_, usable_);
  }

  void walk(std::uint64_t root, const std::function<void(View)>& use) {
    std::vector<bool> seen(file_.size() / page_size_ + 1);
    std::vector<std::uint64_t> left{root};
    while (!left.empty()) {
      const std::uint64_t number = left.back();
      left.pop_back();
      const View all = page(number);
      if (all.empty() || seen[number]) continue;
      seen[number] = true;
      const std::size_t start = number == 1 ? 100 : 0;  // behind the file's own header
      const std::uint8_t type = all[start];
      if (type != 5 && type != 13) continue;
      const std::size_t cells = big(all, start + 3, 2);
      if (type == 5) left.push_back(big(all, start + 8, 4));
      for (std::size_t i = 0; i < cells; ++i) {
        std::size_t at = big(all, start + (type == 5 ? 12 : 8) + 2 * i, 2);
        if (at == 0 || at >= all.size()) continue;
        if (type == 5)
          left.push_back(big(all, at, 4));
        else
          row(all, at, use);
      }
      if (left.size() > seen.size() + 65536) return;
    }
  }

  void row(View all, std::size_t at, const std::function<void(View)>& use) {
    const std::uint64_t size = varint(all, at);
    varint(all, at);  // its number
    if (size == 0 || size > most_header || size > left_) return;
    left_ -= size;
    // What does not fit a page is on a chain of others.
    const std::uint64_t most = usable_ - 35, least = (usable_ - 12) * 32 / 255 - 23;
    const std::uint64_t spilled = least + (size - std::min(size, least)) % (usable_ - 4);
    const std::uint64_t local = size <= most ? size : spilled <= most ? spilled : least;
    const View here = from(all, at);
    if (here.size() < local) return;
    if (local == size) return use(here.first(local));
    Bytes whole(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(local));
    for (std::uint64_t next = big(here, local, 4); whole.size() < size;) {
      const View overflow = page(next);
      if (overflow.empty()) return;
      const View piece = overflow.subspan(4, std::min<std::size_t>(usable_ - 4, size - whole.size()));
      whole.insert(whole.end(), piece.begin(), piece.end());
      next = big(overflow, 0, 4);
    }
    use(whole);
  }

  View file_;
  std::uint64_t left_;  ///< of what its rows may hold together: each byte of a sound file is in one row
  std::size_t page_size_ = 0, usable_ = 0;
};

}  // namespace

void each_rpm_header(View database, const std::function<void(View header)>& use) {
  if (!text_of(database).starts_with(std::string_view("SQLite format 3\0", 16))) return;
  Sqlite(database).rows_of("Packages", [&](View row) {
    const auto columns = Sqlite::columns_of(row);
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
  const std::uint64_t count = big(header, 0, 4);
  if (header.size() < 8 || count > (header.size() - 8) / 16) return {};
  const View data = from(header, 8 + static_cast<std::size_t>(count) * 16);
  struct Value {
    View bytes;
    std::size_t count = 0;
  };
  const auto value_of = [&](Tag tag) -> Value {
    for (std::size_t i = 0; i < count; ++i)
      if (const std::size_t at = 8 + 16 * i; big(header, at, 4) == tag)
        return {from(data, big(header, at + 8, 4)), static_cast<std::size_t>(big(header, at + 12, 4))};
    return {};
  };
  const auto strings = [&](Tag tag) {
    Value value = value_of(tag);
    std::vector<std::string> all;
    while (all.size() < std::min(value.count, most_strings) && !value.bytes.empty()) {
      const std::string_view rest = text_of(value.bytes);
      const std::size_t end = std::min(rest.find('\0'), rest.size());
      all.emplace_back(rest.substr(0, end));
      value.bytes = from(value.bytes, end + 1);
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
    const std::uint64_t folder = big(index, 4 * i, 4);
    if (folder >= paths.size()) continue;
    if (paths[folder].size() + names[i].size() > left) break;
    left -= paths[folder].size() + names[i].size();
    package.files.push_back(paths[folder] + names[i]);
  }
  return package;
}

}  // namespace imgbuild

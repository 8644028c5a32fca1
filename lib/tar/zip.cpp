// The two tables of contents of a zip (APPNOTE 4.3), held against each other. Each member that the central directory
// lists is a range of the file; a local header's magic number outside of all ranges is of a member that it hides.
#include "tar/zip.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace imgbuild {
namespace {

constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, descriptor_size = 24;
constexpr std::size_t most_comment = 65535, most_table = std::size_t{32} << 20;

std::uint32_t little16(View at) { return static_cast<std::uint32_t>(at[0] | at[1] << 8); }
std::uint32_t little32(View at) { return little16(at) | little16(at.subspan(2)) << 16; }

bool begins(View bytes, std::string_view magic) { return text_of(bytes).starts_with(magic); }

/// Does a local header's magic number stand in [begin, end)?
bool holds_header(const Whole& zip, std::uint64_t begin, std::uint64_t end) {
  constexpr std::size_t step = std::size_t{256} << 10;
  while (begin + 4 <= end) {
    const Bytes bytes = zip.part(begin, static_cast<std::size_t>(std::min<std::uint64_t>(step, end - begin)));
    if (bytes.size() < 4) return false;
    if (text_of(bytes).find("PK\3\4") != std::string_view::npos) return true;
    begin += bytes.size() - 3;
  }
  return false;
}

}  // namespace

bool has_unlisted(const Whole& zip) {
  const std::uint64_t tail_at = zip.size() - std::min<std::uint64_t>(zip.size(), end_size + most_comment);
  const Bytes tail = zip.part(tail_at, end_size + most_comment);
  const std::size_t found = text_of(tail).rfind("PK\5\6");
  if (found == std::string_view::npos || tail.size() - found < end_size) return true;
  const View record = View(tail).subspan(found);
  const std::uint64_t end = tail_at + found;
  const std::uint64_t table_size = little32(record.subspan(12)), table_at = little32(record.subspan(16));
  if (table_size + table_at > end || table_size > most_table) return true;  // zip64 among others
  const std::uint64_t base = end - table_size - table_at;
  const Bytes table = zip.part(end - table_size, static_cast<std::size_t>(table_size));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (View rest = table; !rest.empty();) {
    if (rest.size() < central_size || !begins(rest, "PK\1\2")) return true;
    const std::size_t name = little16(rest.subspan(28));
    const std::uint64_t packed = little32(rest.subspan(20)), begin = base + little32(rest.subspan(42));
    const std::size_t whole = central_size + name + little16(rest.subspan(30)) + little16(rest.subspan(32));
    if (begin + local_size > end || rest.size() < whole) return true;
    const Bytes local = zip.part(begin, local_size + name);
    if (local.size() < local_size + name) return true;
    const std::uint64_t data =
        begin + local_size + little16(View(local).subspan(26)) + little16(View(local).subspan(28));
    if (!begins(local, "PK\3\4") || little16(View(local).subspan(26)) != name || data + packed > end ||
        text_of(View(local).subspan(local_size, name)) != text_of(rest.subspan(central_size, name)))
      return true;
    ranges.emplace_back(begin, data + packed);
    rest = rest.subspan(whole);
  }
  std::sort(ranges.begin(), ranges.end());
  ranges.emplace_back(end - table_size, end);
  std::uint64_t seen = 0;
  for (const auto& [begin, finish] : ranges) {
    if (begin < seen) return true;  // members that share bytes
    // A data descriptor may stand in the gap; a header that begins there would be the next member's.
    if (begin - seen > descriptor_size && holds_header(zip, seen, begin)) return true;
    seen = finish;
  }
  return false;
}

}  // namespace imgbuild

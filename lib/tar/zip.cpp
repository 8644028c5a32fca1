// The two tables of contents of a zip (APPNOTE 4.3), held against each other. Each member that the central directory
// lists is a range of the file; a local header's magic number outside of all ranges is of a member that it hides. Where
// they agree, as in nearly every jar and wheel, the members are inflated here, by ISA-L, in a third of zlib's time;
// what is stranger than that is libarchive's.
#include "tar/zip.hpp"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/numbers.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, descriptor_size = 24;
constexpr std::size_t most_comment = 65535, most_table = std::size_t{32} << 20;
constexpr std::uint32_t store = 0, deflate = 8;                                  // methods
constexpr std::uint32_t encrypted = 1, sizes_behind = 1 << 3, masked = 1 << 13;  // flags
constexpr std::uint8_t made_by_unix = 3;

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

/// Inflates one member after the other into the same memory.
class Deflated {
 public:
  Deflated() : state_(std::make_unique<inflate_state>()), packed_(step), out_(step) {}

  /// False where the stream is damaged, or is not of the size and checksum that the member has.
  bool show(const Whole& zip, const ZipMember& member, ArchiveVisitor& visitor) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_DEFLATE;
    std::uint64_t at = member.data_at, left = member.packed, shown = 0;
    std::uint32_t crc = 0;
    while (state_->block_state != ISAL_BLOCK_FINISH) {
      if (state_->avail_in == 0 && left > 0) {
        const std::size_t count =
            zip.read(at, std::span(packed_).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, step))));
        if (count == 0) return false;
        at += count;
        left -= count;
        state_->next_in = packed_.data();
        state_->avail_in = static_cast<std::uint32_t>(count);
      }
      state_->next_out = out_.data();
      state_->avail_out = static_cast<std::uint32_t>(step);
      const int outcome = isal_inflate(state_.get());
      const std::size_t made = step - state_->avail_out;
      if (made > 0) {
        const View piece = View(out_).first(made);
        crc = crc32_gzip_refl(crc, piece.data(), piece.size());
        visitor.data(piece);
        shown += made;
      }
      if (outcome < 0 || (made == 0 && left == 0 && state_->avail_in == 0)) break;
    }
    return state_->block_state == ISAL_BLOCK_FINISH && shown == member.size && crc == member.crc;
  }

  bool show_stored(const Whole& zip, const ZipMember& member, ArchiveVisitor& visitor) {
    std::uint32_t crc = 0;
    for (std::uint64_t shown = 0; shown < member.size;) {
      const std::size_t count =
          zip.read(member.data_at + shown,
                   std::span(out_).first(static_cast<std::size_t>(std::min<std::uint64_t>(member.size - shown, step))));
      if (count == 0) return false;
      const View piece = View(out_).first(count);
      crc = crc32_gzip_refl(crc, piece.data(), piece.size());
      visitor.data(piece);
      shown += count;
    }
    return crc == member.crc;
  }

 private:
  static constexpr std::size_t step = std::size_t{128} << 10;
  std::unique_ptr<inflate_state> state_;
  Bytes packed_, out_;
};

/// The last record of a zip (APPNOTE 4.3.16): where it stands, how long the table before it is, where the first byte
/// is that offsets count from.
struct End {
  std::uint64_t at = 0, table_size = 0, base = 0;
};

std::optional<End> end_of(const Whole& zip) {
  const std::uint64_t tail_at = zip.size() - std::min<std::uint64_t>(zip.size(), end_size + most_comment);
  const Bytes tail = zip.part(tail_at, end_size + most_comment);
  const std::size_t found = text_of(tail).rfind("PK\5\6");
  if (found == std::string_view::npos || tail.size() - found < end_size) return {};
  const View record = View(tail).subspan(found);
  const std::uint64_t at = tail_at + found;
  const std::uint64_t table_size = little_endian(record, 12, 4), table_at = little_endian(record, 16, 4);
  if (table_size + table_at > at) return {};  // zip64 among others
  return End{at, table_size, at - table_size - table_at};
}

}  // namespace

std::vector<std::pair<std::uint64_t, std::uint64_t>> around_zip(const Whole& zip) {
  const auto end = end_of(zip);
  if (!end) return {};
  return {{0, end->base}, {end->at + end_size, zip.size()}};
}

std::optional<ZipContents> plain_members(const Whole& zip) {
  const auto last = end_of(zip);
  if (!last || last->table_size > most_table) return {};
  const auto [end, table_size, base] = *last;
  const Bytes table = zip.part(end - table_size, static_cast<std::size_t>(table_size));
  ZipContents contents;
  std::vector<ZipMember>& members = contents.members;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (View rest = table; !rest.empty();) {
    if (rest.size() < central_size || !begins(rest, "PK\1\2")) return {};
    const std::uint64_t flags = little_endian(rest, 8, 2), method = little_endian(rest, 10, 2);
    const std::size_t name = little_endian(rest, 28, 2);
    const std::size_t whole = central_size + name + little_endian(rest, 30, 2) + little_endian(rest, 32, 2);
    const std::uint64_t begin = base + little_endian(rest, 42, 4);
    if (begin + local_size > end || rest.size() < whole) return {};
    ZipMember member;
    member.path = text_of(rest.subspan(central_size, name));
    member.packed = little_endian(rest, 20, 4);
    member.size = little_endian(rest, 24, 4);
    member.crc = static_cast<std::uint32_t>(little_endian(rest, 16, 4));
    member.deflated = method == deflate;
    member.symlink = rest[5] == made_by_unix && S_ISLNK(little_endian(rest, 40, 2));
    member.ours =
        (flags & (encrypted | masked)) == 0 && (member.deflated || (method == store && member.packed == member.size));
    const Bytes head = zip.part(begin, local_size + name);
    if (head.size() < local_size + name || !begins(head, "PK\3\4")) return {};
    const View local(head);
    member.data_at = begin + local_size + name + little_endian(local, 28, 2);
    const bool told_behind = (little_endian(local, 6, 2) & sizes_behind) != 0;
    if (little_endian(local, 26, 2) != name || text_of(local.subspan(local_size)) != member.path ||
        little_endian(local, 8, 2) != method || ((little_endian(local, 6, 2) ^ flags) & encrypted) != 0 ||
        member.data_at + member.packed > end ||
        (!told_behind && (little_endian(local, 18, 4) != member.packed || little_endian(local, 22, 4) != member.size)))
      return {};
    ranges.emplace_back(begin, member.data_at + member.packed);
    members.push_back(std::move(member));
    rest = rest.subspan(whole);
  }
  std::sort(ranges.begin(), ranges.end());
  ranges.emplace_back(end - table_size, end);
  std::uint64_t seen = 0;
  for (const auto& [begin, finish] : ranges) {
    if (begin < seen) return {};  // members that share bytes
    // A data descriptor may stand in the gap; a header that begins there would be the next member's.
    if (begin - seen > descriptor_size) {
      if (holds_header(zip, seen, begin)) return {};
      contents.outside.emplace_back(seen, begin);
    }
    seen = finish;
  }
  contents.outside.emplace_back(end + end_size, zip.size());
  return contents;
}

void read_members(const Whole& zip, const std::vector<ZipMember>& members, ArchiveVisitor& visitor) {
  constexpr std::size_t longest_target = 4096;
  Deflated deflated;
  for (const ZipMember& member : members) {
    const bool link = member.symlink && !member.deflated && member.size <= longest_target;
    const Bytes target = link ? zip.part(member.data_at, static_cast<std::size_t>(member.size)) : Bytes();
    visitor.member(member.path, std::string(text_of(target)));
    const bool whole =
        link || (member.deflated ? deflated.show(zip, member, visitor) : deflated.show_stored(zip, member, visitor));
    if (!whole) visitor.unreadable("damaged zip archive");
    visitor.end_member();
  }
}

}  // namespace imgbuild

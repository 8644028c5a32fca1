// Databases in pages. WiredTiger (MongoDB's): src/include/block.h and btmem.h. PostgreSQL: manual, "Database Page
// Layout" and "TOAST"; a long value is packed in its row, or then cut in parts that are rows of a table of their own.
#include <algorithm>

#include "base/numbers.hpp"
#include "tar/block_file.hpp"
#include "tar/blocks.hpp"

namespace imgbuild {
namespace {

/// Its pages that are packed with snappy, but for their first bytes; what is packed with zlib or zstd is known in the
/// midst of anything.
class WiredTiger : public BlockFile {
 public:
  static bool begins(View head) { return little_endian(head, 0, 4) == 120897 && little_endian(head, 4, 2) == 1; }
  const char* packing() const override { return "snappy"; }
  std::size_t usual() const override { return unit; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::size_t heads = 40, plain = 64, begin = plain + 8;
    constexpr std::uint8_t is_packed = 1;
    const std::uint64_t on_disk = little_endian(left, 28, 4), packed = little_endian(left, plain, 8);
    if (left.size() < begin || (left[25] & is_packed) == 0 || on_disk % 512 != 0 || on_disk <= begin ||
        on_disk > most_page || packed > on_disk - begin)
      return take(unit);
    if (on_disk > most_unblocked || unpacked_size(left.subspan(begin)) > most_unblocked) {
      Bytes begun;
      const Unblocked result = unpack_snappy(left.subspan(begin), begun, most_page);
      if (is_surely_packed(result, begun)) too_large();
      return take(unit);
    }
    if (left.size() < on_disk) return last ? enough() : want(static_cast<std::size_t>(on_disk));
    Bytes out(left.begin() + heads, left.begin() + plain);
    if (!unpack_snappy(left.subspan(begin, static_cast<std::size_t>(packed)), out).whole()) return take(unit);
    sink(out, true);
    return take(on_disk);
  }

 private:
  /// What a block of snappy says that it unpacks to.
  static std::uint64_t unpacked_size(View block) {
    std::uint64_t size = 0;
    for (unsigned shift = 0; shift < 35 && shift / 7 < block.size(); shift += 7) {
      size |= std::uint64_t{block[shift / 7] & 0x7fu} << shift;
      if (block[shift / 7] < 0x80) break;
    }
    return size;
  }

  static constexpr std::size_t unit = 4096;  // (of which pages are, where nobody says otherwise)
  static constexpr std::size_t most_page = std::size_t{512} << 20;
};

class Postgres : public BlockFile {
 public:
  static bool begins(View head) { return head.size() >= page && is_page(head); }
  const char* packing() const override { return "pglz"; }
  std::size_t usual() const override { return page; }

  Step step(View left, bool, const Sink& sink) override {
    if (left.size() < page || !is_page(left)) return take(left.size());
    const auto lower = static_cast<std::size_t>(little_endian(left, 12, 2));
    std::size_t rows = 0;  // all bytes of them: they do not overlap
    for (std::size_t at = page_head; at + 4 <= lower; at += 4) {
      const auto item = static_cast<std::size_t>(little_endian(left, at, 4)), begin = item & 0x7fff, size = item >> 17;
      constexpr std::size_t row_head = 23;
      if ((item >> 15 & 3) != 1 || size <= row_head || begin + size > page) continue;
      if (rows += size; rows > page) break;
      const View row = left.subspan(begin, size);
      if (row[22] < row.size()) look_at_row(row, row[22], sink);
    }
    return take(page);
  }
  void finish(const Sink& sink) override { end_value(sink); }

 private:
  static constexpr std::size_t page = 8192, page_head = 24;

  static bool is_page(View at) {
    const std::uint64_t lower = little_endian(at, 12, 2), upper = little_endian(at, 14, 2),
                        special = little_endian(at, 16, 2), size = little_endian(at, 18, 2);
    return size == (page | 4) && lower > page_head && lower % 4 == 0 && lower <= upper && upper <= special &&
           special == page;
  }

  void look_at_row(View row, std::size_t begin, const Sink& sink) {
    if ((row[18] & 7) == 3 && begin == 24 && take_part(row.subspan(begin), sink)) return;
    // Its columns' types stand elsewhere: a value that is packed shows itself by its lengths.
    for (std::size_t at = (begin + 3) / 4 * 4; at + 8 < row.size();) {
      const std::uint64_t head = little_endian(row, at, 4), size = head >> 2;
      if ((head & 3) == 2 && size > 8 && size <= row.size() - at) {
        Bytes out;
        if (unpack(row.subspan(at + 4, static_cast<std::size_t>(size) - 4), out)) {
          sink(out, true);
          at += static_cast<std::size_t>(size + 3) / 4 * 4;
          continue;
        }
      }
      at += 4;
    }
  }

  /// A part of a long value: which one's, the how manieth, and its bytes behind their length.
  bool take_part(View row, const Sink& sink) {
    const std::uint64_t value = little_endian(row, 0, 4), number = little_endian(row, 4, 4);
    constexpr std::uint64_t most_parts = std::uint64_t{1} << 20;  // a value has 1 GiB at most
    if (row.size() < 10 || value == 0 || number > most_parts) return false;
    const bool is_short = (row[8] & 1) != 0;
    const std::size_t head = is_short ? 1 : 4;
    const auto size = is_short ? std::size_t{row[8]} >> 1 : static_cast<std::size_t>(little_endian(row, 8, 4) >> 2);
    if ((row[8] & 3) == 2 || size <= head || size > row.size() - 8) return false;
    if (number == 0 || value != value_ || number != parts_) end_value(sink);
    if (number == 0 || (value == value_ && number == parts_)) {
      value_ = value;
      const View part = row.subspan(8 + head, size - head);
      if (whole_.size() + part.size() > most_unblocked) {  // not packed, or too large: as it comes
        if (!begins_large(whole_)) sink(whole_, false);
        whole_.clear();
      }
      whole_.insert(whole_.end(), part.begin(), part.end());
      ++parts_;
    }
    return true;
  }
  void end_value(const Sink& sink) {
    Bytes out;
    if (unpack(whole_, out))
      sink(out, true);
    else if (parts_ > 1 && !begins_large(whole_))  // not packed, and cut
      sink(whole_, true);
    whole_.clear();
    parts_ = 0;
    value_ = 0;
  }

  /// Is it packed, and unpacks to more than is taken? Told, where it is.
  bool begins_large(View value) {
    constexpr std::size_t sample = std::size_t{4} << 10, most = std::size_t{1} << 30;
    const std::uint64_t says = little_endian(value, 0, 4), size = says & 0x3fffffff;
    if (value.size() < 8 || size <= most_unblocked || says >> 30 > 1) return false;
    Bytes begun;
    const View some = value.subspan(4, std::min(value.size() - 4, sample));
    const auto made = static_cast<std::size_t>(size);
    const Unblocked result =
        says >> 30 == 1 ? unpack_lz4(some, made, begun, most) : unpack_pglz(some, made, begun, most);
    const bool large = is_surely_packed(result, begun);
    if (large) too_large();
    return large;
  }

  static bool unpack(View value, Bytes& out) {
    constexpr std::uint64_t with_lz4 = 1;
    const std::uint64_t says = little_endian(value, 0, 4), size = says & 0x3fffffff;
    if (value.size() < 8 || size <= value.size() - 4 || size > most_unblocked || says >> 30 > with_lz4) return false;
    const View packed = value.subspan(4);
    const Unblocked result = says >> 30 == with_lz4 ? unpack_lz4(packed, static_cast<std::size_t>(size), out)
                                                    : unpack_pglz(packed, static_cast<std::size_t>(size), out);
    return result.whole() && result.taken == packed.size();
  }

  std::uint64_t value_ = 0, parts_ = 0;  ///< of the long value that is being gathered
  Bytes whole_;
};

}  // namespace

std::unique_ptr<BlockFile> pages_of(View head) {
  if (WiredTiger::begins(head)) return std::make_unique<WiredTiger>();
  if (Postgres::begins(head)) return std::make_unique<Postgres>();
  return nullptr;
}

}  // namespace imgbuild

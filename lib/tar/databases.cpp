// Redis: dump.rdb (src/rdb.h), and what it begins an append-only file with. LevelDB (doc/table_format.md) and RocksDB
// (its wiki, "Rocksdb BlockBasedTable Format"): tables of sorted keys.
#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "tar/block_file.hpp"
#include "tar/blocks.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t sample = std::size_t{4} << 10;  // so much of a block shows whether it is one

/// Its strings of LZF are looked for by the byte that begins one: whatever a newer version puts between them.
class Redis : public BlockFile {
 public:
  static bool begins(View head) {
    return text_of(head).starts_with("REDIS00") && head.size() > 9 &&
           std::all_of(head.begin() + 5, head.begin() + 9, [](auto c) { return c >= '0' && c <= '9'; });
  }
  const char* packing() const override { return "LZF"; }
  std::size_t usual() const override { return std::size_t{64} << 10; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::uint8_t packed = 0xc3;
    const auto at = static_cast<std::size_t>(std::find(left.begin(), left.end(), packed) - left.begin());
    passed_ += at;
    if (at > 0) return take(at);
    std::size_t head = 1;
    const std::uint64_t size = length(left, head), unpacked = length(left, head);
    if (head > longest_head) return last || left.size() >= longest_head ? pass() : want(longest_head);
    constexpr std::size_t most_ratio = 128;  // of three bytes 264
    const bool sound = size > 3 && size < unpacked && unpacked / most_ratio <= size && unpacked <= most_value;
    if (!sound) return pass();
    if (unpacked > most_unblocked) {  // such numbers stand anywhere; what unpacks for long does not
      if (left.size() < head + sample && !last) return want(head + sample);
      Bytes begun;
      const View some = left.subspan(head, std::min(left.size() - head, sample));
      const Unblocked result = unpack_lzf(some, static_cast<std::size_t>(unpacked), begun, most_value);
      if (is_surely_packed(result, begun)) too_large();
      return pass(begun.size() + head);
    }
    const auto count = static_cast<std::size_t>(size);
    if (left.size() < head + count) return last ? pass() : want(head + count);
    Bytes out;
    const View string = left.subspan(head, count);
    const Unblocked result = unpack_lzf(string, static_cast<std::size_t>(unpacked), out);
    if (!result.whole() || result.taken != count) return pass(out.size() + head);
    sink(out, true);
    passed_ += head + count;
    return take(head + count);
  }

 private:
  static constexpr std::size_t longest_head = 1 + 9 + 9, most_value = std::size_t{512} << 20;

  /// Of 6, 14, 32 or 64 bits; 0: it is none. `at` goes beyond what there is where that is too little.
  static std::uint64_t length(View bytes, std::size_t& at) {
    if (at >= bytes.size()) return at = longest_head + 1, 0;
    const std::uint8_t first = bytes[at];
    const std::size_t width = first < 0x40 ? 0 : first < 0x80 ? 1 : first == 0x80 ? 4 : first == 0x81 ? 8 : 9;
    if (width == 9) return 0;
    if (at + 1 + width > bytes.size()) return at = longest_head + 1, 0;
    const std::uint64_t rest = big_endian(bytes, at + 1, width);
    at += 1 + width;
    return width == 0 ? first : width == 1 ? (first & 0x3fu) << 8 | rest : rest;
  }

  /// It was none. What was tried for nothing must not be many times the file.
  Step pass(std::size_t tried = 1) {
    constexpr std::uint64_t most_tried = std::uint64_t{64} << 20, most_ratio = 16;
    tried_ += tried;
    ++passed_;
    if (tried_ > most_tried + passed_ * most_ratio) throw TooLarge("holds too much that only seems to be packed");
    return take(1);
  }

  std::uint64_t passed_ = 0, tried_ = 0;
};

/// Sorted keys and their values in blocks, each with its packing and a checksum behind it (of several kinds, which are
/// not asked for: what a block unpacks to shows what it is). Behind the last block of data stands what is none; there
/// the reading ends.
class SortedTable : public BlockFile {
 public:
  explicit SortedTable(std::uint8_t packing) : packing_(packing) {}

  /// The packing of the first block, or of what begins one that is too long to be seen whole; none: it is no table.
  /// (Of one whose first block is not packed: whatever the others are.)
  static std::uint8_t packing_of(View head) {
    for (const std::uint8_t packing : {snappy, lz4}) {
      if (!may_begin(head, packing)) continue;
      Bytes out;
      const Unblocked result = unpack(head, packing, out);
      constexpr std::size_t enough = 1024;
      if (result.whole() ? is_packed_block(head, packing, result, out)
                         : result.how == Unblocked::How::cut_off && out.size() >= enough && begins_block(out))
        return packing;
    }
    const std::uint64_t size = size_of_plain(head).taken;
    return size > 0 && size < head.size() ? snappy : none;
  }
  const char* packing() const override { return packing_ == snappy ? "snappy" : "lz4"; }
  std::size_t usual() const override { return std::size_t{16} << 10; }

  Step step(View left, bool last, const Sink& sink) override {
    bool cut_off = false;
    for (const std::uint8_t packing : {snappy, lz4}) {
      if (!may_begin(left, packing)) continue;
      Bytes out;
      const Unblocked result = unpack(left, packing, out);
      cut_off = cut_off || (result.how == Unblocked::How::cut_off && begins_block(out));
      if (!result.whole() || !is_packed_block(left, packing, result, out)) continue;
      packing_ = packing;
      sink(out, true);
      return take(result.taken + trailer);
    }
    const Step plain = size_of_plain(left);
    if (plain.taken > 0) return plain;
    const bool goes_on = cut_off || plain.wanted != 0;
    if (begins_large(left) || (goes_on && left.size() >= longest)) too_large();
    if (last || left.size() >= longest || !goes_on) return enough();
    return want(std::min(longest, left.size() * 4));
  }

 private:
  enum Packing : std::uint8_t { none = 0, snappy = 1, lz4 = 4, lz4hc = 5 };
  static constexpr std::size_t trailer = 5, longest = most_unblocked + (std::size_t{64} << 10);

  static std::uint64_t number(View bytes, std::size_t& at) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35 && at < bytes.size(); shift += 7) {
      const std::uint8_t byte = bytes[at++];
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    at = SIZE_MAX;
    return 0;
  }

  /// Do literals come first, and of them a zero, as a block begins?
  static bool may_begin(View from, std::uint8_t packing) {
    std::size_t at = 0;
    const std::uint64_t size = number(from, at);
    if (at >= from.size() || size < least || size > most_unblocked) return false;
    const std::uint8_t tag = from[at++];
    if (packing == snappy) {
      if ((tag & 3) != 0) return false;
      at += tag >> 2 < 60 ? 0 : (tag >> 2) - 59;
    } else if (tag >> 4 == 15) {
      while (at < from.size() && from[at] == 255) ++at;
      ++at;
    }
    return at < from.size() && from[at] == 0;
  }
  /// Is it one that unpacks to more than is taken? It begins as any.
  static bool begins_large(View from) {
    std::size_t at = 0;
    const std::uint64_t size = number(from, at);
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    if (at >= from.size() || size <= most_unblocked || size > most) return false;
    const View some = from.first(std::min(from.size(), sample));
    const auto fits = [](const Unblocked& result, const Bytes& out) {
      std::size_t key_at = 1;
      if (!is_surely_packed(result, out) || out[0] != 0) return false;
      const std::uint64_t key = number(out, key_at);
      return key >= shortest_key && key < most_unblocked;
    };
    Bytes out;
    const Unblocked as_snappy = unpack_snappy(some, out, most);
    if (fits(as_snappy, out)) return true;
    out.clear();
    const Unblocked as_lz4 = unpack_lz4(rest_from(some, at), static_cast<std::size_t>(size), out, most);
    return fits(as_lz4, out);
  }
  static Unblocked unpack(View from, std::uint8_t packing, Bytes& out) {
    if (packing == snappy) return unpack_snappy(from, out);
    std::size_t at = 0;
    const std::uint64_t size = number(from, at);
    Unblocked result = unpack_lz4(rest_from(from, at), static_cast<std::size_t>(size), out);
    result.taken += at;
    return result;
  }

  /// The first entry's key shares nothing with one before, and is no shorter than a number that stands behind it.
  static bool begins_block(View block) {
    if (block.size() < least || block[0] != 0) return false;
    std::size_t at = 1;
    const std::uint64_t key = number(block, at), value = number(block, at);
    return at < block.size() && key >= shortest_key && key < most_unblocked && value <= most_unblocked;
  }

  /// It ends with where entries begin that share nothing: the first of them first, and how many there are last.
  static bool is_block(View block) {
    if (!begins_block(block)) return false;
    const std::uint64_t count = little_endian(block, block.size() - 4, 4) & 0x7fffffff;
    return count > 0 && count < block.size() / 4 && little_endian(block, block.size() - 4 - 4 * count, 4) == 0;
  }

  static bool is_packed_block(View from, std::uint8_t packing, const Unblocked& result, View out) {
    if (result.taken + trailer > from.size() || !is_block(out)) return false;
    const std::uint8_t says = from[result.taken];
    return says == packing || (packing == lz4 && says == lz4hc);
  }

  /// One that is not packed, with its trailer: entry by entry.
  static Step size_of_plain(View left) {
    if (!begins_block(left)) return {};
    std::size_t at = 0;
    for (std::uint64_t key_before = 0; at + 8 <= left.size();) {
      if (little_endian(left, at, 4) == 0) return behind_starts(left, at);
      const std::uint64_t shared = number(left, at), rest = number(left, at), value = number(left, at);
      if (at > left.size()) return {};
      if (shared > key_before || rest > most_unblocked || value > most_unblocked) return {};
      key_before = shared + rest;
      if (rest + value > left.size() - at) return want(left.size() + 1);
      at += static_cast<std::size_t>(rest + value);
    }
    return want(left.size() + 1);
  }
  static Step behind_starts(View left, std::size_t begin) {
    std::uint64_t before = 0;
    for (std::size_t at = begin + 4, count = 1; at + 4 + trailer <= left.size(); at += 4, ++count) {
      const std::uint64_t start = little_endian(left, at, 4);
      if (start == count) return left[at + 4] == none ? take(at + 4 + trailer) : Step{};
      if (start <= before || start >= begin) return {};
      before = start;
    }
    return want(left.size() + 1);
  }

  static constexpr std::size_t least = 16;
  static constexpr std::uint64_t shortest_key = 8;
  std::uint8_t packing_;
};

/// The documents of a Lucene index (CodecUtil's header, then the name of the format), packed with a dictionary before
/// each block: no reader.
class StoredFields : public BlockFile {
 public:
  static bool begins(View head) {
    constexpr std::size_t magic = 4;
    const std::string_view text = text_of(head);
    const std::size_t size = head.size() > magic ? head[magic] : 0;
    if (big_endian(head, 0, magic) != 0x3fd76c17 || head.size() < magic + 1 + size) return false;
    const std::string_view name = text.substr(magic + 1, size);
    return name.find("StoredFields") != std::string_view::npos && name.ends_with("Data");
  }
  StoredFields() { cannot("no reader for stored fields of Lucene"); }
  const char* packing() const override { return "lz4"; }
  std::size_t usual() const override { return 64; }
  Step step(View, bool, const Sink&) override { return enough(); }
};

}  // namespace

std::unique_ptr<BlockFile> database_of(View head) {
  if (StoredFields::begins(head)) return std::make_unique<StoredFields>();
  if (Redis::begins(head)) return std::make_unique<Redis>();
  if (const std::uint8_t packing = SortedTable::packing_of(head); packing != 0)
    return std::make_unique<SortedTable>(packing);
  return nullptr;
}

std::unique_ptr<BlockFile> BlockFile::of(View head, const PdfOpener& opener) {
  if (head.size() < 32) return nullptr;
  if (text_of(head).starts_with(std::string_view("\xff\6\0\0sNaPpY", 10))) return stream(Container::snappy);
  for (const auto one_of : {database_of, pages_of, log_of, parquet_of})
    if (auto file = one_of(head)) return file;
  return pdf_of(head, opener);
}

}  // namespace imgbuild

// Rows of blocks that stand in the midst of other bytes: the files of an installer that NSIS made (Source/exehead's
// fileform.h); snappy in frames (google/snappy, framing_format.txt), snappy
// as its Java library writes it (xerial; Kafka's batches), and the changes of Subversion's repositories, packed with
// lz4 (notes/svndiff: "SVN\2"). (Those that are packed with zlib are known in the midst of anything.)
#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "tar/block_file.hpp"
#include "tar/blocks.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

/// Frames of 64 KiB at most, after one that says what they are. What follows them is none of theirs.
class SnappyFrames : public BlockFile {
 public:
  const char* packing() const override { return "snappy"; }
  std::size_t usual() const override { return head; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::uint8_t packed = 0, plain = 1, begin = 0xff, first_skipped = 0x80;
    if (left.size() < head) throw Error("truncated snappy stream");
    const std::size_t checksum = 4, size = static_cast<std::size_t>(little_endian(left, 1, 3));
    const std::uint8_t type = left[0];
    if (type != packed && type != plain && type < first_skipped) {
      if (!any_) throw Error("damaged snappy stream");
      return enough();
    }
    if (type == begin && size != 6) return enough();
    if (left.size() < head + size) {
      if (last) throw Error("truncated snappy stream");
      return want(head + size);
    }
    if (type >= first_skipped) return take(head + size);
    Bytes out;
    const View block = rest_from(left, head + checksum).first(size < checksum ? 0 : size - checksum);
    const bool sound = type == plain ? size > checksum : unpack_snappy(block, out).whole();
    if (!sound) throw Error("damaged snappy stream");
    any_ = true;
    sink(type == plain ? block : View(out), false);
    return take(head + size);
  }

 private:
  static constexpr std::size_t head = 4;
  bool any_ = false;
};

/// A header of 16 bytes, then blocks behind their lengths.
class Xerial : public BlockFile {
 public:
  const char* packing() const override { return "snappy"; }
  std::size_t usual() const override { return is_first_ ? 16 : 4; }

  Step step(View left, bool last, const Sink& sink) override {
    if (std::exchange(is_first_, false)) return take(16);
    const auto size = static_cast<std::size_t>(big_endian(left, 0, 4));
    if (left.size() < 4 || size == 0 || size > most_unblocked) return enough();
    if (left.size() < 4 + size) return last ? enough() : want(4 + size);
    Bytes out;
    const Unblocked result = unpack_snappy(left.subspan(4, size), out);
    if (!result.whole() || result.taken != size) return enough();
    sink(out, false);
    return take(4 + size);
  }

 private:
  bool is_first_ = true;
};

/// Windows of changes; what they bring that is new, without what they copy.
class Svndiff : public BlockFile {
 public:
  const char* packing() const override { return "lz4"; }
  std::size_t usual() const override { return is_first_ ? 4 : 32; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::size_t magic = 4, most_window = std::size_t{1} << 20;
    if (std::exchange(is_first_, false)) return take(magic);
    std::size_t at = 0;
    for (int i = 0; i < 3; ++i) number(left, at);  // where the window is in the source, and both its sizes
    const std::uint64_t told = number(left, at), fresh = number(left, at);
    if (at > left.size() || told == 0 || told > most_window || fresh > most_window) return enough();
    const std::size_t begin = at + static_cast<std::size_t>(told), size = static_cast<std::size_t>(fresh);
    if (left.size() < begin + size) return last ? enough() : want(begin + size);
    const View section = left.subspan(begin, size);
    std::size_t head = 0;
    const std::uint64_t unpacked = size == 0 ? 0 : number(section, head);
    if (head > size) return enough();
    const View block = section.subspan(head);
    Bytes out;
    if (unpacked != block.size()) {
      const Unblocked result = unpack_lz4(block, static_cast<std::size_t>(unpacked), out);
      if (!result.whole() || result.taken != block.size()) return enough();
    }
    sink(unpacked == block.size() ? block : View(out), false);
    return take(begin + size);
  }

 private:
  /// Seven bits a byte, the highest first.
  static std::uint64_t number(View bytes, std::size_t& at) {
    std::uint64_t value = 0;
    for (int i = 0; i < 9 && at < bytes.size(); ++i) {
      const std::uint8_t byte = bytes[at++];
      value = value << 7 | (byte & 0x7fu);
      if (byte < 0x80) return value;
    }
    at = SIZE_MAX;
    return 0;
  }
  bool is_first_ = true;
};

/// A header, then all in one stream, or items that are packed or not, each behind its length. (But for its own kind of
/// bzip2.)
class Nsis : public BlockFile {
 public:
  const char* packing() const override { return "NSIS"; }
  std::size_t usual() const override {
    constexpr std::uint64_t piece = std::uint64_t{64} << 10;
    return rest_ == 0 ? first : left_ == 0 ? item_head : static_cast<std::size_t>(std::min(left_, piece));
  }

  Step step(View left, bool, const Sink& sink) override {
    if (rest_ == 0) return begin(left);
    if (left_ == 0) {
      const std::uint64_t says = little_endian(left, 0, 4), size = says & 0x7fffffff;
      if (left.size() < 4 || (!is_solid_ && size > rest_)) return enough();
      left_ = is_solid_ ? rest_ : size;
      is_packed_ = is_solid_ || says >> 31 != 0;
      at_begin_ = true;
      if (!is_solid_) {
        if (rest_ -= 4; rest_ < left_) return enough();
        return take(4);
      }
    }
    const View piece = left.first(static_cast<std::size_t>(std::min<std::uint64_t>(left.size(), left_)));
    unpack(piece, sink);
    left_ -= piece.size();
    rest_ -= std::min<std::uint64_t>(rest_ - 1, piece.size());
    if (left_ == 0) {
      end_item(sink);
      if (rest_ <= 1) return enough();
    }
    return take(piece.size());
  }
  void finish(const Sink& sink) override { end_item(sink); }

 private:
  static constexpr std::size_t head = 24, item_head = 16, first = head + item_head;

  Step begin(View left) {
    constexpr std::size_t flags = 4;
    const std::uint64_t size = little_endian(left, 20, 4);
    if (left.size() < first || size <= head + flags + item_head) return enough();
    rest_ = size - head - flags + 1;  // (1: the end)
    is_solid_ =
        (little_endian(left, head, 4) & 0x7fffffff) > rest_ || is_lzma(left.subspan(head)) || left[head + 3] != 0x80;
    return take(head);
  }
  /// Its properties, behind what may say that code was turned round before.
  static bool is_lzma(View at) {
    return at.size() > 6 &&
           ((at[0] == 0x5d && at[1] == 0 && at[2] == 0) || (at[0] <= 1 && at[1] == 0x5d && at[2] == 0));
  }

  void unpack(View piece, const Sink& sink) {
    if (!is_packed_) return sink(piece, false);
    try {
      if (std::exchange(at_begin_, false)) {
        const bool lzma = is_lzma(piece);
        room_.resize(std::size_t{64} << 10);
        inflater_.emplace(
            lzma ? Container::lzma : Container::deflate, [this] { return std::span<std::uint8_t>(room_); },
            [this, &sink](View filled) {
              try {
                sink(filled, false);
              } catch (...) {
                thrown_ = std::current_exception();
                throw;
              }
            });
        if (lzma) {  // what says its size is left out
          constexpr std::size_t properties = 5;
          if (piece[0] != 0x5d) piece = piece.subspan(1);
          static constexpr std::uint8_t no_size[] = {255, 255, 255, 255, 255, 255, 255, 255};
          inflater_->feed(piece.first(properties));
          inflater_->feed(no_size);
          piece = piece.subspan(properties);
        }
      }
      if (inflater_ && inflater_->feed(piece) < piece.size()) inflater_->flush();
    } catch (const TooLarge&) {
      throw;
    } catch (const Error&) {
      if (thrown_) throw;  // not ours
      if (inflater_) inflater_->flush();
      inflater_.reset();
    }
  }
  void end_item(const Sink& sink) {
    if (inflater_) inflater_->flush();
    inflater_.reset();
    sink({}, true);
  }

  std::uint64_t rest_ = 0, left_ = 0;  ///< of everything, and of one item
  bool is_solid_ = false, is_packed_ = false, at_begin_ = false;
  Bytes room_;
  std::optional<Inflater> inflater_;
  std::exception_ptr thrown_;
};

}  // namespace

std::unique_ptr<BlockFile> BlockFile::stream(Container kind) {
  switch (kind) {
    case Container::snappy:
      return std::make_unique<SnappyFrames>();
    case Container::xerial:
      return std::make_unique<Xerial>();
    case Container::nsis:
      return std::make_unique<Nsis>();
    case Container::svndiff:
      return std::make_unique<Svndiff>();
    default:
      return nullptr;
  }
}

}  // namespace imgbuild

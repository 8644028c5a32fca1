// Logs and tables of columns. Avro (specification 1.11, "Object Container Files"), ORC (specification v1,
// "Compression"), systemd's journal (JOURNAL_FILE_FORMAT), the write-ahead logs of Prometheus (tsdb/docs/format/wal.md)
// and InfluxDB, Kafka's segments (message format 2), Borg's segments (internals, "Repository"), blocks of ClickHouse,
// Cassandra and Hadoop.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "tar/block_file.hpp"
#include "tar/blocks.hpp"

namespace imgbuild {
namespace {

using namespace std::string_view_literals;

/// Enough of what is longer than what is seen of it to be sure that it is no accident.
bool is_sure(const Unblocked& result, const Bytes& out) {
  constexpr std::size_t enough = 1024;
  return result.how == Unblocked::How::cut_off && out.size() >= enough;
}

enum class Codec { unknown, deflate, snappy, lz4 };
const char* name_of(Codec codec) {
  return codec == Codec::deflate ? "deflate" : codec == Codec::lz4 ? "lz4" : "snappy";
}

class Avro : public BlockFile {
 public:
  static bool begins(View head) { return text_of(head).starts_with("Obj\1"); }
  const char* packing() const override { return name_of(codec_); }
  std::size_t usual() const override { return std::size_t{4} << 10; }

  Step step(View left, bool last, const Sink& sink) override {
    std::size_t at = 0;
    if (codec_ == Codec::unknown) return head(left, last);
    number(left, at);  // of records
    const std::uint64_t size = number(left, at);
    if (at > left.size() || size > most_file) return enough();
    if (size > most_unblocked) {
      too_large();
      return take(at + size + sync_.size());
    }
    const std::size_t count = static_cast<std::size_t>(size);
    if (left.size() < at + count + sync_.size()) return last ? enough() : want(at + count + sync_.size());
    const View block = left.subspan(at, count);
    if (!std::equal(sync_.begin(), sync_.end(), left.begin() + static_cast<std::ptrdiff_t>(at + count)))
      return enough();
    Bytes out;
    const Unblocked result =
        codec_ == Codec::deflate ? unpack_deflate(block, out)
        : codec_ == Codec::snappy
            ? unpack_snappy(block, out)
            : unpack_lz4(rest_from(block, 4), static_cast<std::size_t>(little_endian(block, 0, 4)), out);
    sink(out, true);
    if (!result.whole() && count > 0) fills_bound(out) ? too_large() : damaged();
    return take(at + count + sync_.size());
  }

 private:
  /// (Zigzag; nothing here is negative but a count of entries with their size behind it.)
  static std::uint64_t number(View bytes, std::size_t& at, bool* negative = nullptr) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && at < bytes.size(); shift += 7) {
      const std::uint8_t byte = bytes[at++];
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte >= 0x80) continue;
      if (negative != nullptr) *negative = (value & 1) != 0;
      return negative == nullptr && (value & 1) != 0 ? UINT64_MAX : (value >> 1) + (value & 1);
    }
    at = SIZE_MAX;
    return UINT64_MAX;
  }

  Step head(View left, bool last) {
    constexpr std::size_t most_head = std::size_t{4} << 20;
    std::size_t at = 4;
    std::string_view codec;
    const auto text = [&]() -> std::string_view {
      const std::uint64_t size = number(left, at);
      if (at > left.size() || size > left.size() - at) return at = SIZE_MAX, std::string_view();
      at += static_cast<std::size_t>(size);
      return text_of(left.subspan(at - static_cast<std::size_t>(size), static_cast<std::size_t>(size)));
    };
    for (bool sized = false; at < left.size();) {
      std::uint64_t entries = number(left, at, &sized);
      if (entries == 0) break;
      if (sized) number(left, at);
      for (; entries > 0 && at < left.size(); --entries) {
        const std::string_view key = text(), value = text();
        if (key == "avro.codec") codec = value;
      }
    }
    if (at > left.size() || left.size() - at < sync_.size())
      return last || left.size() >= most_head ? enough() : want(std::min(left.size() * 4, most_head));
    codec_ = codec == "deflate"  ? Codec::deflate
             : codec == "snappy" ? Codec::snappy
             : codec == "lz4"    ? Codec::lz4
                                 : Codec::unknown;
    if (codec_ == Codec::unknown) return enough();
    std::copy_n(left.begin() + static_cast<std::ptrdiff_t>(at), sync_.size(), sync_.begin());
    return take(at + sync_.size());
  }

  static constexpr std::uint64_t most_file = std::uint64_t{1} << 40;
  Codec codec_ = Codec::unknown;
  std::array<std::uint8_t, 16> sync_{};
};

/// Chunks behind each other, from the magic number to the footer. The end would say how they are packed, and the first
/// one shows it.
class Orc : public BlockFile {
 public:
  static bool begins(View head) { return text_of(head).starts_with("ORC") && head.size() > 16 && head[3] != ' '; }
  const char* packing() const override { return name_of(codec_); }
  std::size_t usual() const override { return 16; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::size_t magic = 3, head = 3;
    if (std::exchange(is_first_, false)) return take(magic);
    if (left.size() < head) return enough();
    const auto says = static_cast<std::size_t>(little_endian(left, 0, head)), size = says >> 1;
    if (size == 0) return take(1);  // padding
    if (left.size() < head + size) return last || size > most_unblocked ? enough() : want(head + size);
    const View chunk = left.subspan(head, size);
    if ((says & 1) != 0) {
      sink(chunk, false);
      return take(head + size);
    }
    for (const Codec codec : {Codec::snappy, Codec::deflate, Codec::lz4}) {
      if (codec_ != Codec::unknown && codec != codec_) continue;
      Bytes out;
      const Unblocked result = codec == Codec::snappy    ? unpack_snappy(chunk, out)
                               : codec == Codec::deflate ? unpack_deflate(chunk, out)
                                                         : unpack_lz4_to_its_end(chunk, out);
      if (!result.whole() || result.taken != size) continue;
      codec_ = codec;
      sink(out, false);
      return take(head + size);
    }
    return enough();
  }

 private:
  Codec codec_ = Codec::unknown;
  bool is_first_ = true;
};

/// Its data objects that are packed with lz4; what is packed with zstd or xz is known in the midst of anything.
class Journal : public BlockFile {
 public:
  static bool begins(View head) {
    constexpr std::uint64_t with_lz4 = 2;
    return text_of(head).starts_with("LPKSHHRH") && (little_endian(head, 12, 4) & with_lz4) != 0 &&
           head_of(head) >= 208 && head_of(head) < 4096;
  }
  const char* packing() const override { return "lz4"; }
  std::size_t usual() const override { return 256; }

  Step step(View left, bool last, const Sink& sink) override {
    if (payload_ == 0) {
      constexpr std::uint64_t compact = 16;
      payload_ = (little_endian(left, 12, 4) & compact) != 0 ? 72 : 64;
      return take(head_of(left));
    }
    constexpr std::uint8_t data = 1, with_lz4 = 2;
    const std::uint64_t size = little_endian(left, 8, 8);
    if (left.size() < 16 || size < 16 || size >> 48 != 0) return enough();
    const std::uint64_t aligned = (size + 7) / 8 * 8;
    if (left[0] != data || left[1] != with_lz4 || size < payload_ + 8) return take(aligned);
    if (size > most_unblocked) {
      too_large();
      return take(aligned);
    }
    if (left.size() < size) return last ? enough() : want(static_cast<std::size_t>(size));
    const View payload = left.subspan(payload_, static_cast<std::size_t>(size) - payload_);
    Bytes out;
    if (const std::uint64_t unpacked = little_endian(payload, 0, 8); unpacked <= most_unblocked)
      unpack_lz4(payload.subspan(8), static_cast<std::size_t>(unpacked), out);
    else
      too_large();
    sink(out, true);
    return take(aligned);
  }

 private:
  static std::uint64_t head_of(View head) { return little_endian(head, 88, 8); }
  std::size_t payload_ = 0;  ///< where it stands in an object
};

/// Records in pages of 32 KiB, in which each has its part.
class Prometheus : public BlockFile {
 public:
  static bool begins(View head) {
    if (head.size() < 64 || (head[0] != (full | with_snappy) && head[0] != (first | with_snappy))) return false;
    const auto size = static_cast<std::size_t>(big_endian(head, 1, 2));
    if (record_head + size > page) return false;
    Bytes out;
    const View part = head.subspan(record_head, std::min(size, head.size() - record_head));
    const Unblocked result = unpack_snappy(part, out);
    return (result.whole() && result.taken == size) || is_sure(result, out);
  }
  const char* packing() const override { return "snappy"; }
  std::size_t usual() const override { return page; }

  Step step(View left, bool, const Sink& sink) override {
    for (std::size_t at = 0; at + record_head <= left.size() && left[at] != 0;) {
      const std::size_t size = static_cast<std::size_t>(big_endian(left, at + 1, 2)), begin = at + record_head;
      const unsigned type = left[at] & 7u;
      if (type == full || type == first) record_.clear();
      if (size > left.size() - begin || record_.size() + size > most_unblocked) {
        if (size <= left.size() - begin && (left[at] & with_snappy) != 0) too_large();
        record_.clear();
        break;
      }
      const View part = left.subspan(begin, size);
      record_.insert(record_.end(), part.begin(), part.end());
      if ((type == full || type == last_) && (left[at] & with_snappy) != 0) {
        Bytes out;
        unpack_snappy(record_, out);
        sink(out, true);
      }
      at = begin + size;
    }
    return take(left.size());
  }

 private:
  static constexpr std::size_t page = std::size_t{32} << 10, record_head = 7;
  enum : unsigned { full = 1, first = 2, last_ = 4, with_snappy = 8 };
  Bytes record_;
};

/// Batches of records; what is packed with gzip, lz4 or zstd is known in the midst of anything, as is snappy where Java
/// wrote it.
class Kafka : public BlockFile {
 public:
  static bool begins(View head) {
    if (head.size() < batch_head || head[16] != 2 || big_endian(head, 0, 2) != 0) return false;
    const std::uint64_t size = big_endian(head, 8, 4), count = big_endian(head, 57, 4);
    return size >= batch_head - 12 && size >> 30 == 0 && head[21] == 0 && (head[22] & 7) <= 4 && count > 0 &&
           count == big_endian(head, 23, 4) + 1;
  }
  const char* packing() const override { return "snappy"; }
  std::size_t usual() const override { return batch_head; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr unsigned with_snappy = 2;
    if (!begins(left)) return enough();
    const std::uint64_t size = 12 + big_endian(left, 8, 4);
    if ((left[22] & 7) != with_snappy) return take(size);
    constexpr auto javas = "\x82SNAPPY\0"sv;
    const std::uint64_t needed = size > most_unblocked ? batch_head + javas.size() : size;
    if (left.size() < needed) return last ? enough() : want(static_cast<std::size_t>(needed));
    const View records = left.subspan(batch_head, static_cast<std::size_t>(needed) - batch_head);
    Bytes out;
    if (text_of(records).starts_with(javas)) return take(size);
    if (size > most_unblocked)
      too_large();
    else if (unpack_snappy(records, out).whole())
      sink(out, true);
    else
      damaged();
    return take(size);
  }

 private:
  static constexpr std::size_t batch_head = 61;
};

/// A repository's objects, each with what it is encrypted with (borg, "Key types"); what is packed otherwise than by
/// lz4 is known in the midst of anything.
class Borg : public BlockFile {
 public:
  static bool begins(View head) { return text_of(head).starts_with("BORG_SEG"); }
  const char* packing() const override { return "lz4"; }
  std::size_t usual() const override { return 64; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::size_t magic = 8, head = 9, key = 32, hash = 8;
    constexpr std::uint8_t put = 0, put_with_hash = 3;
    if (std::exchange(is_first_, false)) return take(magic);
    const std::uint64_t size = little_endian(left, 4, 4);
    if (left.size() < head || size < head) return enough();
    const std::uint8_t tag = left[8];
    const std::size_t data = head + key + (tag == put_with_hash ? hash : 0);
    if ((tag != put && tag != put_with_hash) || size < data + 3) return take(size);
    if (left.size() < data + 3) return take(size);
    constexpr std::string_view open("\2\6\7", 3);  // plain, and only authenticated
    if (open.find(static_cast<char>(left[data])) == std::string_view::npos) {
      cannot("encrypted");
      return take(size);
    }
    if (!text_of(left.subspan(data + 1)).starts_with("\1\0"sv)) return take(size);  // lz4
    if (size > most_unblocked) {
      too_large();
      return take(size);
    }
    if (left.size() < size) return last ? enough() : want(static_cast<std::size_t>(size));
    Bytes out;
    const Unblocked result =
        unpack_lz4_to_its_end(left.subspan(data + 3, static_cast<std::size_t>(size) - data - 3), out);
    sink(out, true);
    if (!result.whole()) fills_bound(out) ? too_large() : damaged();
    return take(size);
  }

 private:
  bool is_first_ = true;
};

/// Blocks with their lengths before them, which begin a file without any other sign: known by a first one that is
/// sound.
class Lengthed : public BlockFile {
 public:
  enum class Kind { clickhouse, cassandra, hadoop, influx };

  static std::optional<Kind> kind_of(View head) {
    for (const Kind kind : {Kind::clickhouse, Kind::cassandra, Kind::hadoop, Kind::influx}) {
      const auto frame = frame_of(head, kind);
      if (!frame || frame->unpacked < least_first) continue;
      Bytes out;
      const Unblocked result = unpack(head, *frame, out);
      if (result.whole() ? is_whole(result, *frame) && goes_on(head, kind, *frame, result) : is_sure(result, out))
        return kind;
    }
    return std::nullopt;
  }
  explicit Lengthed(Kind kind) : kind_(kind) {}
  const char* packing() const override {
    return kind_ == Kind::clickhouse || kind_ == Kind::cassandra ? "lz4" : "snappy";
  }
  std::size_t usual() const override { return 64; }

  Step step(View left, bool last, const Sink& sink) override {
    const auto frame = frame_of(left, kind_);
    if (!frame && kind_ == Kind::clickhouse && left.size() > 25 && left[16] == 0x82 &&
        little_endian(left, 21, 4) > most_unblocked)
      too_large();
    if (!frame) return enough();
    const std::size_t most = frame->begin +
                             (frame->packed > 0 ? frame->packed : frame->unpacked + frame->unpacked / 128 + 16) +
                             frame->behind;
    if (left.size() < most && !last) return want(most);
    Bytes out;
    const Unblocked result = unpack(left, *frame, out);
    if (!is_whole(result, *frame)) return enough();
    sink(out, false);
    return take(frame->begin + result.taken + frame->behind);
  }

 private:
  struct Frame {
    std::size_t begin = 0, packed = 0, unpacked = 0, behind = 0;  ///< packed: 0 where that is not said
    bool with_lz4 = false;
  };
  static constexpr std::size_t least_first = 64;

  static std::optional<Frame> frame_of(View head, Kind kind) {
    const auto little = [&](std::size_t at) { return static_cast<std::size_t>(little_endian(head, at, 4)); };
    const auto big = [&](std::size_t at) { return static_cast<std::size_t>(big_endian(head, at, 4)); };
    if (head.size() < 9) return std::nullopt;
    Frame frame;
    switch (kind) {
      case Kind::clickhouse: {  // a checksum of 16 bytes, how it is packed, both sizes
        constexpr std::size_t checksum = 16, own = 9;
        if (head.size() < checksum + own || head[checksum] != 0x82 || little(17) <= own) return std::nullopt;
        frame = {checksum + own, little(17) - own, little(21), 0, true};
        break;
      }
      case Kind::cassandra:  // and a checksum behind it
        frame = {4, 0, little(0), 4, true};
        break;
      case Kind::hadoop:
        frame = {8, big(4), big(0), 0, false};
        break;
      case Kind::influx:
        if (head[0] != 1 && head[0] != 2) return std::nullopt;
        frame = {5, big(1), std::size_t{least_first}, 0, false};
        break;
    }
    const bool sound = frame.unpacked > 0 && frame.unpacked <= most_unblocked && frame.packed <= most_unblocked &&
                       (frame.packed > 0 || kind == Kind::cassandra);
    return sound ? std::optional(frame) : std::nullopt;
  }
  static Unblocked unpack(View from, const Frame& frame, Bytes& out) {
    View block = from.subspan(frame.begin);
    if (frame.packed > 0) block = block.first(std::min(block.size(), frame.packed));
    return frame.with_lz4 ? unpack_lz4(block, frame.unpacked, out) : unpack_snappy(block, out);
  }
  static bool is_whole(const Unblocked& result, const Frame& frame) {
    return result.whole() && (frame.packed == 0 || result.taken == frame.packed);
  }
  /// Behind the first one is the end, or another.
  static bool goes_on(View head, Kind kind, const Frame& frame, const Unblocked& result) {
    const View rest = rest_from(head, frame.begin + result.taken + frame.behind);
    return rest.empty() || rest.size() < least_first || frame_of(rest, kind);
  }

  Kind kind_;
};

}  // namespace

std::unique_ptr<BlockFile> log_of(View head) {
  if (Avro::begins(head)) return std::make_unique<Avro>();
  if (Orc::begins(head)) return std::make_unique<Orc>();
  if (Journal::begins(head)) return std::make_unique<Journal>();
  if (Prometheus::begins(head)) return std::make_unique<Prometheus>();
  if (Kafka::begins(head)) return std::make_unique<Kafka>();
  if (Borg::begins(head)) return std::make_unique<Borg>();
  if (const auto kind = Lengthed::kind_of(head)) return std::make_unique<Lengthed>(*kind);
  return nullptr;
}

}  // namespace imgbuild

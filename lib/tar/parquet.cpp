// Parquet (apache/parquet-format, README and src/main/thrift/parquet.thrift): pages behind each other, each behind a
// header in Thrift's compact protocol, up to the footer, which would say how they are packed; but each shows it. A page
// of an encrypted column ("Parquet Modular Encryption") has no header that can be read; the footer says that there are
// such.
#include <utility>

#include "base/numbers.hpp"
#include "tar/block_file.hpp"
#include "tar/blocks.hpp"

namespace imgbuild {
namespace {

/// Thrift's compact protocol, as far as page headers need it. What does not fit makes `at` SIZE_MAX.
struct Compact {
  View bytes;
  std::size_t at = 0;

  enum Type : unsigned {
    stop = 0,
    yes = 1,
    no = 2,
    byte_number = 3,
    number64 = 6,
    real = 7,
    text = 8,
    list = 9,
    set = 10,
    structure = 12
  };

  bool failed() const { return at > bytes.size(); }
  unsigned byte() {
    if (at >= bytes.size()) return at = SIZE_MAX, 0;
    return bytes[at++];
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !failed(); shift += 7) {
      const unsigned one = byte();
      value |= std::uint64_t{one & 0x7f} << shift;
      if (one < 0x80) return value;
    }
    at = SIZE_MAX;
    return 0;
  }
  std::int64_t signed_number() {
    const std::uint64_t zigzag = number();
    return static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  }
  void pass(std::uint64_t count) {
    at = failed() || count > bytes.size() - at ? SIZE_MAX : at + static_cast<std::size_t>(count);
  }
  void pass_value(unsigned type, int depth = 0) {
    if (type == yes || type == no) return;
    if (type == byte_number) return pass(1);
    if (type > byte_number && type <= number64) return static_cast<void>(number());
    if (type == real) return pass(8);
    if (type == text) return pass(number());
    constexpr int deepest = 8;
    if (depth < deepest && (type == list || type == set)) {
      const unsigned head = byte();
      std::uint64_t count = head >> 4 == 15 ? number() : head >> 4;
      for (; count > 0 && !failed(); --count) {
        const unsigned of = head & 15;
        of == yes || of == no ? pass(1) : pass_value(of, depth + 1);
      }
      return;
    }
    if (depth < deepest && type == structure) return each_field([&](int, unsigned of) { pass_value(of, depth + 1); });
    at = SIZE_MAX;
  }
  /// use(number, type) takes each field's value.
  template <class Use>
  void each_field(const Use& use) {
    for (int field = 0;;) {
      const unsigned head = byte();
      if (failed() || head == stop) return;
      field = head >> 4 == 0 ? static_cast<int>(signed_number()) : field + static_cast<int>(head >> 4);
      use(field, head & 15);
    }
  }
};

class Parquet : public BlockFile {
 public:
  const char* packing() const override { return packing_; }
  std::size_t usual() const override { return in_end_ ? std::size_t{64} << 10 : 256; }

  Step step(View left, bool last, const Sink& sink) override {
    constexpr std::size_t magic = 4, most_head = std::size_t{256} << 10;
    if (std::exchange(is_first_, false)) {
      is_sealed_ = in_end_ = text_of(left).starts_with("PARE");
      return in_end_ ? keep(left) : take(magic);
    }
    if (in_end_) return keep(left);
    Head head;
    Compact reader{left, 0};
    reader.each_field([&](int field, unsigned type) { read(head, reader, field, type); });
    if (reader.failed()) return last || left.size() >= most_head ? end(left) : want(left.size() * 4);
    const std::size_t begin = reader.at;
    if (!head.is_sound()) return end(left);
    const auto packed = static_cast<std::size_t>(head.packed), size = static_cast<std::size_t>(head.size),
               levels = static_cast<std::size_t>(head.levels);
    if (packed == size) return take(begin + packed);
    const bool large = size > most_unblocked || packed > most_unblocked;
    constexpr std::size_t magic_of_others = 4;
    const std::size_t needed = large ? std::min(packed, levels + magic_of_others) : packed;
    if (left.size() < begin + needed) return last ? enough() : want(begin + needed);
    const View page = left.subspan(begin, std::min(packed, left.size() - begin));
    Bytes out;
    if (large)
      is_others(rest_from(page, levels)) ? void() : too_large();
    else if (unpack(page.subspan(levels), size - levels, out))
      sink(out, true);
    else if (!is_others(page.subspan(levels)))
      damaged();
    return take(begin + packed);
  }

  /// The footer (FileMetaData), its length and the magic number are the last of it.
  void finish(const Sink&) override {
    constexpr std::size_t behind = 8;
    if (is_sealed_ && text_of(end_).ends_with("PARE")) cannot("encrypted");
    const std::size_t size =
        end_.size() < behind ? 0 : static_cast<std::size_t>(little_endian(rest_from(end_, end_.size() - behind), 0, 4));
    if (size == 0 || size > end_.size() - behind || !text_of(end_).ends_with("PAR1")) return;
    Compact footer{View(end_).subspan(end_.size() - behind - size, size), 0};
    constexpr int encryption_algorithm = 8;
    footer.each_field([&](int field, unsigned type) {
      if (field == encryption_algorithm) cannot("has encrypted columns");
      footer.pass_value(type);
    });
  }

 private:
  /// No page begins here: from here on it is looked at for the footer.
  Step end(View left) {
    in_end_ = true;
    return keep(left);
  }
  Step keep(View left) {
    constexpr std::size_t most = std::size_t{1} << 20;  // a longer footer is not looked at
    end_.insert(end_.end(), left.begin(), left.end());
    if (end_.size() > 2 * most) end_.erase(end_.begin(), end_.end() - static_cast<std::ptrdiff_t>(most));
    return take(left.size());
  }

  struct Head {
    std::int64_t type = -1, size = -1, packed = -1, levels = 0;
    bool is_sound() const {
      constexpr std::int64_t most = INT32_MAX;
      return type >= 0 && type <= 3 && size >= 0 && packed >= 0 && size <= most && packed <= most && levels >= 0 &&
             levels <= size && levels <= packed;
    }
  };
  static void read(Head& head, Compact& reader, int field, unsigned type) {
    constexpr unsigned number32 = 5;
    if (type == number32 && field >= 1 && field <= 3) {
      (field == 1 ? head.type : field == 2 ? head.size : head.packed) = reader.signed_number();
    } else if (type == Compact::structure && field == 8) {  // of the second version: its levels are not packed
      reader.each_field([&](int inner, unsigned of) {
        if (of == number32 && (inner == 5 || inner == 6))
          head.levels += reader.signed_number() & INT32_MAX;
        else
          reader.pass_value(of);
      });
    } else {
      reader.pass_value(type);
    }
  }

  /// (gzip and zstd are known in the midst of anything.)
  bool unpack(View page, std::size_t size, Bytes& out) {
    const auto fits = [&](const Unblocked& result, std::size_t taken) {
      const bool whole = result.whole() && result.taken == taken && out.size() == size;
      if (!whole) out.clear();
      return whole;
    };
    if (fits(unpack_snappy(page, out), page.size())) return packing_ = "snappy", true;
    if (fits(unpack_lz4(page, size, out), page.size())) return packing_ = "lz4", true;
    if (page.size() > 8 && big_endian(page, 0, 4) == size && big_endian(page, 4, 4) == page.size() - 8)
      return packing_ = "lz4", fits(unpack_lz4(page.subspan(8), size, out), page.size() - 8);
    return !is_others(page) && fits(unpack_brotli(page, out, size), page.size()) && (packing_ = "brotli", true);
  }

  static bool is_others(View page) {
    return page.size() >= 4 && (little_endian(page, 0, 3) == 0x088b1f || little_endian(page, 0, 4) == 0xfd2fb528);
  }

  const char* packing_ = "snappy";
  bool is_first_ = true, in_end_ = false, is_sealed_ = false;
  Bytes end_;
};

}  // namespace

std::unique_ptr<BlockFile> parquet_of(View head) {
  return text_of(head).starts_with("PAR1") || text_of(head).starts_with("PARE") ? std::make_unique<Parquet>() : nullptr;
}

}  // namespace imgbuild

// Packed streams behind headers of their own.
#include "tar/headed.hpp"

#include <lz4.h>

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "tar/archive.hpp"

namespace imgbuild {
namespace {

/// So many bytes of a Whole.
class Part : public Source {
 public:
  Part(const Whole& whole, std::uint64_t from, std::uint64_t size) : whole_(whole), at_(from), left_(size) {}
  View next() override {
    buffer_ = whole_.part(at_, static_cast<std::size_t>(std::min<std::uint64_t>(left_, std::size_t{256} << 10)));
    at_ += buffer_.size();
    left_ -= buffer_.size();
    return buffer_;
  }

 private:
  const Whole& whole_;
  std::uint64_t at_, left_;
  Bytes buffer_;
};

enum Tag : unsigned { signature = 2, one_pass_signature = 4, packed_data = 8, marker = 10, literal_data = 11 };

/// A row of packets (RFC 9580, section 4.2).
class Packets {
 public:
  explicit Packets(Source& source) : source_(source) {}

  /// The next packet's tag; nullopt at the end. What is left of the one before is passed over.
  std::optional<unsigned> next_packet() {
    while (!body().empty()) {
    }
    if (!fill()) return std::nullopt;
    const std::uint8_t first = byte();
    if ((first & 0x80) == 0) throw Error("damaged OpenPGP message");
    more_parts_ = false;
    if ((first & 0x40) != 0) {
      begin_part();
      return first & 0x3f;
    }
    const unsigned size = first & 3;
    left_ = size == 3 ? UINT64_MAX : number(std::size_t{1} << size);
    return first >> 2 & 15;
  }

  /// The next piece of the packet's body; empty at its end.
  View body() {
    while (left_ == 0 && more_parts_) begin_part();
    if (left_ == 0) return {};
    if (!fill()) {
      if (left_ < UINT64_MAX) throw Error("truncated OpenPGP message");
      left_ = 0;
      return {};
    }
    const View part = input_.first(static_cast<std::size_t>(std::min<std::uint64_t>(input_.size(), left_)));
    take(part.size());
    return part;
  }

  /// That many bytes of the body.
  Bytes body(std::size_t count) {
    Bytes bytes;
    while (bytes.size() < count) {
      while (left_ == 0 && more_parts_) begin_part();
      if (left_ == 0) throw Error("damaged OpenPGP message");
      bytes.push_back(byte());
      if (left_ < UINT64_MAX) --left_;
    }
    return bytes;
  }

 private:
  bool fill() {
    if (input_.empty()) input_ = source_.next();
    return !input_.empty();
  }
  std::uint8_t byte() {
    if (!fill()) throw Error("truncated OpenPGP message");
    const std::uint8_t first = input_[0];
    input_ = input_.subspan(1);
    return first;
  }
  void take(std::size_t count) {
    input_ = input_.subspan(count);
    if (left_ < UINT64_MAX) left_ -= count;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (; size > 0; --size) value = value << 8 | byte();
    return value;
  }
  /// A length, of all or of a part.
  void begin_part() {
    const std::uint8_t first = byte();
    more_parts_ = first >= 224 && first < 255;
    left_ = first < 192     ? first
            : first < 224   ? (std::uint64_t{first} - 192) * 256 + byte() + 192
            : first == 0xff ? number(4)
                            : std::uint64_t{1} << (first & 31);
  }

  Source& source_;
  View input_;
  std::uint64_t left_ = 0;  ///< of the packet, or its part; the greatest: all there is
  bool more_parts_ = false;
};

/// One packet's body.
class Body : public Source {
 public:
  explicit Body(Packets& packets) : packets_(packets) {}
  View next() override { return packets_.body(); }

 private:
  Packets& packets_;
};

/// The packets within a message that is packed.
class Message {
 public:
  explicit Message(Source& source) : outer_(source), body_(outer_) {
    if (outer_.next_packet() != packed_data) throw Error("damaged OpenPGP message");
    switch (outer_.body(1)[0]) {
      case 0:
        break;
      case 1:
        unpacked_ = unpack(body_, Container::deflate);
        break;
      case 2:
        unpacked_ = unpack(body_, Container::zlib);
        break;
      case 3:
        unpacked_ = unpack(body_, Container::bzip2);
        break;
      default:
        throw Error("an OpenPGP message packed in a way that nobody here reads");
    }
    inner_.emplace(unpacked_ ? *unpacked_ : body_);
  }
  Packets& inner() { return *inner_; }

 private:
  Packets outer_;
  Body body_;
  std::unique_ptr<Source> unpacked_;
  std::optional<Packets> inner_;
};

class Literal : public Source {
 public:
  explicit Literal(const Whole& whole) : whole_(whole), message_(whole_) {}
  View next() override {
    for (;;) {
      if (in_packet_)
        if (const View part = message_.inner().body(); !part.empty()) return part;
      const auto tag = message_.inner().next_packet();
      in_packet_ = tag.has_value();
      if (!tag) return {};
      if (*tag != literal_data) continue;
      constexpr std::size_t time = 4;
      const std::size_t name = message_.inner().body(2)[1];
      message_.inner().body(name + time);
    }
  }

 private:
  WholeSource whole_;
  Message message_;
  bool in_packet_ = false;
};

}  // namespace

bool begins_openpgp(View head) {
  if (head.size() < 8 || ((head[0] & 0xfc) != 0xa0 && head[0] != 0xc8)) return false;
  try {
    ViewSource source(head);
    Message message(source);
    const auto tag = message.inner().next_packet();
    if (!tag) return false;
    const auto begins = [&](std::string_view with) {
      return with.find(static_cast<char>(message.inner().body(1)[0])) != std::string_view::npos;
    };
    switch (*tag) {
      case literal_data:
        return begins("btuml1");
      case one_pass_signature:
        return begins("\3\6");
      case signature:
        return begins("\3\4\5\6");
      case marker:
        return begins("P");
      default:
        return false;
    }
  } catch (const Error&) {
    return false;
  }
}

std::unique_ptr<Source> read_openpgp(const Whole& whole) { return std::make_unique<Literal>(whole); }

// Its length, padding, size, owner, group, mode, device (libostree, ostree-core.c: _OSTREE_ZLIB_FILE_HEADER_GVARIANT),
// then a symbolic link's target and extended attributes.
std::optional<std::size_t> ostree_content(View head) {
  constexpr std::size_t before = 8, least = 24, most = std::size_t{64} << 10;
  if (head.size() < before + least || big_endian(head, 0, 2) != 0 || big_endian(head, 4, 4) != 0) return std::nullopt;
  const std::uint64_t length = big_endian(head, 0, 4), size = big_endian(head, 8, 8), mode = big_endian(head, 24, 4),
                      device = big_endian(head, 28, 4);
  const bool is_file = (mode & ~std::uint64_t{07777}) == 0100000;
  if (length < least || length > most || size >> 48 != 0 || !is_file || device != 0) return std::nullopt;
  return before + static_cast<std::size_t>(length);
}

std::optional<std::size_t> phar_manifest(View from_halt) {
  std::string_view text = text_of(from_halt.first(std::min<std::size_t>(from_halt.size(), 64)));
  for (const std::string_view part : {"__HALT_COMPILER();", " ?>", "\r", "\n"}) {
    const bool there = text.starts_with(part);
    if (!there && part[0] == '_') return std::nullopt;
    if (there) text.remove_prefix(part.size());
  }
  const View rest = view_of(text);
  constexpr std::uint64_t least = 14, least_entry = 24, most = std::uint64_t{100} << 20;
  if (rest.size() < 10) return std::nullopt;
  const std::uint64_t size = little_endian(rest, 0, 4), count = little_endian(rest, 4, 4);
  const bool known_version = (rest[8] & 0xf0) == 0x10;
  if (!known_version || size < least || size > most || count > size / least_entry) return std::nullopt;
  return static_cast<std::size_t>(rest.data() - from_halt.data());
}

void read_phar(const Whole& whole, ArchiveVisitor& visitor) {
  const std::uint64_t at = phar_manifest(whole.part(0, 64)).value_or(0);
  const std::uint64_t size = little_endian(whole.part(at, 4), 0, 4);
  const Bytes manifest = whole.part(at + 4, static_cast<std::size_t>(size));
  View left = manifest;
  const auto take = [&left](std::size_t count) {
    if (count > left.size()) throw Error("damaged phar archive");
    const View taken = left.first(count);
    left = left.subspan(count);
    return taken;
  };
  const auto number = [&] { return static_cast<std::uint32_t>(little_endian(take(4), 0, 4)); };
  const std::uint32_t count = number();
  constexpr std::size_t version = 2;
  take(version);
  number();        // flags
  take(number());  // its alias
  take(number());  // what is said of it
  std::uint64_t content = at + 4 + size;
  for (std::uint32_t i = 0; i < count; ++i) {
    constexpr std::uint32_t deflate = 0x1000, bzip2 = 0x2000;
    const std::string name(text_of(take(number())));
    take(8);  // its size, unpacked, and its time
    const std::uint32_t packed = number();
    number();  // a checksum
    const std::uint32_t flags = number();
    take(number());
    if ((flags & (deflate | bzip2)) != 0) {
      visitor.member(name, "");
      try {
        Part part(whole, content, packed);
        const auto source = unpack(part, (flags & deflate) != 0 ? Container::deflate : Container::bzip2);
        for (View piece = source->next(); !piece.empty(); piece = source->next()) visitor.data(piece);
      } catch (const TooLarge& error) {
        visitor.unreadable(error.what());
      }
      visitor.end_member();
    }
    content += packed;
  }
}

Bytes read_mozlz4(const Whole& whole) {
  constexpr std::size_t header = 12, most = std::size_t{64} << 20, most_ratio = 255;
  const Bytes packed = whole.part(header, most);
  const Bytes head = whole.part(0, header);
  const auto size = static_cast<std::size_t>(little_endian(head, 8, 4));
  if (size > most || whole.size() > most) throw TooLarge("mozLz4 file larger than 64 MiB");
  if (size / most_ratio > packed.size()) throw Error("damaged mozLz4 file");
  Bytes unpacked(size);
  const int made =
      LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()), reinterpret_cast<char*>(unpacked.data()),
                          static_cast<int>(packed.size()), static_cast<int>(unpacked.size()));
  if (made != static_cast<int>(size)) throw Error("damaged mozLz4 file");
  return unpacked;
}

}  // namespace imgbuild

// Their libraries want to know where a block ends. In a table of blocks that says its index, at the file's other end;
// but how much comes out of a block stands before it, and with that much it is at its end: so a file can be read from
// front to back, as it streams by. All these formats are literals and copies from what came before, and take a dozen
// lines each.
#include "tar/blocks.hpp"

#include <algorithm>
#include <array>

#include "base/numbers.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

using How = Unblocked::How;

/// Reads a block and makes what it unpacks to. The first thing that does not fit ends it.
class Block {
 public:
  Block(View from, std::size_t size, Bytes& out) : from_(from), begin_(out.size()), size_(size), out_(out) {}

  bool ended() const { return how_ != How::whole; }
  bool full() const { return made() == size_; }
  bool empty() const { return at_ == from_.size(); }
  Unblocked result() const { return {how_, at_}; }
  void end(How how) {
    if (!ended()) how_ = how;
  }

  std::uint8_t byte() {
    if (ended() || at_ == from_.size()) {
      end(How::cut_off);
      return 0;
    }
    return from_[at_++];
  }
  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value |= std::size_t{byte()} << 8 * i;
    return value;
  }
  void literals(std::size_t count) {
    if (ended()) return;
    if (count > size_ - made()) return end(How::damaged);
    const std::size_t there = std::min(count, from_.size() - at_);
    const View shown = from_.subspan(at_, there);
    make_room();
    out_.insert(out_.end(), shown.begin(), shown.end());
    at_ += there;
    if (there < count) end(How::cut_off);
  }
  void copy(std::size_t back, std::size_t count) {
    if (ended()) return;
    if (back == 0 || back > made() || count > size_ - made()) return end(How::damaged);
    make_room();
    const std::size_t at = out_.size();
    out_.resize(at + count);
    // (It may reach into itself.)
    for (std::size_t i = at; i < at + count; ++i) out_[i] = out_[i - back];
  }

 private:
  std::size_t made() const { return out_.size() - begin_; }
  /// For all of it at once, where something comes out at all.
  void make_room() {
    constexpr std::size_t most_ratio = 256;  // no format makes more of a byte
    if (made() == 0) out_.reserve(begin_ + std::min(size_, from_.size() * most_ratio));
  }

  const View from_;
  const std::size_t begin_, size_;
  Bytes& out_;
  std::size_t at_ = 0;
  How how_ = How::whole;
};

/// LZ4: sequences of literals and a copy, the last one without the copy. Calls done() behind literals.
template <class Done>
Unblocked unpack_sequences(Block& block, const Done& done) {
  const auto length = [&block](std::size_t first) {
    if (first != 15) return first;
    for (std::uint8_t more = 255; more == 255 && !block.ended();) first += more = block.byte();
    return first;
  };
  while (!block.ended()) {
    const std::uint8_t token = block.byte();
    block.literals(length(token >> 4));
    if (block.ended() || done()) break;
    const std::size_t back = block.number(2);
    block.copy(back, length(token & 15u) + 4);
  }
  return block.result();
}

}  // namespace

Unblocked unpack_snappy(View from, Bytes& out, std::size_t most) {
  std::size_t size = 0, head = 0;
  for (std::uint8_t byte = 0x80; (byte & 0x80) != 0; ++head) {
    if (head == from.size()) return {How::cut_off, 0};
    byte = from[head];
    size |= std::size_t{byte & 0x7fu} << 7 * head;
    if (head == 4 && byte > 15) return {};
  }
  if (size == 0 || size > most) return {};
  Block block(from.subspan(head), size, out);
  while (!block.ended() && !block.full()) {
    const std::uint8_t tag = block.byte();
    const std::size_t high = tag >> 2;
    switch (tag & 3) {
      case 0:
        block.literals((high < 60 ? high : block.number(high - 59)) + 1);
        break;
      case 1:
        block.copy((std::size_t{tag} >> 5 << 8) | block.byte(), (high & 7) + 4);
        break;
      case 2:
        block.copy(block.number(2), high + 1);
        break;
      default:
        block.copy(block.number(4), high + 1);
    }
  }
  Unblocked result = block.result();
  result.taken += head;
  return result;
}

Unblocked unpack_lz4(View from, std::size_t size, Bytes& out, std::size_t most) {
  if (size > most) return {};
  Block block(from, size, out);
  return unpack_sequences(block, [&block] { return block.full(); });
}

Unblocked unpack_lz4_to_its_end(View from, Bytes& out) {
  Block block(from, most_unblocked, out);
  return unpack_sequences(block, [&block] { return block.empty(); });
}

Unblocked unpack_lzf(View from, std::size_t size, Bytes& out, std::size_t most) {
  if (size > most) return {};
  Block block(from, size, out);
  while (!block.ended() && !block.full()) {
    const std::size_t control = block.byte();
    if (control < 32) {
      block.literals(control + 1);
      continue;
    }
    std::size_t count = control >> 5;
    if (count == 7) count += block.byte();
    block.copy(((control & 31) << 8 | block.byte()) + 1, count + 2);
  }
  return block.result();
}

Unblocked unpack_pglz(View from, std::size_t size, Bytes& out, std::size_t most) {
  if (size > most) return {};
  Block block(from, size, out);
  while (!block.ended() && !block.full()) {
    std::uint8_t control = block.byte();
    for (int i = 0; i < 8 && !block.ended() && !block.full(); ++i, control >>= 1) {
      if ((control & 1) == 0) {
        block.literals(1);
        continue;
      }
      const std::size_t first = block.byte(), back = (first & 0xf0) << 4 | block.byte();
      std::size_t count = (first & 15) + 3;
      if (count == 18) count += block.byte();
      block.copy(back, count);
    }
  }
  return block.result();
}

namespace {

Unblocked unpack_stream(Container kind, View from, Bytes& out, std::size_t most) {
  const std::size_t begin = out.size();
  std::array<std::uint8_t, std::size_t{32} << 10> room;
  const auto take = [&](View filled) {
    if (out.size() - begin + filled.size() > most) throw Error("more than is taken");
    out.insert(out.end(), filled.begin(), filled.end());
  };
  try {
    Inflater inflater(
        kind, [&room] { return std::span<std::uint8_t>(room); }, take);
    const std::size_t taken = inflater.feed(from);
    inflater.flush();
    try {
      inflater.finish();
    } catch (const Error&) {
      return {How::cut_off, taken};
    }
    return {How::whole, taken};
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

Unblocked unpack_deflate(View from, Bytes& out, std::size_t most) {
  return unpack_stream(Container::deflate, from, out, most);
}
Unblocked unpack_brotli(View from, Bytes& out, std::size_t most) {
  return unpack_stream(Container::brotli, from, out, most);
}

}  // namespace imgbuild

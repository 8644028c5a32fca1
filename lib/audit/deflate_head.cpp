// A stream of deflate has no magic number. But its first block must make sense (RFC 1951): lengths of codes that use
// all codes there are, or text in the codes that everybody knows.
#include "audit/deflate_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace imgbuild {
namespace {

/// Bits of deflate (RFC 1951 section 3.1.1): numbers from the lowest bit on, codes from the highest.
class Bits {
 public:
  explicit Bits(View bytes) : bytes_(bytes) {}
  /// The next ones, at least 57; behind the end, zeros.
  std::uint64_t ahead() const {
    std::uint64_t eight = 0;
    if (at_ / 8 + 8 <= bytes_.size()) {
      std::memcpy(&eight, bytes_.data() + at_ / 8, 8);
    } else {
      for (std::size_t i = bytes_.size(); i-- > std::min(at_ / 8, bytes_.size());) eight = eight << 8 | bytes_[i];
    }
    return eight >> at_ % 8;
  }
  void skip(std::size_t count) { at_ += count; }
  std::uint32_t number(std::size_t count) {
    const auto value = static_cast<std::uint32_t>(ahead() & ((1u << count) - 1));
    skip(count);
    return value;
  }
  std::uint32_t code(std::size_t count, std::uint32_t value = 0) {
    for (; count > 0; --count) value = value << 1 | number(1);
    return value;
  }
  bool over() const { return at_ / 8 >= bytes_.size(); }
  View behind() const { return bytes_.subspan(std::min((at_ + 7) / 8, bytes_.size())); }

 private:
  View bytes_;
  std::size_t at_ = 0;
};

/// The codes that everybody knows (section 3.2.6), by the next nine bits: the symbol and its code's length.
struct Known {
  std::uint16_t symbol = 0;
  std::uint16_t length = 0;
};
constexpr auto fixed_codes = [] {
  std::array<Known, 512> by_bits{};
  for (std::uint16_t symbol = 0; symbol < 288; ++symbol) {
    const unsigned length = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    const unsigned code = symbol < 144   ? 0x30u + symbol
                          : symbol < 256 ? 0x190u + symbol - 144
                          : symbol < 280 ? symbol - 256u
                                         : 0xc0u + symbol - 280;
    unsigned turned = 0;
    for (unsigned i = 0; i < length; ++i) turned |= (code >> i & 1) << (length - 1 - i);
    for (unsigned more = 0; more < 512u >> length; ++more)
      by_bits[turned | more << length] = {symbol, static_cast<std::uint16_t>(length)};
  }
  return by_bits;
}();

/// How much of a code three codes of these lengths use, three bits each; 128: all.
constexpr auto used_by_three = [] {
  std::array<std::uint8_t, 512> used{};
  for (unsigned lengths = 0; lengths < 512; ++lengths)
    for (unsigned i = 0; i < 9; i += 3)
      if (const unsigned length = lengths >> i & 7; length > 0)
        used[lengths] = static_cast<std::uint8_t>(used[lengths] + (128u >> length));
  return used;
}();

/// Codes of these lengths (0: none) use all there are, or there is but one.
template <std::size_t Most>
bool is_complete(View lengths) {
  std::uint32_t used = 0;
  std::size_t codes = 0;
  for (const std::uint8_t length : lengths) {
    used += length > 0 ? (1u << Most) >> length : 0;
    codes += length > 0 ? 1 : 0;
  }
  return used == 1u << Most || codes <= 1;
}

/// Behind a block's first three bits: lengths of codes (section 3.2.7) that make sense, as far as they are seen.
bool tables_make_sense(Bits bits) {
  static constexpr std::uint8_t order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  constexpr std::size_t most_letters = 286, most_distances = 30, end_of_block = 256;
  const std::size_t letters = bits.number(5) + 257, distances = bits.number(5) + 1, given = bits.number(4) + 4;
  if (letters > most_letters || distances > most_distances) return false;
  const std::uint64_t of_lengths = bits.ahead() & ((std::uint64_t{1} << 3 * given) - 1);
  std::uint32_t used = 0;
  for (std::uint64_t left = of_lengths; left != 0; left >>= 9) used += used_by_three[left & 511];
  if (used != 128) return false;
  std::array<std::uint8_t, std::size(order)> of_length{}, by_code{};
  for (std::size_t i = 0; i < given; ++i) of_length[order[i]] = static_cast<std::uint8_t>(bits.number(3));
  // Codes of one length follow each other, and those of the next behind them (section 3.2.2).
  std::array<std::uint32_t, 8> codes{}, next{};
  for (const std::uint8_t length : of_length) ++codes[length];
  for (std::size_t length = 2; length < next.size(); ++length) next[length] = next[length - 1] + codes[length - 1];
  for (std::size_t symbol = 0; symbol < of_length.size(); ++symbol)
    if (of_length[symbol] > 0) by_code[next[of_length[symbol]]++] = static_cast<std::uint8_t>(symbol);
  std::array<std::uint8_t, most_letters + most_distances> lengths{};
  std::uint32_t letters_used = 0;
  for (std::size_t made = 0; made < letters + distances;) {
    if (bits.over()) return true;
    std::uint32_t length = 1, code = bits.number(1), first = 0, before = 0;
    for (; code - first >= codes[length]; ++length) {  // all codes are used: it ends
      before += codes[length];
      first = (first + codes[length]) << 1;
      code = bits.code(1, code);
    }
    const std::uint8_t symbol = by_code[before + code - first];
    if (symbol == 16 && made == 0) return false;
    const std::uint8_t value = symbol < 16 ? symbol : symbol == 16 ? lengths[made - 1] : std::uint8_t{0};
    const std::size_t times = symbol < 16    ? 1
                              : symbol == 16 ? 3 + bits.number(2)
                              : symbol == 17 ? 3 + bits.number(3)
                                             : 11 + bits.number(7);
    if (times > letters + distances - made) return false;
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(made), times, value);
    made += times;
    // What only looks alike has more codes than there are, soon.
    if (value > 0 && made <= letters) letters_used += static_cast<std::uint32_t>(times) * (1u << 15 >> value);
    if (letters_used > 1u << 15) return false;
  }
  const View all(lengths.data(), letters + distances);
  return lengths[end_of_block] > 0 && is_complete<15>(all.first(letters)) && is_complete<15>(all.subspan(letters));
}

/// Text in the codes that everybody knows: a few letters of it that make sense; `strictly`, all that are seen, up to
/// the checksum (RFC 1950) of so few.
bool fixed_codes_make_sense(Bits bits, bool strictly) {
  constexpr std::size_t least = 12, few = 24, most = 1024;
  std::array<std::uint8_t, most + 258> text;
  std::size_t made = 0;
  while (made < (strictly ? most : few)) {
    if (bits.over()) return true;
    const auto [symbol, code_length] = fixed_codes[bits.ahead() & 511];
    bits.skip(code_length);
    if (symbol < 256) {
      text[made++] = static_cast<std::uint8_t>(symbol);
      continue;
    }
    if (symbol == 256) break;
    if (symbol > 285) return false;
    const auto value_of = [&](std::uint32_t number, std::uint32_t of_each) {  // section 3.2.5
      if (number < 2 * of_each) return number;
      const std::uint32_t extra = number / of_each - 1;
      return ((of_each + number % of_each) << extra) + bits.number(extra);
    };
    const std::uint32_t length = symbol == 285 ? 258 : 3 + value_of(symbol - 257u, 4);
    const std::uint32_t code = bits.code(5);
    const std::size_t distance = code > 29 ? made + 1 : 1 + value_of(code, 2);
    if (distance > made) return false;
    for (const std::size_t end = made + length; made < end; ++made) text[made] = text[made - distance];
  }
  if (!strictly || made >= most) return made >= least;
  const View checksum = bits.behind();
  std::uint32_t low = 1, high = 0;
  for (const std::uint8_t c : View(text).first(made)) high = (high + (low = (low + c) % 65521)) % 65521;
  return checksum.size() >= 4 && (checksum[0] << 8 | checksum[1]) == static_cast<int>(high) &&
         (checksum[2] << 8 | checksum[3]) == static_cast<int>(low);
}

}  // namespace

bool begins_deflate(View at, bool strictly) {
  if (at.size() < 6) return false;
  Bits bits(at);
  bits.number(1);
  switch (bits.number(2)) {
    case 0:
      return (at[1] ^ at[3]) == 0xff && (at[2] ^ at[4]) == 0xff;
    case 1:
      return fixed_codes_make_sense(bits, strictly);
    case 2:
      return tables_make_sense(bits);
    default:
      return false;
  }
}

}  // namespace imgbuild

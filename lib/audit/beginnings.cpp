// All magic numbers are looked for at once, at memory speed: for each of three bytes in a row, two tables (by its low
// and its high half) say which groups of magic numbers it may belong to; where a group is left, the place is looked at
// closely. (SSSE3, which the scanner needs anyway, or AVX2.)
#include "audit/beginnings.hpp"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace imgbuild {
namespace {

using namespace std::string_view_literals;

/// Which bytes may stand first, second and third; an empty third: any.
struct Magic {
  std::uint8_t group;
  std::string_view bytes[3];
};
constexpr Magic magics[] = {
    {1, {"\x1f"sv, "\x8b"sv, "\x08"sv}},
    {1, {"\xfd"sv, "7"sv, "z"sv}},
    {2, {"\x28"sv, "\xb5"sv, "\x2f"sv}},
    {2, {"M"sv, "S"sv, "C"sv}},
    {4, {"x"sv, "\x01\x5e\x9c\xda"sv, ""sv}},
    {8, {"B"sv, "Z"sv, "h"sv}},
    {8, {"P"sv, "A"sv, "C"sv}},
    {8, {"R"sv, "a"sv, "r"sv}},
    {16, {"7"sv, "z"sv, "\xbc"sv}},
    {16, {"h"sv, "s"sv, "q"sv}},
    // base64: gzip, zstd, xz, bzip2, zip, PDF, and gzip in base64
    {32, {"H"sv, "4"sv, "s"sv}},
    {32, {"K"sv, "L"sv, "U"sv}},
    {32, {"S"sv, "D"sv, "R"sv}},
    {64, {"/_"sv, "T"sv, "d"sv}},
    {64, {"Q"sv, "l"sv, "p"sv}},
    {64, {"U"sv, "E"sv, "s"sv}},
    {64, {"J"sv, "V"sv, "B"sv}},
    {128, {"e"sv, "JNAF"sv, "wxyzopqrEFGH4567"sv}},  // zlib
    // uuencode and git's base85; Ascii85 has two characters, and is looked for by itself
    {1, {"b"sv, "e"sv, "g"sv}},
    {2, {"G"sv, "I"sv, "T"sv}},
};

struct Tables {
  alignas(16) std::array<std::array<std::uint8_t, 16>, 3> low{}, high{};
  constexpr Tables() {
    for (const auto& magic : magics)
      for (std::size_t i = 0; i < 3; ++i) {
        for (const char c : magic.bytes[i]) {
          const auto byte = static_cast<std::uint8_t>(c);
          low[i][byte & 15] |= magic.group;
          high[i][byte >> 4] |= magic.group;
        }
        for (std::size_t half = 0; magic.bytes[i].empty() && half < 16; ++half) {
          low[i][half] |= magic.group;
          high[i][half] |= magic.group;
        }
      }
  }
};
constexpr Tables tables;

/// Of the 16 or 32 places at `at`, a bit each: may a magic number begin there? Two bytes behind them are read.
__attribute__((target("ssse3"))) std::uint32_t candidates16(const std::uint8_t* at) {
  const auto table = [](const auto& of) { return _mm_load_si128(reinterpret_cast<const __m128i*>(of.data())); };
  const auto bytes = [at](std::size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at + i)); };
  const __m128i half = _mm_set1_epi8(15), first = bytes(0), second = bytes(1);
  __m128i groups = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('<')), _mm_cmpeq_epi8(second, _mm_set1_epi8('~')));
  __m128i magic = _mm_set1_epi8(-1);
  for (unsigned i = 0; i < 3; ++i) {
    const __m128i low = _mm_and_si128(bytes(i), half), high = _mm_and_si128(_mm_srli_epi16(bytes(i), 4), half);
    magic = _mm_and_si128(magic, _mm_and_si128(_mm_shuffle_epi8(table(tables.low[i]), low),
                                               _mm_shuffle_epi8(table(tables.high[i]), high)));
  }
  groups = _mm_or_si128(groups, magic);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(groups, _mm_setzero_si128()))) ^ 0xFFFFu;
}

__attribute__((target("avx2"))) std::uint32_t candidates32(const std::uint8_t* at) {
  const auto table = [](const auto& of) __attribute__((target("avx2"))) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(of.data())));
  };
  const auto bytes = [at](std::size_t i) __attribute__((target("avx2"))) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at + i));
  };
  const __m256i half = _mm256_set1_epi8(15), first = bytes(0), second = bytes(1);
  __m256i groups = _mm256_and_si256(_mm256_cmpeq_epi8(first, _mm256_set1_epi8('<')),
                                    _mm256_cmpeq_epi8(second, _mm256_set1_epi8('~')));
  __m256i magic = _mm256_set1_epi8(-1);
  for (unsigned i = 0; i < 3; ++i) {
    const __m256i low = _mm256_and_si256(bytes(i), half), high = _mm256_and_si256(_mm256_srli_epi16(bytes(i), 4), half);
    magic = _mm256_and_si256(magic, _mm256_and_si256(_mm256_shuffle_epi8(table(tables.low[i]), low),
                                                     _mm256_shuffle_epi8(table(tables.high[i]), high)));
  }
  groups = _mm256_or_si256(groups, magic);
  return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())));
}

/// The first block of places at `at` or behind, of those that begin before `to`, where a magic number may begin, and
/// one bit per place that it may be at; 0: none.
using NextCandidates = std::uint32_t (*)(const std::uint8_t* data, std::size_t& at, std::size_t to);
__attribute__((target("ssse3"))) std::uint32_t next_by_16(const std::uint8_t* data, std::size_t& at, std::size_t to) {
  for (; at < to; at += 16)
    if (const std::uint32_t bits = candidates16(data + at); bits != 0) return bits;
  return 0;
}
__attribute__((target("avx2"))) std::uint32_t next_by_32(const std::uint8_t* data, std::size_t& at, std::size_t to) {
  for (; at < to; at += 32)
    if (const std::uint32_t bits = candidates32(data + at); bits != 0) return bits;
  return 0;
}

/// Bits of deflate (RFC 1951 section 3.1.1): numbers from the lowest bit on, codes from the highest.
class Bits {
 public:
  explicit Bits(View bytes) : bytes_(bytes) {}
  std::uint32_t number(std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= bit() << i;
    return value;
  }
  std::uint32_t code(std::size_t count, std::uint32_t value = 0) {
    for (; count > 0; --count) value = value << 1 | bit();
    return value;
  }
  bool over() const { return at_ / 8 >= bytes_.size(); }

 private:
  std::uint32_t bit() {
    const std::uint32_t value = over() ? 0 : bytes_[at_ / 8] >> (at_ % 8) & 1;
    ++at_;
    return value;
  }
  View bytes_;
  std::size_t at_ = 0;
};

/// Do the codes that everybody knows (section 3.2.6) say something that makes sense, as far as a few letters?
bool fixed_codes_make_sense(Bits bits) {
  constexpr std::size_t enough = 24, least = 12;
  for (std::size_t made = 0; made < enough;) {
    if (bits.over()) return true;
    std::uint32_t symbol = bits.code(7);
    if (symbol > 0x17) {
      symbol = bits.code(1, symbol);
      if (symbol < 0xc0 || symbol >= 0xc8) {
        if (symbol >= 0xc8) bits.code(1);
        ++made;
        continue;
      }
      symbol += 280 - 0xc0;
    } else {
      symbol += 256;
    }
    if (symbol == 256) return made >= least;
    if (symbol > 285) return false;
    const auto value_of = [&](std::uint32_t number, std::uint32_t of_each) {  // section 3.2.5
      if (number < 2 * of_each) return number;
      const std::uint32_t extra = number / of_each - 1;
      return ((of_each + number % of_each) << extra) + bits.number(extra);
    };
    const std::uint32_t length = symbol == 285 ? 258 : 3 + value_of(symbol - 257, 4);
    const std::uint32_t distance = bits.code(5);
    if (distance > 29 || 1 + value_of(distance, 2) > made) return false;
    made += length;
  }
  return true;
}

/// A frame header that makes sense and that of its first block (RFC 8878, 3.1.1): programs hold the magic number, too.
bool begins_zstd(View at) {
  constexpr std::size_t magic = 4, most_block = std::size_t{128} << 10;
  constexpr unsigned most_window_log = 31;  // of any compressor
  if (at.size() <= magic + 1) return false;
  const unsigned says = at[magic];
  const bool single = (says & 0x20) != 0, reserved = (says & 8) != 0;
  if (reserved || (!single && 10u + (at[magic + 1] >> 3) > most_window_log)) return false;
  const std::size_t dictionary = (std::size_t{1} << (says & 3)) >> 1;
  const std::size_t content = says >> 6 == 0 ? (single ? 1 : 0) : std::size_t{1} << (says >> 6);
  const std::size_t block = magic + 1 + (single ? 0 : 1) + dictionary + content;
  if (at.size() < block + 3) return false;
  const auto header = static_cast<unsigned>(at[block] | at[block + 1] << 8 | at[block + 2] << 16),
             type = header >> 1 & 3;
  return type != 3 && header >> 3 <= most_block;
}

/// Does a first block begin here that a compressor would write? Of its code lengths' code all codes are used.
bool begins_deflate(View at) {
  if (at.size() < 8) return false;
  Bits bits(at);
  bits.number(1);
  switch (bits.number(2)) {
    case 0:
      return (at[1] ^ at[3]) == 0xff && (at[2] ^ at[4]) == 0xff;
    case 1:
      return fixed_codes_make_sense(bits);
    case 2: {
      if (bits.number(5) > 29 || bits.number(5) > 29) return false;
      std::uint32_t used = 0;
      for (std::uint32_t left = bits.number(4) + 4; left > 0; --left)
        if (const std::uint32_t length = bits.number(3); length > 0) used += 128u >> length;
      return used == 128;
    }
    default:
      return false;
  }
}

bool is_base64(std::uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
         c == '-' || c == '_';
}

bool begins_base64(View window, std::size_t at) {
  constexpr std::size_t least = 24;
  static constexpr std::string_view packed[] = {"H4sI", "KLUv/", "KLUv_", "/Td6W", "_Td6W",
                                                "Qlpo", "UEsDB", "JVBER", "SDRzSU"};
  const View rest = window.subspan(at);
  if (rest.size() < least || !std::all_of(rest.begin(), rest.begin() + least, is_base64)) return false;
  if (at > 0 && is_base64(window[at - 1])) {
    // A path's or a name's end ("x=", "/H4s"), or an escape's letter ("\nH4s"), may stand before it; a word may not.
    const bool escape = at > 1 && window[at - 2] == '\\' && (window[at - 1] == 'n' || window[at - 1] == 't');
    if (!escape && window[at - 1] != '/' && window[at - 1] != '-' && window[at - 1] != '_') return false;
  }
  const std::string_view text = text_of(rest);
  if (std::any_of(std::begin(packed), std::end(packed), [&](auto magic) { return text.starts_with(magic); }))
    return true;
  const auto among = [&](std::string_view second, std::string_view third) {
    return second.find(text[1]) != std::string_view::npos && third.find(text[2]) != std::string_view::npos;
  };
  return text[0] == 'e' && (among("J", "wxyz") || among("N", "opqr") || among("A", "EFGH") || among("F", "4567"));
}

/// A header's line, and a first one that is no longer than it says, as far as both are seen.
bool begins_uuencode(View window, std::size_t at) {
  if (at > 0 && window[at - 1] != '\n') return false;
  std::string_view text = text_of(window.subspan(at)).substr(0, beginning_ahead);
  constexpr std::string_view begin = "begin ";
  if (!text.starts_with(begin)) return false;
  text.remove_prefix(begin.size());
  const std::size_t mode = std::min(text.find_first_not_of("01234567"), text.size());
  if (mode < 3 || mode > 4 || mode == text.size() || text[mode] != ' ') return false;
  const std::size_t name_end = text.find('\n');
  if (name_end == text.npos) return text.size() == beginning_ahead - begin.size();
  text.remove_prefix(name_end + 1);
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty() || !std::all_of(line.begin(), line.end(), is_uuencode)) return false;
  const std::size_t bytes = static_cast<std::size_t>(line[0] - ' ') & 63;
  constexpr std::size_t checksum = 1;
  return bytes > 0 && line.size() <= 1 + (bytes + 2) / 3 * 4 + checksum;
}

/// <~, and as many digits as a token takes, or ~> before.
bool begins_ascii85(std::string_view text) {
  constexpr std::size_t least = 10, enough = 20;
  std::size_t digits = 0;
  if (!text.starts_with("<~")) return false;
  for (const char c : text.substr(2)) {
    if (c == '~') return digits >= least;
    if (c == '\n' || c == '\r') continue;
    if (c != 'z' && (c < '!' || c > 'u')) return false;
    if (++digits == enough) return true;
  }
  return false;
}

/// What begins at a candidate.
std::optional<Beginning> known(View window, std::size_t at) {
  const auto packed = [at](Container kind) { return Beginning{at, kind}; };
  const auto encoded = [at](bool begins, Encoding encoding) {
    return begins ? std::optional(Beginning{at, Container::none, encoding}) : std::nullopt;
  };
  const View rest = window.subspan(at, std::min(window.size() - at, beginning_ahead));
  const std::size_t behind = std::min(at, beginning_behind);
  const std::string_view before = text_of(window.subspan(at - behind, behind));
  switch (rest[0]) {
    case 'x':
      if (!may_be_zlib(rest) || !begins_deflate(rest.subspan(2))) return std::nullopt;
      if (before.ends_with("IDAT") || (behind == 8 && before.starts_with("fdAT"))) return std::nullopt;
      return packed(Container::zlib);
    case 'b':
      return encoded(begins_uuencode(window, at), Encoding::uuencode);
    case '<':
      return encoded(begins_ascii85(text_of(rest)), Encoding::ascii85);
    case 'G':
      return encoded(text_of(rest).starts_with("GIT binary patch"), Encoding::base85);
    case 0x28:
      if (!begins_zstd(rest)) return std::nullopt;
      break;
    case '/':
    case 'H':
    case 'J':
    case 'K':
    case 'Q':
    case 'S':
    case 'U':
    case '_':
    case 'e':
      return encoded(begins_base64(window, at), Encoding::base64);
    case 0x1f:
    case 0xfd:
    case '7':
    case 'B':
    case 'M':
    case 'P':
    case 'R':
    case 'h':
      break;
    default:
      return std::nullopt;
  }
  const Container kind = container_of(rest);
  switch (kind) {
    case Container::gzip:
    case Container::zstd:
    case Container::xz:
    case Container::bzip2:
    case Container::squashfs:
    case Container::seven_zip:
    case Container::rar:
    case Container::cab:
      return packed(kind);
    case Container::git_pack:
      // Of a bundle (gitformat-bundle), behind its header's empty line. Programs say "PACK", too.
      if (before.ends_with("\n\n")) return packed(kind);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

const char* name_of(Encoding encoding) {
  static constexpr const char* names[] = {"base64", "uuencode", "ascii85", "base85"};
  return names[static_cast<int>(encoding)];
}

std::optional<Beginning> next_beginning(View window, std::size_t from, std::size_t to) {
  const bool wide = __builtin_cpu_supports("avx2");
  const NextCandidates next_candidates = wide ? next_by_32 : next_by_16;
  const std::size_t step = wide ? 32 : 16, read = step + 2;
  std::size_t at = from;
  const std::size_t blocks_end = std::min(to, window.size() - std::min(window.size(), read - 1));
  while (at < blocks_end) {
    for (std::uint32_t bits = next_candidates(window.data(), at, blocks_end); bits != 0; bits &= bits - 1) {
      const std::size_t place = at + static_cast<std::size_t>(__builtin_ctz(bits));
      if (place >= to) return std::nullopt;
      if (const auto beginning = known(window, place)) return beginning;
    }
    at += step;
  }
  for (at = std::max(from, blocks_end); at < to; ++at)  // too near the end for anything but a very short one
    if (const auto beginning = known(window, at)) return beginning;
  return std::nullopt;
}

}  // namespace imgbuild

// All magic numbers are looked for at once, at memory speed: for each of three bytes in a row, two tables (by its low
// and its high half) say which groups of magic numbers it may belong to; where a group is left, the place is looked at
// closely. (SSSE3, which the scanner needs anyway, or AVX2.) zlib's two first bytes say little, and processors' code is
// full of them: they must be a multiple of 31 (RFC 1950), too, which two more tables tell, and a whole table of codes
// must follow, or text in the codes that everybody knows.
#include "audit/beginnings.hpp"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "audit/deflate_head.hpp"
#include "audit/zip_member.hpp"

namespace imgbuild {
namespace {

using namespace std::string_view_literals;

/// Which bytes may stand first, second and third.
struct Magic {
  std::uint8_t group;
  std::string_view bytes[3];
};
constexpr std::uint8_t zlib_group = 4;
// By their halves: any byte whose bit 5 is not set; one that begins a block of a kind that there is.
constexpr std::string_view no_dictionary = "\x00\x11\x42\x53\x84\x95\xc6\xd7\x08\x19\x4a\x5b\x8c\x9d\xce\xdf"sv;
constexpr std::string_view deflate_block = "\x00\x11\x22\x33\x44\x55\x68\x79\x8a\x9b\xac\xbd\xcc\xdd\xe0\xf0"sv;
// (What shares a group shares few halves of frequent bytes: so few places look like what they are not.)
constexpr Magic magics[] = {
    {zlib_group, {"\x18\x28\x38\x48\x58\x68x"sv, no_dictionary, deflate_block}},
    {1, {"R"sv, "a"sv, "r"sv}},
    {1, {"S"sv, "V"sv, "N"sv}},
    {1, {"\x04"sv, "\x22"sv, "M"sv}},
    {1, {"\x02"sv, "!"sv, "L"sv}},
    {1, {"Q"sv, "l"sv, "p"sv}},  // base64: bzip2
    {2, {"7"sv, "z"sv, "\xbc"sv}},
    {2, {"K"sv, "L"sv, "U"sv}},  // base64: zstd
    {2, {"S"sv, "D"sv, "R"sv}},  // base64: gzip in base64
    {2, {"G"sv, "I"sv, "T"sv}},  // git's base85
    {8, {"\x1f"sv, "\x8b"sv, "\x08"sv}},
    {8, {"\x28"sv, "\xb5"sv, "\x2f"sv}},
    {8, {"\xef"sv, "\xbe"sv, "\xad"sv}},
    {8, {"_"sv, "_"sv, "H"sv}},  // the end of a phar's stub
    {16, {"\xff"sv, "\x06"sv, "\x00"sv}},
    {16, {"/_"sv, "T"sv, "d"sv}},  // base64: xz
    {16, {"b"sv, "e"sv, "g"sv}},   // uuencode (Ascii85 has two characters, and is looked for by itself)
    {32, {"M"sv, "S"sv, "C"sv}},
    {32, {"B"sv, "Z"sv, "h"sv}},
    {32, {"\x82"sv, "S"sv, "N"sv}},
    {32, {"h"sv, "s"sv, "q"sv}},
    {32, {"H"sv, "4"sv, "s"sv}},                    // base64: gzip
    {32, {"J"sv, "V"sv, "B"sv}},                    // base64: PDF
    {64, {"e"sv, "JNAF"sv, "wxyzopqrEFGH4567"sv}},  // base64: zlib
    {128, {"\xfd"sv, "7"sv, "z"sv}},
    {128, {"P"sv, "A"sv, "C"sv}},
    {128, {"P"sv, "G"sv, "P"sv}},     // of an armor's first line
    {128, {"U"sv, "E"sv, "s"sv}},     // base64: zip
    {128, {"P"sv, "K"sv, "\x03"sv}},  // a zip's member
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
      }
  }
};
constexpr Tables tables;

/// What the halves of bytes let pass is looked at byte by byte: which groups may begin with these three?
struct Exactly {
  std::array<std::array<std::uint8_t, 256>, 3> groups{};
  constexpr Exactly() {
    for (const auto& magic : magics)
      for (std::size_t i = 0; i < 3; ++i)
        for (const char c : magic.bytes[i])
          for (unsigned byte = 0; byte < 256; ++byte)
            if (byte == static_cast<std::uint8_t>(c) || (magic.group == zlib_group && i > 0 && fits(magic, i, byte)))
              groups[i][byte] |= magic.group;
  }
  /// zlib's second and third byte are told by their halves.
  static constexpr bool fits(const Magic& magic, std::size_t i, unsigned byte) {
    bool low = false, high = false;
    for (const char c : magic.bytes[i]) {
      low = low || (static_cast<std::uint8_t>(c) & 15u) == (byte & 15u);
      high = high || static_cast<std::uint8_t>(c) >> 4 == byte >> 4;
    }
    return low && high;
  }
  bool holds(const std::uint8_t* at) const {
    const unsigned all = groups[0][at[0]] & groups[1][at[1]] & groups[2][at[2]];
    return (all & ~unsigned{zlib_group}) != 0 || (all != 0 && (at[0] << 8 | at[1]) % 31 == 0) ||
           (at[0] == '<' && at[1] == '~');
  }
};
constexpr Exactly exactly;

/// The first byte is 16 h + 8, the second 64 l + c, where 4 h + 2 l + c is 29 more than a multiple of 31.
constexpr int remainder_of_zlib = 29;
struct Remainders {
  alignas(16) std::array<std::uint8_t, 16> first{}, second{};
  constexpr Remainders() {
    for (unsigned half = 0; half < 16; ++half) {
      first[half] = static_cast<std::uint8_t>(4 * half);
      second[half] = static_cast<std::uint8_t>(half / 4 * 2 + half % 4 * 16);
    }
  }
};
constexpr Remainders remainders;

/// Of the 16 or 32 places at `at`, a bit each: may a magic number begin there? Two bytes behind them are read.
__attribute__((target("ssse3"))) inline std::uint32_t candidates16(const std::uint8_t* at) {
  const auto table = [](const auto& of) { return _mm_load_si128(reinterpret_cast<const __m128i*>(of.data())); };
  const auto bytes = [at](std::size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at + i)); };
  const __m128i half = _mm_set1_epi8(15), first = bytes(0), second = bytes(1), third = bytes(2);
  const auto low = [half](__m128i of) __attribute__((target("ssse3"))) { return _mm_and_si128(of, half); };
  const auto high = [half](__m128i of) __attribute__((target("ssse3"))) {
    return _mm_and_si128(_mm_srli_epi16(of, 4), half);
  };
  const auto by = [&](const auto& of, __m128i halves) __attribute__((target("ssse3"))) {
    return _mm_shuffle_epi8(table(of), halves);
  };
  const __m128i high_first = high(first), low_second = low(second), high_second = high(second);
  const __m128i magic =
      _mm_and_si128(_mm_and_si128(_mm_and_si128(by(tables.low[0], low(first)), by(tables.high[0], high_first)),
                                  _mm_and_si128(by(tables.low[1], low_second), by(tables.high[1], high_second))),
                    _mm_and_si128(by(tables.low[2], low(third)), by(tables.high[2], high(third))));
  const __m128i sum =
      _mm_add_epi8(_mm_add_epi8(by(remainders.first, high_first), by(remainders.second, high_second)), low_second);
  const __m128i zlib = _mm_or_si128(_mm_cmpeq_epi8(sum, _mm_set1_epi8(remainder_of_zlib)),
                                    _mm_cmpeq_epi8(sum, _mm_set1_epi8(remainder_of_zlib + 31)));
  const __m128i others = _mm_set1_epi8(static_cast<char>(~zlib_group));
  const __m128i ascii85 =
      _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('<')), _mm_cmpeq_epi8(second, _mm_set1_epi8('~')));
  const __m128i groups = _mm_or_si128(ascii85, _mm_and_si128(magic, _mm_or_si128(zlib, others)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(groups, _mm_setzero_si128()))) ^ 0xFFFFu;
}

__attribute__((target("avx2"))) inline std::uint32_t candidates32(const std::uint8_t* at) {
  const auto table = [](const auto& of) __attribute__((target("avx2"))) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(of.data())));
  };
  const auto bytes = [at](std::size_t i) __attribute__((target("avx2"))) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at + i));
  };
  const __m256i half = _mm256_set1_epi8(15), first = bytes(0), second = bytes(1), third = bytes(2);
  const auto low = [half](__m256i of) __attribute__((target("avx2"))) { return _mm256_and_si256(of, half); };
  const auto high = [half](__m256i of) __attribute__((target("avx2"))) {
    return _mm256_and_si256(_mm256_srli_epi16(of, 4), half);
  };
  const auto by = [&](const auto& of, __m256i halves) __attribute__((target("avx2"))) {
    return _mm256_shuffle_epi8(table(of), halves);
  };
  const __m256i high_first = high(first), low_second = low(second), high_second = high(second);
  const __m256i magic = _mm256_and_si256(
      _mm256_and_si256(_mm256_and_si256(by(tables.low[0], low(first)), by(tables.high[0], high_first)),
                       _mm256_and_si256(by(tables.low[1], low_second), by(tables.high[1], high_second))),
      _mm256_and_si256(by(tables.low[2], low(third)), by(tables.high[2], high(third))));
  const __m256i sum = _mm256_add_epi8(
      _mm256_add_epi8(by(remainders.first, high_first), by(remainders.second, high_second)), low_second);
  const __m256i zlib = _mm256_or_si256(_mm256_cmpeq_epi8(sum, _mm256_set1_epi8(remainder_of_zlib)),
                                       _mm256_cmpeq_epi8(sum, _mm256_set1_epi8(remainder_of_zlib + 31)));
  const __m256i others = _mm256_set1_epi8(static_cast<char>(~zlib_group));
  const __m256i ascii85 = _mm256_and_si256(_mm256_cmpeq_epi8(first, _mm256_set1_epi8('<')),
                                           _mm256_cmpeq_epi8(second, _mm256_set1_epi8('~')));
  const __m256i groups = _mm256_or_si256(ascii85, _mm256_and_si256(magic, _mm256_or_si256(zlib, others)));
  return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())));
}

/// The same of so many blocks of 16 or 32 places. (Of all at once: candidates are many, and what is behind them costs
/// less when it is asked for together.)
using Sift = void (*)(const std::uint8_t* at, std::size_t blocks, std::uint32_t* out);
__attribute__((target("ssse3"))) void sift_by_16(const std::uint8_t* at, std::size_t blocks, std::uint32_t* out) {
  for (std::size_t i = 0; i < blocks; ++i) out[i] = candidates16(at + 16 * i);
}
__attribute__((target("avx2"))) void sift_by_32(const std::uint8_t* at, std::size_t blocks, std::uint32_t* out) {
  for (std::size_t i = 0; i < blocks; ++i) out[i] = candidates32(at + 32 * i);
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

bool is_base64(std::uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
         c == '-' || c == '_';
}

bool begins_base64(View window, std::size_t at) {
  constexpr std::size_t least = 24;
  static constexpr std::string_view packed[] = {"H4sI", "KLUv/", "KLUv_", "/Td6W", "_Td6W",
                                                "Qlpo", "UEsDB", "JVBER", "SDRzSU"};
  const View rest = window.subspan(at);
  if (rest.size() < least) return false;
  const std::string_view text = text_of(rest);
  const auto among = [&](std::string_view second, std::string_view third) {
    return second.find(text[1]) != std::string_view::npos && third.find(text[2]) != std::string_view::npos;
  };
  const bool zlib =
      text[0] == 'e' && (among("J", "wxyz") || among("N", "opqr") || among("A", "EFGH") || among("F", "4567"));
  if (!zlib && std::none_of(std::begin(packed), std::end(packed),
                            [&](auto magic) { return text[1] == magic[1] && text.starts_with(magic); }))
    return false;
  if (!std::all_of(rest.begin(), rest.begin() + least, is_base64)) return false;
  if (at > 0 && is_base64(window[at - 1])) {
    // A path's or a name's end ("x=", "/H4s"), or an escape's letter ("\nH4s"), may stand before it; a word may not.
    const bool escape = at > 1 && window[at - 2] == '\\' && (window[at - 1] == 'n' || window[at - 1] == 't');
    if (!escape && window[at - 1] != '/' && window[at - 1] != '-' && window[at - 1] != '_') return false;
  }
  return true;
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
  if (may_be_zlib(rest) && rest[0] > 0x08 && begins_deflate(rest.subspan(2), rest[0] != 0x78)) {
    if (before.ends_with("IDAT") || (behind == 8 && before.starts_with("fdAT"))) return std::nullopt;
    return packed(Container::zlib);
  }
  switch (rest[0]) {
    case 'b':
      return encoded(begins_uuencode(window, at), Encoding::uuencode);
    case '<':
      return encoded(begins_ascii85(text_of(rest)), Encoding::ascii85);
    case 'G':
      return encoded(text_of(rest).starts_with("GIT binary patch"), Encoding::base85);
    case 'P':
      if (before.ends_with("--BEGIN ") && text_of(rest).starts_with("PGP MESSAGE-----"))
        return encoded(true, Encoding::armor);
      break;
    case 0x28:
      if (!begins_zstd(rest)) return std::nullopt;
      break;
    case '_':
      if (container_of(rest) == Container::phar) return packed(Container::phar);
      return encoded(begins_base64(window, at), Encoding::base64);
    case '/':
    case 'H':
    case 'J':
    case 'K':
    case 'Q':
    case 'S':
      if (text_of(rest).starts_with("SVN\2")) return packed(Container::svndiff);
      return encoded(begins_base64(window, at), Encoding::base64);
    case 0x82:
      if (text_of(rest).starts_with("\x82SNAPPY\0"sv)) return packed(Container::xerial);
      return std::nullopt;
    case 0xef:
      if (text_of(rest).starts_with("\xef\xbe\xad\xdeNullsoftInst")) return packed(Container::nsis);
      return std::nullopt;
    case 0xff:  // (what begins a file with it is known by that)
      if (at > 0 && text_of(rest).starts_with("\xff\6\0\0sNaPpY"sv)) return packed(Container::snappy);
      return std::nullopt;
    case 'U':
    case 'e':
      return encoded(begins_base64(window, at), Encoding::base64);
    case 0x02:
    case 0x04:
    case 0x1f:
    case 0xfd:
    case '7':
    case 'B':
    case 'M':
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
    case Container::lz4:
    case Container::squashfs:
    case Container::seven_zip:
    case Container::rar:
    case Container::cab:
      return packed(kind);
    case Container::git_pack:
      // Of a bundle (gitformat-bundle), behind its header's empty line. Programs say "PACK", too.
      if (before.ends_with("\n\n")) return packed(kind);
      return std::nullopt;
    case Container::zip:
      if (ZipMemberReader::begins(rest)) return packed(kind);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

const char* name_of(Encoding encoding) {
  static constexpr const char* names[] = {"base64", "uuencode", "ascii85", "base85", "armor"};
  return names[static_cast<int>(encoding)];
}

std::optional<Beginning> next_beginning(View window, std::size_t from, std::size_t to) {
  const bool wide = __builtin_cpu_supports("avx2");
  const Sift sift = wide ? sift_by_32 : sift_by_16;
  const std::size_t step = wide ? 32 : 16, read = step + 2;
  std::array<std::uint32_t, 64> candidates;
  std::size_t at = from;
  const std::size_t blocks_end = std::min(to, window.size() - std::min(window.size(), read - 1));
  while (at < blocks_end) {
    const std::size_t blocks = std::min(candidates.size(), (blocks_end - at + step - 1) / step);
    sift(window.data() + at, blocks, candidates.data());
    for (std::size_t b = 0; b < blocks; ++b, at += step)
      for (std::uint32_t bits = candidates[b]; bits != 0; bits &= bits - 1) {
        const std::size_t place = at + static_cast<std::size_t>(__builtin_ctz(bits));
        if (place >= to) return std::nullopt;
        if (!exactly.holds(window.data() + place)) continue;
        if (const auto beginning = known(window, place)) return beginning;
      }
  }
  for (at = std::max(from, blocks_end); at < to; ++at)  // too near the end for anything but a very short one
    if (const auto beginning = known(window, at)) return beginning;
  return std::nullopt;
}

}  // namespace imgbuild

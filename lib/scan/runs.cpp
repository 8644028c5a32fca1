// Finds base64, base32 and hex in anything, and decodes it.
//
// Finding is at memory speed: AVX2 (or SSSE3) tells for 32 (or 16) bytes at once which are of the alphabet, and where
// 24 are in a row is seen in the bits. Both alphabets (RFC 4648 sections 4 and 5) are one; a run is then tried as each
// of them, and again from behind each character that may have been a separator, for a path or an assignment ends where
// the encoded value begins. Lines wrapped at any width are joined, whether the line break is one or is written out as
// in JSON.
//
// Where in a group of four a run begins must not depend on how much of it the caller shows us. The stream is cut into
// blocks at multiples of 32 KiB. A run counts from its beginning if that lies in the block or 4 KiB before it;
// where it began earlier all four phases are tried. A block answers for what begins in it, and looks 16 KiB beyond
// its end, which is a 16384-bit RSA key in PEM in base64.
#include "scan/runs.hpp"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t block = std::size_t{32} << 10, back = std::size_t{4} << 10, ahead = std::size_t{16} << 10;
constexpr std::size_t least_run = 24;     // characters: 18 bytes, and no credential worth its name is shorter
constexpr std::size_t least_base32 = 32;  // 20 bytes
constexpr std::size_t least_line = 32;    // characters of a line that the next one may continue
constexpr std::size_t least_text = 12;    // bytes of text in a row that make what was decoded worth a look

enum Class : std::uint8_t { hex_digit = 1, alphanumeric = 2, standard = 4, urlsafe = 8 };

struct Tables {
  std::array<std::uint8_t, 256> kind{}, value{}, nibble{}, text{};
  constexpr Tables() {
    constexpr char order[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (unsigned i = 0; i < 62; ++i) {
      const auto c = static_cast<unsigned char>(order[i]);
      value[c] = static_cast<std::uint8_t>(i);
      kind[c] = alphanumeric;
    }
    value['+'] = value['-'] = 62;
    value['/'] = value['_'] = 63;
    kind['+'] = kind['/'] = standard;
    kind['-'] = kind['_'] = urlsafe;
    for (unsigned i = 0; i < 16; ++i) {
      constexpr char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
      for (const char c : {lower[i], upper[i]}) {
        nibble[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(i);
        kind[static_cast<unsigned char>(c)] = alphanumeric | hex_digit;
      }
    }
    for (unsigned c = 32; c < 127; ++c) text[c] = 1;
    text['\t'] = text['\n'] = text['\r'] = 1;
  }
};
constexpr Tables tables;

bool in_alphabet(std::uint8_t c) { return tables.kind[c] != 0; }

// A byte is of the alphabet if a kind that its low half may belong to is a kind of its high half: 1 punctuation 2x, 2
// digits 3x, 4 letters 4x and 6x, 8 letters 5x and 7x, 16 the underscore 5x.
struct Halves {
  alignas(16) std::array<std::uint8_t, 16> low{2 | 8,     2 | 4 | 8, 2 | 4 | 8, 2 | 4 | 8, 2 | 4 | 8, 2 | 4 | 8,
                                               2 | 4 | 8, 2 | 4 | 8, 2 | 4 | 8, 2 | 4 | 8, 4 | 8,     1 | 4,
                                               4,         1 | 4,     4,         1 | 4 | 16};
  alignas(16) std::array<std::uint8_t, 16> high{0, 0, 1, 2, 4, 8 | 16, 4, 8};
};
constexpr Halves halves;

// One bit per byte: is it of the alphabet?
__attribute__((target("ssse3"))) std::uint32_t members16(const std::uint8_t* at) {
  const auto table = [](const auto& of) { return _mm_load_si128(reinterpret_cast<const __m128i*>(of.data())); };
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i half = _mm_set1_epi8(15);
  const __m128i low = _mm_shuffle_epi8(table(halves.low), _mm_and_si128(bytes, half));
  const __m128i high = _mm_shuffle_epi8(table(halves.high), _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
  const __m128i none = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
  return static_cast<std::uint32_t>(_mm_movemask_epi8(none)) ^ 0xFFFFu;
}

struct Piece {
  std::size_t begin, end;
};

// Where the run that goes on at `at` ends.
__attribute__((target("ssse3"))) std::size_t end_of_run(const std::uint8_t* data, std::size_t at, std::size_t end) {
  while (at + 16 <= end) {
    const std::uint32_t mask = members16(data + at);
    if (mask != 0xFFFF) return at + static_cast<std::size_t>(__builtin_ctz(~mask));
    at += 16;
  }
  while (at < end && in_alphabet(data[at])) ++at;
  return at;
}

// Membership of 32 bytes after 32 bytes.
__attribute__((target("ssse3"))) void members_by_16(const std::uint8_t* at, std::size_t count, std::uint32_t* out) {
  for (; count > 0; --count, at += 32, ++out) *out = members16(at) | members16(at + 16) << 16;
}
__attribute__((target("avx2"))) void members_by_32(const std::uint8_t* at, std::size_t count, std::uint32_t* out) {
  const auto table = [](const auto& of) __attribute__((target("avx2"))) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(of.data())));
  };
  const __m256i low_table = table(halves.low), high_table = table(halves.high), half = _mm256_set1_epi8(15);
  for (; count > 0; --count, at += 32, ++out) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at));
    const __m256i low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(bytes, half));
    const __m256i high = _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
    const __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
    *out = ~static_cast<std::uint32_t>(_mm256_movemask_epi8(none));
  }
}

// Every maximal run of `least_run` characters or more in [begin, end). A window of 64 membership bits moves on by 32: a
// run that begins in its first half shows its first 24 characters, and five shifts leave one bit where it begins.
void find_pieces(const std::uint8_t* data, std::size_t begin, std::size_t end, std::vector<Piece>& out) {
  const auto members = __builtin_cpu_supports("avx2") ? members_by_32 : members_by_16;
  std::uint32_t seen[128];
  std::uint64_t before = 0;  // membership of the 32 bytes before `at`
  std::size_t had = begin;   // no run begins before this
  for (std::size_t at = begin; at < end + 32;) {
    std::size_t count = at < end ? std::min(std::size(seen), (end - at) / 32) : 0;
    if (count > 0) {
      members(data + at, count, seen);
    } else {
      std::uint8_t rest[32] = {};
      if (at < end) std::memcpy(rest, data + at, end - at);
      members(rest, count = 1, seen);
    }
    for (std::size_t i = 0; i < count; ++i, at += 32) {
      const std::uint64_t window = before | std::uint64_t{seen[i]} << 32;
      before = seen[i];
      std::uint64_t runs = window & window >> 1;
      runs &= runs >> 2;
      runs &= runs >> 4;
      runs &= runs >> 8 & runs >> 16;
      runs &= 0xFFFFFFFFu;
      while (runs != 0) {
        const std::size_t from = at - 32 + static_cast<std::size_t>(__builtin_ctzll(runs));
        if (from >= had) {
          had = end_of_run(data, from + least_run, end);
          out.push_back({from, had});
        }
        runs = had >= at ? 0 : runs & ~std::uint64_t{0} << (had - (at - 32));
      }
    }
  }
}

// Where the next line of a wrapped run begins; `at` is behind its last character. 0: it does not go on.
std::size_t next_line(const std::uint8_t* data, std::size_t at, std::size_t end) {
  const std::size_t limit = std::min(end, at + 160);
  bool broken = false;
  for (;;) {
    if (at < limit && (data[at] == ' ' || data[at] == '\t' || data[at] == '\r')) {
      ++at;
    } else if (at < limit && data[at] == '\n') {
      broken = true;
      ++at;
    } else if (at + 1 < limit && data[at] == '\\' && (data[at + 1] == 'n' || data[at + 1] == 'r')) {
      broken = broken || data[at + 1] == 'n';
      at += 2;
    } else if (at + 1 < limit && data[at] == '\\' && data[at + 1] == '\n') {
      ++at;
    } else {
      return broken && at < limit && in_alphabet(data[at]) ? at : 0;
    }
  }
}

// Is there text of `least_text` bytes in a row? Looks at every twelfth byte, and backwards from there.
bool holds_text(const std::string& bytes) {
  for (std::size_t at = least_text; at <= bytes.size();) {
    std::size_t run = 0;
    while (run < least_text && tables.text[static_cast<std::uint8_t>(bytes[at - 1 - run])]) ++run;
    if (run == least_text) return true;
    at += least_text - run;
  }
  return false;
}

// Or as much of it in UTF-16, a zero beside each byte?
bool holds_wide_text(std::string_view bytes) {
  if (bytes.find('\0') == std::string_view::npos) return false;
  std::size_t run = 0;
  for (std::size_t at = 0; at < bytes.size() && run < 2 * least_text; ++at) {
    const bool zero = bytes[at] == 0, text = tables.text[static_cast<std::uint8_t>(bytes[at])] != 0;
    const bool goes_on = run > 0 && (bytes[at - 1] == 0 ? text : zero);
    run = goes_on ? run + 1 : zero || text ? 1 : 0;
  }
  return run == 2 * least_text;
}

// The same asked of base64 before it is decoded, cheaply: twelve bytes of text in a row hold the first bytes of three
// groups in a row. What is false here is false there.
bool may_hold_text(const char* from, std::size_t length) {
  const auto first_is_text = [&](std::size_t group) {
    const auto high = tables.value[static_cast<std::uint8_t>(from[group * 4])];
    const auto low = tables.value[static_cast<std::uint8_t>(from[group * 4 + 1])];
    return tables.text[static_cast<std::uint8_t>(high << 2 | low >> 4)] != 0;
  };
  for (std::size_t group = 2, groups = length / 4; group < groups;) {
    if (!first_is_text(group))
      group += 3;
    else if (!first_is_text(group - 1))
      group += 2;
    else if (!first_is_text(group - 2))
      group += 1;
    else
      return true;
  }
  return false;
}

// Of UTF-16, every other group's first byte is zero. (Not of text; a run of noise has one in 256 at each place.)
bool may_hold_wide_text(const char* from, std::size_t length) {
  const auto first_is_zero = [&](std::size_t group) {
    return from[group * 4] == 'A' && tables.value[static_cast<std::uint8_t>(from[group * 4 + 1])] < 16;
  };
  for (std::size_t group = 3, groups = length / 4; group < groups; group += 4)
    if ((first_is_zero(group) && first_is_zero(group - 2)) || (first_is_zero(group - 1) && first_is_zero(group - 3)))
      return true;
  return false;
}

// Of what is no text, one thing is worth decoding: a DER element (a private key) that fits into the run.
bool may_hold_der(const char* from, std::size_t length) {
  if (length < 60 || from[0] != 'M') return false;
  std::uint32_t front = 0;  // the first four bytes and a half
  for (std::size_t i = 0; i < 5; ++i) front = front << 6 | tables.value[static_cast<std::uint8_t>(from[i])];
  const std::uint32_t kind = front >> 22, first = front >> 14 & 0xff, second = front >> 6 & 0xff;
  const std::uint32_t third = (front & 0x3f) << 2 | tables.value[static_cast<std::uint8_t>(from[5])] >> 4;
  const std::size_t size = first < 0x80    ? 2 + first
                           : first == 0x81 ? 3 + second
                           : first == 0x82 ? 4 + (second << 8 | third)
                                           : 0;
  return kind == 0x30 && size > 40 && size <= length / 4 * 3 + 3;
}

// The same of hex: 30, a length, and a version or the algorithm of what is encrypted.
bool may_hold_der_in_hex(const char* from, std::size_t length) {
  if (length < 90 || from[0] != '3' || from[1] != '0') return false;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(tables.nibble[static_cast<std::uint8_t>(from[2 * i])] << 4 |
                                    tables.nibble[static_cast<std::uint8_t>(from[2 * i + 1])]);
  };
  const std::size_t first = byte(1);
  const std::size_t size = first < 0x80    ? 2 + first
                           : first == 0x81 ? 3 + byte(2)
                           : first == 0x82 ? 4 + (byte(2) << 8 | byte(3))
                                           : 0;
  return size > 40 && size <= length / 2;
}

void decode_base64(const char* from, std::size_t length, std::string& out) {
  out.resize(length / 4 * 3 + (length % 4 + 1) / 2 - (length % 4 == 1 ? 1 : 0));
  char* to = out.data();
  const auto value = [](char c) { return std::uint32_t{tables.value[static_cast<std::uint8_t>(c)]}; };
  for (; length >= 4; length -= 4, from += 4) {
    const std::uint32_t group = value(from[0]) << 18 | value(from[1]) << 12 | value(from[2]) << 6 | value(from[3]);
    *to++ = static_cast<char>(group >> 16);
    *to++ = static_cast<char>(group >> 8);
    *to++ = static_cast<char>(group);
  }
  if (length >= 2) *to++ = static_cast<char>(value(from[0]) << 2 | value(from[1]) >> 4);
  if (length == 3) *to++ = static_cast<char>(value(from[1]) << 4 | value(from[2]) >> 2);
}

void decode_base32(const char* from, std::size_t length, std::string& out) {
  out.clear();
  std::uint32_t bits = 0;
  int count = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const char c = from[i];
    bits = bits << 5 | static_cast<std::uint32_t>(is_digit(c) ? c - '2' + 26 : (c & ~0x20) - 'A');
    if ((count += 5) < 8) continue;
    out.push_back(static_cast<char>(bits >> (count -= 8)));
  }
}

void decode_hex(const char* from, std::size_t length, std::string& out) {
  out.resize(length / 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<char>(tables.nibble[static_cast<std::uint8_t>(from[2 * i])] << 4 |
                               tables.nibble[static_cast<std::uint8_t>(from[2 * i + 1])]);
}

using See = std::function<void(DecodedRun&, OwnedRange)>;

// One run, its lines joined, in all the ways that it may have been meant.
class Attempts {
 public:
  Attempts(std::string_view encoded, DecodedRun& run, bool any_phase, OwnedRange owned, const See& see)
      : encoded_(encoded), run_(run), any_phase_(any_phase), owned_(owned), see_(see) {}

  void all() {
    std::uint8_t kinds = 0;
    for (const char c : encoded_) kinds |= kind_of(c);
    const bool mixed = (kinds & standard) != 0 && (kinds & urlsafe) != 0;
    if (!mixed) base64(0, encoded_.size());
    if (mixed) {
      segments(alphanumeric | hex_digit | standard);
      segments(alphanumeric | hex_digit | urlsafe);
    }
    if ((kinds & (standard | urlsafe)) != 0) segments(alphanumeric | hex_digit);
    segments(hex_digit);
    base32();
  }

 private:
  static std::uint8_t kind_of(char c) { return tables.kind[static_cast<std::uint8_t>(c)]; }

  void segments(std::uint8_t kinds) {
    // A hex digit is a letter or a digit as well: only hex asks for that bit alone.
    const auto fits = [&](char c) { return (kind_of(c) & kinds) != 0; };
    for (std::size_t begin = 0; begin + least_run <= encoded_.size();) {
      // Any segment that is long enough holds its last character here or before.
      std::size_t probe = begin + least_run - 1;
      while (probe > begin && fits(encoded_[probe])) --probe;
      if (!fits(encoded_[probe])) {
        begin = probe + 1;
        continue;
      }
      std::size_t end = begin + least_run;
      while (end < encoded_.size() && fits(encoded_[end])) ++end;
      if (kinds == hex_digit)
        hexadecimal(begin, end);
      else if (begin > 0 || end < encoded_.size())
        base64(begin, end);
      begin = end + 1;
    }
  }

  void base64(std::size_t begin, std::size_t end) {
    const std::size_t phases = any_phase_ && begin == 0 ? 4 : 1;
    for (std::size_t phase = 0; phase < phases && begin + phase < end; ++phase) {
      const char* const from = encoded_.data() + begin + phase;
      const std::size_t length = end - begin - phase;
      const bool der = may_hold_der(from, length);
      if (!run_.wrapped && !der && !may_hold_text(from, length) && !may_hold_wide_text(from, length)) continue;
      decode_base64(from, length, run_.bytes);
      show("base64", begin + phase, der);
    }
  }
  // Of its alphabet (RFC 4648 section 6) are the capitals and 2 to 7: one look tells most runs of base64 from it. Some
  // write it in lower case.
  void base32() {
    if (encoded_.size() < least_base32) return;
    const auto fits = [](char c) { return is_upper(c) || (c >= '2' && c <= '7'); };
    const auto fits_small = [](char c) { return is_lower(c) || (c >= '2' && c <= '7'); };
    if (!std::all_of(encoded_.begin(), encoded_.end(), fits) &&
        !std::all_of(encoded_.begin(), encoded_.end(), fits_small))
      return;
    for (std::size_t phase = 0; phase < (any_phase_ ? 8 : 1); ++phase) {
      decode_base32(encoded_.data() + phase, encoded_.size() - phase, run_.bytes);
      show("base32", phase);
    }
  }
  void hexadecimal(std::size_t begin, std::size_t end) {
    const std::size_t phases = any_phase_ && begin == 0 ? 2 : 1;
    for (std::size_t phase = 0; phase < phases; ++phase) {
      const char* const from = encoded_.data() + begin + phase;
      const bool der = may_hold_der_in_hex(from, end - begin - phase);
      decode_hex(from, end - begin - phase, run_.bytes);
      show("hex", begin + phase, der);
    }
  }
  void show(const char* encoding, std::size_t skipped, bool surely = false) {
    if (!run_.wrapped && !surely && !holds_text(run_.bytes) && !holds_wide_text(run_.bytes)) return;
    run_.encoding = encoding;
    run_.skipped = skipped;
    see_(run_, owned_);
  }

  std::string_view encoded_;
  DecodedRun& run_;
  bool any_phase_;
  OwnedRange owned_;
  const See& see_;
};

}  // namespace

std::size_t DecodedRun::text_of(std::size_t character) const {
  const auto behind = std::upper_bound(pieces.begin(), pieces.end(), character,
                                       [](std::size_t value, const Piece& piece) { return value < piece.encoded; });
  const Piece& piece = *(behind - 1);
  return piece.text + (character - piece.encoded);
}

std::size_t DecodedRun::position_of(std::size_t decoded) const {
  if (is_wide()) return pieces.front().text + decoded * width();
  if (backwards) return pieces.front().text - decoded;
  return text_of(skipped + (is_hex()      ? decoded * 2
                            : is_base64() ? decoded * 8 / 6
                            : is_base32() ? decoded * 8 / 5
                                          : decoded));
}

std::size_t DecodedRun::end_of(std::size_t decoded_end) const {
  if (decoded_end == 0) return position_of(0);
  if (is_wide())  // the last character of big-endian text has no zero behind it
    return std::min(pieces.front().text + decoded_end * width(), pieces.back().text);
  if (!is_hex() && !is_base64() && !is_base32()) {
    // A character that is an escape is a piece of its own: it ends where the next piece begins.
    const auto last = std::lower_bound(pieces.begin(), pieces.end(), decoded_end - 1,
                                       [](const Piece& piece, std::size_t value) { return piece.encoded < value; });
    for (auto next = last; next != pieces.end() && next->encoded <= decoded_end; ++next)
      if (last->encoded == decoded_end - 1 && next->encoded == decoded_end) return next->text;
  }
  return text_of(skipped + (is_hex()      ? decoded_end * 2 - 1
                            : is_base64() ? (decoded_end * 8 - 1) / 6
                            : is_base32() ? (decoded_end * 8 - 1) / 5
                                          : decoded_end - 1)) +
         1;
}

std::size_t DecodedRun::end_of_piece(std::size_t decoded) const {
  const auto behind = std::upper_bound(pieces.begin(), pieces.end(), decoded,
                                       [](std::size_t value, const Piece& piece) { return value < piece.encoded; });
  if (behind == pieces.end()) return position_of(decoded) + 1;
  return (behind - 1)->text + (behind->encoded - (behind - 1)->encoded);
}

void decode_runs(View text, std::uint64_t offset, std::size_t begin, std::size_t end, const See& see) {
  if (begin >= end) return;
  const std::uint64_t first_block = (offset + begin) / block, last_block = (offset + end - 1) / block;
  // Positions of the stream as positions of `text`, within it.
  const auto in_text = [&](std::uint64_t position) {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(position, offset, offset + text.size()) - offset);
  };
  const auto area_begin = [&](std::uint64_t b) {
    return in_text(b * block - std::min<std::uint64_t>(b * block, back));
  };
  const std::uint8_t* const data = text.data();
  std::vector<Piece> pieces;
  find_pieces(data, area_begin(first_block), in_text((last_block + 1) * block + ahead), pieces);

  DecodedRun run;
  std::string joined;
  std::size_t first = 0;
  for (std::uint64_t b = first_block; b <= last_block; ++b) {
    const std::size_t own_begin = in_text(b * block), own_end = in_text((b + 1) * block);
    const std::size_t low = area_begin(b), high = in_text((b + 1) * block + ahead);
    while (first < pieces.size() && pieces[first].end <= low) ++first;
    std::size_t covered = low;  // characters before this have been a part of some run
    for (std::size_t i = first; i < pieces.size() && pieces[i].begin < own_end; ++i) {
      std::size_t from = std::max({pieces[i].begin, low, covered});
      std::size_t to = std::min(pieces[i].end, high);
      if (to < from + least_run) continue;
      const bool cut = from < low + 160 && offset + low > 0;
      if (from > 0 && data[from - 1] == '\\' && (data[from] == 'n' || data[from] == 'r' || data[from] == 't')) ++from;
      run.pieces.assign(1, {0, from});
      run.wrapped = false;
      std::string_view encoded = text_of(text.subspan(from, to - from));
      if (to - from >= least_line) {
        for (std::size_t line = next_line(data, to, high); line != 0; line = next_line(data, to, high)) {
          if (!run.wrapped) joined.assign(encoded);
          run.wrapped = true;
          const std::size_t line_begin = line;
          to = line;
          while (to < high && in_alphabet(data[to])) ++to;
          run.pieces.push_back({joined.size(), line_begin});
          joined.append(text_of(text.subspan(line_begin, to - line_begin)));
          if (to - line_begin < least_line) break;
        }
        if (run.wrapped) encoded = joined;
      }
      covered = to;
      if (to <= own_begin) continue;
      Attempts(encoded, run, cut, {own_begin, own_end}, see).all();
    }
  }
}

}  // namespace imgbuild

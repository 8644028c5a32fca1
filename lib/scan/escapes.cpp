// Reads a text as its format will: a token that is written %67%68..., \u0067..., &#103;..., "gh" + "p_..." or with a
// zero-width space in its middle is the same token to whoever runs the program.
//
// Places where something is written so are found 64 bytes at a time. Around each a window is taken, windows that touch
// become one stretch, and a stretch is rewritten once; its pieces say where each byte came from. As in runs.cpp the
// stream is cut into blocks at fixed positions, and a block answers for what begins in it, so that nothing depends on
// how much of the stream the caller shows.
#include "scan/escapes.hpp"

#include <immintrin.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "scan/chains.hpp"
#include "scan/escape.hpp"
#include "scan/joined.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"
#include "scan/turned.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t block = std::size_t{32} << 10, back = std::size_t{4} << 10, ahead = std::size_t{16} << 10;
constexpr std::size_t before = 160, behind = 400;  // of a window
constexpr std::size_t least_wide = 12;             // characters of UTF-16 that make text

// Where an escape may be: 64 bytes at once, each by its own kind, what stands before it and what behind. A bit is one
// pair of neighbours: 1 and 2 are % before a hex digit or u, 4 and 8 & before a letter or #, 16 the first two bytes of
// a zero-width or full-width character, 32 a backslash before u, x, _, another, an octal digit or the line's end, and =
// before 3, 5 or the line's end, 64 + . & | ~ behind a quote or a blank, 128 a line feed behind the same or before a
// blank; 8 is a quote before another, too. A table says what a byte can be by one half of it; some more than these
// pass.
constexpr std::uint8_t joint = 64 | 128;
using Table = std::array<std::uint8_t, 16>;
alignas(16) constexpr Table own_low{0, 0, 8 | 16, 0, 0, 3, 12 | 64, 8, 0, 0, 128, 64, 32 | 64, 32, 64, 16};
alignas(16) constexpr Table own_high{128, 0, 3 | 12 | 64, 32, 0, 32, 0, 64, 0, 0, 0, 0, 16, 0, 16, 0};
alignas(16) constexpr Table left_low{joint, 0, joint, 0, 0, 0, 0, joint, 0, 64, 0, 0, 0, 128, 0, 0};
alignas(16) constexpr Table left_high{joint, 0, joint, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
alignas(16) constexpr Table right_low{1 | 4 | 16 | 32 | 128,
                                      1 | 2 | 4 | 16 | 32,
                                      1 | 2 | 8,
                                      1 | 2 | 4 | 8 | 32,
                                      1 | 2,
                                      1 | 2 | 4 | 32,
                                      1 | 2,
                                      1 | 4 | 8,
                                      1 | 32,
                                      1,
                                      32,
                                      0,
                                      4 | 16 | 32,
                                      16 | 32,
                                      0,
                                      32};
alignas(16) constexpr Table right_high{32, 0, 8 | 128, 1 | 32, 2, 32, 2 | 4, 2 | 4 | 32, 16, 0, 16, 16, 0, 0, 0, 0};

__attribute__((target("ssse3"))) inline __m128i kinds16(const std::uint8_t* at, const Table& low, const Table& high) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at)), half = _mm_set1_epi8(15);
  const __m128i lows = _mm_load_si128(reinterpret_cast<const __m128i*>(low.data()));
  const __m128i highs = _mm_load_si128(reinterpret_cast<const __m128i*>(high.data()));
  return _mm_and_si128(_mm_shuffle_epi8(lows, _mm_and_si128(bytes, half)),
                       _mm_shuffle_epi8(highs, _mm_and_si128(_mm_srli_epi16(bytes, 4), half)));
}

__attribute__((target("avx2"))) inline __m256i kinds32(const std::uint8_t* at, const Table& low, const Table& high) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at)), half = _mm256_set1_epi8(15);
  const __m256i lows = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(low.data())));
  const __m256i highs = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(high.data())));
  return _mm256_and_si256(_mm256_shuffle_epi8(lows, _mm256_and_si256(bytes, half)),
                          _mm256_shuffle_epi8(highs, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

// Of 64 bytes a bit each: may an escape be here, and is it 0? One byte more to each side is looked at.
struct Sifted {
  std::uint64_t marks = 0, zeros = 0;
};

__attribute__((target("ssse3"))) Sifted sift_by_16(const std::uint8_t* at) {
  Sifted out;
  const __m128i zero = _mm_setzero_si128();
  for (unsigned i = 0; i < 64; i += 16) {
    const __m128i sides =
        _mm_or_si128(kinds16(at + i - 1, left_low, left_high), kinds16(at + i + 1, right_low, right_high));
    const __m128i found = _mm_and_si128(kinds16(at + i, own_low, own_high), sides);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at + i));
    const auto none = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(found, zero)));
    out.marks |= std::uint64_t{none ^ 0xffffu} << i;
    out.zeros |= static_cast<std::uint64_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, zero))) << i;
  }
  return out;
}

__attribute__((target("avx2"))) Sifted sift_by_32(const std::uint8_t* at) {
  Sifted out;
  const __m256i zero = _mm256_setzero_si256();
  for (unsigned i = 0; i < 64; i += 32) {
    const __m256i sides =
        _mm256_or_si256(kinds32(at + i - 1, left_low, left_high), kinds32(at + i + 1, right_low, right_high));
    const __m256i found = _mm256_and_si256(kinds32(at + i, own_low, own_high), sides);
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at + i));
    const auto none = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, zero)));
    out.marks |= std::uint64_t{~none} << i;
    out.zeros |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, zero)))} << i;
  }
  return out;
}

// Has one of the four groups of 16 bits the same four bits four times, and are those not all alike?
bool may_be_wide(std::uint64_t zeros) {
  constexpr std::uint64_t each = 0x0001000100010001;
  const std::uint64_t changes = (zeros ^ zeros >> 4) & each * 0x0fff, four = zeros & each * 15;
  const std::uint64_t any_change = changes + each * 0x7fff, any = four + each * 0x7fff, all = four + each * 0x7ff1;
  return (~any_change & any & ~all & each * 0x8000) != 0;
}

// The first quote of the joint that the operator or line break at `i` is a part of.
std::size_t quote_before(View text, std::size_t i) {
  std::size_t at = i;
  for (; at > 0 && i - at < 40 && is_space(text[at - 1]); --at) {
  }
  if (at > 3 && text[at - 1] == '/' && text[at - 2] == '*') {
    for (at -= 3; at > 1 && i - at < 60 && !(text[at - 1] == '/' && text[at] == '*'); --at) {
    }
    for (--at; at > 0 && i - at < 70 && is_space(text[at - 1]); --at) {
    }
  }
  return at > 0 && is_quote(text[at - 1]) ? at - 1 : i;
}

bool among_text(View text, std::size_t i) {
  for (std::size_t at = i - std::min<std::size_t>(i, 4); at < std::min(text.size(), i + 8); ++at)
    if (!is_text(text[at]) && text[at] < 0x80) return false;
  return true;
}

struct Stretch {
  std::size_t begin, end;
};

// Text whose characters are `width` bytes each, all of them 0 but one.
struct WideStretch {
  std::size_t begin, end, width;
};

// The width that 16 bytes have where these bits of them are 0; 0: they are no such text.
unsigned width_of(unsigned zeros) {
  constexpr std::array<std::uint8_t, 16> by_four{0, 0, 0, 0, 0, 2, 0, 4, 0, 0, 2, 4, 0, 4, 4, 0};
  return zeros == (zeros & 15) * 0x1111 ? by_four[zeros & 15] : 0;
}

// May the first of so many characters be none, but say how many characters or bytes (with a byte for their kind) stand
// behind it?
bool begins_with_its_size(std::uint8_t first, std::size_t count, std::size_t width) {
  const std::size_t left = count - 1;
  return first == left || first == left * width || first == left * width + 1;
}

// What an escape begins with.
constexpr std::array<bool, 256> make_specials() {
  std::array<bool, 256> is{};
  for (const int c : {int{'%'}, int{'\\'}, int{'&'}, int{'='}, int{'"'}, int{'\''}, int{'`'}, 0xc2, 0xe2, 0xef})
    is[static_cast<std::size_t>(c)] = true;
  return is;
}
constexpr auto specials = make_specials();

void rewrite(View text, const Escapes& escapes, Stretch stretch, DecodedRun& run) {
  run.bytes.clear();
  run.pieces.assign(1, {0, stretch.begin});
  run.skipped = 0;
  run.encoding = "";
  std::size_t copied = stretch.begin;
  const auto copy = [&](std::size_t to) {
    run.bytes.append(reinterpret_cast<const char*>(text.data()) + copied, to - copied);
  };
  for (std::size_t i = stretch.begin; i < stretch.end;) {
    const bool special = specials[text[i]];
    if (!special && !escapes.has_openers()) {
      ++i;
      continue;
    }
    const Escape escape = special ? escapes.at(i) : escapes.opener(i);
    if (escape.length == 0) {
      ++i;
      continue;
    }
    copy(i);
    if (run.encoding[0] == '\0') run.encoding = escape.kind;
    if (escape.byte >= 0) {
      run.pieces.push_back({run.bytes.size(), i});
      run.bytes += static_cast<char>(escape.byte);
    }
    copied = i += escape.length;
    run.pieces.push_back({run.bytes.size(), i});
  }
  if (copied < stretch.end) copy(stretch.end);
}

constexpr std::array<bool, 256> make_place_bytes() {
  std::array<bool, 256> is = specials;
  for (const char c : {'+', '.', '|', '~', '\n'}) is[static_cast<std::size_t>(c)] = true;
  return is;
}
constexpr auto place_bytes = make_place_bytes();

// What the tables let pass, closely: the byte itself, and of a line feed, which nearly every line of code is marked by,
// what stands around it.
bool may_be_place(View text, std::size_t at) {
  if (text[at] != '\n' || at == 0) return place_bytes[text[at]];
  return is_space(text[at - 1]) || is_quote(text[at - 1]) ||
         (at + 2 < text.size() && text[at + 1] == ' ' && !is_space(text[at + 2]));
}

// One pass over [from, to): `place` is given positions where an escape may be, `wide` stretches of UTF-16 and UTF-32
// (of ASCII). The steps are steps of the stream, whose position text[0] has is `offset`.
template <class Place, class Wide>
void sift(View text, std::uint64_t offset, std::size_t from, std::size_t to, Place&& place, Wide&& wide) {
  const auto sift64 = __builtin_cpu_supports("avx2") ? sift_by_32 : sift_by_16;
  std::size_t had = from;  // no stretch begins before this
  const auto group = [&](std::size_t at, unsigned zeros) {
    const std::size_t width = width_of(zeros);
    if (width == 0 || at < had) return;
    const auto is_character = [&](std::size_t i) {
      return is_text(text[i]) && std::all_of(text.data() + std::min(i + 1, to), text.data() + std::min(i + width, to),
                                             [](std::uint8_t byte) { return byte == 0; });
    };
    std::size_t first = at + static_cast<std::size_t>(__builtin_ctz(~zeros));
    while (first >= had + width && is_character(first - width)) first -= width;
    std::size_t end = first;
    while (end < to && is_character(end)) end += width;
    had = end;
    // Of big-endian text the last character has no zero behind it; another byte there is none of little-endian text.
    const bool may_be_big = first > 0 && !is_text(text[first - 1]) && end < to && is_text(text[end]);
    const std::array<std::size_t, 2> ends{std::min(end, to), end + 1};
    const std::array<std::size_t, 2> begins{first, first + width};
    const auto count_to = [&](std::size_t last) { return (last - first + width - 1) / width; };
    const bool counted = begins_with_its_size(text[first], count_to(ends[0]), width) ||
                         (may_be_big && begins_with_its_size(text[first], count_to(ends[1]), width));
    for (std::size_t b = 0; b < (counted ? 2 : 1); ++b)
      for (std::size_t e = 0; e < (may_be_big ? 2 : 1); ++e)
        if (count_to(ends[e]) >= least_wide) wide(WideStretch{begins[b], ends[e], width});
  };
  const auto one = [&](std::size_t at) {
    if (may_be_place(text, at)) place(at);
  };
  std::size_t at = from;
  for (; at < to && (at == 0 || (offset + at) % 16 != 0); ++at) one(at);
  for (; at + 65 <= text.size() && at + 64 <= to; at += 64) {
    const Sifted sifted = sift64(text.data() + at);
    for (std::uint64_t marks = sifted.marks; marks != 0; marks &= marks - 1)
      one(at + static_cast<std::size_t>(__builtin_ctzll(marks)));
    if (may_be_wide(sifted.zeros))
      for (unsigned i = 0; i < 64; i += 16) group(at + i, static_cast<unsigned>(sifted.zeros >> i) & 0xffffu);
  }
  for (std::size_t i = at; i < to; ++i) one(i);
  for (; at + 16 <= to; at += 16) {
    unsigned zeros = 0;
    for (unsigned i = 0; i < 16; ++i) zeros |= (text[at + i] == 0 ? 1u : 0u) << i;
    group(at, zeros);
  }
}

}  // namespace

void decode_escapes(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                    const std::function<void(DecodedRun&, OwnedRange)>& see) {
  if (begin >= end) return;
  const std::uint64_t first_block = (offset + begin) / block, last_block = (offset + end - 1) / block;
  const auto in_text = [&](std::uint64_t position) {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(position, offset, offset + text.size()) - offset);
  };
  const auto low_of = [&](std::uint64_t b) { return in_text(b * block - std::min<std::uint64_t>(b * block, back)); };
  const auto high_of = [&](std::uint64_t b) { return in_text((b + 1) * block + ahead); };
  Joined joined;
  const Escapes escapes(text, joined);
  struct Place {
    std::size_t seen, at;  // the byte that gave it away, and where it begins
  };
  std::vector<Place> places;
  std::vector<WideStretch> wide;
  std::vector<std::size_t> quotes, breaks, folds;  // quotes that may join, line breaks that are none
  const auto add_place = [&](std::size_t place) {
    const std::uint8_t c = text[place];
    if (c == '\n' && place > 0 && !is_space(text[place - 1]) && !is_quote(text[place - 1])) {
      if (is_fold(text, place)) folds.push_back(place);
      return;
    }
    if (c == '\n' && place > 0 && text[place - 1] == '\r' && is_fold(text, place)) folds.push_back(place);
    if (is_quote(c) && place > 0 && place + 2 < text.size() && is_quote(text[place + 1]) && is_token(text[place - 1]) &&
        is_token(text[place + 2]))
      quotes.push_back(place);
    if (is_quote(c) && place > 0 && place + 2 < text.size() && text[place + 1] == c) {
      const std::uint8_t left = text[place - 1], right = text[place + 2];
      if (right == c || left == c) return;  // """ of Python
      const bool may_join =
          right == '.' || ((left == '(' || left == ',' || is_space(left)) && (right == ',' || right == ')'));
      if (!may_join && !(is_token(left) && is_token(right))) return;
      const std::size_t had = joined.ends.size();
      if (may_join) find_joined(text, place, joined);
      for (std::size_t i = had; i < joined.ends.size(); ++i) places.push_back({place, joined.ends[i]});
    }
    const bool operated = c == '+' || c == '.' || c == '|' || c == '~' || is_space(c) ||
                          (c == '&' && place > 0 && (is_space(text[place - 1]) || is_quote(text[place - 1])));
    // Most operators stand behind a word: no literal ends there.
    const auto may_close = [&](std::size_t i) { return is_quote(text[i]) || text[i] == ')' || text[i] == '/'; };
    if ((operated || (c == '\\' && place + 1 < text.size() && is_space(text[place + 1]))) && place > 1 &&
        (may_close(place - 1) || (is_space(text[place - 1]) && (may_close(place - 2) || is_space(text[place - 2])))))
      if (const std::size_t quote = joining_quote(text, place); quote != nowhere) quotes.push_back(quote);
    std::size_t at = operated ? quote_before(text, place) : place;
    Escape escape = escapes.at(at);
    if (escape.length == 0 && at != place) escape = escapes.at(at = place);
    if (escape.length == 0 || !among_text(text, at)) return;
    if (escape.byte == '_' && (c == '\\' || c == '=') && !parts_token(text, at, at + escape.length)) return;
    if (c == '=' && escape.byte < 0) breaks.push_back(place);
    // A line that goes on hides something only where it parts a token.
    if (escape.kind == continued && !(at > 0 && is_of_word(text[at - 1]) && at + escape.length < text.size() &&
                                      is_of_word(text[at + escape.length])))
      return;
    // A blank or a line break parts tokens; it hides nothing but the header of a key.
    const bool header = at >= 5 && text_of(text.subspan(at - 5, 5)) == "BEGIN";
    const auto is_sign = [&](std::size_t i) { return i < text.size() && text[i] == '='; };
    const bool at_sign = escape.kind == no_break && ((at > 0 && is_sign(at - 1)) || is_sign(at + escape.length));
    if (!header && !at_sign && escape.byte >= 0 && is_space(static_cast<std::uint8_t>(escape.byte))) return;
    places.push_back({place, at});
  };
  sift(text, offset, low_of(first_block), high_of(last_block), add_place,
       [&](WideStretch one) { wide.push_back(one); });
  decode_chains(text, offset, begin, end, quotes, see);
  show_printable(text, offset, breaks, see);
  show_folded(text, offset, folds, see);
  if (places.empty() && wide.empty()) return;
  if (!joined.ends.empty()) {
    joined.sort();
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.at < b.at; });
  }

  DecodedRun run;
  std::vector<Stretch> stretches;
  std::size_t first_place = 0, first_wide = 0;
  for (std::uint64_t b = first_block; b <= last_block; ++b) {
    const std::size_t own_begin = in_text(b * block), own_end = in_text((b + 1) * block);
    const std::size_t low = low_of(b), high = high_of(b);
    while (first_place < places.size() && places[first_place].at < low) ++first_place;
    stretches.clear();
    // What begins in the block, and what a secret that begins there goes on with.
    const std::size_t limit = std::min(high, own_end + back);
    for (std::size_t p = first_place; p < places.size() && places[p].at < limit; ++p) {
      const std::size_t at = places[p].at;
      if (places[p].seen < low || places[p].seen >= limit) continue;
      const std::size_t from = at - std::min(at - low, before), to = std::min(high, at + behind);
      if (!stretches.empty() && from <= stretches.back().end)
        stretches.back().end = std::max(stretches.back().end, to);
      else
        stretches.push_back({from, to});
    }
    for (const auto& stretch : stretches) {
      if (stretch.end <= own_begin || stretch.begin >= own_end) continue;
      rewrite(text, escapes, stretch, run);
      if (run.encoding[0] != '\0') see(run, {own_begin, own_end});
    }
    while (first_wide < wide.size() && wide[first_wide].end <= low) ++first_wide;
    for (std::size_t w = first_wide; w < wide.size() && wide[w].begin < own_end; ++w) {
      if (wide[w].end <= own_begin) continue;
      // Cut to what the block may see, on the border of a character.
      const std::size_t width = wide[w].width;
      const std::size_t from =
          wide[w].begin + (std::max(low, wide[w].begin) - wide[w].begin + width - 1) / width * width;
      run.encoding = width == 2 ? "utf-16" : "utf-32";
      run.skipped = 0;
      run.pieces.assign(1, {0, from});
      run.bytes.clear();
      const std::size_t to = std::min(wide[w].end, high);
      for (std::size_t i = from; i < to; i += width) run.bytes += static_cast<char>(text[i]);
      run.pieces.push_back({run.bytes.size(), to});
      see(run, {own_begin, own_end});
    }
  }
}

}  // namespace imgbuild

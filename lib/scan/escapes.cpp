// Reads a text as its format will: a token that is written %67%68..., \u0067..., &#103;..., "gh" + "p_..." or with a
// zero-width space in its middle is the same token to whoever runs the program.
//
// Places where something is written so are found 16 bytes at a time. Around each a window is taken, windows that touch
// become one stretch, and a stretch is rewritten once; its pieces say where each byte came from. As in runs.cpp the
// stream is cut into blocks at fixed positions, and a block answers for what begins in it, so that nothing depends on
// how much of the stream the caller shows.
#include "scan/escapes.hpp"

#include <tmmintrin.h>

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t block = std::size_t{32} << 10, back = std::size_t{4} << 10, ahead = std::size_t{16} << 10;
constexpr std::size_t before = 160, behind = 400;  // of a window
constexpr std::size_t least_wide = 12;             // characters of UTF-16 that make text

bool is_quote(std::uint8_t c) { return c == '"' || c == '\'' || c == '`'; }
bool is_space(std::uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_text(std::uint8_t c) { return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r'; }
// What tokens, keys and passwords are made of: words of a message end in a blank where they are joined.
bool is_token(std::uint8_t c) { return c > 0x20 && c < 0x7f && !is_quote(c) && c != ',' && c != '(' && c != ')'; }

int nibble(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr const char* continued = "continued";

// One place: how many bytes it takes, and what it stands for; -1: for nothing.
struct Escape {
  std::size_t length = 0;  // 0: none is here
  int byte = -1;
  const char* kind = "";
};

class Escapes {
 public:
  explicit Escapes(View text) : text_(text) {}

  Escape at(std::size_t i) const {
    switch (peek(i)) {
      case '%':
        return hex(i + 1, 2, 3, "percent");
      case '\\':
        return backslash(i);
      case '&':
        return entity(i);
      case '"':
      case '\'':
      case '`':
        return joint(i);
      case 0xe2:
        if ((peek(i + 1) == 0x80 && peek(i + 2) >= 0x8b && peek(i + 2) <= 0x8d) ||
            (peek(i + 1) == 0x81 && peek(i + 2) == 0xa0))
          return {3, -1, "zero-width"};
        return {};
      case 0xef:
        return peek(i + 1) == 0xbb && peek(i + 2) == 0xbf ? Escape{3, -1, "zero-width"} : Escape{};
      default:
        return {};
    }
  }

 private:
  std::uint8_t peek(std::size_t i) const { return i < text_.size() ? text_[i] : 0; }

  Escape hex(std::size_t i, int digits, std::size_t length, const char* kind) const {
    int value = 0;
    for (int d = 0; d < digits; ++d) {
      const int n = nibble(peek(i + static_cast<std::size_t>(d)));
      if (n < 0) return {};
      value = value << 4 | n;
    }
    return value < 0x80 && is_text(static_cast<std::uint8_t>(value)) ? Escape{length, value, kind} : Escape{};
  }
  Escape backslash(std::size_t i) const {
    std::size_t slashes = 1;  // in JSON in JSON they are doubled
    while (slashes < 4 && peek(i + slashes) == '\\') ++slashes;
    const std::size_t next = i + slashes;
    if (peek(next) == 'u' && peek(next + 1) == '{') {
      std::size_t digits = 0;
      while (digits < 6 && nibble(peek(next + 2 + digits)) >= 0) ++digits;
      return peek(next + 2 + digits) == '}' ? hex(next + 2, static_cast<int>(digits), slashes + 3 + digits, "unicode")
                                            : Escape{};
    }
    if (peek(next) == 'u') return hex(next + 1, 4, slashes + 5, "unicode");
    if (peek(next) == 'x') return hex(next + 1, 2, slashes + 3, "unicode");
    if (slashes == 1 && peek(next) == '\n') return {2, -1, continued};
    if (slashes == 1 && peek(next) == '\r' && peek(next + 1) == '\n') return {3, -1, continued};
    return {};
  }
  Escape entity(std::size_t i) const {
    if (peek(i + 1) == '#') {
      const bool is_hex = (peek(i + 2) | 0x20) == 'x';
      int value = 0;
      std::size_t at = i + (is_hex ? 3 : 2);
      const std::size_t first = at;
      for (; at < first + 5; ++at) {
        const int n = nibble(peek(at));
        if (n < 0 || (!is_hex && n > 9)) break;
        value = value * (is_hex ? 16 : 10) + n;
      }
      return at > first && peek(at) == ';' && value < 0x80 && is_text(static_cast<std::uint8_t>(value))
                 ? Escape{at + 1 - i, value, "html"}
                 : Escape{};
    }
    static constexpr std::pair<std::string_view, char> names[] = {{"&quot;", '"'}, {"&amp;", '&'},   {"&lt;", '<'},
                                                                  {"&gt;", '>'},   {"&apos;", '\''}, {"&equals;", '='},
                                                                  {"&plus;", '+'}};
    const std::string_view rest = text_of(text_.subspan(i, std::min<std::size_t>(8, text_.size() - i)));
    for (const auto& [name, byte] : names)
      if (rest.starts_with(name)) return {name.size(), byte, "html"};
    return {};
  }
  // "ab" + "cd", 'ab' . 'cd', and "ab" with "cd" on the next line.
  Escape joint(std::size_t i) const {
    if (i == 0 || !is_token(text_[i - 1]) || text_[i - 1] == '\\' || text_[i - 1] == '=' || text_[i - 1] == ':')
      return {};
    const std::uint8_t quote = text_[i];
    std::size_t at = i + 1;
    bool operated = false, broken = false;
    for (; at < i + 80; ++at) {
      const std::uint8_t c = peek(at);
      if (c == '\n') broken = true;
      if (is_space(c) || (c == '\\' && peek(at + 1) == '\n')) continue;
      if ((c == '+' || c == '.' || c == '&' || c == '~') && !operated) {
        operated = true;
        continue;
      }
      break;
    }
    if (peek(at) != quote || !(operated || broken) || !is_token(peek(at + 1)) || at == i + 1) return {};
    // Two strings on two lines are one where nothing else is between them, and nothing but a token is in them there.
    for (std::size_t n = 1; !operated && n <= 6; ++n)
      if (n > i || !is_token(text_[i - n]) || !is_token(peek(at + n))) return {};
    return {at + 1 - i, -1, "concatenation"};
  }

  View text_;
};

// Which of the kinds that the two tables give to their halves have these 16 bytes?
__attribute__((target("ssse3"))) inline __m128i classes(__m128i bytes, __m128i low, __m128i high) {
  const __m128i half = _mm_set1_epi8(15);
  return _mm_and_si128(_mm_shuffle_epi8(low, _mm_and_si128(bytes, half)),
                       _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(bytes, 4), half)));
}

// Positions where an escape may be, in [from, to): 16 at once, each by its own kind, what stands before it and what
// behind. A bit is one pair of neighbours: 1 and 2 are % before a hex digit, 4 and 8 & before a letter or #, 16 the
// first two bytes of a zero-width character, 32 a backslash before u, x or another, 64 + and . behind a quote or a
// blank, 128 a line feed behind the same. A table says what it can be by a half of the byte; some more than these pass.
template <class See>
__attribute__((target("ssse3"))) void find_places(View text, std::size_t from, std::size_t to, See&& see) {
  const auto all = static_cast<char>(128), joint = static_cast<char>(64 | 128);
  const __m128i low = _mm_setr_epi8(0, 0, 16, 0, 0, 3, 12, 0, 0, 0, all, 64, 32, 0, 64, 0);
  const __m128i high = _mm_setr_epi8(all, 0, 3 | 12 | 64, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0);
  const __m128i low_left = _mm_setr_epi8(joint, 0, joint, 0, 0, 0, 0, joint, 0, 0, 0, 0, 0, all, 0, 0);
  const __m128i high_left = _mm_setr_epi8(all, 0, joint, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i low_right = _mm_setr_epi8(1 | 4 | 16, 1 | 2 | 4 | 16, 1 | 2, 1 | 2 | 8, 1 | 2, 1 | 2 | 4 | 32, 1 | 2,
                                          1 | 4, 1 | 32, 1, 0, 0, 4 | 32, 0, 0, 0);
  const __m128i high_right = _mm_setr_epi8(0, 0, 8, 1, 2, 32, 2 | 4, 4 | 32, 16, 0, 0, 0, 0, 0, 0, 0);
  std::size_t at = from;
  for (; at < to && at == 0; ++at) see(at);
  for (; at + 17 <= text.size() && at + 16 <= to; at += 16) {
    const auto* data = reinterpret_cast<const __m128i_u*>(text.data() + at);
    const auto* left = reinterpret_cast<const __m128i_u*>(text.data() + at - 1);
    const auto* right = reinterpret_cast<const __m128i_u*>(text.data() + at + 1);
    const __m128i found = _mm_and_si128(classes(_mm_loadu_si128(data), low, high),
                                        _mm_or_si128(classes(_mm_loadu_si128(left), low_left, high_left),
                                                     classes(_mm_loadu_si128(right), low_right, high_right)));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128()))) ^ 0xffffu;
         mask != 0; mask &= mask - 1)
      see(at + static_cast<std::size_t>(__builtin_ctz(mask)));
  }
  for (; at < to; ++at) see(at);
}

// The first quote of the joint that the operator or line break at `i` is a part of.
std::size_t quote_before(View text, std::size_t i) {
  std::size_t at = i;
  while (at > 0 && i - at < 40 && is_space(text[at - 1])) --at;
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

void rewrite(View text, const Escapes& escapes, Stretch stretch, DecodedRun& run) {
  run.bytes.clear();
  run.pieces.assign(1, {0, stretch.begin});
  run.skipped = 0;
  run.encoding = "";
  for (std::size_t i = stretch.begin; i < stretch.end;) {
    const std::uint8_t c = text[i];
    const bool special = c == '%' || c == '\\' || c == '&' || c == 0xe2 || c == 0xef || is_quote(c);
    const Escape escape = special ? escapes.at(i) : Escape{};
    if (escape.length == 0) {
      run.bytes += static_cast<char>(c);
      ++i;
      continue;
    }
    if (run.encoding[0] == '\0') run.encoding = escape.kind;
    if (escape.byte >= 0) {
      run.pieces.push_back({run.bytes.size(), i});
      run.bytes += static_cast<char>(escape.byte);
    }
    i += escape.length;
    run.pieces.push_back({run.bytes.size(), i});
  }
}

// Stretches of UTF-16 (of ASCII): every other byte is 0.
template <class See>
void find_wide(View text, std::size_t from, std::size_t to, See&& see) {
  const auto* data = reinterpret_cast<const char*>(text.data());
  for (std::size_t at = from; at + 16 <= to;) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
    const auto zero = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
    if (zero != 0xaaaa && zero != 0x5555) {
      at += 16;
      continue;
    }
    std::size_t first = at + (zero == 0xaaaa ? 0 : 1);  // of a character's byte
    while (first >= from + 2 && text[first - 1] == 0 && is_text(text[first - 2])) first -= 2;
    std::size_t end = first;
    while (end < to && is_text(text[end]) && (end + 1 >= to || text[end + 1] == 0)) end += 2;
    if ((end - first) / 2 >= least_wide) see(first, std::min(end, to));
    at = std::max(end, at + 16);
  }
}

}  // namespace

void decode_escapes(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                    const std::function<void(DecodedRun&, OwnedRange)>& see) {
  if (begin >= end) return;
  const auto in_text = [&](std::uint64_t position) {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(position, offset, offset + text.size()) - offset);
  };
  const Escapes escapes(text);
  DecodedRun run;
  std::vector<Stretch> stretches;
  for (std::uint64_t b = (offset + begin) / block; b <= (offset + end - 1) / block; ++b) {
    const std::size_t own_begin = in_text(b * block), own_end = in_text((b + 1) * block);
    const std::size_t low = in_text(b * block - std::min<std::uint64_t>(b * block, back));
    const std::size_t high = in_text((b + 1) * block + ahead);
    stretches.clear();
    const auto add = [&](std::size_t place) {
      const std::size_t from = place - std::min(place - low, before), to = std::min(high, place + behind);
      if (!stretches.empty() && from <= stretches.back().end)
        stretches.back().end = std::max(stretches.back().end, to);
      else
        stretches.push_back({from, to});
    };
    // What begins in the block, and what a secret that begins there goes on with.
    find_places(text, low, std::min(high, own_end + back), [&](std::size_t place) {
      const std::uint8_t c = text[place];
      const std::size_t at = c == '+' || c == '.' || is_space(c) ? quote_before(text, place) : place;
      if (at < low || !among_text(text, at)) return;
      const Escape escape = escapes.at(at);
      // A blank or a line break parts tokens; it hides nothing but the header of a key.
      const bool header = at >= 5 && text_of(text.subspan(at - 5, 5)) == "BEGIN";
      if (escape.length == 0 || escape.kind == continued ||
          (!header && escape.byte >= 0 && is_space(static_cast<std::uint8_t>(escape.byte))))
        return;
      add(at);
    });
    for (const auto& stretch : stretches) {
      if (stretch.end <= own_begin || stretch.begin >= own_end) continue;
      rewrite(text, escapes, stretch, run);
      if (run.encoding[0] != '\0') see(run, {own_begin, own_end});
    }
    find_wide(text, low, high, [&](std::size_t first, std::size_t wide_end) {
      if (wide_end <= own_begin || first >= own_end) return;
      run.encoding = "utf-16";
      run.skipped = 0;
      run.pieces.assign(1, {0, first});
      run.bytes.clear();
      for (std::size_t i = first; i < wide_end; i += 2) run.bytes += static_cast<char>(text[i]);
      see(run, {own_begin, own_end});
    });
  }
}

}  // namespace imgbuild

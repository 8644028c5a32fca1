// Finds characters that are written one by one: as numbers, perhaps with their position as a key, or as texts of one
// character, with the same between each two.
//
// As in arrays.cpp most of every stream is none of that, so 16 bytes in every 88 are asked whether numbers of two and
// three digits, or quotes with one byte between them, stand there in a row. Then the first two say what parts them, and
// the list is read as far as it goes on like that, to both sides. Blocks as in runs.cpp.
#include "scan/spelled.hpp"

#include <immintrin.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t step = 88, probe = 16, seen_bytes = 64, seen_before = 24, longest_between = 40;
constexpr std::size_t beyond = 1024;  // of a block's end: where what begins in it is looked for
constexpr std::size_t least_units = 12;

bool is_character(int value) { return value < 0x80 && is_text(static_cast<char>(value)); }

enum class Kind : std::uint8_t { none, number, literal, css, hex, keyed };

// Are there, in sixteen bytes, numbers of two and three digits and no others, or literals of one byte, or backslashes,
// or a number of hex or one with a number as its key?
inline bool may_be_inside(const std::uint8_t* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at));
  const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
  const auto bits = [](__m128i found) { return static_cast<std::uint32_t>(_mm_movemask_epi8(found)); };
  const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
  const __m128i quotes =
      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\'')));
  const __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const std::uint32_t any = bits(_mm_or_si128(_mm_or_si128(digits, quotes), slashes));
  if ((any & (any - 1)) == 0) return false;  // most texts
  const std::uint32_t q = bits(quotes), b = bits(slashes), d = bits(digits);
  const std::uint32_t literals = q & q >> 2 & ~(q >> 1);
  const std::uint32_t numbers = d & ~(d << 1) & 0x7ffe;  // what is cut is not known
  const std::uint32_t others = (numbers & ~(d >> 1)) | (d & d >> 1 & d >> 2 & d >> 3);
  const std::uint32_t exes = bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('x')));
  const std::uint32_t colons = bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
  const std::uint32_t hexes = bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('0'))) & exes >> 1,
                      keys = d << 1 & q & colons >> 1;
  // One answer: a branch for each would be guessed wrong too often.
  const auto are_two = [](std::uint32_t found) { return static_cast<unsigned>((found & (found - 1)) != 0); };
  return (static_cast<unsigned>((hexes | keys) != 0) | are_two(literals) |
          (are_two(b) & static_cast<unsigned>((b & b >> 1) == 0)) |
          (static_cast<unsigned>(numbers != 0) & static_cast<unsigned>(others == 0))) != 0;
}

// Bits of 64 bytes.
struct Seen {
  std::uint64_t digits = 0, quotes = 0, slashes = 0, zeros = 0, exes = 0, colons = 0;
};

Seen see_by_16(const std::uint8_t* at) {
  Seen seen;
  for (unsigned i = 0; i < seen_bytes; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at + i));
    const auto bits = [i](__m128i found) { return static_cast<std::uint64_t>(_mm_movemask_epi8(found)) << i; };
    const __m128i value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    seen.digits |= bits(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value));
    seen.quotes |=
        bits(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\''))));
    seen.slashes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    seen.zeros |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('0')));
    seen.exes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('x')));
    seen.colons |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
  }
  return seen;
}

__attribute__((target("avx2"))) Seen see_by_32(const std::uint8_t* at) {
  Seen seen;
  for (unsigned i = 0; i < seen_bytes; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at + i));
    const __m256i value = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
    const __m256i digits = _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
    const __m256i quotes = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                           _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\'')));
    const auto bits = [i](__m256i found) __attribute__((target("avx2"))) {
      return std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(found))} << i;
    };
    seen.digits |= bits(digits);
    seen.quotes |= bits(quotes);
    seen.slashes |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
    seen.zeros |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('0')));
    seen.exes |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('x')));
    seen.colons |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(':')));
  }
  return seen;
}

// The first of three in a row that are as far from each other, or `off` more or less; none: 64.
unsigned first_of_row(std::uint64_t starts, int off) {
  int before = 0, last = 0, seen = 0, first = 0;
  for (; starts != 0; starts &= starts - 1) {
    const int at = __builtin_ctzll(starts), far = at - last;
    if (++seen > 2 && std::abs(far - before) <= off) return static_cast<unsigned>(first);
    first = last;
    before = far;
    last = at;
  }
  return 64;
}

// What may stand in a row in these bytes, and where.
Kind kind_of(const Seen& seen, unsigned& first) {
  const auto are_three = [](std::uint64_t bits) {
    bits &= bits - (bits != 0);
    bits &= bits - (bits != 0);
    return bits != 0;
  };
  const std::uint64_t d = seen.digits, q = seen.quotes;
  std::uint64_t starts = q & q >> 2 & ~(q >> 1);
  if (are_three(starts) && (first = first_of_row(starts, 0)) < 64) return Kind::literal;
  starts = seen.slashes & ~(seen.slashes >> 1);
  if (are_three(starts) && (first = first_of_row(starts, 0)) < 64) return Kind::css;
  starts = seen.zeros & seen.exes >> 1;
  if (are_three(starts) && (first = first_of_row(starts, 1)) < 64) return Kind::hex;
  // Of a key the closing quote is seen; the row is read from the quote before it.
  starts = d << 1 & q & seen.colons >> 1;
  if (starts != 0 && (starts &= starts - 1) != 0) {
    const std::uint64_t before = q & (((starts & -starts)) - 1);
    first = 63 - static_cast<unsigned>(__builtin_clzll(before));
    return Kind::keyed;
  }
  if ((d & d >> 1 & d >> 2 & d >> 3) != 0) return Kind::none;
  starts = d & ~(d << 1) & ~std::uint64_t{1};  // what begins before is not known
  if ((starts & ~(d >> 1) & ~(std::uint64_t{1} << (seen_bytes - 1))) != 0) return Kind::none;
  if (are_three(starts)) return (first = first_of_row(starts, 1)) < 64 ? Kind::number : Kind::none;
  // String.fromCharCode(100)+: two at most.
  constexpr unsigned far = 20;
  const std::uint64_t second = starts & (starts - (starts != 0));
  if (second == 0) return Kind::none;
  first = static_cast<unsigned>(__builtin_ctzll(starts));
  return static_cast<unsigned>(__builtin_ctzll(second)) - first >= far ? Kind::number : Kind::none;
}

// One character as it is written.
struct Unit {
  int value = -1;  // none is here
  std::size_t behind = 0;
};

class Row {
 public:
  Row(View text, Kind kind, std::size_t low, std::size_t high) : text_(text), kind_(kind), low_(low), high_(high) {}

  /// Reads the row that has a unit at `at`. Is there one?
  bool read(std::size_t at, DecodedRun& run) {
    const Unit first = unit(at);
    if (first.value < 0) return false;
    // What parts it from the next.
    std::size_t next = first.behind;
    const std::size_t limit = std::min(high_, next + longest_between);
    while (next < limit && !may_begin(next)) ++next;
    if (next >= limit || unit(next).value < 0) return false;
    for (std::size_t i = first.behind; i < next; ++i)
      if (!is_passed(i)) between_ += static_cast<char>(text_[i]);
    if (kind_ == Kind::hex && (between_.empty() || between_ == ",")) return false;  // arrays.cpp reads them
    if (kind_ == Kind::number && between_ == ",") return false;
    if (between_.empty() && next == first.behind) return false;
    if (behind_between(first.behind) != next) return false;
    // One more before it costs the rest.
    const Unit second = unit(next);
    const std::size_t third = behind_between(second.behind);
    if (third == nowhere_ || unit(third).value < 0) return false;
    begin_ = at;
    for (std::size_t before = unit_before(begin_); before != nowhere_; before = unit_before(begin_)) begin_ = before;
    run.bytes.clear();
    run.pieces.clear();
    end_ = begin_;
    for (std::size_t i = begin_; i != nowhere_ && i < high_;) {
      const Unit one = unit(i);
      if (one.value < 0) break;
      run.pieces.push_back({run.bytes.size(), i + (kind_ == Kind::literal ? 1 : 0)});
      run.bytes += static_cast<char>(one.value);
      end_ = one.behind;
      i = behind_between(end_);
    }
    run.pieces.push_back({run.bytes.size(), end_ - (kind_ == Kind::literal ? 1 : 0)});
    return run.bytes.size() >= least_units;
  }
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }

 private:
  static constexpr std::size_t nowhere_ = static_cast<std::size_t>(-1);

  bool is_digit_at(std::size_t at) const { return at < high_ && is_digit(static_cast<char>(text_[at])); }
  bool is_quote_at(std::size_t at) const { return at < high_ && (text_[at] == '"' || text_[at] == '\''); }
  bool may_begin(std::size_t at) const {
    if (kind_ == Kind::hex) return text_[at] == '0' && at + 1 < high_ && text_[at + 1] == 'x';
    return kind_ == Kind::number ? is_digit_at(at) : kind_ == Kind::css ? text_[at] == '\\' : is_quote_at(at);
  }
  // Blanks, line breaks and what says that a line goes on.
  bool is_passed(std::size_t at) const {
    if (is_space(text_[at])) return true;
    return (text_[at] == '_' || (text_[at] == '\\' && kind_ != Kind::css)) && at + 1 < high_ &&
           (text_[at + 1] == '\n' || text_[at + 1] == '\r');
  }
  Unit unit(std::size_t at) const {
    Unit one;
    if (kind_ == Kind::literal) {
      if (at + 2 < high_ && is_quote_at(at) && text_[at + 2] == text_[at] && text_[at + 1] > ' ' &&
          text_[at + 1] < 0x7f)
        one = {text_[at + 1], at + 3};
      return one;
    }
    if (kind_ == Kind::hex) {
      if (at + 4 > high_ || text_[at] != '0' || text_[at + 1] != 'x') return one;
      const int high = nibble(static_cast<char>(text_[at + 2])), low = nibble(static_cast<char>(text_[at + 3])),
                value = high << 4 | low;
      if (high >= 0 && low >= 0 && is_character(value) &&
          (at + 4 == high_ || nibble(static_cast<char>(text_[at + 4])) < 0))
        one = {value, at + 4};
      return one;
    }
    if (kind_ == Kind::keyed) {
      std::size_t end = at;
      if (!is_quote_at(end)) return one;
      for (++end; is_digit_at(end) && end - at < 7;) ++end;
      if (end == at + 1 || !is_quote_at(end) || ++end >= high_ || text_[end] != ':') return one;
      for (++end; end < high_ && text_[end] == ' ' && end - at < 12;) ++end;
      return number(end);
    }
    int value = 0;
    std::size_t end = at + (kind_ == Kind::css ? 1 : 0);
    const std::size_t first = end;
    if (kind_ == Kind::css) {
      if (at >= high_ || text_[at] != '\\') return one;
      for (; end < high_ && end - first < 6; ++end) {
        const int digit = nibble(static_cast<char>(text_[end]));
        if (digit < 0) break;
        value = value << 4 | digit;
      }
      if (end - first < 2 || !is_character(value)) return one;
    } else {
      if (at > low_ && is_digit(static_cast<char>(text_[at - 1]))) return one;
      return number(at);
    }
    return {value, end};
  }
  Unit number(std::size_t at) const {
    int value = 0;
    std::size_t end = at;
    for (; is_digit_at(end) && end - at < 4; ++end) value = value * 10 + (text_[end] - '0');
    return end == at || end - at > 3 || !is_character(value) ? Unit() : Unit{value, end};
  }
  std::size_t behind_between(std::size_t at) const {
    std::size_t passed = 0;
    const std::size_t from = at;
    for (const char c : between_) {
      while (at < high_ && is_passed(at) && ++passed < longest_between) ++at;
      if (at >= high_ || text_[at] != static_cast<std::uint8_t>(c)) return nowhere_;
      ++at;
    }
    while (at < high_ && is_passed(at) && ++passed < longest_between) ++at;
    return at == from ? nowhere_ : at;
  }
  // The unit that the same parts from the one at `at`.
  std::size_t unit_before(std::size_t at) const {
    std::size_t passed = 0;
    const auto pass = [&] {
      while (at > low_ && is_passed(at - 1) && ++passed < longest_between) --at;
    };
    for (std::size_t i = between_.size(); i > 0; --i) {
      pass();
      if (at == low_ || text_[at - 1] != static_cast<std::uint8_t>(between_[i - 1])) return nowhere_;
      --at;
    }
    pass();
    std::size_t begin = at;
    if (kind_ == Kind::literal || kind_ == Kind::hex) {
      const std::size_t size = kind_ == Kind::hex ? 4 : 3;
      if (at < low_ + size) return nowhere_;
      begin = at - size;
    } else if (kind_ == Kind::keyed) {
      const std::size_t low = at - std::min<std::size_t>(at - low_, 16);
      unsigned quotes = 0;
      while (begin > low && quotes < 2) quotes += is_quote_at(--begin) ? 1 : 0;
    } else {
      const std::size_t low = at - std::min<std::size_t>(at - low_, 7);
      while (begin > low && is_alphanumeric(static_cast<char>(text_[begin - 1])) &&
             (kind_ == Kind::css || is_digit(static_cast<char>(text_[begin - 1]))))
        --begin;
      if (kind_ == Kind::css) {
        if (begin == low_) return nowhere_;
        --begin;
      }
      // A number that is cut is none.
      if (begin == low_ && low_ > 0) return nowhere_;
    }
    const Unit one = unit(begin);
    return one.value >= 0 && one.behind == at ? begin : nowhere_;
  }

  View text_;
  Kind kind_;
  std::size_t low_, high_;
  std::string between_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace

void decode_spelled(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                    const std::function<void(DecodedRun&, OwnedRange)>& see) {
  const auto see64 = __builtin_cpu_supports("avx2") ? see_by_32 : see_by_16;
  DecodedRun run;
  run.shaped = true;
  each_block(text, offset, begin, end, [&](const StreamBlock& block) {
    const auto& [own_begin, own_end, low, high] = block;
    std::size_t covered = low;
    // At steps of the stream.
    for (std::size_t at = own_begin + (step - (offset + own_begin) % step) % step;
         at + probe <= high && at < own_end + beyond; at += step) {
      if (at < covered || !may_be_inside(text.data() + at)) continue;
      const std::size_t from = at - std::min(at - low, seen_before);
      if (from + seen_bytes > high) break;
      unsigned first = 0;
      const Kind kind = kind_of(see64(text.data() + from), first);
      if (kind == Kind::none) continue;
      // Of literals the quotes may be taken in the wrong pairs: 'a','b' has ',' too.
      for (unsigned tries = 0; tries < (kind == Kind::literal ? 2 : 1); ++tries) {
        Row row(text, kind, covered, high);
        const bool found = row.read(from + first + 2 * tries, run);
        if (row.end() <= at) continue;
        covered = row.end();
        if (!found || row.begin() >= own_end) break;
        run.encoding = kind == Kind::css ? "css" : kind == Kind::literal ? "concatenation" : "array";
        see(run, {own_begin, own_end});
        break;
      }
    }
  });
}

}  // namespace imgbuild

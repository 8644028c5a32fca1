// Finds bytes that are written as hex with something between them.
//
// Most of every stream is none of that, so it is asked of sixteen bytes in twenty-four whether blanks, colons or commas
// stand among hex digits at every third place, or at every fifth (xxd); a dump that is long enough to hold anything has
// such a place. Around it the dump is read line by line, or as far as pairs of digits go. As in runs.cpp the stream is
// cut into blocks at fixed positions, and a block answers for what begins in it.
#include "scan/dumps.hpp"

#include <tmmintrin.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t step = 24, probe = 16;  // a line of xxd has one such place for sure
constexpr std::size_t least_text = 12;        // bytes of text in a row that make it worth a look
constexpr std::size_t longest_line = 200;     // of a dump that has offsets

bool is_hex(char c) { return nibble(c) >= 0; }
bool is_gap(std::uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

// Are sixteen bytes hex digits and, at equal distances, one blank, colon or comma each? By their two halves, as in
// runs.cpp, whether they are anything else: nearly all are.
__attribute__((target("ssse3"))) inline bool is_inside(const std::uint8_t* at) {
  // kinds: 1 blank and comma 2x, 2 digits and colon 3x, 4 A to F 4x and 6x
  const __m128i low_kinds = _mm_setr_epi8(1 | 2, 2 | 4, 2 | 4, 2 | 4, 2 | 4, 2 | 4, 2 | 4, 2, 2, 2, 2, 0, 1, 0, 0, 0);
  const __m128i high_kinds = _mm_setr_epi8(0, 0, 1, 2, 4, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at));
  const __m128i half = _mm_set1_epi8(15);
  const __m128i low = _mm_shuffle_epi8(low_kinds, _mm_and_si128(bytes, half));
  const __m128i high = _mm_shuffle_epi8(high_kinds, _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
  const __m128i others = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
  if (_mm_movemask_epi8(others) != 0) return false;
  const __m128i stops =
      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
  const auto parts =
      static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')), stops)));
  constexpr std::uint32_t third = 0x49249, fifth = 0x108421, all = 0xffff;
  const auto first = static_cast<std::uint32_t>(__builtin_ctz(parts | 1u << 16));
  return (first < 3 && parts == (third << first & all)) || (first < 5 && parts == (fifth << first & all));
}

class Dump {
 public:
  Dump(View text, DecodedRun& run) : text_(text), run_(run) {
    run_.bytes.clear();
    run_.pieces.clear();
    run_.skipped = 0;
    run_.wrapped = false;
    run_.encoding = "dump";
  }

  /// Of the line at `at`, the bytes behind its offset. Where the next line begins; 0: that is no such line.
  std::size_t line(std::size_t at, std::size_t high) {
    const std::size_t limit = std::min(high, at + longest_line);
    while (at < limit && (text_[at] == ' ' || text_[at] == '\t')) ++at;
    const bool is_marked = at + 1 < limit && text_[at] == '0' && text_[at + 1] == 'x';  // of tcpdump
    if (is_marked) at += 2;
    const std::size_t digits = end_of_digits(at, limit), shortest = is_marked ? 4 : 6;
    constexpr std::size_t longest = 16;
    if (digits - at < shortest || digits - at > longest || digits == limit) return 0;
    at = digits;
    if (text_[at] == ':') ++at;
    if (at == limit || !is_gap(text_[at])) return 0;
    while (at < limit && is_gap(text_[at])) ++at;
    std::size_t count = 0;
    for (;;) {
      const std::size_t behind = group(at, limit);
      if (behind == at) break;
      count += (behind - at) / 2;
      std::size_t next = behind;
      while (next < limit && is_gap(text_[next])) ++next;
      // Behind two blanks stands the same as text, but in the middle of hexdump's sixteen bytes.
      if (next - behind > 1 && !(behind - at == 2 && count == 8 && next - behind == 2)) break;
      at = next;
    }
    if (count == 0) return 0;
    while (at < limit && text_[at] != '\n') ++at;
    return at < limit ? at + 1 : high;
  }

  /// Pairs of digits as far as they go. Where they end.
  std::size_t pairs(std::size_t at, std::size_t high) {
    for (;;) {
      const std::size_t behind = end_of_digits(at, std::min(high, at + 3));
      if (behind != at + 2) return at;
      add(at);
      at = behind;
      if (at < high && (text_[at] == ':' || text_[at] == ',')) ++at;
      while (at < high && (is_gap(text_[at]) || text_[at] == '\n' || text_[at] == '\\')) ++at;
    }
  }

  bool holds_text() {
    if (most_texts_ < least_text && most_wide_ < 2 * least_text) return false;
    run_.pieces.push_back({run_.bytes.size(), behind_});
    return true;
  }

  /// Turns the bytes of each group round: od -x and hexdump show the words of a little-endian machine. False: they are
  /// no words.
  bool swap() {
    if (!words_ || run_.bytes.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < run_.bytes.size(); i += 2) std::swap(run_.bytes[i], run_.bytes[i + 1]);
    return true;
  }

 private:
  std::size_t end_of_digits(std::size_t at, std::size_t limit) const {
    while (at < limit && is_hex(text_[at])) ++at;
    return at;
  }
  // Two, four or eight digits and then none. `at`: there are none.
  std::size_t group(std::size_t at, std::size_t limit) {
    const std::size_t behind = end_of_digits(at, limit), size = behind - at;
    if ((size != 2 && size != 4 && size != 8) || (behind < limit && !is_gap(text_[behind]) && text_[behind] != '\n'))
      return at;
    words_ = words_ && size == 4;
    for (std::size_t i = at; i < behind; i += 2) add(i);
    return behind;
  }
  void add(std::size_t at) {
    const auto value = static_cast<char>(nibble(text_[at]) << 4 | nibble(text_[at + 1]));
    run_.pieces.push_back({run_.bytes.size(), at});
    run_.bytes += value;
    behind_ = at + 2;
    const bool text = is_text(value), zero = value == 0;
    wide_ = (text && before_ == 0) || (zero && is_text(before_)) ? wide_ + 1 : text || zero ? 1 : 0;
    before_ = value;
    most_wide_ = std::max(most_wide_, wide_);
    texts_ = text ? texts_ + 1 : 0;
    most_texts_ = std::max(most_texts_, texts_);
  }

  View text_;
  DecodedRun& run_;
  std::size_t behind_ = 0;  // the last byte
  std::size_t texts_ = 0, most_texts_ = 0;
  std::size_t wide_ = 0, most_wide_ = 0;  // bytes of UTF-16 in a row
  std::uint8_t before_ = 1;               // the byte before
  bool words_ = true;                     // all groups are of two bytes
};

}  // namespace

void decode_dumps(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                  const std::function<void(DecodedRun&, OwnedRange)>& see) {
  const auto line_of = [&](std::size_t at, std::size_t low) {
    while (at > low && text[at - 1] != '\n') --at;
    return at;
  };
  DecodedRun run;
  each_block(
      text, offset, begin, end, [&](const StreamBlock& block) __attribute__((target("ssse3"))) {
        const auto& [own_begin, own_end, low, high] = block;
        std::size_t covered = low;
        // At steps of the stream.
        for (std::size_t at = own_begin + (step - (offset + own_begin) % step) % step;
             at + probe <= high && at < own_end + step + longest_line; at += step) {
          if (at < covered || !is_inside(text.data() + at)) continue;
          // Lines with offsets, from the first of them on.
          std::size_t from = line_of(at, std::max(low, at - std::min(at, longest_line)));
          if (Dump(text, run).line(from, high) != 0) {
            while (from > covered) {
              const std::size_t before = line_of(from - 1, std::max(covered, from - std::min(from, longest_line)));
              if (Dump(text, run).line(before, high) != from) break;
              from = before;
            }
            if (from >= own_end) break;
            Dump dump(text, run);
            covered = from;
            while (covered < high) {
              const std::size_t next = dump.line(covered, high);
              if (next == 0) break;
              covered = next;
            }
            if (dump.holds_text()) {
              see(run, {own_begin, own_end});
              if (dump.swap()) see(run, {own_begin, own_end});
            }
            continue;
          }
          from = at;
          while (from > covered && (is_hex(text[from - 1]) || is_gap(text[from - 1]) || text[from - 1] == ':' ||
                                    text[from - 1] == ',' || text[from - 1] == '\n' || text[from - 1] == '\\'))
            --from;
          // What is no pair is of something else.
          for (bool found = false; !found && from <= at; found = covered > at) {
            while (from <= at && !is_hex(text[from])) ++from;
            if (from > at || from >= own_end) break;
            Dump dump(text, run);
            covered = std::max(covered, dump.pairs(from, high));
            if (covered > at && dump.holds_text()) see(run, {own_begin, own_end});
            while (from <= at && is_hex(text[from])) ++from;
          }
        }
      });
}

}  // namespace imgbuild

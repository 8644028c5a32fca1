// Finds bytes that are written as numbers with commas between them.
//
// Most of every stream is none of that, so it is asked of sixteen bytes in sixty-four whether they are digits, blanks
// and a comma; a list that is long enough to hold anything has such a place. Around it the list is read: a number is
// one of 0 to 255 or 0x00 to 0xff, and what parts two of them is one comma. As in runs.cpp the stream is cut into
// blocks at fixed positions, and a block answers for what begins in it; it looks farther ahead, for a key takes six
// characters a byte here.
#include "scan/arrays.hpp"

#include <tmmintrin.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t step = 40, probe = 16;
constexpr std::size_t least_text = 12;     // bytes of text in a row that make it worth a look
constexpr std::size_t least_password = 6;  // bytes of a text that a name is given
constexpr std::size_t least_der = 40;      // bytes of a key in DER

// Of a list's characters.
constexpr std::array<bool, 256> make_listed() {
  std::array<bool, 256> is{};
  for (const char c : {' ', '\t', '\r', '\n', ',', 'x', 'X'}) is[static_cast<std::uint8_t>(c)] = true;
  for (unsigned i = 0; i < 10; ++i) is['0' + i] = true;
  for (unsigned i = 0; i < 6; ++i) is['a' + i] = is['A' + i] = true;
  return is;
}
constexpr auto listed = make_listed();
bool may_be_listed(std::uint8_t c) { return listed[c]; }

// Are sixteen bytes all of a list's characters, a comma among them? By their two halves, as in runs.cpp.
__attribute__((target("ssse3"))) inline bool is_inside(const std::uint8_t* at) {
  // kinds: 1 blank and comma 2x, 2 digits 3x, 4 A to F 4x and 6x, 8 X 5x and 7x, 16 tab and line break 0x
  const __m128i low_kinds =
      _mm_setr_epi8(1 | 2, 2 | 4, 2 | 4, 2 | 4, 2 | 4, 2 | 4, 2 | 4, 2, 2 | 8, 2 | 16, 16, 0, 1, 16, 0, 0);
  const __m128i high_kinds = _mm_setr_epi8(16, 0, 1, 2, 4, 8, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(at));
  const __m128i half = _mm_set1_epi8(15);
  const __m128i low = _mm_shuffle_epi8(low_kinds, _mm_and_si128(bytes, half));
  const __m128i high = _mm_shuffle_epi8(high_kinds, _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
  const __m128i others = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
  return _mm_movemask_epi8(others) == 0 && _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(','))) != 0;
}

// Reads [begin, end), which holds nothing but characters of a list, and shows every list in it.
class Lists {
 public:
  Lists(View text, DecodedRun& run) : text_(text), run_(run) {}

  template <class Show>
  void read(std::size_t begin, std::size_t end, Show&& show) {
    start();
    bool parted = true;  // by one comma
    for (std::size_t at = begin; at < end;) {
      const std::uint8_t c = text_[at];
      if (is_space(c)) {
        ++at;
        continue;
      }
      if (c == ',') {
        if (parted) finish(show);
        parted = true;
        ++at;
        continue;
      }
      std::size_t behind = at;
      while (behind < end && !is_space(text_[behind]) && text_[behind] != ',') ++behind;
      const int value = number(at, behind);
      if (value < 0 || !parted) finish(show);
      if (value >= 0) add(value, at, behind);
      parted = false;
      at = behind;
    }
    finish(show);
  }

 private:
  void start() {
    run_.bytes.clear();
    run_.pieces.clear();
    run_.skipped = 0;
    run_.encoding = "array";
    texts_ = most_texts_ = 0;
  }
  void add(int value, std::size_t at, std::size_t behind) {
    run_.pieces.push_back({run_.bytes.size(), at});
    run_.bytes += static_cast<char>(value);
    behind_ = behind;
    texts_ = is_text(static_cast<char>(value)) ? texts_ + 1 : 0;
    most_texts_ = std::max(most_texts_, texts_);
  }
  template <class Show>
  void finish(Show&& show) {
    if (run_.bytes.size() > 1 && run_.bytes.back() == '\0' && texts_ == 0) {  // what ends a text of C
      run_.bytes.pop_back();
      run_.pieces.pop_back();
    }
    const bool is_der = run_.bytes.size() >= least_der && run_.bytes[0] == '\x30';
    const bool is_password = most_texts_ >= least_password && most_texts_ == run_.bytes.size();
    if (most_texts_ >= least_text || is_password || is_der) {
      run_.pieces.push_back({run_.bytes.size(), behind_});
      if ((!is_der && name()) || most_texts_ >= least_text || is_der) show();
    }
    start();
  }
  // char password[] = {0x61, ...}: what is shown is char password[] ="a...". False: no name is given it.
  bool name() {
    constexpr std::size_t farthest = 60, longest = 100;
    const std::size_t first = run_.pieces.front().text;
    std::size_t end = first;
    while (end > 0 && first - end < farthest && may_stand_between(text_[end - 1])) --end;
    if (end == 0 || end == first || (text_[end - 1] != '=' && text_[end - 1] != ':')) return false;
    std::size_t begin = end;
    while (begin > 0 && end - begin < longest && is_text(text_[begin - 1]) && text_[begin - 1] != '\n') --begin;
    const std::string lead = std::string(text_of(text_.subspan(begin, end - begin))) + '"';
    for (auto& piece : run_.pieces) piece.encoded += lead.size();
    run_.pieces.insert(run_.pieces.begin(), {{0, begin}, {lead.size() - 1, end}});
    run_.bytes = lead + run_.bytes + '"';
    return true;
  }
  // Of what opens a list: new byte[] {, bytes([, String.fromCharCode(
  static bool may_stand_between(std::uint8_t c) {
    return is_alphanumeric(static_cast<char>(c)) || is_space(c) ||
           std::string_view("[](){}<>._*&'\",-@").find(static_cast<char>(c)) != std::string_view::npos;
  }
  int number(std::size_t at, std::size_t behind) const {
    const bool is_hex = behind - at > 2 && text_[at] == '0' && (text_[at + 1] | 0x20) == 'x';
    const std::size_t first = is_hex ? at + 2 : at;
    if (behind == first || behind - first > (is_hex ? 2u : 3u)) return -1;
    int value = 0;
    for (std::size_t i = first; i < behind; ++i) {
      const std::uint8_t c = text_[i];
      if (is_hex ? (c | 0x20) == 'x' : !is_digit(static_cast<char>(c))) return -1;
      value = value * (is_hex ? 16 : 10) + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value <= 255 ? value : -1;
  }

  View text_;
  DecodedRun& run_;
  std::size_t behind_ = 0;  // the last number
  std::size_t texts_ = 0, most_texts_ = 0;
};

}  // namespace

void decode_arrays(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                   const std::function<void(DecodedRun&, OwnedRange)>& see) {
  DecodedRun run;
  each_block(
      text, offset, begin, end, [&](const StreamBlock& block) __attribute__((target("ssse3"))) {
        const auto& [own_begin, own_end, low, high] = block;
        std::size_t covered = low;
        // At steps of the stream.
        for (std::size_t at = own_begin + (step - (offset + own_begin) % step) % step;
             at + probe <= high && at < own_end + step + probe; at += step) {
          if (at < covered || !is_inside(text.data() + at)) continue;
          std::size_t from = at, to = at + probe;
          while (from > covered && may_be_listed(text[from - 1])) --from;
          // A number that is cut is none.
          if (from == low && offset + low > 0)
            while (from < at && text[from] != ',') ++from;
          if (from >= own_end) break;
          while (to < high && may_be_listed(text[to])) ++to;
          covered = to;
          Lists(text, run).read(from, to, [&, owned = OwnedRange{own_begin, own_end}] { see(run, owned); });
        }
      });
}

}  // namespace imgbuild

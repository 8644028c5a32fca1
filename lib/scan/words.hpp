#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "scan/pattern.hpp"

namespace imgbuild {

/// Finds some thousands of short words in one pass over a text. A word is a row of byte sets, "a or A, then a digit":
/// every text that it stands for is as long. Const once made; any thread.
class Words {
 public:
  using Word = std::vector<ByteSet>;
  struct Found {
    std::size_t at = 0;      ///< where the word begins
    std::uint32_t word = 0;  ///< which one it is: its position among those given
  };

  /// By what a word is looked for: two windows of four bytes, one that begins an even number of bytes behind the word's
  /// begin and one an odd number (-1: a byte before it); or, as one of a group, by the bytes at group_places from
  /// `even` on.
  struct Choice {
    std::int8_t even = 0, odd = 0;
    std::uint8_t group = 0;  ///< no_group: by windows
  };
  static constexpr std::int8_t no_window = -128;
  static constexpr std::uint8_t no_group = 255;
  static constexpr std::size_t groups = 8;
  /// Four bytes in a row, and one that tells words of two rare bytes far apart: the dots of a token of three parts.
  static constexpr std::array<std::size_t, 5> group_places{0, 1, 2, 3, 7};

  /// What is rare in files. Takes milliseconds: of rules that are compiled in it was done before. No word is empty, and
  /// no set of one.
  static std::vector<Choice> choose(const std::vector<Word>& words);

  /// `choices`: of these words. `plainly`: as on a processor without AVX2.
  Words(const std::vector<Word>& words, const std::vector<Choice>& choices, bool plainly = false);

  /// Adds every word that begins in [begin, end) of `text` and ends within the text: by place, then by word.
  void find(View text, std::size_t begin, std::size_t end, std::vector<Found>& out) const;

 private:
  class Maker;

  // A word as it is compared: eight bytes under a mask at a time (of a letter that may be small or capital, the bit
  // that tells is not in the mask), then the bytes that may be more than that.
  struct Chunk {
    std::uint64_t mask, value;
  };
  struct OneOf {
    std::uint32_t at, set;
  };
  struct Shape {
    std::uint32_t width, chunks, choices;  // where its chunks and choices begin; they end where the next one's do
  };
  // A word that has a certain window, or is of a group.
  struct Entry {
    std::uint32_t word;
    std::int16_t offset;  // of the window from the word's begin
    bool last;            // of its list
    Chunk begin;          // of the word
  };
  // Four windows, none of them zero, and where the entries of each begin; they end with the last one.
  struct alignas(32) Bucket {
    std::array<std::uint32_t, 4> windows, first;
  };
  // Windows by their hash.
  struct Table {
    std::vector<Bucket> buckets;
    std::uint32_t mask = 0;  // of a window's bytes: those that are not any
    unsigned shift = 0;
    std::size_t bucket_of(std::uint32_t window) const;
  };
  // Windows that were seen, and then those of them that are known.
  struct Seen {
    std::size_t at;
    std::uint32_t window;
  };
  struct Known {
    std::size_t at;
    const Entry* entries;
  };
  // Where the words are looked for, and where they go.
  struct Range {
    View text;
    std::size_t begin, end;
    std::vector<Found>& out;
  };
  using Halves = std::array<std::uint8_t, 16>;

  std::size_t look_up(const Seen& seen, Known* out) const;
  void look_by_group(const Range& range, std::size_t at, const std::uint8_t* bytes) const;
  void compare(const Range& range, std::size_t at, const Entry& entry) const;

  bool plainly_;
  std::vector<Shape> shapes_;  // by word, and one past the last
  std::vector<Chunk> chunks_;
  std::vector<OneOf> choices_;
  std::vector<ByteSet> sets_;

  std::vector<std::uint32_t> bits_;  // of all windows
  std::array<Table, 3> tables_;      // by window_masks
  std::vector<Entry> entries_;
  std::size_t reach_ = 0;  // the farthest that a window begins behind the begin of its word

  std::array<Halves, group_places.size()> low_{}, high_{};  // which groups take a byte at each place, by its halves
  std::array<std::vector<Entry>, groups> by_group_;
};

/// Of a window's bytes: all; all but the last, which may be any; all but the first.
inline constexpr std::uint32_t window_masks[] = {0xFFFFFFFF, 0x00FFFFFF, 0xFFFFFF00};

/// The bytes of a set, each with bit 32 set: small and capital letters are one.
std::vector<std::uint32_t> folded(const ByteSet& set);

/// Calls `with(window)` for each window that a word can have at `offset` from its begin; what is outside the word is 0.
template <class With>
void for_each_window(const Words::Word& word, std::ptrdiff_t offset, With&& with) {
  std::array<std::vector<std::uint32_t>, 4> bytes;
  for (std::ptrdiff_t i = 0; i < 4; ++i)
    bytes[static_cast<std::size_t>(i)] = offset + i < 0 || offset + i >= std::ssize(word)
                                             ? std::vector<std::uint32_t>{0}
                                             : folded(word[static_cast<std::size_t>(offset + i)]);
  for (const auto a : bytes[0])
    for (const auto b : bytes[1])
      for (const auto c : bytes[2])
        for (const auto d : bytes[3]) with(a | b << 8 | c << 16 | d << 24);
}

}  // namespace imgbuild

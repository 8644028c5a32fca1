#pragma once
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

using ByteSet = std::bitset<256>;

/// A stretch of a pattern: between `least` and `most` bytes of a set.
struct Stretch {
  ByteSet set;
  std::uint32_t least = 1, most = 1;
  bool boundary = false;  ///< `\b` stands directly before it
};

/// What one way through a pattern looks like, from its first byte to its last: every text that the pattern matches this
/// way fits, not every text that fits matches.
using Way = std::vector<Stretch>;

struct PatternShape {
  std::vector<Way> ways;    ///< at least one; a match takes one of them
  std::uint32_t width = 0;  ///< bytes of the longest match
};

/// Reads a pattern in RE2's syntax over bytes (Latin-1). Throws Error (what is wrong, without the pattern) where it
/// holds a construct that is not known here, a repetition without an upper bound, or is wider than `most_width`.
PatternShape read_pattern(std::string_view pattern);

inline constexpr std::uint32_t most_width = 8192;

}  // namespace imgbuild

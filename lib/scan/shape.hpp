#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "scan/pattern.hpp"

namespace imgbuild {

/// Rejects in nanoseconds: can a text beginning here take this way through a pattern? Extended Shift-And (Navarro and
/// Raffinot): bit i of the state says that the first i positions of the way have been had; optional positions are
/// skipped by one subtraction. A long stretch is its first positions and one that repeats; of a way that is still too
/// long for 63 positions the rest is taken on trust.
class WayShape {
 public:
  /// How many positions from the way's begin on are one byte each, as they stand in the way.
  static std::size_t known_positions(const Way& way) {
    std::size_t known = 0;
    for (const auto& stretch : way) {
      known += std::min(stretch.least, longest_least);
      if (stretch.least != stretch.most || stretch.least > longest_least) break;
    }
    return std::min(known, most_positions);
  }

  /// `width`: the bytes of the longest match.
  WayShape(const Way& way, std::uint32_t width) : width_(width) {
    unsigned position = 0, mandatory = 0;
    for (const auto& stretch : way) {
      const std::uint32_t least = std::min(stretch.least, longest_least);
      const bool repeats = stretch.most - least > 8;
      const std::uint32_t most = repeats ? least + 1 : stretch.most;
      for (std::uint32_t i = 0; i < most && position < most_positions; ++i) {
        ++position;
        const std::uint64_t bit = std::uint64_t{1} << position;
        for (unsigned c = 0; c < 256; ++c)
          if (stretch.set[c]) reads_[c] |= bit;
        if (i < least) {
          mandatory = position;
        } else {
          optional_ |= bit;
          if (repeats) repeats_ |= bit;
        }
      }
      if (position == most_positions) break;
    }
    // Behind the last position that must be there nothing has to come.
    accept_ = std::uint64_t{1} << mandatory;
    optional_ &= accept_ - 1;
    for (std::uint64_t bit = 2; bit != 0; bit <<= 1) {
      if ((optional_ & bit) == 0) continue;
      if ((optional_ & (bit >> 1)) == 0) before_ |= bit >> 1;
      if ((optional_ & (bit << 1)) == 0) last_ |= bit;
    }
  }

  /// May it begin with this byte?
  bool may_begin(unsigned byte) const {
    const std::uint64_t state = skip(1);
    return (state & accept_) != 0 || (state << 1 & reads_[byte]) != 0;
  }

  /// `known`: so many bytes at the way's begin are there for sure (known_positions() of them at most).
  bool may_start(const std::uint8_t* at, const std::uint8_t* end, unsigned known = 0) const {
    if (static_cast<std::uint64_t>(end - at) > width_) end = at + width_;
    std::uint64_t state = skip(std::uint64_t{1} << known);
    at += known;
    while ((state & accept_) == 0) {
      if (at == end) return false;
      state = (state << 1 | (state & repeats_)) & reads_[*at++];
      if (state == 0) return false;
      state = skip(state);
    }
    return true;
  }

 private:
  static constexpr std::uint32_t longest_least = 24;
  static constexpr std::size_t most_positions = 63;

  std::uint64_t skip(std::uint64_t state) const {
    const std::uint64_t filled = state | last_;
    return state | (optional_ & (~(filled - before_) ^ filled));
  }

  std::array<std::uint64_t, 256> reads_{};
  std::uint64_t optional_ = 0, repeats_ = 0, before_ = 0, last_ = 0, accept_ = 1;
  std::uint64_t width_ = 0;  // as wide as the others: it is written out as it lies (pack.cpp), without gaps
};

}  // namespace imgbuild

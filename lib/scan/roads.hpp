#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "scan/runs.hpp"

namespace imgbuild {

/// Where a word of road_words stands.
struct Sign {
  std::uint32_t word;
  std::size_t at;
};

/// Shows what becomes of the texts around words that put texts together, turn them round or leave something out:
/// concat("a", "b"), x += "b", 'ba'.reverse. The signs are all that stand in a part of `text`, whose text[0] is at
/// position `offset` of its stream; what is shown begins within road_reach of its sign. Linear, whatever the signs.
void follow_roads(View text, std::uint64_t offset, std::vector<Sign>& signs,
                  const std::function<void(DecodedRun&, OwnedRange)>& see);

/// Farther than that no sign is from what is shown because of it.
inline constexpr std::size_t road_reach = std::size_t{12} << 10;

}  // namespace imgbuild

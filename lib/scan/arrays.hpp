#pragma once
#include "scan/runs.hpp"

namespace imgbuild {

/// Shows what stands in a text as a list of numbers, one a byte: {0x2d, 0x2d, ...}, [45, 45, ...],
/// String.fromCharCode(103, 104, ...). With the promises and the reach of decode_runs (runs.hpp).
void decode_arrays(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                   const std::function<void(DecodedRun&, OwnedRange)>& see);

}  // namespace imgbuild

#pragma once
#include "scan/runs.hpp"

namespace imgbuild {

/// Shows what stands in a text character by character, with the same between each two: chr(103).chr(104), #103#104,
/// 'g', 'h'. Numbers with nothing but commas between them are decode_arrays' (arrays.hpp). With the promises and the
/// reach of decode_runs (runs.hpp).
void decode_spelled(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                    const std::function<void(DecodedRun&, OwnedRange)>& see);

}  // namespace imgbuild

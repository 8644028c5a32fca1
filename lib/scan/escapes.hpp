#pragma once
#include "scan/runs.hpp"

namespace imgbuild {

/// Shows what stands in a text once it is read as its format reads it: percent and JSON and HTML escapes resolved,
/// "string" + "concatenation" joined, zero-width characters gone, UTF-16 and UTF-32 as bytes. Only the surroundings of
/// such places are shown, each stretch once, as decode_runs (runs.hpp) shows its runs and with the same promises and
/// reach.
void decode_escapes(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                    const std::function<void(DecodedRun&, OwnedRange)>& see);

}  // namespace imgbuild

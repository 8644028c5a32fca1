#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "scan/runs.hpp"

namespace imgbuild {

/// The closing quote of a literal to which another may be joined: by the operator or the line break at `place`, which
/// stands behind a quote or a blank, or by the quote there. nowhere: there is none. Cheap where there is none.
std::size_t joining_quote(View text, std::size_t place);

/// Shows literals that are joined, each chain of them once: "ab" "cd", 'ab' . "cd", "ab"\n"cd". `quotes` are all that
/// joining_quote() gave, from 4 KiB before [begin, end) to as much behind its blocks. With the promises of
/// decode_runs (runs.hpp).
void decode_chains(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                   std::vector<std::size_t>& quotes, const std::function<void(DecodedRun&, OwnedRange)>& see);

}  // namespace imgbuild

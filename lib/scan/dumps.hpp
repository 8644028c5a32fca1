#pragma once
#include <functional>

#include "scan/runs.hpp"

namespace imgbuild {

/// What is written as hex byte by byte: "2d 2d 2d", "2d:2d:2d", and the lines of xxd, hexdump, od and tcpdump, with
/// their offsets before it and their text behind it; words of od -x in both orders. The rest as decode_runs().
void decode_dumps(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                  const std::function<void(DecodedRun&, OwnedRange)>& see);

}  // namespace imgbuild

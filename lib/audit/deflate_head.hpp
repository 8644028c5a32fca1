#pragma once
#include "base/bytes.hpp"

namespace imgbuild {

/// Does a first block begin here that a compressor would write? `strictly`: nothing else speaks for it.
bool begins_deflate(View at, bool strictly);

}  // namespace imgbuild

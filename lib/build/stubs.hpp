#pragma once
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Paths that an engine (podman) makes in a container's layer for its own mounts, where the base lacks them, as far as
/// they are empty files or folders in the newest layer of `archive` (docker-archive; `diff_ids` name its layers).
std::vector<std::string> stubs_of(Source& archive, const std::vector<std::string>& diff_ids);

}  // namespace imgbuild

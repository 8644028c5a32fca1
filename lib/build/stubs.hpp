#pragma once
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Paths that an engine makes in a container's layer for its mounts, where the base lacks them: podman's own
/// (etc/hosts...), and any engine's for the VOLUMEs that the builder has. As far as they are empty files or folders in
/// the newest layer of `archive` (docker-archive; `diff_ids` name its layers).
std::vector<std::string> stubs_of(Source& archive, const std::vector<std::string>& diff_ids,
                                  const std::vector<std::string>& volumes);

}  // namespace imgbuild

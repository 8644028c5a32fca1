#pragma once
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace imgbuild {

/// Paths that an engine makes in a container's layer for its mounts, where the base lacks them: podman's own
/// (etc/hosts...), and any engine's for the VOLUMEs that the builder has. As far as they are empty files or folders in
/// the newest layer of the image, whose layers `diff_ids` are.
std::vector<std::string> stubs_of(Engine& engine, const std::string& handle, const std::vector<std::string>& diff_ids,
                                  const std::vector<std::string>& volumes);

}  // namespace imgbuild

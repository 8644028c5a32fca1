#pragma once
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "image/reference.hpp"
#include "verdict/verdict.hpp"

/// What `push` and `build --push` have in common.
namespace imgbuild {

/// Each name as a place in a registry, which answers and lets us in: asked before the long part. Throws Error.
std::vector<Reference> push_targets(const std::vector<std::string>& names);
/// push_image(), told as it goes; "NAME@DIGEST" of what the registry has then.
std::string push_cleared(const Cleared& cleared, Engine& engine, const Reference& to);

}  // namespace imgbuild

#pragma once
#include <memory>
#include <string>

#include "build/build.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// One layer that says what the layers of `image` above its `keep` oldest say together: what a later one deletes or
/// overwrites is not in it. Owners, modes, times (whole seconds), links and extended attributes as they are. Each of
/// the layers is held against its diff id while it is read; the engine must outlive the layer. Throws Error "squash:
/// layer N: why".
NewLayer squashed(Engine& engine, const std::string& handle, const ImageConfig& image, std::size_t keep);

/// The image's config with `diff_id` in place of all layers above the `keep` oldest. Their history lines stay, as lines
/// of no layer, before one of ours.
std::string squashed_config(const ImageConfig& image, std::size_t keep, const std::string& diff_id);

}  // namespace imgbuild

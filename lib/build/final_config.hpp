#pragma once
#include <ctime>
#include <string>
#include <vector>

#include "build/build.hpp"

namespace imgbuild {

/// The config of the image that a build makes: the base's, every key and history line of it kept, over `diff_ids`, with
/// the plan's changes and one history line of ours. Nothing of the builder container is in it. Throws Error where
/// `diff_ids` are not the base's and at most one more.
std::string final_config(const ImageConfig& base, const std::vector<std::string>& diff_ids, const Plan& plan,
                         std::time_t created);

/// $SOURCE_DATE_EPOCH, else now. Throws usage Error where it is set and no number.
std::time_t time_of_creation();

}  // namespace imgbuild

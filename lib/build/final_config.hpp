#pragma once
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "build/build.hpp"

namespace imgbuild {

/// The config of the image that a build makes: the base's, every key and history line of it kept, over `diff_ids`, with
/// the plan's changes and one history line of ours. Nothing of the builder container is in it. Throws Error where
/// `diff_ids` are not the base's and at most one more.
std::string final_config(const ImageConfig& base, const std::vector<std::string>& diff_ids, const Plan& plan,
                         const timespec& created);

/// The config of the image that the builder is made from, where the base declares VOLUMEs: the base's without them (but
/// `keep`), labelled as ours. With them an engine would make their folders in the new layer.
std::string builder_config(const ImageConfig& base, const std::vector<std::string>& keep,
                           const std::map<std::string, std::string>& labels);

/// $SOURCE_DATE_EPOCH, else now, to the nanosecond: the same content built twice in a second is two images, so that
/// none takes back what the other names. Throws usage Error where it is set and no number.
timespec time_of_creation();

}  // namespace imgbuild

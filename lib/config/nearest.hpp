#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

/// The candidate that a misspelt word most likely means; empty where none is near (more than a third of it differs).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace imgbuild

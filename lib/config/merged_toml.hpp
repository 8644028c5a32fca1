#pragma once
#include <string>
#include <utility>
#include <vector>

namespace imgbuild {

/// TOML documents, each {name, text}, as one: tables become one table, of anything else the later says what counts.
/// `more` are appended to the list of strings that [TABLE] has by that name, or make one. Throws Error "NAME:LINE:
/// ...". For configurations of other programs that they read from several files.
std::string merged_toml(const std::vector<std::pair<std::string, std::string>>& documents, const std::string& table,
                        const std::string& list, const std::vector<std::string>& more);

}  // namespace imgbuild

#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Calls `use` with the header of each package in rpm's database, a whole rpmdb.sqlite. Where it is damaged, with what
/// can be read of it.
void each_rpm_header(View database, const std::function<void(View header)>& use);

struct RpmPackage {
  std::string name, version;  ///< version-release
  std::vector<std::string> files;
};
/// What a header says; empty where it is none.
RpmPackage read_rpm_header(View header);

}  // namespace imgbuild

#pragma once
#include <string>

#include "base/fd.hpp"

namespace imgbuild {

/// A connection to the unix stream socket at `path`, of any length; throws Error "PATH: reason".
Fd connect_unix(const std::string& path);

}  // namespace imgbuild

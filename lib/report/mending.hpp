#pragma once
#include <string>
#include <vector>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// What to change so that the secret is not there the next time, most important first, one sentence or line to copy
/// each: the finding's own `fix`, then what the instruction that brought it in asks for (the line for .dockerignore,
/// the --secret to lend it with, where to rebuild from). Printable. `finding` is redacted.
std::vector<std::string> mending(const Finding& finding);

}  // namespace imgbuild

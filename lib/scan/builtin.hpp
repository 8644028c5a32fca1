#pragma once
#include <string_view>

namespace imgbuild {

/// What the rule compiler (compiler/main.cpp) put into the program: what is known, packed (pack.hpp). Aligned to 64
/// bytes. The definition is generated at build time.
std::string_view builtin();

}  // namespace imgbuild

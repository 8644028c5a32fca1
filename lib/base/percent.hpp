#pragma once
#include <string>
#include <string_view>

namespace imgbuild {

/// A text with its %XX read (RFC 3986, section 2.1). What is no such escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace imgbuild

#pragma once
#include <string>

namespace imgbuild {

/// A credential of a test, which stands in the source with "{{}}" in it: nothing, and no credential so.
inline std::string whole(std::string text) {
  for (std::size_t at = text.find("{{}}"); at != std::string::npos; at = text.find("{{}}", at)) text.erase(at, 4);
  return text;
}

}  // namespace imgbuild

// Any bytes as a family of rules: read, or refused with an Error.
#include <cstdint>

#include "base/error.hpp"
#include "scan/rule.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    imgbuild::read_rules({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  } catch (const imgbuild::Error&) {
  }
  return 0;
}

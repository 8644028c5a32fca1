// Whatever calls itself an image config is parsed or refused, never more.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "image/image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string raw(reinterpret_cast<const char*>(data), size);
  try {
    const auto config = imgbuild::parse_config(raw);
    if (config.raw != raw || config.created_by().size() != config.diff_ids.size()) std::abort();
  } catch (const imgbuild::Error&) {
  }
  return 0;
}

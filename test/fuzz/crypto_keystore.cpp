// A keystore from a stranger: read in bounded time, or none.
#include <cstdint>
#include <cstdlib>

#include "crypto/keystore.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto facts = read_keystore({data, size}); facts && facts->type.empty()) std::abort();
  read_der_key({data, size});
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/private_key.hpp"

// Any bytes: no crash, and no fact without the form that OpenSSH gives it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgbuild;
  const View bytes(data, size);
  for (const auto& facts : {read_pem_key(text_of(bytes)), read_ppk_key(text_of(bytes)), read_der_key(bytes)}) {
    if (!facts) continue;
    if (facts->type.empty() || facts->bits < 0) std::abort();
    if (!facts->fingerprint.empty() && !facts->fingerprint.starts_with("SHA256:")) std::abort();
  }
  return 0;
}

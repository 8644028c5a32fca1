#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/other_keys.hpp"
#include "crypto/pgp_key.hpp"
#include "crypto/private_key.hpp"

// Any bytes: no crash, and no fact without the form that OpenSSH gives it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imgbuild;
  const View bytes(data, size);
  const std::string_view text = text_of(bytes);
  std::size_t taken = 0;
  for (const auto& facts :
       {read_pem_key(text, "# "), read_ppk_key(text, "\""), read_der_key(bytes), read_openssh_key(bytes),
        read_pgp_packets(bytes), read_pgp_armor(text), read_gpg_agent_key(text), read_signify_key(bytes),
        read_minisign_key(bytes), read_dnssec_key(text, "", taken), read_jwk(text, taken),
        read_dropbear_key(bytes, taken), read_xml_rsa_key(text, taken), read_printed_key(text, text, taken),
        read_openvpn_key(text, "+")}) {
    if (taken > size) std::abort();
    if (!facts) continue;
    if (facts->type.empty() || facts->bits < 0) std::abort();
    if (!facts->fingerprint.empty() && !facts->fingerprint.starts_with("SHA256:")) std::abort();
  }
  return 0;
}

// Public halves as SSH writes them (RFC 4253 section 6.6): every format of a key comes to one fingerprint here, so that
// one key is one key wherever it lies.
#include "crypto/key_facts.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "crypto/ssh_key.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {

int bits_of(View magnitude) {
  while (!magnitude.empty() && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  if (magnitude.empty()) return 0;
  int top = 0;
  for (unsigned byte = magnitude[0]; byte != 0; byte >>= 1) ++top;
  return static_cast<int>(magnitude.size() - 1) * 8 + top;
}

PrivateKeyFacts facts_of_blob(View blob) {
  PrivateKeyFacts facts;
  WireReader in(blob);
  const std::string name(in.text());
  if (name == "ssh-rsa") {
    facts.type = "rsa";
    in.mpint();
    facts.bits = bits_of(in.mpint());
  } else if (name == "ssh-dss") {
    facts.type = "dsa";
    facts.bits = bits_of(in.mpint());
    for (int i = 0; i < 3; ++i) in.mpint();
  } else if (name == "ssh-ed25519" || name == "sk-ssh-ed25519@openssh.com") {
    facts.type = name[1] == 'k' ? "sk-ed25519" : "ed25519";
    facts.bits = 256;
    if (in.string().size() != 32) throw Error("not a key");
  } else if (name == "ssh-ed448") {
    facts.type = "ed448";
    facts.bits = 456;
    if (in.string().size() != 57) throw Error("not a key");
  } else if (name.starts_with("ecdsa-sha2-nistp") || name == "sk-ecdsa-sha2-nistp256@openssh.com") {
    facts.type = name[1] == 'k' ? "sk-ecdsa" : "ecdsa";
    const std::string_view curve = in.text();
    facts.bits = curve == "nistp256" ? 256 : curve == "nistp384" ? 384 : curve == "nistp521" ? 521 : 0;
    if (facts.bits == 0 || in.string().size() < 33) throw Error("not a key");
  } else {
    throw Error("not a key");
  }
  if (facts.type.starts_with("sk-")) in.string();  // the application that the token asks for
  in.expect_end();
  if (facts.bits < 256) throw Error("not a key");
  facts.fingerprint = ssh_blob_fingerprint(blob);
  return facts;
}

PrivateKeyFacts facts_of_rsa(View modulus, View exponent) {
  return facts_of_blob(WireWriter().string("ssh-rsa").mpint(exponent).mpint(modulus).bytes());
}

PrivateKeyFacts facts_of_dsa(View p, View q, View g, View y) {
  return facts_of_blob(WireWriter().string("ssh-dss").mpint(p).mpint(q).mpint(g).mpint(y).bytes());
}

PrivateKeyFacts facts_of_ed25519(View point) {
  return facts_of_blob(WireWriter().string("ssh-ed25519").string(point).bytes());
}

PrivateKeyFacts facts_of_ec(std::string_view curve, View point) {
  return facts_of_blob(WireWriter().string("ecdsa-sha2-" + std::string(curve)).string(curve).string(point).bytes());
}

// As SEC1 (RFC 5915) without the public half, which OpenSSL computes.
std::optional<PrivateKeyFacts> facts_of_ec_secret(std::string_view curve, View secret) {
  static const std::pair<std::string_view, Bytes> curves[] = {
      {"nistp256", {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
      {"nistp384", {0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
      {"nistp521", {0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}}};
  for (const auto& [name, parameters] : curves) {
    if (name != curve) continue;
    if (secret.empty() || secret.size() > 66) return std::nullopt;
    Bytes der{0x30,
              static_cast<std::uint8_t>(5 + secret.size() + parameters.size()),
              2,
              1,
              1,
              4,
              static_cast<std::uint8_t>(secret.size())};
    der.insert(der.end(), secret.begin(), secret.end());
    der.insert(der.end(), parameters.begin(), parameters.end());
    return read_der_key(der);
  }
  return std::nullopt;
}

std::optional<PrivateKeyFacts> facts_of_raw_secret(std::string_view type, View secret) {
  const int kind = type == "ed25519" ? EVP_PKEY_ED25519
                   : type == "ed448" ? EVP_PKEY_ED448
                   : type == "x448"  ? EVP_PKEY_X448
                                     : EVP_PKEY_X25519;
  ERR_set_mark();
  const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_PKEY_new_raw_private_key(kind, nullptr, secret.data(), secret.size()));
  ERR_pop_to_mark();
  return key ? facts_of_public(key.get()) : std::nullopt;
}

}  // namespace imgbuild

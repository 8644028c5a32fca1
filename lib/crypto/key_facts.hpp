#pragma once
// What lib/crypto keeps to itself: public halves, however they were written, as our words. Not to be included from
// elsewhere.
#include <optional>
#include <string_view>

#include "crypto/private_key.hpp"

struct evp_pkey_st;

namespace imgbuild {

/// Type, bits and fingerprint of the key's public half.
std::optional<PrivateKeyFacts> facts_of_public(evp_pkey_st* key);

int bits_of(View magnitude);

/// Type, bits and fingerprint of an SSH public key blob. Throws Error where it is none.
PrivateKeyFacts facts_of_blob(View blob);
/// Of numbers, big-endian. Throw Error where they cannot be a key's.
PrivateKeyFacts facts_of_rsa(View modulus, View exponent);
PrivateKeyFacts facts_of_dsa(View p, View q, View g, View y);
PrivateKeyFacts facts_of_ed25519(View point);
/// `curve`: "nistp256" and its like; an uncompressed point.
PrivateKeyFacts facts_of_ec(std::string_view curve, View point);
/// Of a secret number alone, the public half being computed. nullopt where it is none.
std::optional<PrivateKeyFacts> facts_of_ec_secret(std::string_view curve, View secret);
std::optional<PrivateKeyFacts> facts_of_raw_secret(std::string_view type, View secret);  ///< "ed25519", "x25519"...

}  // namespace imgbuild

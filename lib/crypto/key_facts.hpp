#pragma once
// What lib/crypto keeps to itself: a public key of OpenSSL's as our words. Not to be included from elsewhere.
#include <optional>

#include "crypto/private_key.hpp"

struct evp_pkey_st;

namespace imgbuild {

/// Type, bits and fingerprint of the key's public half.
std::optional<PrivateKeyFacts> facts_of_public(evp_pkey_st* key);

}  // namespace imgbuild

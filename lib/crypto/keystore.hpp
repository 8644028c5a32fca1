#pragma once
#include <optional>

#include "base/bytes.hpp"
#include "crypto/private_key.hpp"

namespace imgbuild {

/// Reads the keystore that begins at the start of `bytes`: PKCS#12 (RFC 7292), Java's JKS and JCEKS, or Bouncy
/// Castle's BKS. Tells of the private key in it; nullopt where none is seen, or the bytes are none. It is opened with
/// the passphrases that everybody has ("", "changeit", "password"...); `encrypted`: with none of them. The fingerprint
/// is there where there is one key only and it, or its certificate, can be read. Bytes that end early are read as far
/// as they go. Does not throw; bounded work whatever the number of iterations that it asks for.
std::optional<PrivateKeyFacts> read_keystore(View bytes);

}  // namespace imgbuild

#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/private_key.hpp"

/// Private keys of single programs and protocols. None throws; each wants the whole key at the start of what it is
/// given and says nothing of bytes behind it.
namespace imgbuild {

/// The base64 line of a secret key file of signify(1): 104 bytes, "Ed", "BK", the rounds of bcrypt_pbkdf (0: none),
/// salt, checksum, number, key. Only what is not encrypted has a fingerprint.
std::optional<PrivateKeyFacts> read_signify_key(View bytes);

/// That of minisign(1): 158 bytes, "Ed", "Sc" or zeros, "B2", salt, two limits, number, key, checksum.
std::optional<PrivateKeyFacts> read_minisign_key(View bytes);

/// BIND's private key file: "Private-key-format: v1.3", then "Name: value" lines, in any layout (key_text.hpp). `size`:
/// how much of `text` it takes at most.
std::optional<PrivateKeyFacts> read_dnssec_key(std::string_view text, std::string_view before, std::size_t& size);

/// A JSON Web Key (RFC 7517, 7518, 8037): the JSON object at the start of `text`, its quotes perhaps behind
/// backslashes. nullopt for a public one. `size`: of the object.
std::optional<PrivateKeyFacts> read_jwk(std::string_view text, std::size_t& size);

/// JSON within JSON, as often as may be, without its escapes: for what holds no quote or backslash of its own.
std::string without_backslashes(std::string_view text);

/// Dropbear's: an SSH public key blob that goes on with the secret numbers.
std::optional<PrivateKeyFacts> read_dropbear_key(View bytes, std::size_t& size);

/// .NET's <RSAKeyValue> with its <D> (XML-DSig section 4.5.2.2 and the private parts beside it).
std::optional<PrivateKeyFacts> read_xml_rsa_key(std::string_view text, std::size_t& size);

/// What `openssl rsa -text` and its like print: `text` begins with "privateExponent:" or "priv:", what stands `before`
/// says of which key. `size`: of `text`, up to the last secret number.
std::optional<PrivateKeyFacts> read_printed_key(std::string_view text, std::string_view before, std::size_t& size);

/// "-----BEGIN OpenVPN Static key V1-----": 256 bytes in hex.
std::optional<PrivateKeyFacts> read_openvpn_key(std::string_view text, std::string_view before);

/// Is this a private key of Curve25519 as every program makes them: 32 bytes, clamped (RFC 7748 section 5)?
bool is_clamped_x25519(View bytes);

}  // namespace imgbuild

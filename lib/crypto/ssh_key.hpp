#pragma once
#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

/// SSH public keys, certificates and signatures as they stand on the wire. Known are rsa, ecdsa (nistp256, 384, 521),
/// ed25519, their FIDO kinds (sk-*) and a certificate of each; ssh-dss is not.
namespace imgbuild {

/// What a certificate adds to the key that it certifies (openssh PROTOCOL.certkeys).
struct SshCertificate {
  static constexpr std::uint32_t user = 1, host = 2;
  std::uint64_t serial = 0;
  std::uint32_t kind = 0;  ///< user, host, or something unheard of
  std::string id;          ///< free text of the authority
  std::vector<std::string> principals;
  std::uint64_t valid_after = 0;   ///< Unix time, inclusive
  std::uint64_t valid_before = 0;  ///< Unix time, exclusive
  Bytes critical_options;
  Bytes authority;              ///< key blob of the authority; never a certificate
  std::size_t signed_size = 0;  ///< how many bytes of the blob the signature covers
  Bytes signature;
};

struct SshKey {
  std::string type;        ///< as the blob says: "ssh-ed25519", "ssh-rsa-cert-v01@openssh.com"
  std::string plain_type;  ///< without the certificate: "ssh-rsa"
  int bits = 0;
  Bytes blob;   ///< RFC 4253 section 6.6, or PROTOCOL.certkeys
  Bytes plain;  ///< the blob of the key alone; equal to `blob` where there is no certificate
  std::optional<SshCertificate> certificate;

  /// "SHA256:..." of the key alone, as ssh-keygen -l prints it; a certificate has its key's.
  std::string fingerprint() const;
};

/// Is the type, of a key or of a certificate, one that parse_ssh_key takes?
bool ssh_key_type_known(std::string_view type);

/// Parses a key blob. Throws Error: truncated, bytes after the end, a type that is not known, a point off its curve, an
/// RSA modulus outside 1024 to 16384 bits.
SshKey parse_ssh_key(View blob);

/// A public key as a line of a .pub file has it: "ssh-ed25519 AAAA... comment". Throws Error.
SshKey parse_ssh_key_line(std::string_view line);

/// "SHA256:" and the base64 without padding of the blob's hash: the fingerprint of a key that is no certificate.
std::string ssh_blob_fingerprint(View plain_blob);

/// Does `signature` (RFC 4253 section 6.6; RFC 8332; openssh PROTOCOL.u2f) over `data` verify with the key, or with the
/// key that a certificate holds? False for SHA-1 ("ssh-rsa") and for anything malformed. Does not throw for bad input.
bool ssh_signature_verifies(const SshKey& key, View signature, View data);

/// What is wrong with the certificate as one for a host of this name at this time: not a host's, outside its validity,
/// critical options, not for that name (`*` and `?` in a principal are patterns, as OpenSSH has it), or a signature of
/// its authority that does not verify. Empty where nothing is. Whether the authority is trusted is for the caller.
std::string host_certificate_fault(const SshKey& key, std::string_view host, std::time_t now);

/// `*` and `?` only, as in known_hosts and principals.
bool wildcard_matches(std::string_view pattern, std::string_view text);

/// For the hashed names of known_hosts, which know no better hash.
std::array<std::uint8_t, 20> hmac_sha1(View key, View bytes);

}  // namespace imgbuild

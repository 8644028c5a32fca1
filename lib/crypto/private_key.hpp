#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace imgbuild {

/// What a private key in some container tells without its passphrase.
struct PrivateKeyFacts {
  std::string
      type;      ///< "rsa", "dsa", "ecdsa", "ed25519", "ed448", "x25519", "sk-ed25519", "unknown" (encrypted PKCS#8)
  int bits = 0;  ///< 0 where it cannot be known
  bool encrypted = false;           ///< with a passphrase that is nobody's default
  bool untried = false;             ///< encrypted, and of those that everybody tries not all were: too many had been
  bool default_passphrase = false;  ///< it was opened with one that everybody tries ("", "changeit"...)
  std::string fingerprint;  ///< "SHA256:..." of the SSH public key blob (RFC 4253 6.6); empty where it cannot be known
};

/// Reads the private key that begins with a PEM label at the start of `text` (RFC 7468; RFC 1421 headers of encrypted
/// PKCS#1; "OPENSSH PRIVATE KEY", openssh PROTOCOL.key; "ENCRYPTED PRIVATE KEY"). Lenient in layout as leaks are:
/// CRLF, indentation, `\n` written out, quotes, one line; strict in content: what does not parse is nullopt.
/// "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----" (ssh.com) is read as well. `before`: what stands before the key, of
/// which the last line tells what each line of it begins with.
std::optional<PrivateKeyFacts> read_pem_key(std::string_view text, std::string_view before = {});
/// PuTTY's format, versions 2 and 3 ("PuTTY-User-Key-File-3: ssh-ed25519").
std::optional<PrivateKeyFacts> read_ppk_key(std::string_view text, std::string_view before = {});
/// OpenSSH's format without PEM around it: "openssh-key-v1".
std::optional<PrivateKeyFacts> read_openssh_key(View bytes);
/// Raw DER: PKCS#1, SEC1, PKCS#8 plain or encrypted.
std::optional<PrivateKeyFacts> read_der_key(View der);

}  // namespace imgbuild

#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/ssh_key.hpp"

namespace imgbuild {

/// A private key that signs as ssh-agent does. Its parts live in OpenSSL's memory only, wiped when it goes; what is
/// read to get there is wiped at once. Signing is safe from several threads.
class SigningKey {
 public:
  /// What a key file holds: an unencrypted OpenSSH key (openssh PROTOCOL.key), PKCS#8, PKCS#1 or SEC1 in PEM; rsa,
  /// ecdsa or ed25519. Throws Error; for one with a passphrase with the hint `ssh-add NAME`. `name`: for messages.
  static SigningKey parse(std::string_view content, const std::string& name);
  /// The same from a file.
  static SigningKey load(const std::string& path);

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  const SshKey& public_key() const;
  /// The signature blob (RFC 4253 section 6.6) over the data. For RSA the flags of the agent protocol choose the hash:
  /// 2 is rsa-sha2-256, 4 rsa-sha2-512, and others (SHA-1) throw Error; other keys need none.
  Bytes sign(View data, std::uint32_t flags) const;

 private:
  struct Inside;
  explicit SigningKey(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

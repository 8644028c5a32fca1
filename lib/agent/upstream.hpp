#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/protocol.hpp"
#include "base/fd.hpp"
#include "crypto/signing_key.hpp"

namespace imgbuild {

/// A private key of --ssh-key-file, with the certificate that lies beside it as FILE-cert.pub, if one does.
struct HeldKey {
  SigningKey key;
  std::optional<SshKey> certificate;

  /// Throws Error: not to be read, with a passphrase, a certificate of another key.
  static HeldKey load(const std::string& path);
};

/// A private key as it stands in a CI system's variable or comes over a pipe: a key file's text, or the base64 of that.
/// Throws Error; a passphrase is told with what to do about it.
SigningKey parse_pasted_key(std::string_view text, const std::string& name);

/// One connection to the user's agent, made at the first ask().
class SocketUpstream : public Upstream {
 public:
  /// `path` may be of any length (sun_path is not).
  explicit SocketUpstream(std::string path);
  Bytes ask(View message) override;
  void cancel() noexcept override;

 private:
  void connect();
  void wait(short events);
  void send(View bytes);
  void receive(std::span<std::uint8_t> into);

  std::string path_;
  Fd socket_;
  Fd cancelled_;  // an eventfd
};

/// The keys of key files, and behind them the user's agent, where there is one. The keys must outlive it.
class HeldKeys : public Upstream {
 public:
  HeldKeys(const std::vector<HeldKey>& keys, std::unique_ptr<Upstream> agent) : keys_(keys), agent_(std::move(agent)) {}
  Bytes ask(View message) override;
  void cancel() noexcept override;

 private:
  Bytes list();
  const SigningKey* find(View blob) const;

  const std::vector<HeldKey>& keys_;
  std::unique_ptr<Upstream> agent_;  // may be null
};

}  // namespace imgbuild

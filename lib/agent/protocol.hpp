#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/grants.hpp"
#include "agent/ledger.hpp"
#include "base/bytes.hpp"

/// The pure half of the gateway: a client's bytes in, replies and ledger lines out. It opens nothing and waits for
/// nothing but its Upstream.
namespace imgbuild {

/// Messages of the agent protocol (RFC 9987 section 6.1) that the gateway has to do with.
namespace agent {
constexpr std::uint8_t failure = 5, success = 6, request_identities = 11, identities_answer = 12, sign_request = 13,
                       sign_response = 14, extension = 27, extension_response = 29;
constexpr std::size_t largest_frame = 256 * 1024;  ///< OpenSSH's own limit, in both directions
}  // namespace agent

/// The user's agent, as one connection to it.
class Upstream {
 public:
  virtual ~Upstream() = default;
  /// One message (without the length before it) and its answer, never empty. Blocks for as long as the agent takes.
  /// Throws Error where the agent is gone, Interrupted where a signal came.
  virtual Bytes ask(View message) = 0;
  /// Any thread: an ask() under way, and every later one, throws Error.
  virtual void cancel() noexcept = 0;
};

/// What an SSH client signs to log in (RFC 4252 section 7; openssh PROTOCOL, "publickey-hostbound"). Views into the
/// blob.
struct LoginBlob {
  View session;
  std::string_view user;
  std::string_view algorithm;
  View key;
  std::optional<View> host_key;  ///< where host-bound
};
/// nullopt: it is something else, however little.
std::optional<LoginBlob> parse_login(View blob);

/// An identities answer's key blobs, in its order. Throws Error where it is none.
std::vector<Bytes> parse_identities(View answer);

/// The fingerprint that a key blob goes by; a certificate's is its key's. Empty for a key that is not known to us.
std::string identity_fingerprint(View blob);

/// One client's connection. One thread; what it refers to must outlive it.
class Conversation {
 public:
  Conversation(const Grants& grants, Upstream& upstream, Ledger& ledger, const std::atomic<bool>& closed)
      : grants_(grants), upstream_(upstream), ledger_(ledger), closed_(closed) {}

  /// Takes bytes as they come and returns the replies to the frames that are complete. Throws Error where the client
  /// must be dropped: a frame that is empty or over 256 KiB, the agent gone.
  Bytes serve(View bytes);

 private:
  struct Bound {
    SshKey key;
    Bytes session;
    std::vector<const HostGrant*> hosts;  // those whose key it is
  };

  Bytes answer(View message);
  Bytes list();
  Bytes extend(View message);
  std::string bind(View message);  // these return why not; empty: granted
  Bytes sign(View message);
  std::string fault_of(View blob, std::uint32_t flags, const SshKey& key, Signature& line) const;
  std::string fault_of_bound(const LoginBlob& login, Signature& line) const;
  std::string fault_of_unbound(const LoginBlob& login, Signature& line) const;
  std::string ask_to_sign(View message, Bytes& reply);
  std::vector<const HostGrant*> hosts_of(const SshKey& shown, std::string& why) const;

  const Grants& grants_;
  Upstream& upstream_;
  Ledger& ledger_;
  const std::atomic<bool>& closed_;
  Bytes pending_;
  std::optional<Bound> bound_;
  int binds_ = 0;
  bool forwarded_ = false;
  std::string bind_fault_;  // of the last bind that was refused
};

}  // namespace imgbuild

#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/secret.hpp"
#include "verdict/verdict.hpp"

/// From the user's ssh-agent to what a builder may ask (design section 5).
namespace imgbuild {

/// What the user grants, as flags say it.
struct AgentRequest {
  std::vector<std::string> hosts;      ///< --ssh: HOST, USER@HOST[:PORT], or a name of ssh's config
  std::vector<std::string> keys;       ///< --ssh-key: SHA256:... or FILE.pub, or for one host only: HOST=KEY
  std::vector<std::string> key_files;  ///< --ssh-key-file: held by an agent inside the process
  std::vector<std::pair<std::string, std::shared_ptr<const Secret>>> key_texts;  ///< the same, by name: "$DEPLOY_KEY"
  std::vector<std::string> known_hosts;        ///< --known-host 'NAME SHA256:...' or a known_hosts line
  bool allow_unbound = false;                  ///< --ssh-allow-unbound
  bool allow_sshsig = false;                   ///< --ssh-allow-sshsig
  std::string agent_socket;                    ///< $SSH_AUTH_SOCK; may be empty where there are key files
  std::vector<std::string> known_hosts_files;  ///< empty: ~/.ssh/known_hosts, known_hosts2, /etc/ssh/ssh_known_hosts
};

/// The gateway of one build. Its answer to a client's frames is decided by the protocol half (protocol.hpp), which is
/// pure. Safe for several clients at once: each has its own upstream connection.
class Gateway {
 public:
  /// Reads known_hosts, asks the agent for its identities, checks every grant. Throws Error (with the command that
  /// mends it) for: no agent, an empty agent, no granted key in it, an unknown host, a host without a user.
  explicit Gateway(const AgentRequest& request);
  ~Gateway();

  /// A client: bytes it sent in, bytes to answer out. It may outlive the gateway, which it then finds closed. One
  /// thread per client. After close() every answer is FAILURE.
  class Client {
   public:
    virtual ~Client() = default;
    /// Serves what has come; returns what is to be sent back. Throws Error where the client must be dropped (an
    /// oversized frame, upstream gone). Blocks while the user's agent works (a person may touch a hardware key).
    virtual Bytes serve(View bytes) = 0;
    /// Any thread: a serve() that waits for the agent, and every later one that would ask it, throws Error.
    virtual void cancel() noexcept {}
  };
  std::unique_ptr<Client> client();

  /// Beyond this point nothing is signed. Any thread.
  void close();
  /// Every signature asked for so far.
  std::vector<Signature> ledger() const;
  /// Called at each new line of the ledger, from the client's thread.
  void on_signature(std::function<void(const Signature&)> tell);

  /// known_hosts lines of the granted hosts, in OpenSSH's format, to be lent to the builder.
  std::string pinned_known_hosts() const;
  /// The `--known-host NAME SHA256:...` grants, that only a fingerprint is known of: {name, fingerprint}.
  std::vector<std::pair<std::string, std::string>> fingerprint_hosts() const;
  /// Fingerprints of the keys that are granted.
  std::vector<std::string> granted_keys() const;
  /// What was odd in the known_hosts files: "FILE:LINE: skipped: what".
  std::vector<std::string> warnings() const;
  /// "git@github.com", "deploy@10.0.0.1:2222": what was granted, for reports.
  std::vector<std::string> granted_hosts() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// Listens on a unix socket (0666) in a folder of its own (0700) and serves each client from a thread until it goes.
/// For `imgbuild agent -- COMMAND`, and to be bound where whoever is in there may use it.
class GatewaySocket {
 public:
  explicit GatewaySocket(Gateway& gateway);
  ~GatewaySocket();
  const std::string& path() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

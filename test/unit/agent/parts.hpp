#pragma once
#include <memory>
#include <string>
#include <vector>

#include "agent/gateway.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "crypto/signing_key.hpp"
#include "crypto/ssh_key.hpp"
#include "crypto/ssh_wire.hpp"

/// Real parts to test the gateway with: keys made by ssh-keygen, ssh-agent, sshd; and a client that speaks the agent
/// protocol message by message.
namespace imgbuild::parts {

/// Runs a program that must succeed; what it printed on stdout.
std::string must(std::vector<std::string> argv);
/// The same at any exit status.
Ran attempt(std::vector<std::string> argv, std::vector<std::string> env = {});

/// A fresh key pair FOLDER/NAME, FOLDER/NAME.pub by ssh-keygen; its path.
std::string make_key(const std::string& folder, const std::string& name,
                     const std::vector<std::string>& type = {"-t", "ed25519"});
SshKey public_half(const std::string& path);
/// The line of a .pub file, without the end of line.
std::string public_line(const std::string& path);

/// A real ssh-agent.
class Agent {
 public:
  Agent();
  void add(const std::string& key, const std::vector<std::string>& options = {}) const;
  void stop();
  pid_t pid() const { return process_->pid(); }
  const std::string& socket() const { return socket_; }

 private:
  TempDir folder_;
  std::string socket_;
  std::unique_ptr<Process> process_;
};

/// A real sshd on 127.0.0.1, in which whoever runs the test may log in with the given keys.
class Server {
 public:
  /// `more`: further lines of sshd_config.
  explicit Server(const std::vector<std::string>& authorized, const std::string& more = "");
  int port() const { return port_; }
  std::string host_key() const { return folder_.path() + "/host_key"; }  ///< path of the private half
  std::string known_hosts_line() const;
  std::string log() const;

 private:
  TempDir folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

/// Who runs the test, and so may log in.
std::string user();

/// `ssh` with nothing of the user's own settings, through an agent socket. `known_hosts`: a file.
Ran ssh(const std::string& agent, const std::string& known_hosts, int port, const std::vector<std::string>& command,
        const std::string& as = user());

/// A client of the gateway that sends one message at a time.
class RawClient {
 public:
  explicit RawClient(Gateway& gateway) : client_(gateway.client()) {}
  /// The reply to a message, without the lengths before them.
  Bytes ask(View message);
  Bytes bind(const SigningKey& host_key, View session, bool forwarding = false);
  /// Binds as a host with any key blob and signature.
  Bytes bind(View host_key, View session, View signature, bool forwarding);
  Bytes sign(View key, View data, std::uint32_t flags = 0);
  /// Fingerprints (comments) in the identities answer.
  std::vector<std::string> list();
  Gateway::Client& client() { return *client_; }

 private:
  std::unique_ptr<Gateway::Client> client_;
};

/// A login blob as ssh makes it; `host_key` empty: not host-bound.
Bytes login(View session, const std::string& as, const std::string& algorithm, View key, View host_key = {});

Bytes session_id(char fill = 's');
constexpr std::uint8_t refused = 5, agreed = 6, signature = 14;

}  // namespace imgbuild::parts

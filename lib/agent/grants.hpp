#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "agent/gateway.hpp"
#include "agent/known_hosts.hpp"

namespace imgbuild {

/// One `--ssh`, with what is known of the host and the keys that may be used there.
struct HostGrant {
  std::string user;
  std::string host;  ///< lower case, without brackets
  int port = 22;
  HostKeys known;
  std::vector<std::string> keys;  ///< fingerprints

  std::string place() const;  ///< "github.com", "10.0.0.1:2222", "[::1]:22"
  std::string shown() const { return user + "@" + place(); }
};

/// Everything that one build may ask of the agent.
struct Grants {
  std::vector<HostGrant> hosts;
  std::vector<std::string> keys;    ///< fingerprints of all keys that may be used anywhere
  std::vector<std::string> scoped;  ///< those of them that may be used for some hosts only
  bool allow_unbound = false;
  bool allow_sshsig = false;
};

/// "github.com", "git@github.com", "deploy@10.0.0.1:2222", "deploy@[::1]:2222". `user` stays empty where none is given
/// and the host is no forge, on which it is "git". Throws a usage Error.
HostGrant parse_host(std::string_view text);

/// parse_host, which must yield a user; what is known of the host must not be nothing. Throws Error with the command
/// that mends it.
HostGrant granted_host(std::string_view text, const KnownHosts& known);

/// Adds `--known-host 'NAME SHA256:...'`, or a known_hosts line. Throws a usage Error.
void add_known_host(KnownHosts& known, const std::string& text);

/// Fills in which key may be used where. `held`: fingerprints of the keys in key files; `offered`: of those in the
/// agent. Throws Error for a granted key that is in neither, a host without any key.
void grant_keys(Grants& grants, const AgentRequest& request, const std::vector<std::string>& held,
                const std::vector<std::string>& offered);

}  // namespace imgbuild

#pragma once
#include <functional>
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
  std::string said;  ///< as known_hosts spells what was said, where ssh's config calls that another name
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

/// parse_host, and what the user's ssh makes of the name (`ssh -G`); a user must come of it. What is known of the host
/// is what `known` says, else what is built in of a forge, and must not be nothing. `known_of`: the known_hosts of the
/// files that ssh's config names for this host. What is odd joins `warnings`. Throws Error with the command that mends
/// it.
HostGrant granted_host(std::string_view text, const KnownHosts& known,
                       const std::function<KnownHosts(const std::vector<std::string>&)>& known_of,
                       std::vector<std::string>& warnings);

/// Adds `--known-host 'NAME SHA256:...'`, or a known_hosts line. Throws a usage Error.
void add_known_host(KnownHosts& known, const std::string& text);

/// Fills in which key may be used where. `held`: fingerprints of the keys in key files; `offered`: of those in the
/// agent. Throws Error for a granted key that is in neither, a host without any key.
void grant_keys(Grants& grants, const AgentRequest& request, const std::vector<std::string>& held,
                const std::vector<std::string>& offered);

}  // namespace imgbuild

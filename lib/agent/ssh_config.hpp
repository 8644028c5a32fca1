#pragma once
#include <string>
#include <vector>

#include "agent/grants.hpp"

namespace imgbuild {

/// Where and how the user's own ssh would log in: what ssh_config(5) says of a name.
struct SshConfig {
  std::string user;  ///< empty: none is set
  std::string host;
  int port = 22;
  std::string key_alias;                 ///< HostKeyAlias; empty: none
  std::vector<std::string> known_hosts;  ///< UserKnownHostsFile, where that is not ssh's own choice
  bool proxied = false;                  ///< ProxyJump or ProxyCommand: the way there is not a builder's
};

/// Asks `ssh -G` of the host as it was said (`--ssh TEXT`, parsed); without an ssh, what was said. As ssh goes by the
/// passwd's home and not by $HOME, the config of a $HOME of one's own is named to it. Throws Error in ssh's words.
SshConfig ask_ssh_config(const HostGrant& said, std::string_view text);

}  // namespace imgbuild

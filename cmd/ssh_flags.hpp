#pragma once
#include <string>
#include <vector>

#include "agent/gateway.hpp"
#include "session.hpp"

namespace imgbuild {

/// The flags of `build` and `agent` that say what is lent.
struct SshFlags {
  std::vector<std::string> hosts, keys, key_files, known_hosts;
  bool allow_unbound = false, allow_sshsig = false;

  void offer(CLI::App& app);
  /// With what the environment and the user's file add.
  AgentRequest request(const Settings& settings) const;
};

}  // namespace imgbuild

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
  bool reads_input() const;  ///< a key is to come over standard input
  /// With what the environment and the user's file add. Reads the keys that are no files.
  AgentRequest request(const Settings& settings, SecretVariables& variables) const;
};

}  // namespace imgbuild

#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"

namespace imgbuild {

/// The command that `ssh://[USER@]HOST[:PORT][/SOCKET]` stands for: over ssh `docker system dial-stdio`, as Docker's
/// own client does it, or podman's where that host has no docker; with what ~/.ssh/config says of the host. Throws
/// Error where it is no such address.
std::vector<std::string> ssh_command(const std::string& address);

/// What to do where that command ended with these words. `command` ends with what runs there.
std::string ssh_hint(std::string_view said, const std::vector<std::string>& command);

/// The login to an engine's host that all requests of a run share (ssh's ControlMaster), since each has a connection of
/// its own. It ends with this object, and with the process, however that ends.
class SshRoad {
 public:
  /// Logs in; `command` is ssh_command()'s. Throws Error in ssh's words.
  explicit SshRoad(const std::vector<std::string>& command);
  /// The command for one more connection.
  std::vector<std::string> command() const;

 private:
  TempDir folder_;
  std::vector<std::string> command_;
  Fd words_, input_;
  std::unique_ptr<Process> master_;
};

}  // namespace imgbuild

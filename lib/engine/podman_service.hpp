#pragma once
#include <memory>
#include <string>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"

namespace imgbuild {

/// Podman's API for the length of a run, on a socket in a folder that only we can enter: for machines where no engine
/// listens. Podman runs as us, rootless where we are not root, on our own images. It ends with this object, and with
/// the process, however that ends.
class PodmanService {
 public:
  /// Is podman on PATH?
  static bool possible();
  /// `agent`: the path of an agent's socket here, which each RUN of a Dockerfile that it builds has at lent_agent. No
  /// other way leads into those: podman's API has no word for it. Throws Error in podman's words where it does not come
  /// up.
  explicit PodmanService(const std::string& agent = {});
  ~PodmanService();
  const std::string& socket() const noexcept { return socket_; }

 private:
  TempDir folder_;
  std::string socket_;
  Fd words_, life_;
  std::unique_ptr<Process> process_;
};

/// Where a podman service that is there already may listen: $CONTAINER_HOST, the user's runtime folder, root's. Empty:
/// nowhere.
std::string podman_address();

/// Does somebody listen at the unix socket?
bool listens(const std::string& socket);

}  // namespace imgbuild

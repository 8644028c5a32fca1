#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "build/traces.hpp"
#include "engine/engine.hpp"
#include "relay/files.hpp"

namespace imgbuild {

/// A container that reads the engine's own files for a user who cannot (who is in the docker group, in a CI job, or far
/// away), so that of an image only what is new is sent, as it is stored, not all of it by `save`. It runs the relay
/// from an image that holds nothing else, has the engine's folders read-only, no network, and of root's powers only the
/// one to read. Nothing is made before something is to be read; what was made goes with this, or by `imgbuild gc`.
class EngineHelper {
 public:
  /// From here on, those of the engine's files that cannot be read from here are read through it. `warn`: told where
  /// that does not work; then `save` has what is wanted. The engine must outlive this.
  EngineHelper(Engine& engine, std::function<void(const std::string&)> warn);
  ~EngineHelper();

 private:
  class Lent;
  struct Channel {
    std::unique_ptr<Exec> exec;
    std::unique_ptr<RelayFetch> files;
  };
  std::unique_ptr<Fetch> lend();
  void start();
  void open(const std::string& containerd);
  void take_back(Channel channel);

  Engine& engine_;
  const std::function<void(const std::string&)> warn_;
  std::mutex mutex_;
  std::condition_variable returned_;
  bool started_ = false;
  std::size_t lent_ = 0;
  std::unique_ptr<Traces> traces_;
  std::vector<Channel> free_;
};

}  // namespace imgbuild

#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace imgbuild {

/// Reads a layer once, for its digest and its size.
void measure(NewLayer& layer);

/// The layers of an engine's image, uncompressed, one at a time: from its files where those can be read, else out of
/// what it saves. Each is held against its diff id at its end. One thread; the engine must outlive it and its sources.
class Layers {
 public:
  Layers(Engine& engine, std::string handle, std::vector<std::string> diff_ids)
      : engine_(engine), handle_(std::move(handle)), diff_ids_(std::move(diff_ids)) {}
  /// Reading it throws Error, at its end, where the bytes are not what the diff id says.
  std::unique_ptr<Source> open(std::size_t index);

 private:
  void find_members();

  Engine& engine_;
  std::string handle_;
  std::vector<std::string> diff_ids_;
  std::map<std::string, std::string> members_;  // of what is saved, by diff id
};

}  // namespace imgbuild

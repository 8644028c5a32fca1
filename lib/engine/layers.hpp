#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_store.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// Reads a layer once, for its digest and its size.
void measure(NewLayer& layer);

/// The layers of an engine's image, uncompressed, one at a time and as often as one likes: from its files where those
/// can be read, else from what it saves, once; what is wanted of that is put aside (ByteStore). Each is held against
/// its diff id at its end. One thread; the engine must outlive it and its sources.
class Layers {
 public:
  /// `from`: the first that is asked for.
  Layers(Engine& engine, std::string handle, std::vector<std::string> diff_ids, std::size_t from = 0)
      : engine_(engine), handle_(std::move(handle)), diff_ids_(std::move(diff_ids)), from_(from) {}
  /// Reading it throws Error, at its end, where the bytes are not what the diff id says.
  std::unique_ptr<Source> open(std::size_t index);

 private:
  void keep_saved();

  Engine& engine_;
  std::string handle_;
  std::vector<std::string> diff_ids_;
  std::size_t from_;
  bool saved_ = false;
  std::map<std::string, std::shared_ptr<const ByteStore>> kept_;  // by diff id
};

}  // namespace imgbuild

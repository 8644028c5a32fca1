#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace imgbuild {

/// What an engine on this machine keeps on disk, for who may read it there. Nothing here is trusted: an engine
/// elsewhere may call a folder the same, and a config is checked against its id; a layer is by who reads it.
///
/// Docker's classic store: ROOT/image/DRIVER/imagedb/content/sha256/ID, ROOT/image/DRIVER/layerdb/sha256/CHAIN, the
/// latter named by the chain id (OCI image-spec config.md, "Layer ChainID"). Podman: containers/storage's
/// ROOT/overlay-layers/layers.json and ROOT/overlay-images/ID/=BASE64.
/// containerd's content store is a class of its own.
class EngineFiles {
 public:
  EngineFiles() = default;  ///< has nothing
  /// `containerd`: the socket of the containerd that it uses, where it tells.
  EngineFiles(EngineFacts::Kind kind, std::string root, std::string driver, std::string containerd);
  /// Those that are read by what `open` returns, which has them where a helper has them (Engine::read_files_by).
  EngineFiles(EngineFacts::Kind kind, std::string driver, std::function<std::unique_ptr<Fetch>()> open);

  /// The image's config, verbatim, where it is here; else empty.
  std::string config(const std::string& handle) const;
  /// Engine::stored_layer().
  std::unique_ptr<Source> layer(const std::string& handle, const std::vector<std::string>& diff_ids,
                                std::size_t index) const;
  /// Engine::stored_image().
  std::unique_ptr<ImageStore> image(const std::string& handle) const;

 private:
  std::optional<std::string> read(const std::string& path, std::size_t most) const;
  std::unique_ptr<Source> unpacked(const std::string& record, const std::string& folder) const;

  EngineFacts::Kind kind_ = EngineFacts::Kind::docker_containerd;
  std::string root_, driver_, containerd_;
  std::function<std::unique_ptr<Fetch>()> open_;
  bool far_ = false;  // a Fetch is dear: one at a time is held
};

}  // namespace imgbuild

#pragma once
#include <functional>
#include <string>

#include "engine/engine.hpp"
#include "image/reference.hpp"
#include "image/registry_push.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

struct Pushed {
  std::string digest;  ///< of the manifest: the image is NAME@digest from now on
  std::size_t layers = 0, sent = 0;
  std::uint64_t sent_bytes = 0;  ///< of the layers that the registry did not have
};

/// Sends an image that was cleared, by the digests of what was looked at: the config whose digest the permission names,
/// and layers that unpack to its diff ids. The engine's names play no part, so none can move meanwhile. A layer is sent
/// as the engine keeps it where that is packed (containerd's store), else packed with gzip; one that the registry has
/// is not sent. That a blob of the registry is a layer, packed as others did, is believed once it was read and unpacks
/// to the diff id; the answer is remembered (RecordStore). The manifest, Docker's schema 2, is written last and gives
/// the image `to`'s tag: a push that fails has named nothing.
///
/// `step`: a line for each layer that is sent; may be empty. Throws Error.
Pushed push_image(const Cleared& cleared, Engine& engine, const Reference& to, const Variables& variables,
                  const std::function<void(const std::string&)>& step);

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_store.hpp"
#include "base/bytes.hpp"
#include "image/image.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// A layer as a registry keeps it.
struct PackedLayer {
  std::string digest;
  std::uint64_t size = 0;
  Container kind = Container::gzip;  ///< or zstd, or none
  std::unique_ptr<ByteStore> bytes;  ///< null: only the registry has them
};

/// Reads a layer's uncompressed bytes and packs them with gzip. Throws Error where they are not what `diff_id` says.
PackedLayer pack_layer(Source& layer, const std::string& diff_id);

/// Every layer of `wanted` (diff ids) that a docker-archive or an OCI layout in a tar holds, by diff id; one that lies
/// there packed stays as it is. Members are known by their bytes alone.
std::map<std::string, PackedLayer> layers_of_archive(Source& archive, const std::set<std::string>& wanted);

/// The diff id of a blob, and the blob's own names. Throws Error where it does not unpack.
std::pair<std::string, PackedLayer> names_of_blob(Source& blob);

/// The manifest of an image whose layers go by these names: Docker's schema 2, which every registry and engine knows,
/// or OCI's, which has a word for zstd.
std::string manifest_of(const ImageConfig& config, const std::vector<const PackedLayer*>& layers, bool oci);

}  // namespace imgbuild

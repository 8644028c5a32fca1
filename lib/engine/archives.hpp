#pragma once
#include <string>

#include "base/bytes.hpp"
#include "image/json.hpp"

/// Images as engines save and load them.
namespace imgbuild {

/// What a save stream says of one image. Every part was found by the sha256 of its bytes, from the handle down.
struct SavedImage {
  std::string config;  ///< verbatim
  Json layers;         ///< the manifest's layer descriptors; null where the handle is the config's digest
};

/// Reads a save stream (docker-archive of any age, OCI layout) until the image is known, or to its end. `handle` is the
/// digest of a config, a manifest or an index; of an index the image for `platform` ("" takes the first) counts.
/// Throws Error where the stream does not hold it.
SavedImage find_saved(Source& source, const std::string& handle, const std::string& platform);

/// A docker-archive that names the layers of `diff_ids` without holding them: for Docker's classic store.
std::string docker_archive(const std::string& config, const std::vector<std::string>& diff_ids);

/// An OCI layout of index, manifest and config, whose layer descriptors name blobs that the engine has.
struct OciArchive {
  std::string tar;
  std::string manifest;  ///< digest of the manifest
};
OciArchive oci_archive(const std::string& config, const Json& layers);

/// Layer descriptors for podman, which takes diff ids for blobs and does not look at the size.
Json podman_layers(const std::vector<std::string>& diff_ids);

/// The descriptor of a layer that is sent along, uncompressed.
Json new_layer(const std::string& diff_id, std::uint64_t size);

}  // namespace imgbuild

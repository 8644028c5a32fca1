#pragma once
#include <string>
#include <vector>

#include "engine/layers.hpp"
#include "image/image.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// An image as the files of an archive, as `docker save` and BuildKit's exporters write it: an OCI layout (image-spec
/// image-layout.md), and for docker the manifest.json that `docker load` reads. The same image gives the same bytes on
/// one machine.
struct ImageArchive {
  bool docker = false;
  bool packed = true;              ///< layers with gzip, else as tars
  std::vector<std::string> names;  ///< that the archive gives the image; may be empty

  /// `to` is told the files one after another. Each layer is read once, or twice where it is not packed; throws Error
  /// "layer N: why", also where one is not what its diff id says.
  void write(const ImageConfig& config, Layers& layers, TarVisitor& to) const;
};

}  // namespace imgbuild

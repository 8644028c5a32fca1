#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fetch.hpp"
#include "engine/archives.hpp"
#include "image/image.hpp"
#include "image/image_set.hpp"
#include "image/oci_layout.hpp"

namespace imgbuild {

/// One image as containerd's content store keeps it: each blob a file ROOT/blobs/sha256/HEX, as registries have it. Of
/// an index only some platforms may be there. What was read here before is not read again: the engine answers for its
/// blobs, as for a layer that it calls by its diff id. What is read is hashed by who reads it.
class ContentStore : public ImageStore {
 public:
  /// `folder`: ".../io.containerd.content.v1.content"; `handle`: the digest of a manifest or an index. Throws Error
  /// where that cannot be read.
  ContentStore(const std::string& folder, std::string handle);
  Root root() override;
  std::optional<std::string> manifest(const Descriptor& descriptor) override { return files_.manifest(descriptor); }
  std::optional<Blob> blob(const Descriptor& descriptor) override { return files_.blob(descriptor); }
  bool local() const override { return false; }
  bool partial() const override { return true; }

 private:
  std::string handle_;
  OciFolder files_;
};

/// The same by a Fetch, in a folder that this process cannot read.
class FetchedContent : public ImageStore {
 public:
  /// The first of containerd's roots that has `handle`; null where none has. `open` as of Engine::read_files_by().
  static std::unique_ptr<ImageStore> find(const std::vector<std::string>& roots, const std::string& handle,
                                          const std::function<std::unique_ptr<Fetch>()>& open);
  Root root() override { return {name_, top_, false}; }
  std::optional<std::string> manifest(const Descriptor& descriptor) override;
  std::optional<Blob> blob(const Descriptor& descriptor) override;
  bool local() const override { return false; }
  bool partial() const override { return true; }

 private:
  FetchedContent(std::string folder, std::function<std::unique_ptr<Fetch>()> open)
      : folder_(std::move(folder)), open_(std::move(open)) {}

  const std::string folder_;
  const std::function<std::unique_ptr<Fetch>()> open_;
  std::string name_, top_;
};

/// The image's config and layer descriptors; of several images the first that `wanted` says yes to, of one that one.
/// The config's bytes are what its digest says. Throws Error where there is none.
SavedImage find_kept(ImageStore& store, const std::function<bool(const ImageConfig&)>& wanted);

/// The root of the containerd that keeps a container's file system, by the container's own /proc/self/mountinfo: a path
/// of the engine's machine, as in the overlay's options (proc(5)). Empty where that does not say.
std::string containerd_root_in(std::string_view mountinfo);

/// Where containerd keeps its blobs, of the folders that are usual and of that which the containerd listening at the
/// socket `address` ("" where none is told) has in use; the first that has `handle`. Empty: not to be read from here.
std::string find_content(const std::string& docker_root, const std::string& address, const std::string& handle);

}  // namespace imgbuild

#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/fd.hpp"
#include "image/image_set.hpp"

namespace imgbuild {

/// An OCI image layout in a folder (image-spec image-layout.md). Its files are mapped: they must not shrink meanwhile.
class OciFolder : public ImageStore {
 public:
  /// Throws Error where the folder cannot be opened.
  explicit OciFolder(const std::string& path);
  Root root() override;
  std::optional<std::string> manifest(const Descriptor& descriptor) override;
  std::optional<Blob> blob(const Descriptor& descriptor) override;
  std::vector<std::string> all_blobs() const override;
  /// The files beside its blobs, in any folder: oci-layout, and what other tools put there. Throws Error where they are
  /// too many.
  std::vector<std::string> beside() const;
  /// One of them, for the store's life.
  View content(const std::string& name);

 private:
  Fd folder_;
  std::mutex mutex_;
  std::map<std::string, Mapping> mapped_;
};

}  // namespace imgbuild

#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "audit/audit.hpp"
#include "engine/engine.hpp"
#include "image/image_set.hpp"

namespace imgbuild {

/// An image of containerd's store by the documents that an earlier audit remembered, from the manifest or index that
/// the engine calls it by down: each names the next by its digest. Layers it has none: it is for an image whose layers
/// are all remembered too. Of an index, what a push would send is what the engine has of it now: the engine is asked.
///
/// Whatever is wanted and is not there is an Error, never passed over: then the engine has to send it.
class RememberedImage : public ImageStore {
 public:
  /// Null where the image's own manifest or index is not remembered, or where it is an index and the engine does not
  /// tell what it has of that. `auditor` must outlive it.
  static std::unique_ptr<ImageStore> find(const Auditor& auditor, Engine& engine, const std::string& handle);
  Root root() override;
  std::optional<std::string> manifest(const Descriptor& descriptor) override;
  std::optional<Blob> blob(const Descriptor& descriptor) override;
  bool local() const override { return false; }
  bool partial() const override { return true; }

 private:
  RememberedImage(const Auditor& auditor, const std::string& handle, std::string top)
      : auditor_(auditor), handle_(handle), top_(std::move(top)) {}
  std::string document(const Descriptor& descriptor) const;

  const Auditor& auditor_;
  const std::string handle_, top_;
  std::map<std::string, bool> below_;  // Engine::manifests_of
};

}  // namespace imgbuild

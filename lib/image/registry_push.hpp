#pragma once
#include <memory>
#include <string>

#include "base/whole.hpp"
#include "image/registry.hpp"

namespace imgbuild {

/// Writes into one repository of a registry (OCI distribution-spec 1.1, "Push"), which is found and logged in to as
/// RegistryStore says. What breaks off is begun again. Any thread.
class RegistryPush {
 public:
  /// Asks nothing yet. Throws Error where config.json is damaged.
  RegistryPush(const Reference& reference, const Variables& variables, RegistryOptions options = {});
  ~RegistryPush();

  bool has_blob(const std::string& digest);
  /// `digest`: of the bytes, of which there is one at least.
  void put_blob(const std::string& digest, const Whole& bytes);
  /// Names it, where `name` is a tag. Throws Error where the registry has another digest for it than its bytes do.
  void put_manifest(const std::string& text, const std::string& media_type, const std::string& name);

 private:
  std::unique_ptr<RegistryClient> client_;
};

}  // namespace imgbuild

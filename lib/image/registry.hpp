#pragma once
#include <memory>
#include <string>

#include "image/image_set.hpp"
#include "image/login.hpp"
#include "image/reference.hpp"

namespace imgbuild {

class RegistryClient;

struct RegistryOptions {
  unsigned first_wait_ms = 500;  ///< before the first new attempt; then twice as long each time
  unsigned attempts = 5;         ///< without progress
};

/// A repository of a registry (OCI distribution-spec 1.1), over HTTPS with the certificate verified; on loopback plain
/// HTTP where that is what answers. Authorities and client certificates of one registry are read from
/// /etc/docker/certs.d/HOST[:PORT]/ (also below ~/.config/docker and /etc/containers): *.crt, *.cert with *.key.
///
/// Asks as find_login() says who we are, by Basic or by a token (Bearer); the Authorization is never sent to another
/// server than the one that asked for it. What breaks off, is answered 429 or 5xx, or is not answered at all, is tried
/// again; a blob goes on where it stopped. Nothing that we send is in a message, even where the server says it back.
class RegistryStore : public ImageStore {
 public:
  /// Asks nothing yet. `reference`: parsed; its tag ("latest") or digest is the root. Throws Error where config.json is
  /// damaged.
  RegistryStore(const Reference& reference, const Variables& variables, RegistryOptions options = {});
  ~RegistryStore() override;
  Root root() override;
  std::optional<std::string> manifest(const Descriptor& descriptor) override;
  bool local() const override { return false; }
  std::optional<Blob> blob(const Descriptor& descriptor) override;

 private:
  class Download;
  std::shared_ptr<RegistryClient> client_;
  std::string wanted_;  ///< tag or digest
};

}  // namespace imgbuild

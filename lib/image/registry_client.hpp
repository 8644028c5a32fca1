#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/url.hpp"
#include "image/challenge.hpp"
#include "image/registry.hpp"

namespace imgbuild {

/// The requests about one repository: who asks, where redirects lead, when to ask again. Any thread.
class RegistryStore::Client {
 public:
  Client(const Reference& reference, const Variables& variables, RegistryOptions options);

  /// GET /v2/NAME`path`. The status is 200, 206, 404 or 416; everything else is thrown.
  std::unique_ptr<HttpBody> get(const std::string& path, const std::vector<std::string>& headers);
  /// Waits before attempt `number` (1: the first new one); an interrupt is not kept waiting.
  void wait(unsigned number, const std::string& retry_after = {}) const;
  unsigned attempts() const noexcept { return options_.attempts; }
  /// "registry.example: team/app".
  const std::string& name() const noexcept { return name_; }

 private:
  std::unique_ptr<HttpBody> send(const std::string& target, const std::vector<std::string>& headers,
                                 const Secret& authorization);
  HttpEndpoint endpoint_of(const Url& url) const;
  void find_scheme();
  std::shared_ptr<const Secret> authorization() const;
  void log_in(const std::string& challenge, const std::shared_ptr<const Secret>& refused);
  Secret basic() const;
  Secret fetch_token(const Challenge& challenge) const;
  Error refusal(HttpBody& answer) const;
  std::string without_secrets(std::string words) const;

  const RegistryOptions options_;
  const Variables variables_;
  std::string name_, repository_, host_name_;
  Url server_;
  Login login_;
  std::mutex login_mutex_;
  mutable std::mutex mutex_;
  bool scheme_known_ = false;
  std::shared_ptr<const Secret> authorization_;  ///< the header's value
};

}  // namespace imgbuild

#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/whole.hpp"
#include "http/url.hpp"
#include "image/challenge.hpp"
#include "image/registry.hpp"

namespace imgbuild {

/// What is asked of a repository.
struct RegistryRequest {
  std::string method = "GET";
  Url url;  ///< of RegistryClient::url(), or where the registry sends an upload
  std::vector<std::string> headers;
  std::string body;
  const Whole* upload = nullptr;  ///< sent instead of `body`; begun again from its start where that is needed
};

/// The requests about one repository: who asks, where redirects lead, when to ask again. Any thread.
class RegistryClient {
 public:
  /// `actions`: what a token has to allow, "pull" or "pull,push".
  RegistryClient(const Reference& reference, const Variables& variables, RegistryOptions options, std::string actions);

  /// The status is 2xx, 404 or 416; everything else is thrown. An upload that breaks off is not sent again, and its
  /// status may be any.
  std::unique_ptr<HttpBody> ask(const RegistryRequest& request);
  /// GET /v2/NAME`path`.
  std::unique_ptr<HttpBody> get(const std::string& path, const std::vector<std::string>& headers);
  /// /v2/NAME`path`.
  Url url(const std::string& path);
  /// What `location` of an answer means. Throws Error where it leads to a server without TLS.
  Url follow(const Url& from, const std::string& location) const;
  /// The registry's own words about an answer that is no success.
  Error refusal(HttpBody& answer) const;
  /// Waits before attempt `number` (1: the first new one); an interrupt is not kept waiting.
  void wait(unsigned number, const std::string& retry_after = {}) const;
  unsigned attempts() const noexcept { return options_.attempts; }
  /// "registry.example: team/app".
  const std::string& name() const noexcept { return name_; }

 private:
  std::unique_ptr<HttpBody> send(const RegistryRequest& request, const Secret& authorization);
  HttpEndpoint endpoint_of(const Url& url) const;
  void find_scheme();
  std::shared_ptr<const Secret> authorization() const;
  void log_in(const std::string& challenge, const std::shared_ptr<const Secret>& refused);
  Secret basic() const;
  Secret fetch_token(const Challenge& challenge) const;
  std::string without_secrets(std::string words) const;

  const RegistryOptions options_;
  const Variables variables_;
  const std::string actions_;
  std::string name_, repository_, host_name_;
  Url server_;
  Login login_;
  std::mutex login_mutex_;
  mutable std::mutex mutex_;
  bool scheme_known_ = false;
  std::shared_ptr<const Secret> authorization_;  ///< the header's value
};

}  // namespace imgbuild

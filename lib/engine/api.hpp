#pragma once
#include <memory>
#include <string>

#include "engine/demux.hpp"
#include "engine/endpoint.hpp"
#include "http/client.hpp"
#include "image/json.hpp"

namespace imgbuild {

/// The newest and the oldest version of the Docker Engine API that we speak.
constexpr int newest_minor = 56, oldest_minor = 40;

/// The version to speak with an engine that says it knows up to `theirs` ("1.41"): the lower of both. Throws Error
/// where that is too old.
std::string negotiate(const std::string& theirs);

/// The requests of one engine: its version in front of each path, its refusals as Errors in its own words. One thread.
class Api {
 public:
  /// Asks the engine for its version. Throws Error with a hint where none answers.
  explicit Api(EngineAddress address);

  const EngineAddress& address() const noexcept { return address_; }
  const std::string& version() const noexcept { return version_; }  ///< "1.41"
  bool at_least(int minor) const noexcept { return minor_ >= minor; }
  bool podman() const noexcept { return podman_; }  ///< says so when it is greeted

  /// The answer, whatever its status. `path` begins with '/' and has no version. Throws Error "engine: ..." only where
  /// no answer came.
  HttpAnswer ask(const std::string& method, const std::string& path, const std::string& body = {},
                 const std::string& type = "application/json");
  /// The same for a body that is streamed. What the source throws breaks the request off.
  HttpAnswer send(const std::string& path, Source& body, const std::string& type);
  /// The answer's JSON. Throws Error "engine: WHAT: its words" on any other status than 2xx.
  Json demand(const std::string& what, const std::string& method, const std::string& path,
              const std::string& body = {});
  /// A streamed answer with status 200; else throws as demand() does.
  std::unique_ptr<HttpBody> open(const std::string& what, const std::string& method, const std::string& path,
                                 const std::vector<std::string>& headers = {}, Source* upload = nullptr);
  /// GET, streamed; null where there is no such thing (404).
  std::unique_ptr<HttpBody> find(const std::string& what, const std::string& path);
  std::unique_ptr<Stream> hijack(const std::string& what, const std::string& path, const std::string& body,
                                 const std::vector<std::string>& headers = {}, const std::string& upgrade = "tcp");
  /// Sends the head of a POST; body and answer are the caller's.
  std::unique_ptr<Stream> begin(const std::string& path, const std::vector<std::string>& headers);

  /// "engine: WHAT: its words".
  static Error refusal(const std::string& what, const HttpAnswer& answer);

 private:
  std::string path_of(const std::string& path) const { return (version_.empty() ? "" : "/v" + version_) + path; }

  EngineAddress address_;
  HttpClient client_;
  std::string version_;
  int minor_ = 0;
  bool podman_ = false;
};

}  // namespace imgbuild

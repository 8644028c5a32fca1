#include "image/registry_push.hpp"

#include <optional>

#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "image/registry_client.hpp"

namespace imgbuild {
RegistryPush::RegistryPush(const Reference& reference, const Variables& variables, RegistryOptions options)
    : client_(std::make_unique<RegistryClient>(reference, variables, options, "pull,push")) {}
RegistryPush::~RegistryPush() = default;

bool RegistryPush::has_blob(const std::string& digest) {
  RegistryRequest request;
  request.method = "HEAD";
  request.url = client_->url("/blobs/" + digest);
  return client_->ask(request)->head().status == 200;
}

void RegistryPush::put_blob(const std::string& digest, const Whole& bytes) {
  std::optional<Error> refused;
  for (unsigned attempt = 1;; ++attempt) {
    RegistryRequest begin;
    begin.method = "POST";
    begin.url = client_->url("/blobs/uploads/");
    const auto begun = client_->ask(begin);
    if (begun->head().status != 202) throw client_->refusal(*begun);
    RegistryRequest put;
    put.method = "PUT";
    put.url = client_->follow(begin.url, begun->head().header("location"));
    put.url.target += (put.url.target.find('?') == std::string::npos ? "?digest=" : "&digest=") + digest;
    put.headers = {"Content-Type: application/octet-stream"};
    put.upload = &bytes;
    try {
      const auto answer = client_->ask(put);
      const int status = answer->head().status;
      if (status == 201 || status == 204) return;
      // An upload that the registry no longer knows, or cannot take now, is begun anew; a refusal stays one.
      const bool again = status == 404 || status == 416 || status == 429 || status >= 500;
      if (!again || attempt >= client_->attempts()) refused = client_->refusal(*answer);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      if (attempt >= client_->attempts()) throw;
    }
    if (refused) throw *refused;
    client_->wait(attempt);
  }
}

void RegistryPush::put_manifest(const std::string& text, const std::string& media_type, const std::string& name) {
  RegistryRequest put;
  put.method = "PUT";
  put.url = client_->url("/manifests/" + percent_encode(name, ":"));
  put.headers = {"Content-Type: " + media_type};
  put.body = text;
  const auto answer = client_->ask(put);
  if (answer->head().status < 200 || answer->head().status >= 300) throw client_->refusal(*answer);
  const std::string told = answer->head().header("docker-content-digest"), digest = sha256_digest(view_of(text));
  if (!told.empty() && told != digest)
    throw Error(client_->name() + ": it has another manifest than was sent: expected " + digest);
}

}  // namespace imgbuild

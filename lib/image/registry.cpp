// A blob is one stream to its reader, however often the connection that brings it is lost: each new request asks for
// what is missing (RFC 9110, section 14). Whether the pieces are of one thing the blob's digest tells in the end.
#include "image/registry.hpp"

#include <algorithm>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/registry_client.hpp"

namespace imgbuild {
namespace {

constexpr const char* accepted =
    "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.artifact.manifest.v1+json, application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.5, "
    "application/vnd.docker.distribution.manifest.v1+json;q=0.5";

constexpr unsigned most_requests = 200;  // for one blob, with or without progress

}  // namespace

class RegistryStore::Download : public Source {
 public:
  Download(std::shared_ptr<RegistryClient> client, const Descriptor& descriptor, std::unique_ptr<HttpBody> begun)
      : client_(std::move(client)), descriptor_(descriptor), body_(std::move(begun)) {}

  View next() override {
    for (;;) {
      View piece;
      try {
        if (!body_) resume();
        piece = body_->next();
        // An end that comes too early is a connection that was lost.
        if (piece.empty() && descriptor_.sized && received_ < descriptor_.size)
          throw Error("it sends " + std::to_string(received_) + " bytes of " + std::to_string(descriptor_.size));
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        lost(error);
        continue;
      }
      if (const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, piece.size()));
          skipped > 0) {
        skip_ -= skipped;
        piece = piece.subspan(skipped);
        if (piece.empty()) continue;
      }
      received_ += piece.size();
      if (descriptor_.sized && received_ > descriptor_.size)
        throw Error("it sends more than the " + std::to_string(descriptor_.size) + " bytes that the manifest says");
      return piece;
    }
  }

 private:
  void resume() {
    std::vector<std::string> headers;
    if (received_ > 0) headers.push_back("Range: bytes=" + std::to_string(received_) + "-");
    body_ = client_->get("/blobs/" + descriptor_.digest, headers);
    const int status = body_->head().status;
    skip_ = status == 200 ? received_ : 0;
    const std::string begin = "bytes " + std::to_string(received_) + "-";
    if (status == 404 || status == 416 || (status == 206 && !body_->head().header("content-range").starts_with(begin)))
      throw Error("it does not go on where it stopped (status " + std::to_string(status) + ")");
  }

  void lost(const Error& error) {
    body_.reset();
    failures_ = received_ > lost_at_ ? 1 : failures_ + 1;
    lost_at_ = received_;
    if (failures_ >= client_->attempts() || ++requests_ > most_requests) throw error;
    client_->wait(failures_);
  }

  std::shared_ptr<RegistryClient> client_;
  const Descriptor descriptor_;
  std::unique_ptr<HttpBody> body_;
  std::uint64_t received_ = 0, skip_ = 0, lost_at_ = 0;
  unsigned failures_ = 0, requests_ = 0;
};

RegistryStore::RegistryStore(const Reference& reference, const Variables& variables, RegistryOptions options)
    : client_(std::make_shared<RegistryClient>(reference, variables, options, "pull")),
      wanted_(!reference.digest.empty() ? reference.digest
              : reference.tag.empty()   ? "latest"
                                        : reference.tag) {}
RegistryStore::~RegistryStore() = default;

ImageStore::Root RegistryStore::root() {
  const auto text = manifest(descriptor_of(wanted_));
  if (!text)
    throw Error(client_->name() + ": it has no image " + printable(wanted_), "is the name right, and the tag?");
  if (is_sha256_digest(wanted_) && sha256_digest(view_of(*text)) != wanted_)
    throw Error(client_->name() + ": the manifest's bytes are not what was asked for: expected " + wanted_ + ", got " +
                sha256_digest(view_of(*text)));
  return {Descriptor{sha256_digest(view_of(*text)), 0, false, {}, {}, {}, {}}.path(), *text, false};
}

std::optional<std::string> RegistryStore::manifest(const Descriptor& descriptor) {
  for (unsigned attempt = 1;; ++attempt) {
    const auto answer = client_->get("/manifests/" + percent_encode(descriptor.digest, ":"), {accepted});
    if (answer->head().status == 404) return std::nullopt;
    std::string text;
    try {
      for (View piece = answer->next(); !piece.empty(); piece = answer->next()) {
        text += text_of(piece);
        if (text.size() > most_manifest) break;
      }
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      if (attempt >= client_->attempts()) throw;
      client_->wait(attempt);
      continue;
    }
    if (text.size() > most_manifest) throw Error("a manifest larger than " + human_size(most_manifest));
    const std::string told = answer->head().header("docker-content-digest");
    if (is_sha256_digest(told) && told != sha256_digest(view_of(text)))
      throw Error("the manifest's bytes are not what the registry says: expected " + told + ", got " +
                  sha256_digest(view_of(text)));
    return text;
  }
}

std::optional<ImageStore::Blob> RegistryStore::blob(const Descriptor& descriptor) {
  auto answer = client_->get("/blobs/" + descriptor.digest, {});
  if (answer->head().status == 404) return std::nullopt;
  return Blob{{}, std::make_unique<Download>(client_, descriptor, std::move(answer)), {}};
}

}  // namespace imgbuild

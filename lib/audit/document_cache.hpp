#pragma once
#include <memory>
#include <optional>
#include <string>

#include "audit/record_store.hpp"

namespace imgbuild {

/// Documents of images that were audited before (configs, manifests, indexes, attestations), verbatim, so that an
/// engine whose files cannot be read here need not send an image whole for its few kilobytes of JSON. Each is found by
/// the digest of its bytes, which is checked as often as it is read; the rest is RecordStore's.
///
/// Unlike a layer's record a document holds values: one that leaked through ENV, a build argument or a label would lie
/// in the cache in plain text. So it is for the caller to keep only a document in which it found nothing at all, be it
/// a note or public, and that cannot hold a secret of a build's: what is left is what `docker inspect` tells the same
/// user. One that an earlier program kept, with rules that saw less, is to be forgotten as soon as something is found.
/// Any thread.
class DocumentCache {
 public:
  /// Null where there is no place for one (RecordStore::open).
  static std::unique_ptr<DocumentCache> open();

  /// The document of that digest ("sha256:..."); nullopt: there is none that is good.
  std::optional<std::string> find(const std::string& digest) const;
  /// `text`: what the digest says.
  void keep(const std::string& digest, const std::string& text) const;
  void forget(const std::string& digest) const;

 private:
  explicit DocumentCache(std::unique_ptr<RecordStore> store) : store_(std::move(store)) {}
  std::string name_of(const std::string& digest) const;

  const std::unique_ptr<RecordStore> store_;
};

}  // namespace imgbuild

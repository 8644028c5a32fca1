#include "audit/document_cache.hpp"

#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {

std::unique_ptr<DocumentCache> DocumentCache::open() {
  auto store = RecordStore::open();
  return store ? std::unique_ptr<DocumentCache>(new DocumentCache(std::move(store))) : nullptr;
}

// Not the digest itself: which images somebody has is nobody else's business.
std::string DocumentCache::name_of(const std::string& digest) const {
  return store_->name_for(view_of("imgbuild document\n" + digest));
}

std::optional<std::string> DocumentCache::find(const std::string& digest) const {
  const auto record = store_->get(name_of(digest));
  if (!record || sha256_digest(*record) != digest) return std::nullopt;
  return std::string(text_of(*record));
}

void DocumentCache::keep(const std::string& digest, const std::string& text) const {
  if (!find(digest)) store_->put(name_of(digest), view_of(text));
}

void DocumentCache::forget(const std::string& digest) const { store_->remove(name_of(digest)); }

}  // namespace imgbuild

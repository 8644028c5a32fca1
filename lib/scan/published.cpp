#include "scan/published.hpp"

#include <algorithm>

#include "scan/published_list.hpp"

namespace imgbuild {
namespace {

std::string_view look_up(std::string_view text) {
  const auto digest = read_published_digest(text);
  if (!digest) return {};
  const PublishedList& list = published_list();
  const auto* end = list.digests + list.count;
  const auto* at = std::lower_bound(list.digests, end, *digest);
  return at != end && *at == *digest ? list.text + list.places[at - list.digests] : std::string_view{};
}

}  // namespace

std::string_view published_key(std::string_view fingerprint) {
  return fingerprint.starts_with("SHA256:") ? look_up(fingerprint) : std::string_view{};
}

std::string_view published_file(std::string_view digest) {
  return digest.starts_with("sha256:") ? look_up(digest) : std::string_view{};
}

std::string published_as(const std::optional<KeyFacts>& key, std::string_view file_digest) {
  if (const auto where = key ? published_key(key->fingerprint) : std::string_view(); !where.empty())
    return "public test key: " + std::string(where);
  if (const auto where = published_file(file_digest); !where.empty()) return "public file: " + std::string(where);
  return {};
}

}  // namespace imgbuild

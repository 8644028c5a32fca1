// Who answered for what. The stager and the auditor decide by this one function, so that an entry which lets a file
// into a context lets it into the image as well.
//
// An entry excuses one secret in one place. Its identity is the public fingerprint of a key, or a salted slow hash of
// the value: a file that is committed must not help anyone to guess a short password.
#include "scan/allow.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/utc.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

bool counts(const AllowEntry& entry, const Policy& policy) {
  // "..." is what an entry that was pasted and not filled in says.
  return !entry.reason.empty() && entry.reason != "..." && !has_expired(entry, policy.now);
}

// `at` is "LAYER:PATH"; the layer is compared as a word, for a path may hold a colon too.
bool stands_at(std::string_view at, std::string_view place) {
  const std::size_t colon = at.find(':'), border = place.find(':');
  if (colon == std::string_view::npos || border == std::string_view::npos) return false;
  const std::string_view wanted = at.substr(0, colon), layer = place.substr(0, border);
  const bool any =
      wanted == "*" && std::all_of(layer.begin(), layer.end(), [](char c) { return c >= '0' && c <= '9'; });
  return (any || wanted == layer) && glob_matches(at.substr(colon + 1), place.substr(border + 1));
}

// A path as a glob that matches it alone. TOML cannot hold a byte that is not UTF-8: any byte may stand there.
std::string glob_of(std::string_view place) {
  std::string out;
  while (!place.empty()) {
    const char c = place[0];
    const std::size_t length = utf8_length(place);
    if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
    out += length == 0 ? "?" : place.substr(0, length);
    place.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

bool has_expired(const AllowEntry& entry, std::time_t now) {
  return !entry.expires.empty() && utc(now, "%Y-%m-%d") > entry.expires;
}

bool names(const AllowEntry& entry, const std::string& rule, const Location& place, const std::optional<KeyFacts>& key,
           std::string_view value) {
  if (entry.rule.empty() || entry.rule != rule || !stands_at(entry.at, allow_place_of(place))) return false;
  if (entry.identity.rfind("SHA256:", 0) == 0) return key && entry.identity == key->fingerprint;
  return scrypt_matches(entry.identity, value);
}

bool names_file(const AllowEntry& entry, const std::string& path, const std::string& sha256) {
  const auto hex_of = [](std::string_view digest) {
    return lower(digest.rfind("sha256:", 0) == 0 ? digest.substr(7) : digest);
  };
  return !path.empty() && !sha256.empty() && entry.path == path && !entry.sha256.empty() &&
         hex_of(entry.sha256) == hex_of(sha256);
}

const AllowEntry* find_allow(const Policy& policy, const std::string& rule, const Location& place,
                             const std::optional<KeyFacts>& key, std::string_view value) {
  for (const auto& entry : policy.allow)
    if (counts(entry, policy) && names(entry, rule, place, key, value)) return &entry;
  return nullptr;
}

const AllowEntry* find_allow_file(const Policy& policy, const std::string& path, const std::string& sha256) {
  for (const auto& entry : policy.allow)
    if (counts(entry, policy) && names_file(entry, path, sha256)) return &entry;
  return nullptr;
}

std::string allow_entry_text(const std::string& rule, const std::string& place, const std::string& identity) {
  const std::size_t colon = place.find(':');
  // A layer's number changes with every edit of the base: the path is what is meant.
  const bool layer = colon != std::string::npos && colon > 0 &&
                     std::all_of(place.begin(), place.begin() + static_cast<std::ptrdiff_t>(colon),
                                 [](char c) { return c >= '0' && c <= '9'; });
  const std::string at = layer ? "*:" + glob_of(place.substr(colon + 1)) : glob_of(place);
  return "[[allow]]\nrule = " + toml_quoted(rule) + "\nat = " + toml_quoted(at) +
         "\nidentity = " + toml_quoted(identity) + "\nreason = \"...\"\n";
}

std::string allow_identity(const std::optional<KeyFacts>& key, std::string_view value) {
  return key && !key->fingerprint.empty() ? key->fingerprint : scrypt_identity(value);
}

}  // namespace imgbuild

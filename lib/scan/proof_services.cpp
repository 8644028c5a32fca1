// Is a text that a machine made the key of a service whose name stands near?
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "scan/assignment.hpp"
#include "scan/letters.hpp"
#include "scan/proofs.hpp"

namespace imgbuild::proofs {
namespace {

// Behind the last of these words in `text`, where one begins a word; npos: none does.
std::size_t behind_name(std::string_view text, const std::vector<std::string>& words) {
  const std::string small = lower(text);
  std::size_t behind = std::string::npos;
  for (const auto& word : words)
    for (std::size_t at = small.find(word); at != std::string::npos; at = small.find(word, at + 1)) {
      if (!begins_name(text, at)) continue;
      if (behind == std::string::npos || at + word.size() > behind) behind = at + word.size();
    }
  return behind;
}

}  // namespace

// v0.0.0-20230124213148-69fd1a0e4bf7 of Go, 1.2.3-alpha...
bool is_version(std::string_view value) {
  if (value.starts_with('v')) value.remove_prefix(1);
  const std::size_t dot = value.find('.');
  return dot != std::string_view::npos && dot > 0 && dot <= 3 &&
         value.substr(0, dot).find_first_not_of("0123456789") == std::string_view::npos &&
         is_date_or_version(value.substr(0, value.find_first_of("-+")));
}

namespace {

// As md5sum and its like write it: the sum, two characters, the file.
bool is_checksum_line(std::string_view before, std::string_view value, std::string_view behind) {
  return (before.empty() || before.back() == '\n') && (behind.starts_with("  ") || behind.starts_with(" *")) &&
         is_lower_hex(value);
}

// shodan.Shodan("KEY"), twilio(SID, "TOKEN"): between the service's name and the value a call begins, and does not end.
bool is_given_to(std::string_view between) {
  const std::size_t open = between.rfind('(');
  if (open == std::string_view::npos || between.find_first_of("\r\n;{") != std::string_view::npos) return false;
  const std::string_view called = between.substr(0, open);
  return (between.back() == '"' || between.back() == '\'') && !contains(between.substr(open), ")") &&
         std::all_of(called.begin(), called.end(), [](char c) {
           return is_name_char(c) || std::string_view(".'\")( =").find(c) != std::string_view::npos;
         });
}

}  // namespace

// A text that a machine made, near the name of a service; between them, or before it, something says that it is a key.
Proof service_key(const Suspect& suspect) {
  constexpr std::size_t reach = 96;
  const std::string_view value = suspect.secret;
  if (suspect.near == nullptr || is_stand_in(value) || is_version(value) || is_account_of_chain(value) ||
      !may_be_key(value))
    return {};
  const auto at = static_cast<std::size_t>(value.data() - suspect.around.data());
  const std::size_t from = at - std::min(at, reach);
  const std::string_view before = suspect.around.substr(from, at - from);
  if (before.ends_with("ENC(") || before.ends_with("ENC[")) return {};  // of Jasypt: encrypted
  if (is_checksum_line(before, value, suspect.around.substr(at + value.size()))) return {};
  std::string_view between, said;
  if (const std::size_t behind = behind_name(before, *suspect.near); behind != std::string::npos) {
    between = before.substr(behind);
    if (std::count(between.begin(), between.end(), '\n') > 2) return {};
    // So far away only where a command goes on.
    constexpr std::size_t close_by = 64;
    if (const std::size_t line = between.find('\n');
        between.size() > close_by && line != std::string_view::npos && (line == 0 || between[line - 1] != '\\'))
      return {};
    // github.com/name/package COMMIT
    const std::string_view line = before.substr(0, behind).substr(before.substr(0, behind).rfind('\n') + 1);
    if (value.size() == 40 && is_lower_hex(value) && contains(line, "github.com/")) return {};
    // The name's own tail says it too: stripe_key, RENDER_API_TOKEN.
    said = before.substr(behind - std::min<std::size_t>(behind, 7));
  } else {
    // curl -H "Authorization: Token ..." https://api.service.com: the line says it before the name does.
    const std::size_t line = before.rfind('\n');
    said = between = line == std::string_view::npos ? before : before.substr(line + 1);
    std::string_view after = suspect.around.substr(at + value.size(), reach);
    after = after.substr(0, after.find('\n'));
    if (behind_name(after, *suspect.near) == std::string::npos) return {};
  }
  std::string small = lower(said);
  // The service's name says nothing.
  for (std::size_t name = small.find("auth0"); name != std::string::npos; name = small.find("auth0"))
    small.erase(name, 5);
  static constexpr std::string_view others[] = {
      "sha1",        "sha2",     "sha5",      "sha-",      "sha=",     "sha:",    "md5",         "hash",
      "checksum",    "commit",   "digest",    "integrity", "revision", "etag",    "fingerprint", "public",
      "publishable", "site_key", "sitekey",   "blob",      "tree",     "version", "nonce",       "signature",
      "guid",        "h1:",      "v0.0.0",    "rev\"",     "rev:",     "rev=",    "rev =",       "csrf",
      "client_id",   "clientid", "client id", "client-id", "app_id",   "appid",   "project_id",  "enc["};
  static constexpr std::string_view says[] = {"key", "token",  "secret", "pass",   "auth", "cred",
                                              "api", "bearer", "pwd",    "access", "sid",  "login"};
  return proven(!any_of(others, lower(between), contains) &&
                (any_of(says, small, contains) || (!between.empty() && is_given_to(between))));
}

}  // namespace imgbuild::proofs

#include "scan/meant_public.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/proofs.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t in_reach = 320;  // of a table in code, from a value to its braces
constexpr std::size_t longest_token = 4096;

// The payload of a JSON Web Token says: Supabase made it for the role "anon", and for no user.
bool is_token_of_anybody(std::string_view token) {
  if (!token.starts_with("eyJ") || token.size() > longest_token) return false;
  const std::size_t first = token.find('.'), second = token.find('.', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return false;
  const Bytes payload = proofs::decoded_base64(token.substr(first + 1, second - first - 1));
  // A nesting that would exhaust the parser's stack is no token.
  if (payload.empty() ||
      std::count(payload.begin(), payload.end(), '[') + std::count(payload.begin(), payload.end(), '{') > 64)
    return false;
  const auto value = nlohmann::json::parse(payload.begin(), payload.end(), nullptr, false);
  if (!value.is_object()) return false;
  const auto is = [&](const char* claim, std::string_view text) {
    const auto found = value.find(claim);
    return found != value.end() && found->is_string() && found->get_ref<const std::string&>().starts_with(text);
  };
  return is("iss", "supabase") && is("role", "anon") && !value.contains("sub");
}

// What names the value, in small letters: what stands before it on its line, behind the last comma or brace.
std::string name_of(std::string_view before) {
  before = before.substr(before.size() - std::min<std::size_t>(before.size(), 120));
  before = before.substr(before.find_last_of("\r\n,{(;&?") + 1);
  return lower(before);
}

bool is_key_of_search(std::string_view secret, std::string_view before, std::string_view after) {
  if (secret.size() != 32 || !proofs::is_lower_hex(secret)) return false;
  const std::string name = name_of(before);
  if (proofs::contains(name, "admin") || proofs::contains(name, "write")) return false;
  if (proofs::contains(name, "algolia") && proofs::contains(name, "search")) return true;
  // The table that it stands in: {appId: "...", apiKey: "...", indexName: "..."}
  before = before.substr(before.size() - std::min(before.size(), in_reach));
  const std::size_t open = before.find_last_of("{(");
  const std::size_t close = after.substr(0, in_reach).find_first_of("})");
  const std::string around = lower(before.substr(open == std::string_view::npos ? 0 : open)) +
                             lower(after.substr(0, std::min({after.size(), in_reach, close})));
  const bool index = proofs::contains(around, "indexname") || proofs::contains(around, "index_name");
  const bool application = proofs::contains(around, "appid") || proofs::contains(around, "app_id") ||
                           proofs::contains(around, "applicationid") || proofs::contains(around, "application_id");
  return index && application && !proofs::contains(around, "admin");
}

bool is_sum_in_annotation(std::string_view secret, std::string_view before) {
  if (secret.size() < 32 || !proofs::is_lower_hex(secret)) return false;
  const std::string name = name_of(before);
  const std::size_t at = name.find("checksum");
  return at != std::string::npos && at + 8 < name.size() &&
         std::string_view("/.-_").find(name[at + 8]) != std::string_view::npos;
}

}  // namespace

bool is_meant_to_be_public(std::string_view secret, std::string_view before, std::string_view after) {
  return is_token_of_anybody(secret) || is_key_of_search(secret, before, after) || is_sum_in_annotation(secret, before);
}

}  // namespace imgbuild

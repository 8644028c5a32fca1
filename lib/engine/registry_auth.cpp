#include "engine/registry_auth.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

// A JSON document that holds a password, wiped with its owner.
struct Wiped {
  std::string text;
  ~Wiped() { wipe(text.data(), text.size()); }
};

std::string url_safe(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

Secret encode(const Json& auth) {
  const Wiped json{auth.dump(-1, ' ', false, Json::error_handler_t::replace)};
  const Wiped encoded{url_safe(base64(view_of(json.text)))};
  return Secret(encoded.text);
}

}  // namespace

Secret registry_auth(const std::string& registry, const Variables& variables) {
  const Login login = find_login(registry, variables);
  if (login.empty()) return {};
  if (!login.identity_token.empty())
    return encode({{"identitytoken", login.identity_token.reveal()}, {"serveraddress", login.server}});
  return encode({{"username", login.user}, {"password", login.password.reveal()}, {"serveraddress", login.server}});
}

}  // namespace imgbuild

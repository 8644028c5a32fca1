#include "engine/registry_auth.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/process.hpp"
#include "base/text.hpp"
#include "engine/json.hpp"

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

Secret ask_helper(const std::string& helper, const std::string& server) {
  const std::string program = "docker-credential-" + helper;
  if (helper.find('/') != std::string::npos) throw Error("a credential helper's name holds a '/'");
  Ran ran = run({.argv = {program, "get"}}, server);
  const Wiped out{std::move(ran.out)};
  if (ran.status != 0) {
    if (out.text.find("not found") != std::string::npos) return {};
    throw Error(program + " ended with status " + std::to_string(ran.status));
  }
  const Json answer = parse_json(out.text, "its answer");
  const std::string user = text_at(answer, "Username");
  const Wiped secret{text_at(answer, "Secret")};
  if (user == "<token>") return encode({{"identitytoken", secret.text}, {"serveraddress", server}});
  return encode({{"username", user}, {"password", secret.text}, {"serveraddress", server}});
}

}  // namespace

Secret registry_auth(const std::string& registry, const Variables& variables) {
  const std::string path = docker_config_folder(variables) + "/config.json";
  if (::access(path.c_str(), R_OK) != 0) return {};
  try {
    const Wiped file{read_file(path, 4 << 20)};
    const Json config = parse_json(file.text, "the file");
    const std::string server = registry == "docker.io" ? "https://index.docker.io/v1/" : registry;

    std::string helper = text_at(at(config, "credHelpers"), server);
    if (helper.empty()) helper = text_at(at(config, "credHelpers"), registry);
    if (helper.empty()) helper = text_at(config, "credsStore");
    if (!helper.empty()) return ask_helper(helper, server);

    const Json* entry = &at(at(config, "auths"), server);
    if (entry->is_null()) entry = &at(at(config, "auths"), "https://" + registry);
    if (entry->is_null()) return {};
    if (const Wiped token{text_at(*entry, "identitytoken")}; !token.text.empty())
      return encode({{"identitytoken", token.text}, {"serveraddress", server}});
    const Wiped packed{text_at(*entry, "auth")};
    const auto pair = unbase64(packed.text);
    if (!pair || pair->empty()) return {};
    const Wiped plain{std::string(text_of(*pair))};
    const std::size_t colon = plain.text.find(':');
    if (colon == std::string::npos) throw Error("the entry for " + printable(server) + " is no user and password");
    const Wiped password{plain.text.substr(colon + 1)};
    return encode({{"username", plain.text.substr(0, colon)}, {"password", password.text}, {"serveraddress", server}});
  } catch (const Error& error) {
    throw error.within(printable(path));
  }
}

}  // namespace imgbuild

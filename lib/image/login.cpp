#include "image/login.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

// Text that holds a password, wiped with its owner.
struct Wiped {
  std::string text;
  ~Wiped() { wipe(text.data(), text.size()); }
};

void ask_helper(const std::string& helper, Login& login) {
  const std::string program = "docker-credential-" + helper;
  if (helper.find('/') != std::string::npos) throw Error("a credential helper's name holds a '/'");
  Ran ran = run({.argv = {program, "get"}}, login.server);
  const Wiped out{std::move(ran.out)};
  if (ran.status != 0) {
    if (out.text.find("not found") != std::string::npos) return;
    throw Error(program + " ended with status " + std::to_string(ran.status));
  }
  const Json answer = parse_json(out.text, "its answer");
  const Wiped secret{text_at(answer, "Secret")};
  login.user = text_at(answer, "Username");
  if (login.user == "<token>")
    login.identity_token = Secret(secret.text);
  else
    login.password = Secret(secret.text);
}

// "https://host:5000/v1/" and "host:5000" are the same server, as Docker's client sees it.
std::string_view host_of(std::string_view server) {
  if (const std::size_t scheme = server.find("://"); scheme != std::string_view::npos) server.remove_prefix(scheme + 3);
  return server.substr(0, server.find('/'));
}

const Json* entry_for(const Json& auths, const Login& login, const std::string& registry) {
  if (const Json& exact = at(auths, login.server); !exact.is_null()) return &exact;
  if (auths.is_object())
    for (const auto& [server, entry] : auths.items())
      if (host_of(server) == host_of(login.server) || host_of(server) == registry) return &entry;
  return nullptr;
}

void read_entry(const Json& entry, Login& login) {
  const Wiped packed{text_at(entry, "auth")};
  const auto pair = unbase64(packed.text);
  const Wiped plain{pair ? std::string(text_of(*pair)) : std::string()};
  const std::size_t colon = plain.text.find(':');
  login.user = plain.text.substr(0, colon);
  if (const Wiped token{text_at(entry, "identitytoken")}; !token.text.empty()) {
    login.identity_token = Secret(token.text);
    return;
  }
  if (plain.text.empty()) return;
  if (colon == std::string::npos) throw Error("the entry for " + printable(login.server) + " is no user and password");
  std::string_view password = std::string_view(plain.text).substr(colon + 1);
  while (password.ends_with('\0')) password.remove_suffix(1);
  login.password = Secret(password);
}

}  // namespace

Variables process_variables() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
}

std::string docker_config_folder(const Variables& variables) {
  const std::string said = variables("DOCKER_CONFIG");
  return said.empty() ? variables("HOME") + "/.docker" : said;
}

Login find_login(const std::string& registry, const Variables& variables) {
  Login login;
  login.server = registry == "docker.io" ? "https://index.docker.io/v1/" : registry;
  const std::string path = docker_config_folder(variables) + "/config.json";
  if (::access(path.c_str(), R_OK) != 0) return login;
  try {
    const Wiped file{read_file(path, 4 << 20)};
    const Json config = parse_json(file.text, "the file");
    std::string helper = text_at(at(config, "credHelpers"), login.server);
    if (helper.empty()) helper = text_at(at(config, "credHelpers"), registry);
    if (helper.empty()) helper = text_at(config, "credsStore");
    if (!helper.empty())
      ask_helper(helper, login);
    else if (const Json* entry = entry_for(at(config, "auths"), login, registry))
      read_entry(*entry, login);
  } catch (const Error& error) {
    throw error.within(printable(path));
  }
  return login;
}

}  // namespace imgbuild

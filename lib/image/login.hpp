#pragma once
#include <functional>
#include <string>

#include "base/secret.hpp"

namespace imgbuild {

/// The value of an environment variable; empty where it is not set.
using Variables = std::function<std::string(const char* name)>;
/// Our own environment.
Variables process_variables();

/// Where Docker's client keeps its settings: $DOCKER_CONFIG, else ~/.docker.
std::string docker_config_folder(const Variables& variables);

/// What a registry is shown: a user and a password, or a token that stands for both.
struct Login {
  std::string server;  ///< what Docker's client calls the registry: "https://index.docker.io/v1/" for docker.io
  std::string user;
  Secret password;
  Secret identity_token;  ///< an OAuth2 refresh token; there is no password then
  bool empty() const noexcept { return password.empty() && identity_token.empty(); }
};

/// What Docker's client has for a registry in config.json, itself or through a credential helper that the file names
/// (docker-credential-NAME, asked over its standard input). Empty where it has nothing. Throws Error where the file is
/// damaged or the helper fails.
Login find_login(const std::string& registry, const Variables& variables);

}  // namespace imgbuild

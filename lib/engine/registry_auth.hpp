#pragma once
#include <string>

#include "base/secret.hpp"
#include "engine/endpoint.hpp"

namespace imgbuild {

/// The value of X-Registry-Auth for a registry: what Docker's client has for it in config.json, itself or through a
/// credential helper that the file names (docker-credential-NAME, asked over its standard input). Empty where it has
/// nothing. Throws Error where the file is damaged or the helper fails.
Secret registry_auth(const std::string& registry, const Variables& variables);

}  // namespace imgbuild

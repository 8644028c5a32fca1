#pragma once
#include <string>

#include "base/secret.hpp"
#include "image/login.hpp"

namespace imgbuild {

/// The value of X-Registry-Auth for a registry: what find_login() has for it. Empty where it has nothing. Throws Error
/// as that does.
Secret registry_auth(const std::string& registry, const Variables& variables);

}  // namespace imgbuild

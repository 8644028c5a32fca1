#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "config/keys.hpp"
#include "config/settings.hpp"

namespace imgbuild {

/// A JSON schema (draft 7) of the file in which `voice` (context or user) writes, for editors: made from the table of
/// keys. `says`: what a key means, in a line; empty: nothing is said of it.
nlohmann::json settings_schema(Voice voice, const std::function<std::string(const Key&)>& says);

}  // namespace imgbuild

#pragma once
#include <nlohmann/json.hpp>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// The JSON of design section 8 for each word. Strings are made printable UTF-8; nothing is redacted here (the report
/// room does, when the last value is known).
nlohmann::ordered_json to_json(const Finding& finding);
nlohmann::ordered_json to_json(const Location& location);
nlohmann::ordered_json to_json(const ImageRecord& record);
nlohmann::ordered_json to_json(const Withheld& withheld);
nlohmann::ordered_json to_json(const Signature& signature);

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// Reading foreign JSON without trusting its shape: what is missing, or of another type, reads as empty.
namespace imgbuild {

using Json = nlohmann::json;

/// Throws Error "WHAT is no JSON".
inline Json parse_json(std::string_view text, const char* what) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw Error(std::string(what) + " is no JSON");
  return json;
}

inline const Json& at(const Json& json, const std::string& key) {
  static const Json none;
  if (!json.is_object()) return none;
  const auto found = json.find(key);
  return found == json.end() ? none : *found;
}

inline std::string text_at(const Json& json, const std::string& key) {
  const Json& value = at(json, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline std::int64_t number_at(const Json& json, const std::string& key, std::int64_t otherwise) {
  const Json& value = at(json, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

inline std::vector<std::string> texts_of(const Json& json) {
  std::vector<std::string> texts;
  if (json.is_array())
    for (const auto& item : json)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

inline std::map<std::string, std::string> pairs_of(const Json& json) {
  std::map<std::string, std::string> pairs;
  if (json.is_object())
    for (const auto& [key, value] : json.items())
      if (value.is_string()) pairs[key] = value.get<std::string>();
  return pairs;
}

}  // namespace imgbuild

// What settings_file.cpp takes, as a JSON schema. Editors that know TOML (taplo, and all that build on it) read
// draft 7.
#include "config/schema.hpp"

namespace imgbuild {
namespace {

using nlohmann::json;

json strings() { return {{"type", "array"}, {"items", {{"type", "string"}}}}; }

json type_of(const Key& key) {
  if (key.name == "fail_on") return {{"enum", {"low", "medium", "high", "critical"}}};
  if (key.name == "progress") return {{"enum", {"auto", "plain", "tty", "quiet", "rawjson"}}};
  switch (key.shape) {
    case Shape::text:
      return {{"type", {"string", "integer"}}};
    case Shape::path:
      return {{"type", "string"}};
    case Shape::on_off:
      return {{"type", "boolean"}};
    case Shape::words:
      return {{"anyOf", {{{"type", "string"}}, strings()}}};
    case Shape::list:
    case Shape::paths:
      break;
  }
  return strings();
}

json table(json properties) {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

json allow_entries() {
  const json text = {{"type", "string"}};
  json entry = table({{"rule", text},
                      {"at", text},
                      {"identity", {{"type", "string"}, {"pattern", "^(SHA256:|scrypt:)"}}},
                      {"path", text},
                      {"sha256", {{"type", "string"}, {"pattern", "^(sha256:)?[0-9A-Fa-f]{64}$"}}},
                      {"reason", {{"type", "string"}, {"pattern", "[^\\s.]"}}},
                      {"expires", {{"description", "a date: 2027-01-31"}}}});  // of TOML's own kind, or in quotes
  entry["required"] = json::array({"reason"});
  entry["oneOf"] = {{{"required", {"rule", "at", "identity"}}}, {{"required", {"path", "sha256"}}}};
  return {{"type", "array"},
          {"description", "findings that somebody answers for; reports print the entry to paste"},
          {"items", std::move(entry)}};
}

json secrets() {
  const auto source = [](const char* name) {
    json property;
    property[name] = {{"type", "string"}};
    json one = table(std::move(property));
    one["required"] = json::array({name});
    return one;
  };
  return {{"type", "object"},
          {"description", "where the value of a secret is read from, by its id; --secret id=ID hands it out"},
          {"additionalProperties", {{"oneOf", {source("src"), source("env")}}}}};
}

}  // namespace

json settings_schema(Voice voice, const std::function<std::string(const Key&)>& says) {
  json properties = json::object();
  for (const Key& key : keys()) {
    if (!(voice == Voice::context ? key.context : key.user)) continue;
    json& property = properties[std::string(key.name)] = type_of(key);
    if (const std::string text = says(key); !text.empty()) property["description"] = text;
    if (*key.fallback != '\0') property["default"] = key.fallback;
  }
  json build = table(properties);
  properties["build"] = {{"type", "object"},
                         {"description", "builds by name, chosen by --build NAME: what differs from the rest"},
                         {"additionalProperties", std::move(build)}};
  properties["allow"] = allow_entries();
  if (voice == Voice::user) properties["secrets"] = secrets();
  json schema = table(std::move(properties));
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = voice == Voice::context ? "imgbuild.toml, in a context" : "imgbuild/config.toml, a user's own";
  return schema;
}

}  // namespace imgbuild

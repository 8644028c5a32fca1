#include "image/image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"
#include "image/manifest.hpp"

namespace imgbuild {
namespace {

// Strict, unlike json.hpp: an absent or null field is empty; one of another type means that this is no image config.
std::string string_at(const Json& object, const char* name) {
  const Json& value = at(object, name);
  if (value.is_null()) return {};
  if (!value.is_string()) throw Error(std::string(name) + " is not a string");
  return value.get<std::string>();
}

std::vector<std::string> strings_at(const Json& object, const char* name) {
  const Json& value = at(object, name);
  if (value.is_null()) return {};
  if (!value.is_array()) throw Error(std::string(name) + " is not a list");
  std::vector<std::string> all;
  for (const Json& one : value) {
    if (!one.is_string()) throw Error(std::string(name) + " holds something other than strings");
    all.push_back(one.get<std::string>());
  }
  return all;
}

ImageConfig read(std::string raw) {
  const Json json = Json::parse(raw, nullptr, false);
  if (!json.is_object()) throw Error("not a JSON object");
  ImageConfig config;
  config.os = string_at(json, "os");
  config.architecture = string_at(json, "architecture");
  config.variant = string_at(json, "variant");

  const Json& rootfs = at(json, "rootfs");
  if (!rootfs.is_object()) throw Error("no rootfs");
  config.diff_ids = strings_at(rootfs, "diff_ids");
  for (const auto& id : config.diff_ids)
    if (!is_sha256_digest(id)) throw Error("a diff id that is no sha256 digest");

  const Json& history = at(json, "history");
  if (!history.is_null() && !history.is_array()) throw Error("history is not a list");
  for (const Json& line : history) {
    if (!line.is_object()) throw Error("a history line that is no object");
    const Json& empty = at(line, "empty_layer");
    if (!empty.is_null() && !empty.is_boolean()) throw Error("empty_layer is not a boolean");
    config.history.push_back({string_at(line, "created"), string_at(line, "created_by"), string_at(line, "author"),
                              string_at(line, "comment"), empty.is_boolean() && empty.get<bool>()});
  }

  const Json& run = at(json, "config");
  if (!run.is_null() && !run.is_object()) throw Error("config is not an object");
  config.env = strings_at(run, "Env");
  config.cmd = strings_at(run, "Cmd");
  config.entrypoint = strings_at(run, "Entrypoint");
  config.user = string_at(run, "User");
  config.workdir = string_at(run, "WorkingDir");
  const Json& volumes = at(run, "Volumes");
  if (!volumes.is_null() && !volumes.is_object()) throw Error("Volumes is not an object");
  for (const auto& [path, options] : volumes.items()) config.volumes.push_back(path);

  config.id = sha256_digest(view_of(raw));
  config.raw = std::move(raw);
  return config;
}

}  // namespace

std::string ImageConfig::platform() const {
  if (os.empty() && architecture.empty()) return {};
  std::string name = (os.empty() ? "linux" : os) + "/" + (architecture.empty() ? "unknown" : architecture);
  return variant.empty() ? name : name + "/" + variant;
}

std::vector<std::string> ImageConfig::created_by() const {
  std::vector<std::string> lines;
  for (const auto& line : history)
    if (!line.empty_layer) lines.push_back(line.created_by);
  if (lines.size() != diff_ids.size()) lines.assign(diff_ids.size(), "");
  return lines;
}

ImageConfig parse_config(std::string raw) {
  try {
    return read(std::move(raw));
  } catch (const Error& error) {
    throw error.within("image config");
  }
}

}  // namespace imgbuild

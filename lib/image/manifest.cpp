// Engines read JSON with Go's library, which takes "Layers" for "layers" and the last of two equal keys. A manifest
// that could be read in two ways is refused: else one could show us clean layers and an engine others.
#include "image/manifest.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_descriptors = 100'000;

Descriptor descriptor_of(const Json& json, const char* what) {
  try {
    if (!json.is_object()) throw Error("no descriptor");
    Descriptor descriptor;
    descriptor.digest = text_at(json, "digest");
    if (!is_sha256_digest(descriptor.digest)) throw Error("a digest that is not sha256");
    const Json& size = at(json, "size");
    descriptor.sized = size.is_number_unsigned();
    if (descriptor.sized)
      descriptor.size = size.get<std::uint64_t>();
    else if (!size.is_null())
      throw Error("a size that is no number");
    descriptor.media_type = text_at(json, "mediaType");
    descriptor.urls = texts_of(at(json, "urls"));
    descriptor.annotations = pairs_of(at(json, "annotations"));
    const Json& platform = at(json, "platform");
    if (platform.is_object()) {
      descriptor.platform = text_at(platform, "os") + "/" + text_at(platform, "architecture");
      if (const std::string variant = text_at(platform, "variant"); !variant.empty())
        descriptor.platform += "/" + variant;
    }
    return descriptor;
  } catch (const Error& error) {
    throw error.within(what);
  }
}

std::vector<Descriptor> descriptors_of(const Json& json, const char* what) {
  if (!json.is_array()) throw Error(std::string(what) + " is not a list");
  if (json.size() > most_descriptors) throw Error(std::string(what) + " has too many entries");
  std::vector<Descriptor> all;
  for (const Json& one : json) all.push_back(descriptor_of(one, what));
  return all;
}

bool is_image_config(const std::string& media_type) {
  return media_type.empty() || media_type.find("image.config") != std::string::npos ||
         media_type.find("container.image") != std::string::npos;
}

}  // namespace

std::string Descriptor::annotation(const std::string& name) const {
  const auto found = annotations.find(name);
  return found == annotations.end() ? std::string() : found->second;
}

bool Descriptor::foreign() const {
  return !urls.empty() || media_type.find("foreign") != std::string::npos ||
         media_type.find("nondistributable") != std::string::npos;
}

bool Descriptor::attestation() const {
  return annotations.count("vnd.docker.reference.type") > 0 || platform == "unknown/unknown";
}

Descriptor descriptor_of(const std::string& digest) {
  Descriptor descriptor;
  descriptor.digest = digest;
  descriptor.sized = false;
  return descriptor;
}

std::string Descriptor::path() const { return "blobs/sha256/" + digest.substr(7); }

bool is_sha256_digest(std::string_view text) {
  return text.size() == 71 && text.starts_with("sha256:") &&
         text.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

void refuse_ambiguous_keys(std::string_view json) {
  struct Object {
    std::set<std::string> keys;
    bool free = false;  ///< its keys are the user's own
  };
  std::vector<Object> open;
  bool next_is_free = false;
  const auto look = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) {
      open.push_back({{}, std::exchange(next_is_free, false) || (!open.empty() && open.back().free)});
    } else if (event == Json::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == Json::parse_event_t::key && !open.empty()) {
      const auto& key = value.get_ref<const std::string&>();
      next_is_free = key == "annotations" || key == "Labels";
      if (!open.back().keys.insert(open.back().free ? key : lower(key)).second)
        throw Error("it has the key " + printable(key.substr(0, 80)) + " twice");
    }
    return true;
  };
  const Json parsed = Json::parse(json, look, false);
}

Manifest parse_manifest(std::string_view text) {
  const Json json = parse_json(text, "the manifest");
  if (!json.is_object()) throw Error("the manifest is no object");
  refuse_ambiguous_keys(text);
  Manifest manifest;
  if (at(json, "schemaVersion") == Json(1) || at(json, "fsLayers").is_array()) {
    manifest.kind = Manifest::Kind::schema1;
    return manifest;
  }
  if (at(json, "manifests").is_array()) {
    if (at(json, "layers").is_array()) throw Error("both an index and an image manifest");
    manifest.kind = Manifest::Kind::index;
    manifest.manifests = descriptors_of(at(json, "manifests"), "manifests");
    return manifest;
  }
  if (at(json, "blobs").is_array() && at(json, "config").is_null()) {  // the artifact manifest of OCI 1.1's drafts
    manifest.kind = Manifest::Kind::artifact;
    manifest.layers = descriptors_of(at(json, "blobs"), "blobs");
    return manifest;
  }
  if (!at(json, "config").is_object()) throw Error("neither an index nor an image manifest");
  manifest.config = descriptor_of(at(json, "config"), "config");
  manifest.layers = descriptors_of(at(json, "layers"), "layers");
  const bool statements = !manifest.layers.empty() &&
                          std::all_of(manifest.layers.begin(), manifest.layers.end(), [](const Descriptor& one) {
                            return one.media_type.find("in-toto") != std::string::npos;
                          });
  manifest.kind =
      is_image_config(manifest.config.media_type) && !statements ? Manifest::Kind::image : Manifest::Kind::artifact;
  return manifest;
}

}  // namespace imgbuild

#include "audit/outline.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::json;
using Member = std::shared_ptr<MemberRecord>;

/// "a/../b/./c" is "b/c". Empty where it leaves the archive.
std::string normal(std::string_view path) {
  std::vector<std::string> parts;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(std::move(part));
    } else {
      if (parts.empty()) return {};
      parts.pop_back();
    }
  }
  return join(parts, "/");
}

/// The member of that name; links lead on, eight at most. Null: there is none.
Member find(const Members& members, const std::string& name) {
  std::string wanted = normal(name);
  for (int i = 0; i < 8; ++i) {
    const auto at = members.find(wanted);
    if (at == members.end()) return nullptr;
    if (at->second->link.empty()) return at->second;
    wanted = normal(at->second->link);
  }
  return nullptr;
}

const Json& field(const Json& object, const char* name) {
  static const Json none;
  const auto at = object.is_object() ? object.find(name) : object.end();
  return at == object.end() ? none : *at;
}

std::string text_of(const Json& json, const char* what) {
  if (!json.is_string()) throw Error(std::string(what) + " is not a string");
  return json.get<std::string>();
}

Json parsed(const MemberRecord& member) {
  if (!member.failure.empty()) throw Error(member.failure);
  Json json = Json::parse(member.text, nullptr, false);
  if (member.type != MemberRecord::Type::document || json.is_discarded()) throw Error("not JSON");
  return json;
}

/// The digest that a member's name claims: "blobs/sha256/HEX", "HEX.json". Empty: none.
std::string digest_claimed(const std::string& name) {
  std::string_view base = std::string_view(name).substr(name.rfind('/') + 1);
  if (base.ends_with(".json")) base.remove_suffix(5);
  const bool blob = name.starts_with("blobs/sha256/") || name.ends_with(".json");
  const bool hex = base.size() == 64 && base.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return blob && hex ? "sha256:" + std::string(base) : "";
}

void check_digest(const MemberRecord& member, const std::string& claimed) {
  if (!claimed.empty() && member.digest != claimed)
    throw Error("its bytes are not what its name says (" + printable(member.name) + ")");
}

class Reader {
 public:
  explicit Reader(const Members& members) : members_(members) {}

  std::vector<Outline> docker(const MemberRecord& manifest) {
    const Json json = parsed(manifest);
    if (!json.is_array() || json.empty()) throw Error("names no image");
    for (const Json& image : json) {
      std::vector<std::string> layers;
      for (const Json& layer : field(image, "Layers")) layers.push_back(text_of(layer, "a layer's name"));
      add(text_of(field(image, "Config"), "Config"), layers);
    }
    return std::move(outlines_);
  }

  std::vector<Outline> oci(const MemberRecord& index) {
    follow(parsed(index), 0);
    if (outlines_.empty()) throw Error("names no image");
    return std::move(outlines_);
  }

 private:
  static std::string blob(const Json& descriptor) {
    const std::string digest = text_of(field(descriptor, "digest"), "digest");
    if (!digest.starts_with("sha256:") || digest.size() != 71) throw Error("a digest that is not sha256");
    return "blobs/sha256/" + digest.substr(7);
  }

  /// An OCI index or manifest (image-spec image-index.md, manifest.md).
  void follow(const Json& json, int depth) {
    if (depth > 4) throw Error("indexes nested too deeply");
    if (const Json& manifests = field(json, "manifests"); manifests.is_array()) {
      for (const Json& descriptor : manifests) {
        const std::string name = blob(descriptor);
        const Member member = find(members_, name);
        if (!member) throw Error(name + " is not in the archive");
        check_digest(*member, digest_claimed(name));
        follow(parsed(*member), depth + 1);
      }
      return;
    }
    const Json& config = field(json, "config");
    if (!config.is_object()) throw Error("neither an index nor an image manifest");
    // An attestation has the shape of an image and is none: it is looked at as the annotation that it is.
    const Json& media = field(config, "mediaType");
    if (media.is_string() && media.get<std::string>().find("image.config") == std::string::npos &&
        media.get<std::string>().find("container.image") == std::string::npos)
      return;
    std::vector<std::string> layers;
    for (const Json& layer : field(json, "layers")) layers.push_back(blob(layer));
    for (const Json& layer : field(json, "layers"))
      if (const Json& type = field(layer, "mediaType");
          type.is_string() && type.get<std::string>().find("in-toto") != std::string::npos)
        return;
    add(blob(config), layers);
  }

  void add(const std::string& config_name, const std::vector<std::string>& layers) {
    Outline outline;
    outline.config_member = find(members_, config_name);
    if (!outline.config_member) throw Error("the config " + printable(config_name) + " is not in the archive");
    check_digest(*outline.config_member, digest_claimed(normal(config_name)));
    if (outline.config_member->type != MemberRecord::Type::document) throw Error("the config is not JSON");
    outline.config = parse_config(outline.config_member->text);
    const auto& ids = outline.config.diff_ids;
    if (ids.size() != layers.size())
      throw Error(std::to_string(layers.size()) + " layers, but the config names " + std::to_string(ids.size()));
    for (std::size_t i = 0; i < layers.size(); ++i) {
      try {
        outline.layers.push_back(layer(layers[i], ids[i]));
      } catch (const Error& error) {
        throw error.within("layer " + std::to_string(i));
      }
    }
    outlines_.push_back(std::move(outline));
  }

  Member layer(const std::string& name, const std::string& diff_id) {
    Member member = find(members_, name);
    if (!member) throw Error(printable(name) + " is not in the archive");
    if (!member->failure.empty()) throw Error(member->failure);
    if (member->type != MemberRecord::Type::layer) throw Error("not a tar archive (" + printable(name) + ")");
    if (member->diff_id != diff_id) throw Error("its bytes are not what the config says (diff id)");
    check_digest(*member, digest_claimed(normal(name)));
    return member;
  }

  const Members& members_;
  std::vector<Outline> outlines_;
};

}  // namespace

std::vector<Outline> outline_of(const Members& members) {
  for (const char* table : {"manifest.json", "index.json"}) {
    const Member member = find(members, table);
    if (!member) continue;
    try {
      Reader reader(members);
      return std::string_view(table) == "manifest.json" ? reader.docker(*member) : reader.oci(*member);
    } catch (const Error& error) {
      throw std::string_view(error.what()).starts_with("layer ") ? error : error.within(table);
    }
  }
  throw Error("no image archive: it holds neither manifest.json nor index.json", "docker save NAME -o FILE makes one");
}

}  // namespace imgbuild

// An engine is not sent the layers that it has, so a config of ours is loaded with a few kilobytes. Which kilobytes
// depends on its store: the classic one takes a docker-archive (manifest.json names the config and, in order, layer
// files that it never opens because it knows the chain of diff ids); containerd's and podman's take an OCI layout
// (index, manifest, config), whose layer descriptors name blobs: those of the store's own manifest, or the diff ids.
#include "engine/archives.hpp"

#include <map>
#include <optional>

#include "crypto/digest.hpp"
#include "tar/reader.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

constexpr const char* oci_manifest = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* oci_config = "application/vnd.oci.image.config.v1+json";
constexpr const char* oci_layer = "application/vnd.oci.image.layer.v1.tar";

struct Found {
  SavedImage image;
};

// Keeps small JSON members by their digest and stops the reading, by throwing Found, when the image is known.
class Collector : public TarVisitor {
 public:
  Collector(const std::string& handle, const std::string& platform) : handle_(handle), platform_(platform) {}

  void entry(const TarEntry& entry) override {
    wanted_ = entry.type == TarEntry::Type::file && entry.size > 1 && entry.size <= most_member;
    member_.clear();
  }
  void data(View piece) override {
    if (!wanted_) return;
    if (member_.empty() && piece[0] != '{') {
      wanted_ = false;
      return;
    }
    member_ += text_of(piece);
  }
  void end_entry() override {
    if (!wanted_ || member_.empty()) return;
    kept_ += member_.size();
    if (kept_ > most_kept) throw Error("the saved image has more than 64 MiB of JSON");
    members_[sha256_digest(view_of(member_))] = std::move(member_);
    member_.clear();
    if (auto image = resolve(handle_, 0)) throw Found{std::move(*image)};
  }
  void stray(View, const char*) override {}

 private:
  static constexpr std::size_t most_member = std::size_t{8} << 20, most_kept = std::size_t{64} << 20;

  bool fits(const Json& descriptor) const {
    const Json& platform = at(descriptor, "platform");
    if (text_at(platform, "os") == "unknown") return false;  // an attestation
    if (platform_.empty() || platform.is_null()) return true;
    const std::string name = text_at(platform, "os") + "/" + text_at(platform, "architecture");
    const std::string variant = text_at(platform, "variant");
    return platform_ == name || platform_ == name + "/" + variant;
  }

  std::optional<SavedImage> resolve(const std::string& digest, int depth) const {
    const auto found = members_.find(digest);
    if (found == members_.end() || depth > 4) return std::nullopt;
    const Json json = parse_json(found->second, "the saved image's JSON");
    if (at(json, "rootfs").is_object()) return SavedImage{found->second, nullptr};
    if (at(json, "manifests").is_array()) {
      for (const auto& descriptor : at(json, "manifests"))
        if (fits(descriptor))
          if (auto image = resolve(text_at(descriptor, "digest"), depth + 1)) return image;
      return std::nullopt;
    }
    auto image = resolve(text_at(at(json, "config"), "digest"), depth + 1);
    if (image && at(json, "layers").is_array()) image->layers = at(json, "layers");
    return image;
  }

  const std::string& handle_;
  const std::string& platform_;
  std::map<std::string, std::string> members_;
  std::string member_;
  std::size_t kept_ = 0;
  bool wanted_ = false;
};

}  // namespace

SavedImage find_saved(Source& source, const std::string& handle, const std::string& platform) {
  Collector collector(handle, platform);
  try {
    read_tar(source, collector);
  } catch (Found& found) {
    return std::move(found.image);
  }
  throw Error("the saved image does not hold the config of " + handle);
}

std::string docker_archive(const std::string& config, const std::vector<std::string>& diff_ids) {
  const std::string name = sha256_digest(view_of(config)).substr(7) + ".json";
  Json layers = Json::array();
  for (std::size_t i = 0; i < diff_ids.size(); ++i) layers.push_back(std::to_string(i) + "/layer.tar");
  const Json manifest = {{{"Config", name}, {"RepoTags", nullptr}, {"Layers", std::move(layers)}}};
  std::string tar;
  TarWriter writer([&](View piece) { tar += text_of(piece); });
  writer.file(name, view_of(config));
  writer.file("manifest.json", view_of(manifest.dump()));
  writer.finish();
  return tar;
}

OciArchive oci_archive(const std::string& config, const Json& layers) {
  OciArchive archive;
  const std::string config_digest = sha256_digest(view_of(config));
  const Json manifest = {{"schemaVersion", 2},
                         {"mediaType", oci_manifest},
                         {"config", {{"mediaType", oci_config}, {"digest", config_digest}, {"size", config.size()}}},
                         {"layers", layers}};
  const std::string manifest_text = manifest.dump();
  archive.manifest = sha256_digest(view_of(manifest_text));
  const Json index = {
      {"schemaVersion", 2},
      {"manifests", {{{"mediaType", oci_manifest}, {"digest", archive.manifest}, {"size", manifest_text.size()}}}}};
  TarWriter writer([&](View piece) { archive.tar += text_of(piece); });
  writer.file("oci-layout", view_of(R"({"imageLayoutVersion":"1.0.0"})"));
  writer.file("index.json", view_of(index.dump()));
  writer.file("blobs/sha256/" + archive.manifest.substr(7), view_of(manifest_text));
  writer.file("blobs/sha256/" + config_digest.substr(7), view_of(config));
  writer.finish();
  return archive;
}

Json new_layer(const std::string& diff_id, std::uint64_t size) {
  return {{"mediaType", oci_layer}, {"digest", diff_id}, {"size", size}};
}

Json podman_layers(const std::vector<std::string>& diff_ids) {
  Json layers = Json::array();
  for (const auto& diff_id : diff_ids) layers.push_back(new_layer(diff_id, 1));
  return layers;
}

}  // namespace imgbuild

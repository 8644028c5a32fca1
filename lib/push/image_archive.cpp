#include "push/image_archive.hpp"

#include <map>

#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"
#include "image/reference.hpp"
#include "push/packed_layer.hpp"

namespace imgbuild {
namespace {

std::string blob_path(const std::string& digest) { return "blobs/sha256/" + digest.substr(7); }

/// With the host and the tag that a short name leaves out.
std::string full_name(const Reference& name) {
  std::string repository = name.repository;
  if (name.registry() == "docker.io" && !repository.starts_with("docker.io/"))
    repository = (repository.find('/') == std::string::npos ? "docker.io/library/" : "docker.io/") + repository;
  return repository + ":" + (name.tag.empty() ? "latest" : name.tag);
}

void begin(TarVisitor& to, const std::string& path, std::uint64_t size) {
  TarEntry entry;
  entry.path = path;
  entry.mode = 0644;
  entry.size = size;
  to.entry(entry);
}

void put(TarVisitor& to, const std::string& path, const std::string& text) {
  begin(to, path, text.size());
  to.data(view_of(text));
  to.end_entry();
}

void put(TarVisitor& to, const std::string& path, Source& bytes, std::uint64_t size) {
  begin(to, path, size);
  for (View piece = bytes.next(); !piece.empty(); piece = bytes.next()) {
    interrupt::check();
    to.data(piece);
  }
  to.end_entry();
}

PackedLayer put_layer(TarVisitor& to, Layers& layers, std::size_t index, const std::string& diff_id, bool packed) {
  if (packed) {
    PackedLayer layer = pack_layer(*layers.open(index), diff_id);
    WholeSource bytes(*layer.bytes);
    put(to, blob_path(layer.digest), bytes, layer.size);
    layer.bytes.reset();
    return layer;
  }
  NewLayer plain;
  plain.open = [&] { return layers.open(index); };
  measure(plain);
  put(to, blob_path(diff_id), *plain.open(), plain.size);
  PackedLayer layer;
  layer.digest = diff_id;
  layer.size = plain.size;
  layer.kind = Container::none;
  return layer;
}

}  // namespace

void ImageArchive::write(const ImageConfig& config, Layers& layers, TarVisitor& to) const {
  std::map<std::string, PackedLayer> known;  // by diff id
  for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
    const std::string& diff_id = config.diff_ids[i];
    if (known.contains(diff_id)) continue;
    try {
      known.emplace(diff_id, put_layer(to, layers, i, diff_id, packed));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw error.within("layer " + std::to_string(i));
    }
  }
  std::vector<const PackedLayer*> all;
  for (const auto& diff_id : config.diff_ids) all.push_back(&known.at(diff_id));
  const std::string manifest = manifest_of(config, all, true);
  const std::string digest = sha256_digest(view_of(manifest));
  put(to, blob_path(config.id), config.raw);
  put(to, blob_path(digest), manifest);

  Json image = {{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                {"digest", digest},
                {"size", manifest.size()},
                {"platform", {{"architecture", config.architecture}, {"os", config.os}}}};
  if (!config.variant.empty()) image["platform"]["variant"] = config.variant;
  Json images = Json::array(), tags = Json::array();
  for (const auto& said : names) {
    const Reference name = parse_reference(said);
    image["annotations"] = {{"io.containerd.image.name", full_name(name)},
                            {"org.opencontainers.image.ref.name", name.tag.empty() ? "latest" : name.tag}};
    images.push_back(image);
    tags.push_back(full_name(name));
  }
  if (images.empty()) images.push_back(image);
  put(to, "index.json",
      Json{{"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.index.v1+json"}, {"manifests", images}}
          .dump());
  if (docker) {
    Json paths = Json::array();
    for (const auto* layer : all) paths.push_back(blob_path(layer->digest));
    const Json one = {{"Config", blob_path(config.id)}, {"RepoTags", tags}, {"Layers", paths}};
    put(to, "manifest.json", Json::array({one}).dump());
  }
  put(to, "oci-layout", Json{{"imageLayoutVersion", "1.0.0"}}.dump());
}

}  // namespace imgbuild

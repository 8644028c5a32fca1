// What crosses between containers and images as tars: files out of a container, a new layer into the engine.
#include "base/made_source.hpp"
#include "base/text.hpp"
#include "engine/archives.hpp"
#include "engine/docker_engine.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

// An archive of ours with one more member, a layer, streamed.
class ArchiveWithLayer : public MadeSource {
 public:
  ArchiveWithLayer(const std::string& archive, const std::string& name, const NewLayer& layer)
      : layer_(layer.open()), writer_([this](View bytes) { make(bytes); }) {
    constexpr std::size_t end_mark = 1024;
    made_.assign(archive.begin(), archive.end() - end_mark);
    TarEntry member;
    member.path = name;
    member.size = layer.size;
    member.mode = 0644;
    writer_.entry(member);
    writer_.flush();
  }

 private:
  void step() override {
    const View piece = layer_->next();
    over_ = piece.empty();
    if (over_)
      writer_.finish();
    else
      writer_.data(piece);
    writer_.flush();
  }

  std::unique_ptr<Source> layer_;
  TarWriter writer_;
};

}  // namespace

std::string DockerEngine::load_layer(const std::string& below, const NewLayer& layer, const std::string& config) {
  const ImageConfig parsed = parse_config(config);
  if (parsed.diff_ids.empty() || parsed.diff_ids.back() != layer.diff_id)
    throw Error("engine: load: the config's last layer is not the one that is sent");
  std::string handle = parsed.id;
  std::string archive, name;
  if (facts().kind == EngineFacts::Kind::docker_classic) {
    archive = docker_archive(config, parsed.diff_ids);
    name = std::to_string(parsed.diff_ids.size() - 1) + "/layer.tar";
  } else {
    const bool podman = facts_.kind == EngineFacts::Kind::podman;
    std::vector<std::string> older = parsed.diff_ids;
    older.pop_back();
    Json layers = podman || older.empty() ? podman_layers(older) : layers_of(below);
    while (layers.size() > older.size()) layers.erase(layers.size() - 1);
    layers.push_back(new_layer(layer.diff_id, layer.size));
    OciArchive made = oci_archive(config, layers);
    archive = std::move(made.tar);
    name = "blobs/sha256/" + layer.diff_id.substr(layer.diff_id.find(':') + 1);
    if (!podman) handle = made.manifest;
  }
  ArchiveWithLayer body(archive, name, layer);
  check_loaded(api_.send("/images/load?quiet=1", body, "application/x-tar"));
  return loaded(handle, parsed);
}

ContainerFiles DockerEngine::files(const std::string& container, const std::string& path) {
  ContainerFiles files;
  auto body =
      api_.find("read " + printable(path), "/containers/" + container + "/archive?path=" + percent_encode(path, "/"));
  if (!body) return files;
  // The header holds what the path is, as JSON in base64; a link is evaluated to its end.
  const auto stat = unbase64(body->head().header("x-docker-container-path-stat"));
  if (stat) files.leads_to = text_at(Json::parse(text_of(*stat), nullptr, false), "linkTarget");
  files.tar = std::move(body);
  return files;
}

std::unique_ptr<Source> DockerEngine::all_files(const std::string& container) {
  return api_.open("export", "GET", "/containers/" + container + "/export");
}

}  // namespace imgbuild

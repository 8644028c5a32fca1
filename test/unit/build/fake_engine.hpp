#pragma once
#include <ctime>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/engine.hpp"
#include "relay/wire.hpp"
#include "tar/writer.hpp"

namespace imgbuild {

/// A tar with these files.
inline std::string tar_of(const std::map<std::string, std::string>& files) {
  std::string tar;
  TarWriter writer([&](View bytes) { tar += text_of(bytes); });
  for (const auto& [path, content] : files) writer.file(path, view_of(content));
  writer.finish();
  return tar;
}

class TextSource : public Source {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  View next() override {
    if (std::exchange(given_, true)) return {};
    return view_of(text_);
  }

 private:
  std::string text_;
  bool given_ = false;
};

/// Plays the relay: takes everything in, and says what the test wants said once `run` has come.
class FakeExec : public Exec {
 public:
  using Frames = std::vector<std::pair<wire::Kind, std::string>>;
  FakeExec(Frames said, std::vector<std::string>& diary, std::size_t program)
      : said_(std::move(said)), diary_(diary), program_(program), ends_(Fd::pipe()) {
    ends_.second.reset();  // always readable
    say(wire::Kind::hello, wire::version);
  }
  ~FakeExec() override { diary_.push_back("exec ended"); }

  int fd() const override { return ends_.first.get(); }
  std::optional<std::size_t> read(std::span<std::uint8_t> into) override {
    if (out_.empty()) return over_ ? std::optional<std::size_t>(0) : std::nullopt;
    const std::size_t n = std::min(out_.size(), into.size());
    std::copy_n(out_.begin(), n, into.begin());
    out_.erase(0, n);
    return n;
  }
  std::size_t write(View bytes) override {
    in_ += text_of(bytes);
    if (program_ > 0) {
      const std::size_t n = std::min(program_, in_.size());
      in_.erase(0, n);
      program_ -= n;
    }
    while (program_ == 0 && in_.size() >= wire::header_size) {
      const auto* head = reinterpret_cast<const std::uint8_t*>(in_.data());
      const std::size_t length = wire::payload_length(head);
      if (in_.size() < wire::header_size + length) break;
      const auto kind = static_cast<wire::Kind>(head[4]);
      taken[kind].push_back(in_.substr(wire::header_size, length));
      in_.erase(0, wire::header_size + length);
      if (kind != wire::Kind::run) continue;
      for (const auto& [each, text] : said_) say(each, text);
      over_ = true;
    }
    return bytes.size();
  }
  const std::string& errors() const override { return errors_; }
  int exit_code() override { return 0; }

  std::map<wire::Kind, std::vector<std::string>> taken;

 private:
  void say(wire::Kind kind, std::string_view text) {
    std::uint8_t head[wire::header_size];
    wire::put_header(head, kind, 0, text.size());
    out_.append(reinterpret_cast<const char*>(head), sizeof head);
    out_ += text;
  }
  Frames said_;
  std::vector<std::string>& diary_;
  std::size_t program_;
  std::pair<Fd, Fd> ends_;
  std::string in_, out_, errors_;
  bool over_ = false;
};

/// A connection on which nobody says anything.
class QuietStream : public Stream {
 public:
  int fd() const override { return ends_.first.get(); }
  std::optional<std::size_t> read(std::span<std::uint8_t>) override { return std::nullopt; }
  std::size_t write(View bytes) override { return bytes.size(); }

 private:
  std::pair<Fd, Fd> ends_ = Fd::pipe();
};

/// An engine that behaves, in memory, and keeps a diary.
class FakeEngine : public Engine {
 public:
  struct Image {
    std::string config;
    std::vector<std::string> layers;
    std::set<std::string> names;
    std::map<std::string, std::string> labels;
  };
  struct Container {
    std::map<std::string, std::string> labels;
    std::string state = "created";
    std::int64_t created = 0;
    std::string image = {};
  };

  FakeEngine() {
    const std::string layer = tar_of({{"etc/passwd", "root:x:0:0::/root:/bin/sh\n"}});
    const std::string config =
        R"({"architecture":"amd64","odd":{"kept":[1,2.50,18446744073709551615]},"config":{"Env":["PATH=/bin","A=1"],)"
        R"("Cmd":["run"],"User":"","Volumes":{"/data":{}},"Labels":{"base":"yes"}},"created":"2001-01-01T00:00:00Z",)"
        R"("history":[{"created":"2001-01-01T00:00:00Z","created_by":"ADD base"},{"created_by":"CMD run","empty_layer":true}],)"
        R"("os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
        sha256_digest(view_of(layer)) + R"("]}})";
    base = sha256_digest(view_of(config));
    images[base] = {config, {layer}, {"base:1"}, {}};
  }

  const EngineFacts& facts() override { return known; }
  EngineImage find_image(const std::string& name, const std::string&, Pull) override {
    return step("find", [&]() -> EngineImage {
      for (const auto& [id, image] : images)
        if (image.names.contains(name)) return {id, {name}, image.labels};
      throw Error("engine: no such image: " + name);
    });
  }
  ImageConfig config_of(const std::string& handle) override {
    return step("config", [&] { return parse_config(images.at(handle).config); });
  }
  std::optional<ImageConfig> stored_config(const std::string& handle) override { return config_of(handle); }
  std::optional<std::map<std::string, bool>> manifests_of(const std::string&) override { return std::nullopt; }
  std::unique_ptr<Source> save(const std::string& handle) override {
    return step("save", [&]() -> std::unique_ptr<Source> {
      const Image& image = images.at(handle);
      std::map<std::string, std::string> files{{handle.substr(7) + ".json", image.config}};
      std::string list;
      for (std::size_t i = 0; i < image.layers.size(); ++i) {
        files[std::to_string(i) + "/layer.tar"] = image.layers[i] + tail_of_saved_layers;
        list += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "/layer.tar\"";
      }
      files["manifest.json"] =
          "[{\"Config\":\"" + handle.substr(7) + ".json\",\"RepoTags\":null,\"Layers\":[" + list + "]}]";
      std::string archive = tar_of(files);
      if (cut_save > 0) archive.resize(archive.size() - cut_save);
      return std::make_unique<TextSource>(archive);
    });
  }
  std::string create(const BuilderSpec& spec) override {
    return step("create", [&] {
      const std::string id = "c" + std::to_string(containers.size() + 1);
      containers[id] = {spec.labels, "created", 0, spec.image};
      return id;
    });
  }
  std::unique_ptr<Stream> start(const std::string& container) override {
    return step("start", [&]() -> std::unique_ptr<Stream> {
      containers.at(container).state = "running";
      return std::make_unique<FakeExec>(FakeExec::Frames{}, ignored_, 0);
    });
  }
  std::unique_ptr<Exec> exec(const std::string&, const ExecSpec& spec) override {
    return step("exec", [&]() -> std::unique_ptr<Exec> {
      argv = spec.argv;
      const std::string& command = spec.argv.at(2);
      const std::size_t size = std::stoul(command.substr(command.find("head -c ") + 8));
      auto made = std::make_unique<FakeExec>(script, diary, size);
      return made;
    });
  }
  bool running(const std::string& container) override {
    return step("running", [&] { return containers.contains(container) && containers[container].state == "running"; });
  }
  void unpause(const std::string&) override {}
  void remove_container(const std::string& container) override {
    step("remove container", [&] { return containers.erase(container); });
  }
  std::string commit(const std::string&, const std::map<std::string, std::string>& labels) override {
    return step("commit", [&] {
      committed_from = containers.begin()->second.image;
      Image made = images.at(committed_from);
      made.names.clear();
      made.labels = labels;
      std::string ids = "\"" + sha256_digest(view_of(made.layers[0])) + "\"";
      if (!written.empty()) {
        made.layers.push_back(written);
        ids += ",\"" + sha256_digest(view_of(written)) + "\"";
      }
      made.config = R"({"architecture":"amd64","os":"linux","container":"c1","container_config":{"Cmd":["cat"]},)"
                    R"("config":{},"history":[],"rootfs":{"type":"layers","diff_ids":[)" +
                    ids + "]}}";
      const std::string id = sha256_digest(view_of(made.config));
      images[id] = made;
      return id;
    });
  }
  std::string load_config(const std::string& committed, const std::string& config) override {
    return step("load", [&] {
      const std::string id = sha256_digest(view_of(config));
      images[id] = {config, images.at(committed).layers, {}, {}};
      const std::string mark = "imgbuild.build\":\"";
      if (const std::size_t at = config.find(mark); at != std::string::npos)
        images[id].labels["imgbuild.build"] = config.substr(at + mark.size(), 16);
      return id;
    });
  }
  std::string load_layer(const std::string& below, const NewLayer& layer, const std::string& config) override {
    return step("load layer", [&] {
      const std::string id = sha256_digest(view_of(config));
      images[id] = {config, images.at(below).layers, {}, {}};
      std::string tar;
      const auto source = layer.open();
      for (View piece = source->next(); !piece.empty(); piece = source->next()) tar += text_of(piece);
      CHECK(sha256_digest(view_of(tar)) == layer.diff_id);
      CHECK(tar.size() == layer.size);
      images[id].layers.resize(parse_config(config).diff_ids.size() - 1);
      images[id].layers.push_back(tar);
      return id;
    });
  }
  ContainerFiles files(const std::string& container, const std::string& path) override {
    return step("files", [&] {
      CHECK(containers.contains(container));
      const auto at = of_image.find(path);
      ContainerFiles files;
      if (at == of_image.end()) return files;
      files.tar = std::make_unique<TextSource>(at->second);
      if (const auto link = links.find(path); link != links.end()) files.leads_to = link->second;
      return files;
    });
  }
  std::unique_ptr<Source> all_files(const std::string&) override {
    return step("export", [&] { return std::make_unique<TextSource>(exported); });
  }
  std::unique_ptr<Source> stored_layer(const std::string&, const std::vector<std::string>&, std::size_t) override {
    return nullptr;
  }
  std::unique_ptr<ImageStore> stored_image(const std::string&) override { return nullptr; }
  void read_files_by(std::function<std::unique_ptr<Fetch>()>) override {}
  std::vector<std::string> containerd_roots() override { return {}; }
  std::string create_helper(const std::string&, const std::vector<std::string>&,
                            const std::map<std::string, std::string>&, const std::string&) override {
    return "helper";
  }
  std::unique_ptr<Stream> open_session(const std::string&, const std::vector<std::string>& methods) override {
    return step("session", [&]() -> std::unique_ptr<Stream> {
      offered = methods;
      return std::make_unique<QuietStream>();
    });
  }
  std::unique_ptr<Stream> open_upload(const std::string&, std::uint64_t) override {
    return step("upload", [&]() -> std::unique_ptr<Stream> { return std::make_unique<QuietStream>(); });
  }
  std::string build_dockerfile(const DockerfileSpec& spec, Source*,
                               const std::function<void(const Json&)>& said) override {
    return step("build", [&] {
      asked = spec;
      if (!build_fails.empty()) {
        said(Json{{"errorDetail", {{"message", build_fails}}}});
        throw Error("engine: build: " + build_fails);
      }
      said(Json{{"stream", "Step 1/1 : FROM base\n"}});
      Image made = images.at(base);
      made.names.clear();
      made.labels = spec.labels;
      Json config = Json::parse(made.config);
      for (const auto& [name, value] : spec.labels) config["config"]["Labels"][name] = value;
      if (!written.empty()) {
        made.layers.push_back(written);
        config["rootfs"]["diff_ids"].push_back(sha256_digest(view_of(written)));
        config["history"].push_back({{"created_by", built_by}});
      }
      made.config = config.dump();
      const std::string id = sha256_digest(view_of(made.config));
      images[id] = made;
      cache.push_back({"c-" + std::to_string(cache.size()), "mount / from exec", 10, std::time(nullptr)});
      return id;
    });
  }
  std::vector<CacheRecord> build_cache() override {
    return step("cache", [&] { return cache; });
  }
  bool remove_cache(const std::string& id) override {
    return step("remove cache",
                [&] { return std::erase_if(cache, [&](const CacheRecord& record) { return record.id == id; }) > 0; });
  }
  void tag(const Cleared& cleared, const std::string& name) override {
    step("tag " + name, [&] { return images.at(cleared.handle()).names.insert(name).second; });
  }
  bool remove_image(const std::string& handle) override {
    return step("remove image", [&] {
      const auto at = images.find(handle);
      if (at == images.end() || !at->second.names.empty()) return false;
      for (const auto& [id, container] : containers)
        if (container.image == handle) throw Error("engine: image is in use by " + id);
      // While no builder stands, an engine would take the untagged parents too.
      CHECK((containers.empty() ? images_go_alone || config_of_volumes(handle) : true));
      images.erase(at);
      return true;
    });
  }
  bool remove_volume(const std::string&) override { return false; }
  Ours ours(const std::string& label) override {
    return step("ours", [&] {
      const std::size_t equals = label.find('=');
      const auto mine = [&](const std::map<std::string, std::string>& labels) {
        const auto at = labels.find(label.substr(0, equals));
        return at != labels.end() && (equals == std::string::npos || at->second == label.substr(equals + 1));
      };
      Ours all;
      for (const auto& [id, each] : containers)
        if (mine(each.labels)) all.containers.push_back({id, each.labels, each.state, each.created});
      for (const auto& [id, each] : images)
        if (each.names.empty() && mine(each.labels)) all.images.push_back({id, each.labels, "", 0});
      return all;
    });
  }

  std::string base;
  std::map<std::string, std::string> of_image;  ///< path, the tar that files() gives
  std::string exported;                         ///< what all_files() gives
  std::map<std::string, std::string> links;     ///< path, what the link there leads to
  std::map<std::string, Image> images;
  std::map<std::string, Container> containers;
  std::vector<std::string> diary, argv;
  FakeExec::Frames script = {{wire::Kind::running, ""}, {wire::Kind::ended, std::string(4, '\0')}};
  DockerfileSpec asked;              ///< the last build of a Dockerfile
  std::vector<std::string> offered;  ///< methods of the last session
  std::string built_by = "RUN /bin/sh -c make # buildkit", build_fails;
  std::vector<CacheRecord> cache = {{"theirs", "pulled", 5, 1}};
  std::string written;               ///< the tar of what the script wrote; empty: nothing
  std::string tail_of_saved_layers;  ///< bytes that only save() has
  std::size_t cut_save = 0;
  std::string committed_from;  ///< the image of the builder
  int fail_at = -1;            ///< the call that throws
  bool fail_after = false;     ///< ... when it has had its effect
  bool images_go_alone = false;
  EngineFacts known{EngineFacts::Kind::docker_classic, "unix:///fake.sock", "1", "1.41", "linux", "amd64"};

 private:
  // The image that a builder is made from: it alone goes after the builder.
  bool config_of_volumes(const std::string& handle) {
    return images.at(handle).config.find("\"Volumes\":{}") != std::string::npos;
  }
  template <class Work>
  auto step(const std::string& name, Work work) -> decltype(work()) {
    diary.push_back(name);
    const bool fails = calls_++ == fail_at;
    if (fails && !fail_after) throw Error("engine: gone at " + name);
    auto result = work();
    if (fails) throw Error("engine: gone after " + name);
    return result;
  }

  std::vector<std::string> ignored_;
  int calls_ = 0;
};

}  // namespace imgbuild

#pragma once
#include <map>
#include <string>

#include "engine/api.hpp"
#include "engine/engine.hpp"
#include "engine/engine_files.hpp"

namespace imgbuild {

/// Docker (classic and containerd store) and Podman behind the Docker Engine API 1.40 to 1.56.
class DockerEngine : public Engine {
 public:
  /// Throws Error with a hint where no engine answers.
  DockerEngine(EngineAddress address, Variables variables);

  const EngineFacts& facts() override;
  EngineFacts::Kind kind() override;
  EngineImage find_image(const std::string& name, const std::string& platform, Pull pull) override;
  ImageConfig config_of(const std::string& handle) override;
  std::optional<ImageConfig> stored_config(const std::string& handle) override;
  std::optional<std::map<std::string, bool>> manifests_of(const std::string& handle) override;
  std::unique_ptr<Source> save(const std::string& handle) override;
  std::unique_ptr<Source> stored_layer(const std::string& handle, const std::vector<std::string>& diff_ids,
                                       std::size_t index) override;
  std::unique_ptr<ImageStore> stored_image(const std::string& handle) override;
  void read_files_by(std::function<std::unique_ptr<Fetch>()> open) override;
  std::string create_helper(const std::string& image, const std::vector<std::string>& argv,
                            const std::map<std::string, std::string>& labels, const std::string& containerd) override;
  std::vector<std::string> containerd_roots() override;
  std::string create(const BuilderSpec& spec) override;
  std::unique_ptr<Stream> start(const std::string& container) override;
  std::unique_ptr<Exec> exec(const std::string& container, const ExecSpec& spec) override;
  bool running(const std::string& container) override;
  void remove_container(const std::string& container) override;
  void unpause(const std::string& container) override;
  std::string commit(const std::string& container, const std::map<std::string, std::string>& labels) override;
  std::string load_config(const std::string& committed, const std::string& config) override;
  std::string load_layer(const std::string& below, const NewLayer& layer, const std::string& config) override;
  ContainerFiles files(const std::string& container, const std::string& path) override;
  std::unique_ptr<Source> all_files(const std::string& container) override;
  std::unique_ptr<Stream> open_session(const std::string& id, const std::vector<std::string>& methods) override;
  std::unique_ptr<Stream> open_upload(const std::string& session, std::uint64_t size) override;
  std::string build_dockerfile(const DockerfileSpec& spec, Source* context,
                               const std::function<void(const Json&)>& said) override;
  std::vector<CacheRecord> build_cache() override;
  bool remove_cache(const std::string& id) override;
  void tag(const Cleared& cleared, const std::string& name) override;
  bool remove_image(const std::string& handle) override;
  Ours ours(const std::string& label) override;
  bool remove_volume(const std::string& name) override;

 private:
  /// The image's inspect document; null where the engine has none. Throws on anything else.
  Json inspect_image(const std::string& name);
  bool has_platform(const std::string& name, const std::string& platform);
  Json inspect_container(const std::string& container);
  std::string create_helper_with(const std::map<std::string, std::string>& folders, const std::string& image,
                                 const std::vector<std::string>& argv,
                                 const std::map<std::string, std::string>& labels);
  std::string build_lending(const DockerfileSpec& spec, Source* context, const std::function<void(const Json&)>& said);
  void pull_image(const std::string& name, const std::string& platform);
  void load(const std::string& tar);
  static void check_loaded(const HttpAnswer& answer);
  /// The handle of the image that was loaded. Throws where it is not what `config` says.
  std::string loaded(const std::string& handle, const ImageConfig& config);
  /// The layer descriptors of the manifest that `handle` names: the containerd store.
  Json layers_of(const std::string& handle);

  Api api_;
  Variables variables_;
  EngineFacts facts_;
  EngineFiles files_, helped_files_;  // by this process; by a helper
  std::function<std::unique_ptr<Fetch>()> helper_;
  std::string root_, driver_;                   // as the engine tells
  std::map<std::string, ImageConfig> configs_;  // by handle; images do not change
  std::map<std::string, std::string> meant_;    // the platform, by handle
};

}  // namespace imgbuild

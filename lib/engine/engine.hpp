#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fetch.hpp"
#include "base/stream.hpp"
#include "image/image.hpp"
#include "image/image_set.hpp"
#include "image/json.hpp"
#include "verdict/verdict.hpp"

/// What a build needs of a container engine, and no more: a fake with a diary fits on a page.
namespace imgbuild {

/// Where create() mounts what is ours in a builder: a tmpfs (exec, root's, 0755), and in it an anonymous volume on the
/// engine's disk, empty, gone with the container. /dev is a tmpfs, so neither leaves a stub in the committed layer, and
/// neither stands in the committed config. Only the volume may hold more than memory; secrets go to the tmpfs only.
constexpr const char* builder_tmpfs = "/dev/imgbuild";
constexpr const char* builder_context = "/dev/imgbuild/context";
constexpr const char* builder_caches = "/dev/imgbuild/cache";

/// Where a RUN of a Dockerfile has the agent on an engine whose builder has no session. Below /dev, as above.
constexpr const char* lent_agent = "/dev/imgbuild/agent";

/// The engine's name for the volume of a cache, and the label that it carries, whose value is the cache's name.
constexpr const char* cache_volume = "imgbuild-cache-";
constexpr const char* cache_label = "imgbuild.cache";

/// Where a helper has the engine's own folders.
constexpr const char* helper_root = "/engine";
constexpr const char* helper_containerd = "/containerd";

struct EngineFacts {
  enum class Kind { docker_classic, docker_containerd, podman };
  Kind kind = Kind::docker_classic;
  std::string endpoint;          ///< "unix:///var/run/docker.sock"
  std::string version;           ///< "20.10.24"
  std::string api;               ///< negotiated, "1.41"
  std::string os, architecture;  ///< of the engine
};

/// An image that the engine has.
struct EngineImage {
  std::string handle;  ///< the engine's own name for it ("sha256:..."): the config digest on the classic store
  std::vector<std::string> names;
  std::map<std::string, std::string> labels;
};

/// A builder container to create (design section 4, step 3: inert, ends by itself with the driver's attach).
struct BuilderSpec {
  std::string image;    ///< handle
  std::string network;  ///< "", "host", "none", a network's name
  std::string platform;
  std::map<std::string, std::string> labels;
  std::vector<std::string> extra_hosts;  ///< "HOST:ADDRESS"
  std::uint64_t memory = 0;              ///< bytes; 0: no limit
  double cpus = 0;                       ///< 0: no limit
  std::vector<std::string> caches;       ///< names; each a volume of the engine's at builder_caches/NAME, which stays
};

struct ExecSpec {
  std::vector<std::string> argv;  ///< stands in `docker events`: holds nothing but the bootstrap
  std::string user = "0";
};

/// What is asked of the engine's own builder. Nothing of it is a secret: it travels in a URL.
struct DockerfileSpec {
  std::string dockerfile;  ///< path in the context
  std::string target, platform, network;
  std::map<std::string, std::string> args, labels;
  std::vector<std::string> cache_from, extra_hosts;  ///< "NAME", "HOST:ADDRESS"
  bool pull = false, no_cache = false;
  std::string session;  ///< of BuildKit, whose id is the upload's too; empty: the builder without one
  std::string agent;    ///< without a session: a socket on this machine that each RUN has at lent_agent; empty: none
  std::map<std::string, std::string> files;  ///< the same: what a RUN may mount as a secret by its id: a path in the
                                             ///< context, which no COPY finds there
};

/// Files of a container, as a tar whose members are named from the last part of the path that was asked for.
struct ContainerFiles {
  std::unique_ptr<Source> tar;  ///< null: there is no such path
  std::string leads_to;         ///< where that is known to be a link, the path that it leads to in the end
};

/// A layer that an engine does not have.
struct NewLayer {
  std::string diff_id;     ///< "sha256:..." of its tar, uncompressed
  std::uint64_t size = 0;  ///< of the tar, in bytes
  std::function<std::unique_ptr<Source>()> open;
};

/// A record of an engine's build cache.
struct CacheRecord {
  std::string id, description;
  std::uint64_t bytes = 0;
  std::int64_t used = 0;  ///< when last, Unix time; 0: not told
};

/// A command in the builder: its standard input and output as a Stream. One thread.
class Exec : public Stream {
 public:
  /// What it wrote to standard error so far (the first 64 KiB).
  virtual const std::string& errors() const = 0;
  /// Its exit status, after the end of the stream. Throws Error where the engine does not know it.
  virtual int exit_code() = 0;
};

enum class Pull { missing, always, never };

/// A container engine. Each call is one request that is waited for; interrupts are looked at between them. One thread.
/// Every method throws Error "engine: ..." with the engine's own words, made printable.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const EngineFacts& facts() = 0;
  /// That of facts(), and no more is asked than it takes: podman is slow to tell about itself.
  virtual EngineFacts::Kind kind() { return facts().kind; }

  /// Finds an image by name or id, pulling it as `pull` says. Throws Error with a hint where there is none.
  virtual EngineImage find_image(const std::string& name, const std::string& platform, Pull pull) = 0;
  /// The config of an image, verbatim: its bytes' sha256 is its id.
  virtual ImageConfig config_of(const std::string& handle) = 0;
  /// The same where it is known already or can be read from the engine's own files; else nullopt, and config_of() would
  /// have it saved. Not of a handle that is no config's digest.
  virtual std::optional<ImageConfig> stored_config(const std::string& handle) = 0;
  /// The manifests below an index, attestations included, by their digests: has the engine all of the blobs (true), or
  /// none (false)? nullopt: it does not tell, or has some blobs of one.
  virtual std::optional<std::map<std::string, bool>> manifests_of(const std::string& handle) = 0;
  /// The bytes that a push would send, as a docker-archive stream (`save`). The engine must outlive it.
  virtual std::unique_ptr<Source> save(const std::string& handle) = 0;

  /// Layer `index` of the image, whose diff ids these are, from the engine's own files, where they can be read from
  /// here; else null. Ten times faster than save(). As it is there: packed on containerd's store, else a tar. That it
  /// is what its diff id says is for the reader to check: the files may be another engine's, or were changed. May be
  /// called, and read, from any thread once facts() was.
  virtual std::unique_ptr<Source> stored_layer(const std::string& handle, const std::vector<std::string>& diff_ids,
                                               std::size_t index) = 0;
  /// The image with all that a push would send, as a store of blobs, where the engine keeps it so (containerd's store)
  /// and that can be read from here; else null.
  virtual std::unique_ptr<ImageStore> stored_image(const std::string& handle) = 0;

  /// From here on those of the engine's own files that cannot be read from here are read by what `open` returns: a
  /// helper (create_helper()), which has them at helper_root and helper_containerd. Called from any thread; null: they
  /// cannot be read so either. An empty function ends this.
  virtual void read_files_by(std::function<std::unique_ptr<Fetch>()> open) = 0;
  /// Creates a container of `image` that has the engine's own folders, read-only, and no network, and runs `argv`. It
  /// starts and ends as a builder does; returns its id. `containerd`: the folder of the containerd that it uses; empty:
  /// any of containerd_roots().
  virtual std::string create_helper(const std::string& image, const std::vector<std::string>& argv,
                                    const std::map<std::string, std::string>& labels,
                                    const std::string& containerd) = 0;
  /// Where its containerd usually has its folder, on its machine; none where the images are not in containerd's store.
  virtual std::vector<std::string> containerd_roots() = 0;

  /// Creates the builder and returns its id. Nothing runs yet.
  virtual std::string create(const BuilderSpec& spec) = 0;
  /// Attaches to its standard input, then starts it. The builder lives as long as the stream that is returned.
  virtual std::unique_ptr<Stream> start(const std::string& container) = 0;
  virtual std::unique_ptr<Exec> exec(const std::string& container, const ExecSpec& spec) = 0;
  /// Is it running?
  virtual bool running(const std::string& container) = 0;
  /// Kills and removes it with its anonymous volumes; one that is gone already is no error.
  virtual void remove_container(const std::string& container) = 0;
  /// Lets it go on where it is paused; one that is not, or is gone, is no error.
  virtual void unpause(const std::string& container) = 0;

  /// Commits the paused container, untagged, with labels; returns the handle.
  virtual std::string commit(const std::string& container, const std::map<std::string, std::string>& labels) = 0;
  /// Loads `config` over the layers of `committed`, whose diff ids it lists, sending no layer; returns the handle.
  virtual std::string load_config(const std::string& committed, const std::string& config) = 0;
  /// The same over the oldest layers of `below`, all but the last that `config` lists (of none, where that is the only
  /// one), and `layer`, which is sent.
  /// Heeds interrupts until all of it was.
  virtual std::string load_layer(const std::string& below, const NewLayer& layer, const std::string& config) = 0;
  /// What a container, whether it runs or never did, has at `path` (absolute): folders with all that is in them. Podman
  /// tells no owners, and not all of a mode.
  virtual ContainerFiles files(const std::string& container, const std::string& path) = 0;
  /// All of its files but what is mounted over them, as a tar. The engine must outlive it.
  virtual std::unique_ptr<Source> all_files(const std::string& container) = 0;

  /// Opens a session for the engine's BuildKit, which then calls `methods` ("/package.Service/Method") of ours over the
  /// connection: HTTP/2, the engine being the client. Throws Error where the engine has none.
  virtual std::unique_ptr<Stream> open_session(const std::string& id, const std::vector<std::string>& methods) = 0;
  /// Begins to send the context of the build whose session that is: so many bytes of tar are to be written to it. What
  /// is read from it is an HTTP answer. Closed before its time, nothing is left of it.
  virtual std::unique_ptr<Stream> open_upload(const std::string& session, std::uint64_t size) = 0;
  /// Builds a Dockerfile, without a name. Each message that the builder sends goes to `said`. `context`: its tar, where
  /// there is no session; else null. Returns the handle, empty where no message told it. Throws Error in the builder's
  /// words; an interrupt ends the build.
  virtual std::string build_dockerfile(const DockerfileSpec& spec, Source* context,
                                       const std::function<void(const Json&)>& said) = 0;
  /// What the build cache holds; empty where the engine has none or does not tell.
  virtual std::vector<CacheRecord> build_cache() = 0;
  /// Removes one record of it. One that is gone, in use, or needed by another is left: false.
  virtual bool remove_cache(const std::string& id) = 0;
  /// Names an image: the one way, and it takes the permission.
  virtual void tag(const Cleared& cleared, const std::string& name) = 0;
  /// Removes an image without its untagged parents. One that is gone, or that has a name, is left alone: false.
  virtual bool remove_image(const std::string& handle) = 0;

  /// Containers, untagged images and volumes that carry `label` (for `imgbuild gc`). A builder's context is a volume
  /// that goes with it, unless the engine dies first.
  struct Ours {
    struct Item {
      std::string id;
      std::map<std::string, std::string> labels;
      std::string state;         ///< of a container: "running", "created", "exited"...
      std::int64_t created = 0;  ///< Unix time
    };
    std::vector<Item> containers, images, volumes;
  };
  virtual Ours ours(const std::string& label) = 0;
  /// One that is gone, or that a container has, is left alone: false.
  virtual bool remove_volume(const std::string& name) = 0;
};

/// Which engine: `given` (--engine), else $DOCKER_HOST, else the current docker context, else docker's socket; where
/// nobody listens there, podman, as connect_podman() has it. unix://PATH, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT
/// with TLS as DOCKER_TLS_VERIFY and DOCKER_CERT_PATH (or the context) say; "podman". Throws Error with a hint where
/// none answers.
std::unique_ptr<Engine> connect_engine(const std::string& given);
/// Podman's service where one listens ($CONTAINER_HOST, the user's, root's); else one of our own, for as long as the
/// engine is there.
std::unique_ptr<Engine> connect_podman();

}  // namespace imgbuild

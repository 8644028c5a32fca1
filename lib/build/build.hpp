#pragma once
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/gateway.hpp"
#include "base/secret.hpp"
#include "context/stage.hpp"
#include "engine/engine.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

/// The driver: stage, lend, run, commit, audit, name (design section 4).
namespace imgbuild {

/// A secret that is handed to the script as $BUILD_SECRETS/ID.
struct HandedSecret {
  std::string id;
  Secret value;
  bool weak = false;     ///< --weak-secret: too short or common to be looked for; the report says so
  std::string variable;  ///< that it was read from, where it was one
};

/// A file that the script finds at its place in the builder, and that does not ship: the place is in the image as it
/// was before, or not.
struct HandedFile {
  std::string place;  ///< absolute, or in the context
  Secret content;
  std::uint32_t mode = 0600;
  std::string asked;  ///< "imgbuild.toml:3" where the context says so: then nothing that a rule knows may be in it
};

/// A secret that git in the builder shows to https://HOST, and to nobody else (surroundings.hpp).
struct GitToken {
  std::string host;  ///< lower case, perhaps with ":PORT"
  std::string user, secret;
};

/// A proxy that the script's programs are told of.
struct ProxyVariable {
  std::string name;  ///< "https_proxy"
  std::shared_ptr<const Secret> value;
  bool secret = false;  ///< a login is in it: its parts are in the vault
};

/// What the engine's own builder is asked for.
struct DockerfilePlan {
  std::string shown;                  ///< for messages: as it was said
  std::string path;                   ///< in the context; empty: it lies elsewhere
  std::string text;                   ///< what stands in it
  std::optional<std::string> ignore;  ///< of its own `.dockerignore`
  bool has_ignore = false;            ///< that, or the context's
  std::string target;
  std::map<std::string, std::string> args;
  std::vector<std::string> cache_from;
  bool no_cache = false;
  bool purge = false;  ///< what a refused build left in the engine's build cache goes
};

/// Something of the builder that goes onto another image (build/artifacts.hpp).
struct Artifact {
  std::string said;   ///< for messages
  std::string path;   ///< in the builder, absolute; may be a glob
  std::string dest;   ///< in the image, without a leading '/'; of all that is put into a folder, that folder
  bool into = false;  ///< `dest` is a folder that it goes into under its own name
};

/// Everything a build was asked for; flags, environment and files are settled already.
struct Plan {
  std::string context;  ///< PATH
  std::string ref;      ///< --ref
  std::vector<std::string> include;
  bool with_git = false;
  std::string from;  ///< --from
  Pull pull = Pull::missing;
  std::string platform, network;
  std::vector<std::string> add_hosts;  ///< "HOST:ADDRESS"
  std::uint64_t memory = 0;            ///< bytes that the builder may take; 0: no limit
  double cpus = 0;                     ///< as many at once; 0: no limit
  std::vector<GitToken> git_tokens;
  std::vector<ProxyVariable> proxies;
  std::string certificates;          ///< PEM of authorities that programs shall trust besides
  std::vector<std::string> caches;   ///< names of folders that are kept from build to build
  std::string script;                ///< the script's bytes; empty where `command` is given
  std::string script_name;           ///< for messages: "build.sh", "-"
  std::vector<std::string> command;  ///< -- COMMAND..., run verbatim
  std::vector<std::string> tags;     ///< -t; none: the image goes with the outcome
  AgentRequest ssh;                  ///< .hosts empty: nothing is lent
  std::vector<HandedSecret> secrets;
  std::vector<HandedFile> config_files;
  std::vector<std::string> env;  ///< --env K=V, for the script only
  std::string user, workdir;     ///< --user, --workdir, for the script only
  std::vector<std::string> ignore_volumes;
  double timeout = 0;  ///< seconds for the script; 0: none
  bool keep = false;   ///< keep a refused image, untagged
  Policy policy;
  bool cache = true;  ///< what was audited before need not be read, and an equal build need not be done, again
  /// Dockerfile mode: there is no `from`, no script and nothing for one, and of the config only labels are ours.
  std::optional<DockerfilePlan> dockerfile;

  std::string onto;  ///< the image that the artefacts go onto; empty: the builder itself is what ships
  std::vector<Artifact> artifacts;
  bool squash = false;         ///< one layer of what a Dockerfile added
  std::uint64_t max_size = 0;  ///< bytes of all layers, uncompressed; a larger image is refused; 0: none is

  /// Of the resulting config; nullopt: the base's, unchanged.
  std::optional<std::vector<std::string>> image_cmd, image_entrypoint;
  std::vector<std::string> image_labels, image_env, expose;  ///< "K=V", "K=V", "80/tcp"
  std::optional<std::string> image_user, image_workdir;
};

struct BuildStep;
class Traces;

/// What came of it.
struct Outcome {
  Status status = Status::failed;  ///< clean: named; leak: refused; script; failed: incomplete audit
  int script_status = 0;           ///< the script's own, where status is script
  std::string handle;              ///< of the named (or kept, or unnamed) image
  std::time_t unchanged = 0;       ///< nothing was run: the image is that of an equal build, which began then
  std::optional<Audit> audit;      ///< where it came to one
  std::string context_digest;
  std::uint64_t context_files = 0, context_bytes = 0;
  std::vector<Withheld> withheld;
  std::vector<Signature> ledger;
  std::vector<std::string> killed;  ///< processes that the script left behind: "123 sleep 1000"
  std::vector<std::string> stubs;   ///< paths that the engine made for its own mounts
  std::vector<std::string> weak_secrets;
  std::shared_ptr<Traces> unnamed;     ///< clean, and nobody wants a name: the image goes with this
  std::vector<std::string> too_large;  ///< why the image is larger than it may be (verdict/weight.hpp)
};

/// Where a build talks while it runs. Called from the building thread, `signature` from the agent client's; each may be
/// empty.
struct BuildTalk {
  std::function<void(const std::string&)> step;  ///< "staging ./app", "audit: clean"; one line, printable
  std::function<void(std::string_view)> output;  ///< the script's output, redacted
  /// What happens to the steps of a Dockerfile, where its builder tells of steps; then their output goes to
  /// `step_output` instead.
  std::function<void(const BuildStep&)> changed;
  std::function<void(std::string_view)> step_output;
  std::function<void(const std::string&)> warn;     ///< one line
  std::function<void(std::string_view)> logged;     ///< what the script wrote to /dev/log, redacted; empty: it has none
  std::function<void(const Withheld&)> withheld;    ///< of the context and the script, once all of it was looked at
  std::function<void(const Signature&)> signature;  ///< a new line of the ledger
};

/// Builds. What is found is in the Outcome; throws Error (or Interrupted) where the work could not be done, and then
/// nothing is left behind: no container, no name, no volume, no image, no secret. The engine must outlive the outcome.
/// `vault` holds what the run knows; the caller redacts its reports with it.
Outcome build(Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
              const BuildTalk& talk);

/// --dry-run: the steps that build() would take, one line each. Contacts no engine and creates nothing.
std::vector<std::string> describe(const Plan& plan);

/// The part of build() that needs no engine, for --dry-run: of a build by Dockerfile all that could be refused before
/// the engine is asked for anything; of one by script nothing. Status clean: nothing is refused; leak: `withheld` says
/// what. Throws as build() does.
Outcome rehearse(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault, const BuildTalk& talk);

/// What an interrupted build left behind, found by our label and the journal, and removed. `all`: also images kept by
/// --keep. Live builds are left alone. Returns a line per thing removed.
std::vector<std::string> collect_garbage(Engine& engine, bool all);

}  // namespace imgbuild

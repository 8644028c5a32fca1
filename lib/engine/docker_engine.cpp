// The builder container and what runs in it. The requests are few; why each looks as it does stands beside it. Images
// are in docker_images.cpp.
#include "engine/docker_engine.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "engine/exec.hpp"
#include "engine/podman_service.hpp"
#include "engine/ssh_road.hpp"
#include "image/reference.hpp"

namespace imgbuild {
namespace {

// Container and exec ids come from the engine and go into paths.
std::string id_of(const Json& json, const char* what) {
  const std::string id = text_at(json, "Id");
  if (id.empty() || id.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    throw Error(std::string("engine: ") + what + ": it answered without an id");
  return id;
}

constexpr const char* usual_containerd = "/var/lib/containerd";

std::string filter_of(const Json& filters) { return "filters=" + percent_encode(filters.dump()); }

}  // namespace

DockerEngine::DockerEngine(EngineAddress address, Variables variables)
    : api_(std::move(address)), variables_(std::move(variables)) {}

const EngineFacts& DockerEngine::facts() {
  if (!facts_.version.empty()) return facts_;
  const Json version = api_.demand("version", "GET", "/version");
  const Json info = api_.demand("info", "GET", "/info");
  EngineFacts facts;
  facts.endpoint = printable(api_.address().text);
  facts.api = api_.version();
  facts.version = text_at(version, "Version");
  facts.os = text_at(version, "Os");
  facts.architecture = text_at(version, "Arch");
  if (facts.version.empty()) throw Error("engine: version: it does not say which it is");
  if (at(version, "Components").is_array())
    for (const auto& component : at(version, "Components"))
      if (text_at(component, "Name") == "Podman Engine") facts.kind = EngineFacts::Kind::podman;
  if (facts.kind != EngineFacts::Kind::podman && at(info, "DriverStatus").is_array())
    for (const auto& pair : at(info, "DriverStatus"))
      if (texts_of(pair) == std::vector<std::string>{"driver-type", "io.containerd.snapshotter.v1"})
        facts.kind = EngineFacts::Kind::docker_containerd;
  root_ = text_at(info, "DockerRootDir");
  driver_ = text_at(info, "Driver");
  if (!api_.address().http.socket.empty())
    files_ = EngineFiles(facts.kind, root_, driver_, text_at(at(info, "Containerd"), "Address"));
  if (helper_) helped_files_ = EngineFiles(facts.kind, driver_, helper_);
  facts_ = std::move(facts);
  return facts_;
}

EngineFacts::Kind DockerEngine::kind() { return api_.podman() ? EngineFacts::Kind::podman : facts().kind; }

std::string DockerEngine::create(const BuilderSpec& spec) {
  // Inert: nothing of the base's runs or writes (its ENTRYPOINT, HEALTHCHECK, a WORKDIR that is not there), no init
  // that would end with what the relay kills, and no trace of us but the labels. `cat` ends with the driver's attach.
  Json host = {{"Init", false},
               {"AutoRemove", true},
               {"Tmpfs", {{builder_tmpfs, "exec,mode=0755"}}},
               {"Mounts",
                {{{"Type", "volume"},
                  {"Target", builder_context},
                  {"VolumeOptions", {{"NoCopy", true}, {"Labels", spec.labels}}}}}}};
  for (const auto& name : spec.caches)
    host["Mounts"].push_back({{"Type", "volume"},
                              {"Source", cache_volume + name},
                              {"Target", std::string(builder_caches) + "/" + name},
                              {"VolumeOptions", {{"NoCopy", true}, {"Labels", {{cache_label, name}}}}}});
  if (!spec.network.empty()) host["NetworkMode"] = spec.network;
  if (!spec.extra_hosts.empty()) host["ExtraHosts"] = spec.extra_hosts;
  if (spec.memory > 0) host["Memory"] = spec.memory;
  if (spec.cpus > 0) host["NanoCpus"] = static_cast<std::int64_t>(spec.cpus * 1e9);
  const Json body = {{"Image", spec.image},
                     {"Entrypoint", {"cat"}},
                     {"Cmd", Json::array()},
                     {"User", "0"},
                     {"WorkingDir", "/"},
                     {"Healthcheck", {{"Test", {"NONE"}}}},
                     {"OpenStdin", true},
                     {"StdinOnce", true},
                     {"AttachStdin", true},
                     {"Labels", spec.labels},
                     {"HostConfig", std::move(host)}};
  std::string path = "/containers/create";
  if (!spec.platform.empty() && api_.at_least(41)) path += "?platform=" + percent_encode(spec.platform);
  const std::string id = id_of(api_.demand("create", "POST", path, body.dump()), "create");
  // What it cannot limit, a rootless podman on control groups v1 drops without a word.
  if (spec.memory > 0 || spec.cpus > 0) {
    const Json created = inspect_container(id);
    const Json& limits = at(created, "HostConfig");
    if ((spec.memory > 0 && number_at(limits, "Memory", 0) == 0) ||
        (spec.cpus > 0 && number_at(limits, "NanoCpus", 0) == 0 && number_at(limits, "CpuQuota", 0) == 0))
      throw Error("engine: create: it cannot limit memory or processors here",
                  "a rootless podman can with control groups v2; or build without --memory and --cpus");
  }
  return id;
}

void DockerEngine::read_files_by(std::function<std::unique_ptr<Fetch>()> open) {
  helper_ = std::move(open);
  const bool known = !facts_.version.empty();  // else facts() does it
  helped_files_ = helper_ && known ? EngineFiles(facts_.kind, driver_, helper_) : EngineFiles();
}

std::vector<std::string> DockerEngine::containerd_roots() {
  if (facts().kind != EngineFacts::Kind::docker_containerd) return {};
  return {root_ + "/containerd/daemon", usual_containerd};
}

std::string DockerEngine::create_helper(const std::string& image, const std::vector<std::string>& argv,
                                        const std::map<std::string, std::string>& labels,
                                        const std::string& containerd) {
  if (facts().kind == EngineFacts::Kind::docker_containerd) try {
      const std::string folder = containerd.empty() ? usual_containerd : containerd;
      return create_helper_with({{root_, helper_root}, {folder, helper_containerd}}, image, argv, labels);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // a containerd of the engine's own: its folder is in the root
      if (!containerd.empty()) throw;
    }
  return create_helper_with({{root_, helper_root}}, image, argv, labels);
}

// Nothing of what is mounted below the folders comes along: what runs would find its own mounts busy.
std::string DockerEngine::create_helper_with(const std::map<std::string, std::string>& folders,
                                             const std::string& image, const std::vector<std::string>& argv,
                                             const std::map<std::string, std::string>& labels) {
  Json mounts = Json::array();
  for (const auto& [folder, target] : folders)
    mounts.push_back({{"Type", "bind"},
                      {"Source", folder},
                      {"Target", target},
                      {"ReadOnly", true},
                      {"BindOptions", {{"NonRecursive", true}}}});
  const Json host = {{"Init", false},
                     {"AutoRemove", true},
                     {"NetworkMode", "none"},
                     {"ReadonlyRootfs", true},
                     {"CapDrop", {"ALL"}},
                     {"CapAdd", {"DAC_READ_SEARCH"}},  // files of whatever owner, to read
                     {"SecurityOpt", {"no-new-privileges", "label=disable"}},
                     {"UsernsMode", "host"},
                     {"LogConfig", {{"Type", "none"}}},
                     {"Mounts", std::move(mounts)}};
  const Json body = {{"Image", image},    {"Entrypoint", argv}, {"Cmd", Json::array()}, {"User", "0"},
                     {"WorkingDir", "/"}, {"OpenStdin", true},  {"StdinOnce", true},    {"AttachStdin", true},
                     {"Labels", labels},  {"HostConfig", host}};
  return id_of(api_.demand("create", "POST", "/containers/create", body.dump()), "create");
}

std::unique_ptr<Stream> DockerEngine::start(const std::string& container) {
  auto stream = api_.hijack("attach", "/containers/" + container + "/attach?stream=1&stdin=1", "");
  const HttpAnswer answer = api_.ask("POST", "/containers/" + container + "/start");
  if (answer.status != 204 && answer.status != 304) {
    const Error refused = Api::refusal("start", answer);
    const std::string words = refused.what();
    if (words.find("executable file not found") != std::string::npos ||
        words.find("no such file or directory") != std::string::npos)
      throw Error("engine: start: the base image has no `cat`",
                  "a builder base needs `sh` and `cat`: busybox or any distribution has both");
    if (words.find("exec format error") != std::string::npos)
      throw Error("engine: start: the base image is for another kind of processor", "say which with --platform");
    throw refused;
  }
  if (!running(container))
    throw Error("engine: start: the builder ended at once", "does `cat` work in the base image?");
  return stream;
}

std::unique_ptr<Exec> DockerEngine::exec(const std::string& container, const ExecSpec& spec) {
  const Json body = {{"AttachStdin", true}, {"AttachStdout", true}, {"AttachStderr", true},
                     {"Tty", false},        {"Cmd", spec.argv},     {"User", spec.user}};
  const std::string id = id_of(api_.demand("exec", "POST", "/containers/" + container + "/exec", body.dump()), "exec");
  auto stream = api_.hijack("exec", "/exec/" + id + "/start", R"({"Detach":false,"Tty":false})");
  return std::make_unique<EngineExec>(api_, id, std::move(stream));
}

Json DockerEngine::inspect_container(const std::string& container) {
  const HttpAnswer answer = api_.ask("GET", "/containers/" + container + "/json");
  if (answer.status == 404) return nullptr;
  if (answer.status != 200) throw Api::refusal("inspect", answer);
  return parse_json(answer.body, "engine: inspect: the answer");
}

bool DockerEngine::running(const std::string& container) {
  return at(at(inspect_container(container), "State"), "Running") == Json(true);
}

void DockerEngine::remove_container(const std::string& container) {
  const HttpAnswer answer = api_.ask("DELETE", "/containers/" + container + "?force=1&v=1");
  if (answer.status == 404 || (answer.status >= 200 && answer.status < 300)) return;
  // It removes itself when it ends (AutoRemove), and then a second removal is a conflict that solves itself.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    if (inspect_container(container).is_null()) return;
    ::usleep(50'000);
  }
  throw Api::refusal("remove", answer);
}

void DockerEngine::unpause(const std::string& container) { api_.ask("POST", "/containers/" + container + "/unpause"); }

std::string DockerEngine::commit(const std::string& container, const std::map<std::string, std::string>& labels) {
  // The labels are ours, so that gc finds the intermediate; its config is never given a name.
  const Json body = labels.empty() ? Json::object() : Json{{"Labels", labels}};
  const std::string path = "/commit?container=" + container + "&pause=";
  HttpAnswer answer = api_.ask("POST", path + "1", body.dump());
  // A rootless podman on control groups v1 cannot pause. Nothing runs that could change a file meanwhile, and what is
  // committed is what is looked at.
  if (answer.status >= 500 && answer.body.find("can not pause") != std::string::npos)
    answer = api_.ask("POST", path + "0", body.dump());
  if (answer.status < 200 || answer.status > 299) throw Api::refusal("commit", answer);
  std::string id = text_at(parse_json(answer.body, "engine: commit: the answer"), "Id");
  if (!id.starts_with("sha256:")) id = "sha256:" + id;
  if (!is_image_id(id)) throw Error("engine: commit: it answered without an id");
  return id;
}

Engine::Ours DockerEngine::ours(const std::string& label) {
  const auto items = [](const Json& list, bool containers) {
    std::vector<Ours::Item> out;
    if (!list.is_array()) return out;
    for (const auto& one : list)
      out.push_back({text_at(one, "Id"), pairs_of(at(one, "Labels")), containers ? text_at(one, "State") : "",
                     number_at(one, "Created", 0)});
    return out;
  };
  const Json labelled = {{"label", {label}}}, dangling = {{"label", {label}}, {"dangling", {"true"}}};
  Ours ours;
  ours.containers = items(api_.demand("list", "GET", "/containers/json?all=1&" + filter_of(labelled)), true);
  ours.images = items(api_.demand("list", "GET", "/images/json?" + filter_of(dangling)), false);
  const Json volumes = api_.demand("list", "GET", "/volumes?" + filter_of(labelled));
  if (at(volumes, "Volumes").is_array())
    for (const auto& one : at(volumes, "Volumes"))
      ours.volumes.push_back({text_at(one, "Name"), pairs_of(at(one, "Labels")), "", 0});
  return ours;
}

bool DockerEngine::remove_volume(const std::string& name) {
  const HttpAnswer answer = api_.ask("DELETE", "/volumes/" + percent_encode(name));
  if (answer.status == 404 || answer.status == 409) return false;
  if (answer.status < 200 || answer.status > 299) throw Api::refusal("remove " + printable(name), answer);
  return true;
}

std::unique_ptr<Engine> connect_engine(const std::string& given) {
  if (given == "podman") return connect_podman();
  const Variables variables = process_variables();
  EngineAddress address = choose_engine(given, variables);
  // One that is there and lets us not in is not passed over.
  const std::string& socket = address.http.socket;
  if (address.from == default_engine && !listens(socket) && (::access(socket.c_str(), W_OK) == 0 || errno == ENOENT) &&
      (PodmanService::possible() || !podman_address().empty()))
    return connect_podman();
  if (!address.http.tunnel.empty()) {
    auto road = std::make_shared<SshRoad>(address.http.tunnel);
    address.http.tunnel = road->command();
    address.road = std::move(road);
  }
  return std::make_unique<DockerEngine>(std::move(address), variables);
}

std::unique_ptr<Engine> connect_podman() {
  const Variables variables = process_variables();
  if (const std::string there = podman_address(); !there.empty()) return connect_engine(there);
  if (!PodmanService::possible())
    throw Error("engine: podman's service does not listen, and there is no podman to start it",
                "systemctl --user start podman.socket, or `podman save NAME | imgbuild audit -`");
  auto service = std::make_shared<PodmanService>();
  EngineAddress address = choose_engine(service->socket(), variables);
  address.text = "podman";  // the same in every run, for the journal
  address.from = "podman, started for this run";
  address.road = std::move(service);
  return std::make_unique<DockerEngine>(std::move(address), variables);
}

}  // namespace imgbuild

// The engine's own builder of Dockerfiles. With BuildKit a build is three connections: a session, upgraded to HTTP/2,
// over which the builder asks for what it was not sent (logins, secrets, the agent); the upload of the context; and the
// build itself, whose answer tells how it goes. They find each other by an id of ours. The context cannot be the
// build's own body: the builder answers before it has read that, and Go's server then reads no further.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/text.hpp"
#include "engine/docker_engine.hpp"
#include "engine/podman_service.hpp"
#include "image/reference.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_message = std::size_t{32} << 20;  // a build's trace comes in large pieces

std::string field(const char* name, const std::string& value) {
  return value.empty() ? "" : std::string("&") + name + "=" + percent_encode(value);
}

// Unix time of "2026-01-02T03:04:05.678Z", or with an offset; 0 for anything else.
std::int64_t time_in(const std::string& text) {
  std::tm fields{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (rest == nullptr) return 0;
  while (*rest == '.' || (*rest >= '0' && *rest <= '9')) ++rest;
  int hours = 0, minutes = 0;
  if ((*rest == '+' || *rest == '-') && std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2) {
    const int sign = *rest == '-' ? -1 : 1;
    return ::timegm(&fields) - sign * (hours * 3600 + minutes * 60);
  }
  return *rest == 'Z' ? ::timegm(&fields) : 0;
}

// "sha256:..." of the image, from whichever message told it.
std::string image_in(const Json& message) {
  const std::string id = text_at(at(message, "aux"), "ID");
  return is_image_id(id) ? id : "";
}

}  // namespace

std::unique_ptr<Stream> DockerEngine::open_session(const std::string& id, const std::vector<std::string>& methods) {
  std::vector<std::string> headers = {"X-Docker-Expose-Session-Uuid: " + id, "X-Docker-Expose-Session-Name: imgbuild",
                                      "X-Docker-Expose-Session-Sharedkey: "};
  for (const auto& method : methods) headers.push_back("X-Docker-Expose-Session-Grpc-Method: " + method);
  return api_.hijack("session", "/session", "", headers, "h2c");
}

std::unique_ptr<Stream> DockerEngine::open_upload(const std::string& session, std::uint64_t size) {
  return api_.begin(
      "/build?version=2&buildid=upload-request:" + session,
      {"Content-Type: application/x-tar", "Connection: close", "Content-Length: " + std::to_string(size)});
}

// Podman's API cannot be asked to lend an agent, but a podman may be set to: by one of our own, on this machine, with
// the same store, whose only build this is.
std::string DockerEngine::build_lending(const DockerfileSpec& spec, Source* context,
                                        const std::function<void(const Json&)>& said) {
  constexpr const char* otherwise =
      "build by script (--from IMAGE --run SCRIPT --ssh ...), which any podman can do, or on a Docker engine";
  facts();
  if (api_.address().http.socket.empty() || !PodmanService::possible())
    throw Error("podman's builder can be lent the agent on its own machine only, where the podman program is",
                otherwise);
  auto service = std::make_shared<PodmanService>(spec.agent);
  EngineAddress address = choose_engine(service->socket(), variables_);
  address.road = std::move(service);
  DockerEngine own(std::move(address), variables_);
  own.facts();
  const auto elsewhere = [&] {
    return Error(
        "podman's builder can be lent the agent only where the podman program has the same images: here it has " +
            printable(own.root_) + ", and " + facts().endpoint + " another store",
        std::string("run imgbuild as the user whose service it is; or ") + otherwise);
  };
  if (own.root_ != root_ || own.driver_ != driver_) throw elsewhere();
  DockerfileSpec rest = spec;
  rest.agent.clear();
  const std::string image = own.build_dockerfile(rest, context, said);
  if (!image.empty() && inspect_image(image).is_null()) {  // a store of the same name, in another mount namespace
    own.remove_image(image);
    throw elsewhere();
  }
  return image;
}

std::string DockerEngine::build_dockerfile(const DockerfileSpec& spec, Source* context,
                                           const std::function<void(const Json&)>& said) {
  if (!spec.agent.empty()) return build_lending(spec, context, said);
  std::string path = "/build?rm=1&forcerm=1";
  if (!spec.session.empty())
    path += "&version=2&remote=upload-request&session=" + spec.session + "&buildid=" + spec.session;
  else if (facts().kind == EngineFacts::Kind::podman)
    path += "&layers=0";  // no untagged images of steps stay behind
  path += field("dockerfile", spec.dockerfile) + field("target", spec.target) + field("platform", spec.platform) +
          field("networkmode", spec.network);
  if (!spec.args.empty()) path += field("buildargs", Json(spec.args).dump());
  if (!spec.labels.empty()) path += field("labels", Json(spec.labels).dump());
  if (!spec.cache_from.empty()) path += field("cachefrom", Json(spec.cache_from).dump());
  if (!spec.extra_hosts.empty() && facts().kind == EngineFacts::Kind::podman)
    path += field("extrahosts", Json(spec.extra_hosts).dump());
  else
    for (const auto& host : spec.extra_hosts) path += field("extrahosts", host);
  if (!spec.files.empty()) {
    Json secrets = Json::array();
    for (const auto& [id, file] : spec.files) secrets.push_back("id=" + id + ",src=" + file);
    path += field("secrets", secrets.dump());
  }
  if (spec.pull) path += "&pull=1";
  if (spec.no_cache) path += "&nocache=1";

  std::string image;
  Messages messages(
      [&](const Json& message) {
        if (const std::string id = image_in(message); !id.empty()) image = id;
        if (said) said(message);
      },
      most_message);
  const auto body = api_.open("build", "POST", path, {"Content-Type: application/x-tar"}, context);
  read_messages(*body, messages, "build");
  if (!messages.failure().empty()) throw Error("engine: build: " + messages.failure());
  return image;
}

std::vector<CacheRecord> DockerEngine::build_cache() {
  std::vector<CacheRecord> records;
  if (facts().kind == EngineFacts::Kind::podman) return records;
  const Json usage =
      api_.demand("system df", "GET", "/system/df" + std::string(api_.at_least(42) ? "?type=build-cache" : ""));
  const Json& cache = at(usage, "BuildCache");
  if (!cache.is_array()) return records;
  for (const auto& one : cache)
    records.push_back({text_at(one, "ID"), text_at(one, "Description"),
                       static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_at(one, "Size", 0))),
                       time_in(text_at(one, "LastUsedAt"))});
  return records;
}

bool DockerEngine::remove_cache(const std::string& id) {
  const Json filter = {{"id", {{id, true}}}};
  const Json pruned = api_.demand("prune", "POST", "/build/prune?all=1&filters=" + percent_encode(filter.dump()));
  const auto gone = texts_of(at(pruned, "CachesDeleted"));
  return std::find(gone.begin(), gone.end(), id) != gone.end();
}

}  // namespace imgbuild

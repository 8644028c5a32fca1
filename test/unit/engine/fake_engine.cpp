// The engine room against a scripted engine: what it asks for, and what it makes of strange answers.
#include <catch2/catch.hpp>

#include "../http/scripted_server.hpp"
#include "crypto/digest.hpp"
#include "engine/archives.hpp"
#include "engine/docker_engine.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

const std::string config =
    R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:)" +
    std::string(64, '1') + R"("]}})";
const std::vector<std::string> diff_ids = {"sha256:" + std::string(64, '1')};
const std::string id = "sha256:" + std::string(64, 'a');

bool asks(const std::string& request, const std::string& line) { return request.find(line) != std::string::npos; }

// Answers the questions that each engine is asked first; the rest is the test's.
ScriptedServer::Answer engine_of(const std::string& kind, const ScriptedServer::Answer& rest) {
  return [=](const std::string& request) {
    if (asks(request, " /_ping ")) return ScriptedServer::plain(200, "OK", "Api-Version: 1.44\r\n");
    if (asks(request, " /v1.44/version "))
      return ScriptedServer::plain(200, R"({"Version":"9.9","Os":"linux","Arch":"amd64","Components":[{"Name":")" +
                                            std::string(kind == "podman" ? "Podman Engine" : "Engine") + R"("}]})");
    if (asks(request, " /v1.44/info "))
      return ScriptedServer::plain(
          200, kind == "containerd" ? R"({"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})" : "{}");
    return rest(request);
  };
}

DockerEngine connect(const ScriptedServer& server) {
  return DockerEngine({server.endpoint(), "unix://fake", "the test"}, [](const char*) { return std::string(); });
}

std::string inspect_of(const std::string& handle, const std::string& tags = "[]") {
  return ScriptedServer::plain(200, Json({{"Id", handle},
                                          {"RepoTags", Json::parse(tags)},
                                          {"Os", "linux"},
                                          {"Architecture", "amd64"},
                                          {"RootFS", {{"Layers", diff_ids}}}})
                                        .dump());
}

}  // namespace

TEST_CASE("an engine is asked for its version once, and each path carries it") {
  ScriptedServer server(engine_of("classic", [](const std::string&) { return ScriptedServer::plain(404, "{}"); }));
  auto engine = connect(server);
  CHECK(engine.facts().kind == EngineFacts::Kind::docker_classic);
  CHECK(engine.facts().api == "1.44");
  CHECK(engine.facts().version == "9.9");
  engine.facts();
  engine.remove_container("ab");
  CHECK(server.seen() == std::vector<std::string>{"GET /_ping", "GET /v1.44/version", "GET /v1.44/info",
                                                  "DELETE /v1.44/containers/ab?force=1&v=1"});
}

TEST_CASE("an engine that is too old, or none at all, is told") {
  ScriptedServer old([](const std::string&) { return ScriptedServer::plain(200, "OK", "Api-Version: 1.24\r\n"); });
  CHECK_THROWS_WITH(connect(old), Contains("1.24") && Contains("1.40"));
  ScriptedServer web([](const std::string&) { return ScriptedServer::plain(200, "<html>"); });
  CHECK_THROWS_WITH(connect(web), Contains("no Docker engine"));
  TempDir dir;
  HttpEndpoint nowhere;
  nowhere.socket = dir.path() + "/none";
  try {
    DockerEngine({nowhere, "unix:///none", "DOCKER_HOST"}, {});
    FAIL("connected");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains("engine: none answers") && Contains("from DOCKER_HOST"));
    CHECK_THAT(error.hint(), Contains("start it"));
  }
}

TEST_CASE("a builder is asked for as the design says: inert, without env or binds") {
  ScriptedServer server(
      engine_of("classic", [](const std::string&) { return ScriptedServer::plain(201, R"({"Id":"abc"})"); }));
  auto engine = connect(server);
  CHECK(engine.create({id, "host", "linux/amd64", {{"imgbuild", "x"}}}) == "abc");
  CHECK(server.seen().back() == "POST /v1.44/containers/create?platform=linux%2Famd64");
  const std::string request = server.requests().back();
  CHECK(Json::parse(request.substr(request.find("\r\n\r\n") + 4)) == Json::parse(R"({
    "Image": ")" + id + R"(", "Entrypoint": ["cat"], "Cmd": [], "User": "0", "WorkingDir": "/",
    "Healthcheck": {"Test": ["NONE"]}, "OpenStdin": true, "StdinOnce": true, "AttachStdin": true,
    "Labels": {"imgbuild": "x"},
    "HostConfig": {"Init": false, "AutoRemove": true, "NetworkMode": "host",
      "Tmpfs": {"/dev/imgbuild": "exec,mode=0755"},
      "Mounts": [{"Type": "volume", "Target": "/dev/imgbuild/context", "VolumeOptions": {"NoCopy": true, "Labels": {"imgbuild": "x"}}}]}})"));
}

TEST_CASE("an id that would reach elsewhere in the API is not believed") {
  ScriptedServer server(
      engine_of("classic", [](const std::string&) { return ScriptedServer::plain(201, R"({"Id":"../images/x"})"); }));
  CHECK_THROWS_WITH(connect(server).create({id, "", "", {}}), Contains("without an id"));
}

TEST_CASE("a config is loaded in the store's own form, and what came of it is checked") {
  const std::string own = sha256_digest(view_of(config));
  for (const std::string kind : {"classic", "podman", "containerd"}) {
    const OciArchive held = oci_archive(config, podman_layers(diff_ids));
    ScriptedServer server(engine_of(kind, [&](const std::string& request) {
      if (asks(request, "POST /v1.44/images/load")) return ScriptedServer::plain(200, R"({"stream":"Loaded"})");
      if (asks(request, "/get ")) return ScriptedServer::plain(200, held.tar);
      return inspect_of(id);
    }));
    auto engine = connect(server);
    const std::string handle = engine.load_config(kind == "containerd" ? held.manifest : id, config);
    CHECK(handle == (kind == "containerd" ? held.manifest : own));
    std::string load;
    for (const auto& request : server.requests())
      if (asks(request, "POST /v1.44/images/load")) load = request;
    CHECK(asks(load, kind == "classic" ? "manifest.json" : "oci-layout"));
    CHECK(load.size() < 20'000);
    CHECK(engine.config_of(handle).raw == config);
  }
}

TEST_CASE("a load that fails inside a 200 answer, or makes something else, is a failure") {
  ScriptedServer refusing(engine_of("classic", [](const std::string& request) {
    return asks(request, "/images/load")
               ? ScriptedServer::plain(200,
                                       R"({"errorDetail":{"message":"invalid history"},"error":"invalid history"})")
               : inspect_of(id);
  }));
  CHECK_THROWS_WITH(connect(refusing).load_config(id, config), "engine: load: invalid history");

  ScriptedServer other(engine_of("classic", [](const std::string& request) {
    return asks(request, "/images/load") ? ScriptedServer::plain(200, "{}")
                                         : ScriptedServer::plain(200, R"({"RootFS":{"Layers":["sha256:2"]}})");
  }));
  CHECK_THROWS_WITH(connect(other).load_config(id, config), Contains("other layers"));
}

TEST_CASE("an image that has a name, or is gone, is left alone; podman's conflict is looked into") {
  std::string tags = R"(["app:1"])";
  int inspected = 0;
  ScriptedServer server(engine_of("podman", [&](const std::string& request) {
    if (asks(request, "DELETE ")) return ScriptedServer::plain(409, R"({"message":"in use"})");
    ++inspected;
    if (tags == "gone") return ScriptedServer::plain(404, "{}");
    const std::string answer = inspect_of(id, tags);
    if (tags == R"(["<none>:<none>"])") tags = "gone";
    return answer;
  }));
  auto engine = connect(server);
  CHECK_FALSE(engine.remove_image(id));
  CHECK(server.seen().back().starts_with("GET "));
  tags = "[]";
  CHECK_THROWS_WITH(engine.remove_image(id), Contains("in use"));
  tags = R"(["<none>:<none>"])";
  CHECK(engine.remove_image(id));
  CHECK_FALSE(engine.remove_image(id));
  for (const auto& line : server.seen())
    if (line.starts_with("DELETE")) CHECK_THAT(line, Catch::EndsWith("?noprune=1"));
}

TEST_CASE("pulling asks for one tag, sends the login, and finds the failure in the stream") {
  bool here = false, fails = false;
  ScriptedServer server(engine_of("classic", [&](const std::string& request) {
    if (!asks(request, "POST /v1.44/images/create"))
      return here ? inspect_of(id, R"(["reg.example/app:latest"])") : ScriptedServer::plain(404, "{}");
    here = !fails;
    return ScriptedServer::plain(
        200, fails ? "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"denied\"}}" : "{}");
  }));
  auto engine = connect(server);
  CHECK_THROWS_WITH(engine.find_image("reg.example/app", "", Pull::never), Contains("no image reg.example/app"));
  CHECK(engine.find_image("reg.example/app", "", Pull::missing).handle == id);
  CHECK(server.seen().at(3) == "POST /v1.44/images/create?fromImage=reg.example%2Fapp&tag=latest");
  const std::size_t before = server.seen().size();
  engine.find_image("reg.example/app", "", Pull::missing);
  CHECK(server.seen().size() == before + 1);
  fails = true;
  CHECK_THROWS_WITH(engine.find_image("reg.example/app", "linux/arm64", Pull::always),
                    "engine: pull reg.example/app: denied");
}

TEST_CASE("an engine that goes away half way is an error in every call, not an empty answer") {
  const std::string cut = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"Id\":\"ab\"";
  ScriptedServer server(engine_of("classic", [&](const std::string&) { return cut; }));
  auto engine = connect(server);
  CHECK_THROWS_WITH(engine.create({id, "", "", {}}), Catch::StartsWith("engine: ") && Contains("ended before"));
  CHECK_THROWS_AS(engine.commit("ab", {}), Error);
  CHECK_THROWS_AS(engine.running("ab"), Error);
  CHECK_THROWS_AS(engine.find_image("app", "", Pull::never), Error);
  CHECK_THROWS_AS(engine.config_of(id), Error);
  CHECK_THROWS_AS(engine.ours("x"), Error);
  try {
    const auto source = engine.save(id);
    while (!source->next().empty()) {
    }
    FAIL("the stream ended well");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::StartsWith("engine: "));
  }
}

TEST_CASE("answers of the wrong shape are refused or read as empty, never trusted") {
  ScriptedServer server(engine_of("classic", [](const std::string& request) {
    if (asks(request, "/commit")) return ScriptedServer::plain(201, R"({"Id":{"a":1}})");
    if (asks(request, "/containers/json"))
      return ScriptedServer::plain(200, R"([7,{"Id":[],"Labels":5,"Created":"x"}])");
    if (asks(request, "/images/json")) return ScriptedServer::plain(200, R"({"not":"a list"})");
    return ScriptedServer::plain(200, "[]");
  }));
  auto engine = connect(server);
  CHECK_THROWS_AS(engine.create({id, "", "", {}}), Error);
  CHECK_FALSE(engine.running("ab"));
  CHECK(engine.ours("x").images.empty());
  CHECK_THROWS_AS(engine.find_image("app", "", Pull::never), Error);
  CHECK_THROWS_AS(engine.commit("ab", {}), Error);
}

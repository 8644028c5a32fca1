#include "engine/endpoint.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/registry_auth.hpp"
#include "image/json.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

Variables variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

void add_context(const std::string& folder, const std::string& name, const std::string& endpoint) {
  const std::string id = hex(sha256(view_of(name)));
  std::filesystem::create_directories(folder + "/contexts/meta/" + id);
  write_file(folder + "/contexts/meta/" + id + "/meta.json",
             R"({"Name":")" + name + R"(","Endpoints":{"docker":)" + endpoint + "}}");
}

// The document inside an X-Registry-Auth.
Json opened(const Secret& auth) {
  std::string text(auth.reveal());
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  const auto bytes = unbase64(text);
  REQUIRE(bytes);
  return Json::parse(text_of(*bytes));
}

}  // namespace

TEST_CASE("which engine: what is given, DOCKER_HOST, DOCKER_CONTEXT, the current context, docker's socket") {
  TempDir home;
  const std::string folder = home.path() + "/.docker";
  add_context(folder, "work", R"({"Host":"unix:///run/work.sock"})");
  add_context(folder, "other", R"({"Host":"tcp://10.0.0.1:2375"})");
  std::map<std::string, std::string> env = {{"HOME", home.path()}};

  CHECK(choose_engine("", variables(env)).text == "unix:///var/run/docker.sock");
  write_file(folder + "/config.json", R"({"currentContext":"work"})");
  CHECK(choose_engine("", variables(env)).http.socket == "/run/work.sock");
  CHECK(choose_engine("", variables(env)).from == "docker context \"work\"");
  env["DOCKER_CONTEXT"] = "other";
  CHECK(choose_engine("", variables(env)).http.host == "10.0.0.1");
  CHECK(choose_engine("", variables(env)).http.port == 2375);
  env["DOCKER_HOST"] = "unix:///run/host.sock";
  CHECK(choose_engine("", variables(env)).http.socket == "/run/host.sock");
  CHECK(choose_engine("/run/given.sock", variables(env)).http.socket == "/run/given.sock");
  CHECK(choose_engine("work", variables(env)).http.socket == "/run/work.sock");
  CHECK(choose_engine("default", variables(env)).http.socket == "/var/run/docker.sock");
  CHECK(choose_engine("tcp://[::1]:99", variables(env)).http.host == "::1");

  env.erase("DOCKER_HOST");
  env.erase("DOCKER_CONTEXT");
  env["DOCKER_CONFIG"] = home.path() + "/elsewhere";
  CHECK(choose_engine("", variables(env)).text == "unix:///var/run/docker.sock");
}

TEST_CASE("TLS comes from DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or from the context") {
  TempDir home;
  const std::string folder = home.path() + "/.docker";
  std::filesystem::create_directories(home.path() + "/certs");
  for (const char* name : {"ca.pem", "cert.pem", "key.pem"}) write_file(home.path() + "/certs/" + name, "x");
  const auto engine = choose_engine(
      "tcp://h:2376",
      variables({{"HOME", home.path()}, {"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", home.path() + "/certs"}}));
  CHECK(engine.http.tls);
  CHECK(engine.http.verify);
  CHECK(engine.http.ca == home.path() + "/certs/ca.pem");
  CHECK(engine.http.key == home.path() + "/certs/key.pem");
  CHECK_FALSE(choose_engine("tcp://h:2376", variables({{"HOME", home.path()}})).http.tls);

  add_context(folder, "far", R"({"Host":"tcp://far:2376","SkipTLSVerify":false})");
  const std::string tls = folder + "/contexts/tls/" + hex(sha256(view_of("far"))) + "/docker";
  std::filesystem::create_directories(tls);
  write_file(tls + "/ca.pem", "x");
  const auto far = choose_engine("far", variables({{"HOME", home.path()}}));
  CHECK(far.http.tls);
  CHECK(far.http.verify);
  CHECK(far.http.ca == tls + "/ca.pem");
  CHECK(far.http.cert.empty());
}

TEST_CASE("an address that is none, or cannot be spoken to, is refused with what to do") {
  const auto none = variables({{"HOME", "/nonexistent"}});
  for (const char* wrong : {"unix://relative",    "tcp://",        "tcp://host",   "tcp://host:0",
                            "tcp://host:99999",   "tcp://host:1x", "tcp://a/b:1",  "tcp://[::1:5",
                            "npipe:////./pipe/x", "http://h:1",    "ssh://",       "ssh://@h",
                            "ssh://h:",           "ssh://h:x",     "ssh://h:0",    "ssh://-oProxyCommand=x",
                            "ssh://-l@h",         "ssh://a b",     "ssh://h/$(x)", "ssh://[::1",
                            "ssh://[::1]x",       "ssh://h?q"}) {
    INFO(wrong);
    CHECK_THROWS_AS(choose_engine(wrong, none), Error);
  }
  CHECK_THROWS_WITH(choose_engine("no-such", none), Contains("no docker context \"no-such\""));
}

TEST_CASE("ssh:// is docker's own way to dial an engine over ssh, and a password is no part of it") {
  const auto none = variables({{"HOME", "/nonexistent"}, {"DOCKER_TLS_VERIFY", "1"}});
  using Words = std::vector<std::string>;
  const auto tunnel = [&](const char* address) { return choose_engine(address, none).http.tunnel; };
  const auto but_last = [](Words words) {
    words.pop_back();
    return words;
  };
  CHECK(but_last(tunnel("ssh://host")) == Words{"ssh", "-T", "-o", "ConnectTimeout=30", "--", "host"});
  CHECK(but_last(tunnel("ssh://me@host:2222/run/my.sock")) ==
        Words{"ssh", "-T", "-o", "ConnectTimeout=30", "-l", "me", "-p", "2222", "--", "host"});
  CHECK(tunnel("ssh://[::1]:22")[7] == "::1");
  CHECK_FALSE(choose_engine("ssh://host", none).http.tls);
  const std::string word = "pass" + std::string("word");
  try {
    choose_engine("ssh://me:" + word + "@host", none);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), !Contains(word));
  }
}

TEST_CASE(
    "on a host of ssh:// docker is what dials, podman where there is no docker, and one line tells that neither is") {
  TempDir host;
  std::filesystem::create_symlink("/bin/sh", host.path() + "/sh");
  const auto program = [&](const std::string& name) {
    write_file(host.path() + "/" + name, "#!/bin/sh\necho " + name + " \"$@\"\n");
    std::filesystem::permissions(host.path() + "/" + name, std::filesystem::perms(0755));
  };
  const auto said = [&](const char* address) {
    write_file(host.path() + "/command", choose_engine(address, variables({})).http.tunnel.back() + "\n");
    const std::string command = "PATH=" + host.path() + " /bin/sh " + host.path() + "/command 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    char text[500] = "";
    text[std::fread(text, 1, sizeof text - 1, pipe.get())] = '\0';
    return std::string(text);
  };
  CHECK(said("ssh://host") == "there is neither docker nor podman on that host\n");
  program("podman");
  CHECK(said("ssh://host") == "podman system dial-stdio\n");
  CHECK(said("ssh://host/run/p.sock") == "podman --url unix:///run/p.sock system dial-stdio\n");
  program("docker");
  CHECK(said("ssh://host") == "docker system dial-stdio\n");
  CHECK(said("ssh://host/run/my.sock") == "docker --host unix:///run/my.sock system dial-stdio\n");
}

TEST_CASE("damaged client settings are named, not guessed around") {
  TempDir home;
  std::filesystem::create_directories(home.path() + "/.docker");
  write_file(home.path() + "/.docker/config.json", "{ not json");
  CHECK_THROWS_WITH(choose_engine("", variables({{"HOME", home.path()}})), Contains("config.json"));
  write_file(home.path() + "/.docker/config.json", R"({"currentContext":"gone"})");
  CHECK_THROWS_WITH(choose_engine("", variables({{"HOME", home.path()}})), Contains("\"gone\""));
  write_file(home.path() + "/.docker/config.json", R"({"currentContext":7,"auths":[]})");
  CHECK(choose_engine("", variables({{"HOME", home.path()}})).from == "the default");
}

TEST_CASE("a registry's login is taken from the client's settings, or from the helper that they name") {
  TempDir home;
  const std::string folder = home.path() + "/.docker";
  std::filesystem::create_directories(folder);
  const auto env = variables({{"HOME", home.path()}});
  CHECK(registry_auth("reg.example", env).empty());

  const std::string word = "pass" + std::string("word");
  write_file(folder + "/config.json", R"({"auths":{"reg.example":{"auth":")" + base64(view_of("me:" + word)) +
                                          R"("},"https://index.docker.io/v1/":{"identitytoken":"t"}}})");
  CHECK(opened(registry_auth("reg.example", env)) ==
        Json({{"username", "me"}, {"password", word}, {"serveraddress", "reg.example"}}));
  CHECK(text_at(opened(registry_auth("docker.io", env)), "identitytoken") == "t");
  CHECK(registry_auth("other.example", env).empty());

  write_file(
      home.path() + "/docker-credential-test",
      "#!/bin/sh\nread server\n[ \"$1 $server\" = 'get helped.example' ] || { echo credentials not found; exit 1; }\n"
      "echo '{\"Username\":\"helped\",\"Secret\":\"s\"}'\n",
      0755);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (home.path() + ":" + path).c_str(), 1);
  write_file(folder + "/config.json", R"({"credHelpers":{"helped.example":"test","none.example":"test"}})");
  CHECK(text_at(opened(registry_auth("helped.example", env)), "username") == "helped");
  CHECK(registry_auth("none.example", env).empty());
  write_file(folder + "/config.json", R"({"credsStore":"../../evil"})");
  CHECK_THROWS_WITH(registry_auth("helped.example", env), Contains("'/'"));
  ::setenv("PATH", path.c_str(), 1);
}

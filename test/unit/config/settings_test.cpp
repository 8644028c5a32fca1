#include "config/settings.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "config/keys.hpp"
#include "config/nearest.hpp"

using namespace imgbuild;

namespace {

// What reading it throws: "message | hint"; empty where it is taken.
std::string complaint(const std::string& toml, Voice voice = Voice::context) {
  try {
    read_settings(toml, voice == Voice::context ? "imgbuild.toml" : "/home/u/config.toml", voice);
  } catch (const Error& error) {
    CHECK(error.status() == Status::usage);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return std::string(error.what()) + " | " + error.hint();
  }
  return {};
}

void put(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

// A machine of its own: a context, a user's file, an environment.
struct Machine {
  TempDir dir;
  std::map<std::string, std::string> variables;
  SettingsRequest request;

  Machine() {
    request.context = dir.path() + "/context";
    std::filesystem::create_directories(request.context);
    variables["HOME"] = dir.path();
    request.variable = [this](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    };
  }
  void context(const std::string& text) const { put(request.context + "/imgbuild.toml", text); }
  void user(const std::string& text) const { put(dir.path() + "/.config/imgbuild/config.toml", text); }
  Settings load() const { return load_settings(request); }
  std::string complaint() const {
    try {
      load();
    } catch (const Error& error) {
      CHECK(error.status() == Status::usage);
      return error.what();
    }
    return {};
  }
};

const std::string allow_finding =
    "rule = \"ssh.private-key\"\nat = \"*:srv/key.pem\"\nidentity = \"SHA256:abc\"\nreason = \"test key\"\n";

}  // namespace

TEST_CASE("a variable wins over the context's file, which wins over the user's") {
  Machine machine;
  machine.user("from = \"user\"\nuser = \"user\"\nworkdir = \"user\"\n");
  machine.context("from = \"context\"\nuser = \"context\"\n");
  machine.variables["IMGBUILD_FROM"] = "variable";
  const Settings settings = machine.load();
  CHECK(settings.text("from") == "variable");
  CHECK(settings.text("user") == "context");
  CHECK(settings.text("workdir") == "user");
  CHECK(settings.find("user")->from == "imgbuild.toml:2");
  CHECK(settings.find("from")->from == "$IMGBUILD_FROM");
  CHECK_FALSE(settings.text("engine"));
}

TEST_CASE("a context may say what is built and ask for what it needs") {
  const Settings settings = read_settings(
      "from = \"debian:12\"\nrun = \"build.sh\"\ntags = [\"app:1\", \"app:2\"]\nwith_git = true\n"
      "image_cmd = \"serve --all\"\nimage_entrypoint = [\"/init\"]\nask_secrets = [\"npm\"]\n"
      "ask_ssh = [\"git@github.com\"]\n",
      "imgbuild.toml", Voice::context);
  CHECK(settings.text("run") == "build.sh");
  CHECK(settings.list("tags") == std::vector<std::string>{"app:1", "app:2"});
  CHECK(settings.on("with_git"));
  CHECK(settings.list("image_cmd") == std::vector<std::string>{"/bin/sh", "-c", "serve --all"});
  CHECK(settings.list("image_entrypoint") == std::vector<std::string>{"/init"});
  CHECK(settings.list("ask_secrets") == std::vector<std::string>{"npm"});
}

TEST_CASE("a context says nothing about secrets' sources, grants, engine, network, rules or threads") {
  for (const std::string line :
       {"ssh = [\"git@github.com\"]", "ssh_keys = [\"SHA256:x\"]", "ssh_key_files = [\"k\"]",
        "known_hosts = [\"h SHA256:x\"]", "engine = \"tcp://evil:1\"", "network = \"host\"", "rules = [\"r.toml\"]",
        "no_repo_allow = false", "pull = true", "timeout = \"1s\"", "threads = 2",
        "secrets = {npm = {src = \"/home/u/.npmrc\"}}", "[secrets]\nnpm = {env = \"T\"}"}) {
    INFO(line);
    const std::string what = complaint("from = \"a\"\n" + line + "\n");
    CHECK(what.find("imgbuild.toml:2: `") == 0);
    CHECK(what.find("may not stand in a context's file") != std::string::npos);
    CHECK(what.find("it may stand in: ") != std::string::npos);
  }
}

TEST_CASE("every key that a context may not set is refused there, whatever its value") {
  for (const Key& key : keys()) {
    if (key.context || key.name == "build") continue;  // [build.NAME] is another thing
    const std::string what = complaint(std::string(key.name) + " = 1\n");
    INFO(what);
    CHECK(what.find("may not stand in a context's file") != std::string::npos);
  }
}

TEST_CASE("hosts are granted build by build, never by the user's file") {
  CHECK(complaint("ssh = [\"git@github.com\"]", Voice::user).find("granted build by build: --ssh") !=
        std::string::npos);
}

TEST_CASE("a context is never looser than the user, and may be stricter") {
  Machine machine;
  machine.context("from = \"x\"\nfail_on = \"high\"\n");
  CHECK(machine.complaint() == "imgbuild.toml:2: fail_on is looser than yours (medium)");
  machine.user("fail_on = \"high\"\n");
  CHECK(machine.load().text("fail_on") == "high");
  machine.request.fail_on = Severity::low;
  CHECK(machine.complaint() == "imgbuild.toml:2: fail_on is looser than yours (low)");
  machine.request.fail_on.reset();
  machine.variables["IMGBUILD_FAIL_ON"] = "low";
  CHECK(machine.complaint() == "imgbuild.toml:2: fail_on is looser than yours (low)");
  machine.variables.clear();
  machine.context("fail_on = \"low\"\n");
  CHECK(machine.load().text("fail_on") == "low");
}

TEST_CASE("a severity that is none is told with its place") {
  Machine machine;
  machine.context("fail_on = \"lots\"\n");
  CHECK(machine.complaint() == "imgbuild.toml:1: fail_on must be low, medium, high or critical, not `lots`");
}

TEST_CASE("an unknown key is an error that names the nearest known one") {
  CHECK(complaint("form = \"x\"") == "imgbuild.toml:1: unknown key `form` | did you mean `from`?");
  CHECK(complaint("\nimage_comand = \"x\"").find("imgbuild.toml:2: unknown key") == 0);
  CHECK(complaint("zzzzzzzzz = 1").find("known keys: ") != std::string::npos);
  CHECK(complaint("ask_ssh = []", Voice::user).find("may not stand in the user's file") != std::string::npos);
}

TEST_CASE("malformed TOML is one line with the file and the line") {
  const std::string what = complaint("from = \"a\"\nrun = = 2\n");
  CHECK(what.find("imgbuild.toml:2: malformed TOML: ") == 0);
  CHECK(complaint("from = \"a\"\nfrom = \"b\"\n").find("imgbuild.toml:2: malformed TOML: ") == 0);
  CHECK(complaint("x = \"\xff\"").find("imgbuild.toml:1: malformed TOML: ") == 0);
}

TEST_CASE("a value of the wrong type is told") {
  CHECK(complaint("tags = \"a\"").find("imgbuild.toml:1: `tags` must be an array of strings") == 0);
  CHECK(complaint("tags = [1]").find("`tags` must be a string") != std::string::npos);
  CHECK(complaint("with_git = \"yes\"").find("`with_git` must be true or false") != std::string::npos);
  CHECK(complaint("from = \"a\\u0000b\"").find("holds a NUL") != std::string::npos);
}

TEST_CASE("an allow-entry binds rule, place and identity, and has a reason") {
  const Settings settings =
      read_settings("[[allow]]\n" + allow_finding + "expires = 2027-01-01\n", "imgbuild.toml", Voice::context);
  REQUIRE(settings.allow.size() == 1);
  CHECK(settings.allow[0].rule == "ssh.private-key");
  CHECK(settings.allow[0].at == "*:srv/key.pem");
  CHECK(settings.allow[0].identity == "SHA256:abc");
  CHECK(settings.allow[0].expires == "2027-01-01");
  CHECK(settings.allow[0].from == "imgbuild.toml");
  CHECK(complaint("[[allow]]\nrule = \"r\"\nat = \"*\"\nidentity = \"SHA256:a\"\n").find("without a reason") !=
        std::string::npos);
  CHECK(complaint("[[allow]]\nrule = \"r\"\nat = \"*\"\nidentity = \"SHA256:a\"\nreason = \" \"\n")
            .find("without a reason") != std::string::npos);
  CHECK(complaint("[[allow]]\nrule = \"r\"\nat = \"*\"\nreason = \"because\"\n").find("needs either") !=
        std::string::npos);
  CHECK(complaint("[[allow]]\nrule = \"r\"\nat = \"*\"\nidentity = \"x\"\nreason = \"y\"\n")
            .find("identity is neither") != std::string::npos);
  CHECK(complaint("[[allow]]\n" + allow_finding + "path = \"x\"\n").find("needs either") != std::string::npos);
  CHECK(complaint("[[allow]]\nreson = \"x\"\n") ==
        "imgbuild.toml:2: allow-entry: unknown key `reson` | did you mean `reason`?");
  CHECK(complaint("allow = 3").find("must be written [[allow]]") != std::string::npos);
}

TEST_CASE("an allow-entry for something that cannot be scanned has a path and a digest") {
  const std::string digest(64, 'A');
  const Settings settings =
      read_settings("[[allow]]\npath = \"srv/b.zip\"\nsha256 = \"" + digest + "\"\nreason = \"on purpose\"\n",
                    "imgbuild.toml", Voice::context);
  REQUIRE(settings.allow.size() == 1);
  CHECK(settings.allow[0].sha256 == "sha256:" + std::string(64, 'a'));
  CHECK(complaint("[[allow]]\npath = \"a\"\nsha256 = \"12\"\nreason = \"r\"\n").find("64 hexadecimal digits") !=
        std::string::npos);
}

TEST_CASE("the date of an allow-entry is a date") {
  const auto expires = [](const std::string& date) {
    return complaint("[[allow]]\n" + allow_finding + "expires = " + date + "\n");
  };
  CHECK(expires("2028-02-29").empty());
  CHECK(expires("\"2027-12-31\"").empty());
  for (const std::string wrong :
       {"\"2027-02-29\"", "\"2027-13-01\"", "\"tomorrow\"", "\"2027-1-1\"", "5", "\"2027-04-31\"", "\"-1-1-1\""}) {
    INFO(wrong);
    CHECK(expires(wrong).find("`expires` is no date") != std::string::npos);
  }
}

TEST_CASE("the context's allow-entries can be ignored, the user's stay") {
  Machine machine;
  machine.context("[[allow]]\n" + allow_finding);
  machine.user("[[allow]]\n" + allow_finding);
  CHECK(machine.load().allow.size() == 2);
  machine.request.no_repo_allow = true;
  const auto left = machine.load().allow;
  REQUIRE(left.size() == 1);
  CHECK(left[0].from.find("config.toml") != std::string::npos);
  machine.request.no_repo_allow = false;
  machine.variables["IMGBUILD_NO_REPO_ALLOW"] = "1";
  CHECK(machine.load().allow.size() == 1);
}

TEST_CASE("the user's file says where a secret is read from, relative to itself") {
  const Settings settings = read_settings("[secrets]\nnpm = {src = \"npm.token\"}\npypi = {env = \"PYPI\"}\n",
                                          "/home/u/config.toml", Voice::user);
  CHECK(settings.secrets.at("npm").file == "/home/u/npm.token");
  CHECK(settings.secrets.at("pypi").variable == "PYPI");
  CHECK(complaint("[secrets]\nnpm = \"v\"\n", Voice::user).find("must be {src") != std::string::npos);
  CHECK(complaint("[secrets]\nnpm = {src = \"a\", env = \"b\"}\n", Voice::user).find("must be {src") !=
        std::string::npos);
}

TEST_CASE("a context's file that is a link or no file is refused, not read") {
  Machine machine;
  put(machine.dir.path() + "/outside.toml", "from = \"x\"\n");
  std::filesystem::create_symlink(machine.dir.path() + "/outside.toml", machine.request.context + "/imgbuild.toml");
  CHECK(machine.complaint() == "imgbuild.toml: is a symbolic link");
  std::filesystem::remove(machine.request.context + "/imgbuild.toml");
  std::filesystem::create_directory(machine.request.context + "/imgbuild.toml");
  CHECK(machine.complaint() == "imgbuild.toml: is no regular file");
}

TEST_CASE("a file that --config names must exist") {
  Machine machine;
  machine.request.user_file = machine.dir.path() + "/none.toml";
  CHECK(machine.complaint() == machine.dir.path() + "/none.toml: no such file");
}

TEST_CASE("lists in variables have one item per line, switches are 1 or 0") {
  Machine machine;
  machine.variables["IMGBUILD_SSH"] = "git@github.com\n\n deploy@host:22\n";
  CHECK(machine.load().list("ssh") == std::vector<std::string>{"git@github.com", "deploy@host:22"});
  machine.variables["IMGBUILD_PULL"] = "perhaps";
  CHECK(machine.complaint() == "$IMGBUILD_PULL: must be 1 or 0, not `perhaps`");
}

TEST_CASE("a command is a JSON array or a line for the shell, as in a Dockerfile") {
  CHECK(command_words(R"(["a", "b c"])") == std::vector<std::string>{"a", "b c"});
  CHECK(command_words("[]").empty());
  CHECK(command_words("serve $PORT") == std::vector<std::string>{"/bin/sh", "-c", "serve $PORT"});
  CHECK(command_words("[ -f x ] && y") == std::vector<std::string>{"/bin/sh", "-c", "[ -f x ] && y"});
  CHECK(command_words("[1]") == std::vector<std::string>{"/bin/sh", "-c", "[1]"});
}

TEST_CASE("durations are seconds, minutes and hours") {
  CHECK(seconds_of("90s") == 90.0);
  CHECK(seconds_of("10m") == 600.0);
  CHECK(seconds_of("1h30m") == 5400.0);
  CHECK(seconds_of("45") == 45.0);
  for (const std::string wrong : {"", "0", "-1s", "s", "10x", "1.5m", "m10", " 5", "99999999999999999999h"}) {
    INFO(wrong);
    CHECK_FALSE(seconds_of(wrong));
  }
}

TEST_CASE("the nearest word is found where one is near") {
  const std::vector<std::string> words{"--from", "--report", "--platform"};
  CHECK(nearest("--form", words) == "--from");
  CHECK(nearest("--platfrom", words) == "--platform");
  CHECK(nearest("--zebra", words).empty());
  CHECK(nearest(std::string(10000, 'a'), words).empty());
}

TEST_CASE("a named build wins over what stands outside, in each file for itself") {
  Machine machine;
  machine.context("from = \"shared\"\ntags = [\"a\"]\n[build.x]\nfrom = \"own\"\n");
  machine.user("memory = \"1g\"\n[build.x]\nmemory = \"2g\"\nfrom = \"users\"\n");
  CHECK(machine.load().text("from") == "shared");
  machine.request.build = "x";
  const Settings settings = machine.load();
  CHECK(settings.text("from") == "own");
  CHECK(settings.find("from")->from == "imgbuild.toml:4");
  CHECK(settings.list("tags") == std::vector<std::string>{"a"});
  CHECK(settings.text("memory") == "2g");
  machine.request.build = "y";
  CHECK(machine.complaint() == "--build: no build is called `y`");
}

TEST_CASE("what is built is one layer's word, and flags win over all") {
  Machine machine;
  machine.user("from = \"base\"\nrun = \"mine.sh\"\n");
  machine.context("dockerfile = \"Dockerfile\"\n");
  CHECK(machine.load().find("from") == nullptr);
  CHECK(machine.load().find("run") == nullptr);
  machine.request.flags["run"] = {{"x.sh"}, "--run", Voice::flag};
  CHECK(machine.load().find("dockerfile") == nullptr);
  CHECK(machine.load().text("run") == "x.sh");
}

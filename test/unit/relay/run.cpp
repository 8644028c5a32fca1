// The real relay, run as a process of this machine.
#include <signal.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "relay_here.hpp"
#include "tar/writer.hpp"

using namespace imgbuild;

namespace {

Fd tar_of(const std::function<void(TarWriter&)>& fill) {
  Fd file = Fd::unnamed_file();
  TarWriter writer([&](View bytes) { write_full(file.get(), bytes, "tar"); });
  fill(writer);
  writer.finish();
  return file;
}

TarEntry entry(TarEntry::Type type, const std::string& path, const std::string& link = {}) {
  TarEntry made;
  made.type = type;
  made.path = path;
  made.link = link;
  made.mode = type == TarEntry::Type::directory ? 0755 : 0644;
  made.mtime = 315619200;
  return made;
}

bool alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return !text.empty() && text.find(") Z") == std::string::npos;
}

}  // namespace

TEST_CASE("a script runs in its context, and its output and status come back") {
  RelayHere relay;
  const RelayResult result = relay.run("pwd; echo to-errors >&2; exit 7");
  CHECK(result.status == 7);
  CHECK(relay.out == relay.context() + "\n");
  CHECK(relay.err == "to-errors\n");
  CHECK(result.killed.empty());
}

TEST_CASE("a script without #! stops at its first failure") {
  RelayHere relay;
  CHECK(relay.run("false\necho on").status == 1);
  CHECK(relay.out.empty());
}

TEST_CASE("a #! line is honoured") {
  RelayHere relay;
  CHECK(relay.run("#!/bin/cat\nthe script itself\n").status == 0);
  CHECK(relay.out == "#!/bin/cat\nthe script itself\n");
}

TEST_CASE("a command is run verbatim, without a shell") {
  RelayHere relay;
  relay.task.command = {"printf", "[%s]", "a  b", "$HOME", ""};
  CHECK(relay.run("").status == 0);
  CHECK(relay.out == "[a  b][$HOME][]");
}

TEST_CASE("a command that is not there ends as a shell has it") {
  RelayHere relay;
  relay.task.command = {"no-such-command"};
  CHECK(relay.run("").status == 127);
  CHECK(relay.err == "imgbuild: no-such-command: No such file or directory\n");
}

TEST_CASE("a script that a signal ends has 128 and the signal as status") {
  RelayHere relay;
  CHECK(relay.run("kill -9 $$").status == 137);
}

TEST_CASE("the environment is the base's, then ours, then the user's, and nothing of the driver") {
  ::setenv("OF_THE_DRIVER", "leaks", 1);
  RelayHere relay;
  relay.task.user = "me";
  relay.task.base_env = {"PATH=/usr/bin:/bin", "COLOUR=green", "BUILD_CONTEXT=no"};
  relay.task.env = {"COLOUR=red", "EMPTY="};
  relay.run(
      "echo $COLOUR $BUILD_CONTEXT $BUILD_SECRETS $HOME $PATH [${EMPTY-unset}]; env | grep -c OF_THE_DRIVER || true");
  CHECK(relay.out == "red " + relay.context() + " " + relay.home() + "/secrets /home/me /usr/bin:/bin []\n0\n");
  ::unsetenv("OF_THE_DRIVER");
}

TEST_CASE("secrets lie where $BUILD_SECRETS says, for their owner to read only") {
  RelayHere relay;
  const Secret value("line one\nline two"), empty;
  relay.task.secrets = {{"npm", &value}, {"none", &empty}};
  relay.run(
      "cat $BUILD_SECRETS/npm; stat -c ' %a %s' $BUILD_SECRETS/npm $BUILD_SECRETS/none; stat -c %a $BUILD_SECRETS");
  CHECK(relay.out == "line one\nline two 400 17\n 400 0\n700\n");
}

TEST_CASE("a secret's id cannot name another place") {
  RelayHere relay;
  const Secret value("value");
  relay.task.secrets = {{"../script", &value}};
  CHECK_THROWS_WITH(relay.run("true"), Catch::Contains("simple name"));
}

TEST_CASE("the context is unpacked with its modes, times and links") {
  RelayHere relay;
  const std::string long_name(180, 'n');
  Bytes big(3000000);
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<std::uint8_t>(i * 7 + i / 1000);
  const Fd tar = tar_of([&](TarWriter& writer) {
    writer.entry(entry(TarEntry::Type::directory, "sub"));
    writer.file("sub/tool", view_of("#!/bin/sh\n"), 0755, 315619200);
    writer.file("sub/" + long_name, view_of("long"), 0644, 315619200);
    writer.entry(entry(TarEntry::Type::symlink, "sub/link", "tool"));
    writer.file("big", big);
    writer.file("empty", {}, 0600);
  });
  relay.task.tar = tar.get();
  CHECK(relay.run("stat -c '%a %Y %n' sub sub/tool; readlink sub/link; cat sub/nnn*; stat -c %s empty").status == 0);
  CHECK(relay.out == "755 315619200 sub\n755 315619200 sub/tool\ntool\nlong0\n");
  CHECK(view_of(read_file(relay.context() + "/big")).size() == big.size());
  CHECK(std::ranges::equal(view_of(read_file(relay.context() + "/big")), big));
}

TEST_CASE("no entry of a context is written outside it") {
  RelayHere relay;
  SECTION("by a path with dots") {
    const Fd tar = tar_of([&](TarWriter& writer) { writer.file("a/../../out", view_of("x")); });
    relay.task.tar = tar.get();
    CHECK_THROWS_WITH(relay.run("true"), Catch::Contains("'..'"));
  }
  SECTION("through a symbolic link") {
    const Fd tar = tar_of([&](TarWriter& writer) {
      writer.entry(entry(TarEntry::Type::symlink, "way", ".."));
      writer.file("way/out", view_of("x"));
    });
    relay.task.tar = tar.get();
    CHECK_THROWS_WITH(relay.run("true"), Catch::Contains("way/out"));
  }
  SECTION("onto a symbolic link") {
    const Fd tar = tar_of([&](TarWriter& writer) {
      writer.entry(entry(TarEntry::Type::symlink, "out", "../out"));
      writer.file("out", view_of("x"));
    });
    relay.task.tar = tar.get();
    CHECK_THROWS_WITH(relay.run("true"), Catch::Contains("out"));
  }
  CHECK_FALSE(std::filesystem::exists(relay.path() + "/out"));
}

TEST_CASE("a truncated context does not run") {
  RelayHere relay;
  Fd tar = tar_of([&](TarWriter& writer) { writer.file("a", view_of("x")); });
  REQUIRE(::ftruncate(tar.get(), 1024) == 0);
  relay.task.tar = tar.get();
  CHECK_THROWS_WITH(relay.run("echo ran"), Catch::Contains("truncated"));
  CHECK(relay.out.empty());
}

TEST_CASE("a context folder that the base has filled is refused") {
  RelayHere relay;
  std::ofstream(relay.context() + "/planted") << "x";
  CHECK_THROWS_WITH(relay.run("true"), Catch::Contains("has something at"));
}

TEST_CASE("what a script leaves running is ended and named, also a daemon that hides from its parent") {
  RelayHere relay;
  const RelayResult result = relay.run(
      "sleep 1000 & echo $!\n"
      "(setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 0.01; done' &)\n"
      "sleep 0.1; exit 3");
  CHECK(result.status == 3);
  REQUIRE(result.killed.size() >= 2);
  const pid_t left = std::stoi(relay.out);
  CHECK(std::find(result.killed.begin(), result.killed.end(), std::to_string(left) + " sleep") != result.killed.end());
  for (const auto& each : result.killed) CHECK_FALSE(alive(std::stoi(each)));
}

TEST_CASE("a script that waits for its daemon to end does so") {
  RelayHere relay;
  CHECK(relay
            .run("(sh -c 'echo $$; exec sleep 0.2' >pid &) ; sleep 0.1; while kill -0 $(cat pid) 2>/dev/null; do sleep "
                 "0.05; done")
            .status == 0);
}

TEST_CASE("when the driver is gone, so is the script") {
  RelayHere relay;
  relay.task.script = "echo $$; exec sleep 1000";
  pid_t script = 0;
  {
    const auto stream = relay.start();
    RelaySession session(*stream, relay_program(this_architecture));
    relay.events.output = [&](std::string_view text) {
      script = std::stoi(std::string(text));
      throw Error("the driver is gone");
    };
    CHECK_THROWS_WITH(session.run(relay.task, relay.events), "the driver is gone");
  }
  relay.process->wait();
  CHECK(script > 0);
  CHECK_FALSE(alive(script));
}

TEST_CASE("a relay that is killed is a failure, with nothing claimed") {
  RelayHere relay;
  CHECK_THROWS_WITH(relay.run("kill -9 $PPID; sleep 10"), Catch::Contains("relay ended before the script did"));
}

TEST_CASE("a timeout is told") {
  RelayHere relay;
  relay.task.timeout = 0.3;
  CHECK_THROWS_WITH(relay.run("sleep 1000"), Catch::Contains("timeout"));
}

TEST_CASE("output without end neither hangs nor hinders the timeout") {
  RelayHere relay;
  relay.task.timeout = 0.5;
  std::size_t bytes = 0;
  relay.events.output = [&](std::string_view text) { bytes += text.size(); };
  CHECK_THROWS_WITH(relay.run("while :; do echo yes; done | cat & exec yes"), Catch::Contains("timeout"));
  CHECK(bytes > 100000);
}

TEST_CASE("all output arrives, to the last byte") {
  RelayHere relay;
  CHECK(relay.run("dd if=/dev/zero bs=1000 count=3000 2>/dev/null; printf end").status == 0);
  CHECK(relay.out.size() == 3000003);
  CHECK(relay.out.substr(3000000) == "end");
}

TEST_CASE("a volume that the script wrote to is told, one that it read is not") {
  RelayHere relay;
  const std::string one = relay.path() + "/one", two = relay.path() + "/two";
  for (const auto& each : {one, two}) {
    std::filesystem::create_directories(each + "/deep");
    std::ofstream(each + "/deep/file") << "before";
  }
  relay.task.volumes = {one, two, relay.path() + "/none"};
  const RelayResult result = relay.run("cat " + two + "/deep/file; echo after >" + one + "/deep/file");
  CHECK(result.written == std::vector<std::string>{one});
}

TEST_CASE("a workdir is below the context, or where it says") {
  RelayHere relay;
  SECTION("relative") {
    const Fd tar = tar_of([&](TarWriter& writer) { writer.entry(entry(TarEntry::Type::directory, "sub")); });
    relay.task.tar = tar.get();
    relay.task.workdir = "sub";
    relay.run("pwd");
    CHECK(relay.out == relay.context() + "/sub\n");
  }
  SECTION("absolute") {
    relay.task.workdir = "/";
    relay.run("pwd");
    CHECK(relay.out == "/\n");
  }
  SECTION("not there") {
    relay.task.workdir = "/not/there";
    CHECK_THROWS_WITH(relay.run("pwd"), Catch::Contains("/not/there: No such file"));
  }
}

TEST_CASE("users are found in the base's passwd and group") {
  if (::geteuid() != 0) return;  // only root becomes somebody else
  RelayHere relay;
  const auto who = [&](const std::string& user) {
    relay.task.user = user;
    return relay.run("echo $(id -u):$(id -g) $(id -G) $HOME");
  };
  SECTION("by name, with supplementary groups") {
    who("dev");
    CHECK(relay.out == "4321:4321 4321 44 /home/dev\n");
  }
  SECTION("by number") {
    who("4321");
    CHECK(relay.out == "4321:4321 4321 44 /home/dev\n");
  }
  SECTION("by number without a line in passwd") {
    who("777");
    CHECK(relay.out == "777:0 0 /\n");
  }
  SECTION("with a group, which then stands alone") {
    who("dev:video");
    CHECK(relay.out == "4321:44 44 /home/dev\n");
  }
  SECTION("unknown by name") { CHECK_THROWS_WITH(who("nobody-here"), Catch::Contains("no user nobody-here")); }
  SECTION("unknown group") { CHECK_THROWS_WITH(who("dev:nothing"), Catch::Contains("no group nothing")); }
}

TEST_CASE("context, secrets and script belong to the script's user") {
  if (::geteuid() != 0) return;
  RelayHere relay;
  const Secret value("value");
  relay.task.secrets = {{"s", &value}};
  relay.task.user = "dev";
  const Fd tar = tar_of([&](TarWriter& writer) { writer.file("sub/file", view_of("x"), 0600); });
  relay.task.tar = tar.get();
  CHECK(relay.run("cat $BUILD_SECRETS/s sub/file; echo new >sub/made; stat -c ' %u' . sub sub/file").status == 0);
  CHECK(relay.out == "valuex 4321\n 4321\n 4321\n");
}

TEST_CASE("with an agent, a user that passwd does not know is refused before the script runs") {
  if (::geteuid() != 0) return;
  RelayHere relay;
  relay.task.lend = true;
  relay.task.user = "777";
  CHECK_THROWS_WITH(relay.run("echo ran"), Catch::Contains("not in the base's passwd"));
  CHECK(relay.out.empty());
}

TEST_CASE("a base without head or dd is one clear error") {
  RelayHere relay;
  auto [ours, theirs] = Fd::socket_pair();
  const Fd errors = Fd::unnamed_file();
  Command command;
  command.argv = relay_bootstrap(relay.home(), 10);
  command.argv[0] = "/bin/sh";
  command.env = {"PATH=/nothing"};
  command.in = theirs.get();
  command.out = theirs.get();
  command.err = errors.get();
  Process process(command);
  theirs.reset();
  SocketStream stream(std::move(ours));
  RelaySession session(stream, relay_program(this_architecture));
  CHECK_THROWS_WITH(session.run(relay.task, relay.events), Catch::StartsWith("the builder's relay did not start"));
  process.wait();
  char text[256] = {};
  REQUIRE(::pread(errors.get(), text, sizeof text - 1, 0) > 0);
  CHECK_THAT(text, Catch::Contains("the base has no"));
}

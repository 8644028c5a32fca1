// The driver over an engine that keeps a diary: what is named, what is not, and what is left.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "fake_engine.hpp"
//
#include "build/build.hpp"
#include "build/journal.hpp"
#include "build/traces.hpp"

using namespace imgbuild;
using wire::Kind;

namespace {

std::string private_key() {
  static const std::string key = run({{"openssl", "genpkey", "-algorithm", "ed25519"}, {}, {}, {}}).out;
  REQUIRE(key.size() > 100);
  return key;
}

struct Bench {
  Bench() {
    ::setenv("XDG_STATE_HOME", (folder.path() + "/state").c_str(), 1);
    std::filesystem::create_directory(folder.path() + "/app");
    std::ofstream(folder.path() + "/app/main.c") << "int main(void) { return 0; }\n";
    plan.context = folder.path() + "/app";
    plan.from = "base:1";
    plan.script = "make\n";
    plan.script_name = "build.sh";
    plan.tags = {"app:1", "app:latest"};
    engine.written = tar_of({{"srv/app", "binary"}});
    talk.output = [this](std::string_view text) { output += text; };
    talk.warn = [this](const std::string& line) { warnings.push_back(line); };
  }
  Outcome build() {
    static const auto scanner = Scanner::builtin();
    return imgbuild::build(plan, engine, scanner, vault, talk);
  }
  // Nothing of the build is in the engine, but images that have a name.
  void nothing_left() const {
    CHECK(engine.containers.empty());
    for (const auto& [id, image] : engine.images) CHECK_FALSE(image.names.empty());
    CHECK(read_journal().empty());
  }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& [id, image] : engine.images) all.insert(image.names.begin(), image.names.end());
    all.erase("base:1");
    return all;
  }

  TempDir folder;
  FakeEngine engine;
  Plan plan;
  Vault vault;
  BuildTalk talk;
  std::string output;
  std::vector<std::string> warnings;
};

}  // namespace

TEST_CASE("a clean build: the road to the agent has ended before the commit, the audit comes before the name") {
  Bench bench;
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::clean);
  CHECK(bench.names() == std::set<std::string>{"app:1", "app:latest"});
  CHECK(bench.engine.diary ==
        std::vector<std::string>{"find", "config", "load", "create", "start", "exec", "exec ended", "running", "commit",
                                 "config", "load", "config", "save", "tag app:1", "tag app:latest",
                                 // undoing what was only a means
                                 "ours", "remove image", "remove container", "ours", "remove image"});
  bench.nothing_left();
  CHECK(bench.engine.images.at(outcome.handle).names.size() == 2);
}

TEST_CASE("the named image has the base's config, every key of it, and one history line of ours") {
  Bench bench;
  ::setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
  const Outcome outcome = bench.build();
  ::unsetenv("SOURCE_DATE_EPOCH");
  const auto before = nlohmann::json::parse(bench.engine.images.at(bench.engine.base).config);
  const std::string raw = bench.engine.images.at(outcome.handle).config;
  const auto after = nlohmann::json::parse(raw);
  CHECK(after["config"] == before["config"]);
  CHECK(after["odd"] == before["odd"]);
  CHECK(raw.find("18446744073709551615") != std::string::npos);
  CHECK(after["created"] == "2001-09-09T01:46:40Z");
  CHECK_FALSE(after.contains("container"));
  CHECK_FALSE(after.contains("container_config"));
  REQUIRE(after["history"].size() == 3);
  CHECK(after["history"][0] == before["history"][0]);
  CHECK(after["history"][2] == nlohmann::json{{"created", "2001-09-09T01:46:40Z"}, {"created_by", "imgbuild build"}});
  CHECK(after["rootfs"]["diff_ids"].size() == 2);
  CHECK(raw.find("make") == std::string::npos);
}

TEST_CASE("a script that writes nothing makes an image whose history line has no layer") {
  Bench bench;
  bench.engine.written.clear();
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::clean);
  const auto config = nlohmann::json::parse(bench.engine.images.at(outcome.handle).config);
  CHECK(config["history"][2]["empty_layer"] == true);
  CHECK(config["rootfs"]["diff_ids"].size() == 1);
}

TEST_CASE("flags change the image's config, and nothing else of it") {
  Bench bench;
  bench.plan.image_cmd = {{"serve", "-p", "80"}};
  bench.plan.image_entrypoint = {{"/init"}};
  bench.plan.image_env = {"A=2", "B=x=y"};
  bench.plan.image_labels = {"team=blue"};
  bench.plan.expose = {"80", "53/udp"};
  bench.plan.image_user = "app";
  bench.plan.image_workdir = "/srv";
  const Outcome outcome = bench.build();
  const auto config = nlohmann::json::parse(bench.engine.images.at(outcome.handle).config)["config"];
  CHECK(config == nlohmann::json::parse(R"({"Env":["PATH=/bin","A=2","B=x=y"],"Cmd":["serve","-p","80"],"User":"app",
    "Entrypoint":["/init"],"Volumes":{"/data":{}},"Labels":{"base":"yes","team":"blue"},"WorkingDir":"/srv",
    "ExposedPorts":{"80/tcp":{},"53/udp":{}}})"));
}

TEST_CASE("nothing is named when a layer leaks") {
  Bench bench;
  bench.engine.written = tar_of({{"root/.ssh/id_ed25519", private_key()}});
  SECTION("and the image is removed") {
    const Outcome outcome = bench.build();
    CHECK(outcome.status == Status::leak);
    CHECK(outcome.audit->record().leaks.size() >= 1);
    CHECK(outcome.handle.empty());
    bench.nothing_left();
  }
  SECTION("or kept without a name, until it is asked for") {
    bench.plan.keep = true;
    const Outcome outcome = bench.build();
    CHECK(outcome.status == Status::leak);
    REQUIRE(bench.engine.images.contains(outcome.handle));
    bench.engine.images_go_alone = true;
    CHECK(collect_garbage(bench.engine, false).empty());
    CHECK(bench.engine.images.contains(outcome.handle));
    CHECK(collect_garbage(bench.engine, true).size() == 1);
    bench.nothing_left();
  }
  CHECK(bench.names().empty());
}

TEST_CASE("nothing is named when a handed-out secret is in a layer, in whatever form") {
  Bench bench;
  const std::string value = "correct-horse-" + std::to_string(::getpid()) + "-battery";
  bench.plan.secrets.push_back({"npm", Secret(value), false});
  SECTION("plain") { bench.engine.written = tar_of({{"srv/.env", "X=" + value + "\n"}}); }
  SECTION("base64") { bench.engine.written = tar_of({{"srv/blob", "x " + base64(view_of(value)) + "\n"}}); }
  SECTION("hex") { bench.engine.written = tar_of({{"srv/blob", hex(view_of(value))}}); }
  CHECK(bench.build().status == Status::leak);
  CHECK(bench.names().empty());
  bench.nothing_left();
}

TEST_CASE("nothing is named when coverage is incomplete") {
  Bench bench;
  std::string zipped = run({{"gzip", "-c"}, {}, {}, {}}, std::string(100000, 'x') + "end").out;
  zipped.resize(zipped.size() / 2);
  bench.engine.written = tar_of({{"srv/half.gz", zipped}});
  CHECK(bench.build().status == Status::failed);
  CHECK(bench.names().empty());
  bench.nothing_left();
}

TEST_CASE("nothing is named when the image cannot be read to its end") {
  Bench bench;
  bench.engine.cut_save = 3000;
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::failed);
  CHECK_FALSE(outcome.audit->record().damages().empty());
  CHECK(bench.names().empty());
  bench.nothing_left();
}

TEST_CASE("nothing is named when other bytes were audited than those of the image that was made") {
  Bench bench;
  bench.engine.tail_of_saved_layers = std::string(512, '\0');
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::failed);
  CHECK_FALSE(outcome.audit->record().damages().empty());
  CHECK(bench.names().empty());
  bench.nothing_left();
}

TEST_CASE("nothing is created when the context, the script or an --env value holds a credential") {
  Bench bench;
  const std::string value = "hunter-" + std::to_string(::getpid()) + "-secret";
  std::string where;
  SECTION("context") {
    std::ofstream(bench.plan.context + "/main.c", std::ios::app) << "char key[] = R\"(\n" << private_key() << ")\";\n";
    where = "main.c";
  }
  SECTION("script") {
    bench.plan.script = "cat >/root/key <<END\n" + private_key() + "END\n";
    where = "build.sh";
  }
  SECTION("script, of a value that is handed out") {
    bench.plan.secrets.push_back({"s", Secret(value), false});
    bench.plan.script = "login " + value + "\n";
    where = "build.sh";
  }
  SECTION("--env") {
    bench.plan.secrets.push_back({"s", Secret(value), false});
    bench.plan.env = {"PASSWORD=" + value};
    where = "--env PASSWORD";
  }
  SECTION("command") {
    bench.plan.secrets.push_back({"s", Secret(value), false});
    bench.plan.command = {"login", value};
    where = "command";
  }
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::leak);
  CHECK(bench.engine.diary.empty());
  REQUIRE_FALSE(outcome.withheld.empty());
  CHECK(outcome.withheld[0].action == Withheld::Action::refuse);
  CHECK(outcome.withheld[0].path == where);
  CHECK_FALSE(outcome.withheld[0].allow.empty());
}

TEST_CASE("a weak secret is refused, or handed out and told") {
  Bench bench;
  bench.plan.secrets.push_back({"pin", Secret("1234"), false});
  SECTION("refused") {
    CHECK_THROWS_WITH(bench.build(), Catch::Contains("too short"));
    CHECK(bench.engine.diary.empty());
  }
  SECTION("told") {
    bench.plan.secrets[0].weak = true;
    CHECK(bench.build().weak_secrets == std::vector<std::string>{"pin"});
  }
}

TEST_CASE("a script's failure is its own status, and commits nothing") {
  Bench bench;
  bench.engine.script = {{Kind::running, ""}, {Kind::output, "no rule"}, {Kind::ended, std::string("\0\0\0\2", 4)}};
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::script);
  CHECK(outcome.script_status == 2);
  CHECK(bench.output == "no rule");
  CHECK(std::count(bench.engine.diary.begin(), bench.engine.diary.end(), "commit") == 0);
  bench.nothing_left();
}

TEST_CASE("the script's output is redacted, also where a value is cut between two writes") {
  Bench bench;
  const std::string value = "value-" + std::to_string(::getpid()) + "-of-a-secret";
  bench.plan.secrets.push_back({"s", Secret(value), false});
  bench.engine.script = {{Kind::running, ""},
                         {Kind::output, "one " + value.substr(0, 9)},
                         {Kind::output, value.substr(9) + " two\n"},
                         {Kind::errors, "err " + value + "\n"},
                         {Kind::ended, std::string(4, '\0')}};
  bench.build();
  CHECK(bench.output.find(value.substr(0, 9)) == std::string::npos);
  CHECK(bench.output.find(value.substr(9)) == std::string::npos);
  CHECK(bench.output.find("one [redacted") != std::string::npos);
  CHECK(bench.output.find("two") != std::string::npos);
}

TEST_CASE("what the script left running is told") {
  Bench bench;
  bench.engine.script = {{Kind::running, ""}, {Kind::killed, "12 sleep"}, {Kind::ended, std::string(4, '\0')}};
  CHECK(bench.build().killed == std::vector<std::string>{"12 sleep"});
  CHECK(bench.warnings.size() == 1);
}

TEST_CASE("the builder is made without the base's VOLUMEs, whose folders an engine would put into the new layer") {
  Bench bench;
  SECTION("all of them") {
    bench.build();
    CHECK(bench.engine.committed_from != bench.engine.base);
    CHECK_FALSE(bench.engine.images.contains(bench.engine.committed_from));
  }
  SECTION("but those that are meant to be written to") {
    bench.plan.ignore_volumes = {"/data"};
    bench.build();
    CHECK(bench.engine.committed_from == bench.engine.base);
  }
}

TEST_CASE("what was written to a VOLUME of the base is an error, unless it is meant") {
  Bench bench;
  bench.engine.script = {{Kind::running, ""}, {Kind::written, "/data"}, {Kind::ended, std::string(4, '\0')}};
  SECTION("error") {
    CHECK_THROWS_WITH(bench.build(), Catch::Contains("/data"));
    bench.nothing_left();
  }
  SECTION("meant") {
    bench.plan.ignore_volumes = {"/data/"};
    CHECK(bench.build().status == Status::clean);
    CHECK(bench.warnings.size() == 1);
  }
}

TEST_CASE("the exec's command line holds nothing but the bootstrap") {
  Bench bench;
  bench.plan.env = {"MODE=distinctive"};
  bench.plan.command = {"distinctive", "words"};
  bench.build();
  for (const auto& word : bench.engine.argv) CHECK(word.find("distinctive") == std::string::npos);
}

TEST_CASE("a base that no relay runs on is refused before anything is created") {
  Bench bench;
  auto base = bench.engine.images.at(bench.engine.base);
  bench.engine.images.clear();
  base.config.replace(base.config.find("amd64"), 5, "s390x");
  bench.engine.base = sha256_digest(view_of(base.config));
  bench.engine.images[bench.engine.base] = base;
  CHECK_THROWS_WITH(bench.build(), Catch::Contains("linux/s390x"));
  CHECK(bench.engine.diary == std::vector<std::string>{"find", "config"});
}

TEST_CASE("whichever call fails, nothing is left") {
  int calls = 0;
  {
    Bench bench;
    bench.plan.tags = {"app:1"};
    bench.build();
    for (const auto& each : bench.engine.diary) {
      if (each != "exec ended") ++calls;
      if (each == "tag app:1") break;
    }
  }
  REQUIRE(calls == 13);
  for (const bool after : {false, true})
    for (int at = 0; at < calls; ++at) {
      Bench bench;
      bench.plan.tags = {"app:1"};
      bench.engine.fail_at = at;
      bench.engine.fail_after = after;
      INFO("call " << at << (after ? ", its answer lost" : ""));
      CHECK_THROWS_WITH(bench.build(), Catch::Contains("engine: gone"));
      // A name whose answer got lost is not taken back: the image that has it was found clean.
      CHECK(bench.names().size() == (after && at == calls - 1 ? 1u : 0u));
      bench.nothing_left();
    }
}

TEST_CASE("where a later name fails, the message says which names stand") {
  Bench bench;
  bench.engine.fail_at = 13;
  CHECK_THROWS_WITH(bench.build(), Catch::StartsWith("named app:1, but not app:latest: engine: gone"));
  CHECK(bench.names() == std::set<std::string>{"app:1"});
  CHECK(bench.engine.containers.empty());
}

TEST_CASE("what is withheld is told when the context is staged, before anything is created") {
  Bench bench;
  std::ofstream(bench.folder.path() + "/app/id_ed25519") << private_key();
  std::set<std::string> told;
  bench.talk.withheld = [&](const Withheld& one) {
    CHECK(bench.engine.diary.empty());
    told.insert(one.path);
  };
  bench.build();
  CHECK(told == std::set<std::string>{"id_ed25519"});
}

TEST_CASE("gc removes what a killed build left, and touches no live one and no other engine's") {
  Bench bench;
  auto& engine = bench.engine;
  engine.images_go_alone = true;
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const std::string live = "00000000000000aa", dead = "00000000000000bb", fresh = "00000000000000cc",
                    stuck = "00000000000000dd", elsewhere = "00000000000000ee";
  const auto label = [](const std::string& id) { return std::map<std::string, std::string>{{"imgbuild.build", id}}; };
  engine.containers["live"] = {label(live), "running", now - 9999};
  engine.containers["fresh"] = {label(fresh), "created", now - 5};
  engine.containers["stuck"] = {label(stuck), "created", now - 100};
  for (const auto& id : {live, dead, stuck}) {
    engine.images["committed-" + id] = {"{}", {}, {}, label(id)};
    engine.images["final-" + id] = {"{}", {}, {}, {}};
    write_journal({id, "unix:///fake.sock", {"final-" + id}, false});
  }
  engine.images["named"] = {"{}", {}, {"mine:1"}, {}};
  write_journal({fresh, "unix:///fake.sock", {"named"}, false});
  write_journal({elsewhere, "unix:///other.sock", {"final-" + live}, false});
  const auto removed = collect_garbage(engine, false);
  CHECK(removed.size() == 5);
  CHECK(engine.containers.size() == 2);
  CHECK_FALSE(engine.containers.contains("stuck"));
  CHECK(engine.images.contains("committed-" + live));
  CHECK(engine.images.contains("final-" + live));
  CHECK_FALSE(engine.images.contains("final-" + dead));
  CHECK_FALSE(engine.images.contains("committed-" + stuck));
  CHECK(engine.images.contains("named"));
  CHECK(read_journal().size() == 3);
}

TEST_CASE("the same content built twice in a second is two images") {
  Bench bench;
  bench.plan.cache = false;
  const std::string first = bench.build().handle, second = bench.build().handle;
  CHECK(first != second);
  ::setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
  const std::string third = bench.build().handle, fourth = bench.build().handle;
  ::unsetenv("SOURCE_DATE_EPOCH");
  CHECK(third == fourth);
}

TEST_CASE("an image that two builds make is taken back by the last of them, and by gc once neither is under way") {
  Bench bench;
  auto& engine = bench.engine;
  engine.images_go_alone = true;
  const std::string config = nlohmann::json::parse(engine.images.at(engine.base).config).dump();
  const auto warn = [](const std::string& line) { FAIL(line); };
  auto one = std::make_unique<Traces>(engine, warn), other = std::make_unique<Traces>(engine, warn);
  const std::string image = one->load(engine.base, config);
  REQUIRE(other->load(engine.base, config) == image);
  REQUIRE(image != engine.base);
  write_journal({"00000000000000aa", "unix:///fake.sock", {image}, false});  // a third was killed
  CHECK(collect_garbage(engine, false).empty());
  CHECK(read_journal().size() == 3);
  SECTION("taken back") {
    one.reset();
    CHECK(engine.images.contains(image));
    other.reset();
    CHECK_FALSE(engine.images.contains(image));
  }
  SECTION("named") {
    engine.images.at(image).names = {"app:1"};
    one->release();
    one.reset();
    other.reset();
    CHECK(engine.images.contains(image));
  }
  collect_garbage(engine, false);
  CHECK(read_journal().empty());
}

TEST_CASE("the journal lies in one place, wherever a build was started") {
  const TempDir home;
  const std::string id = "0123456789abcdef", before = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "/root";
  ::setenv("XDG_STATE_HOME", "state", 1);  // relative: to be ignored, as its specification says
  ::setenv("HOME", home.path().c_str(), 1);
  write_journal({id, "unix:///fake.sock", {}, false});
  CHECK(std::filesystem::exists(home.path() + "/.local/state/imgbuild/builds/" + id));
  forget_journal(id);
  ::setenv("HOME", before.c_str(), 1);
}

TEST_CASE("a dry run tells each step and asks nobody") {
  Bench bench;
  bench.plan.user = "dev";
  bench.plan.ssh.hosts = {"git@git.example"};
  bench.plan.secrets.push_back({"npm", Secret("a-value-that-is-not-told"), false});
  const auto steps = describe(bench.plan);
  CHECK(steps.size() == 7);
  const std::string all = join(steps, "\n");
  for (const char* word : {"git@git.example", "base:1", "build.sh", "npm", "dev", "app:latest"})
    CHECK_THAT(all, Catch::Contains(word));
  CHECK_THAT(all, !Catch::Contains("not-told"));
}

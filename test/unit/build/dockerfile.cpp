// A build by Dockerfile over an engine that keeps a diary: what is named, what is refused and when, what is left.
#include <algorithm>
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

using namespace imgbuild;
using Catch::Contains;

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
    engine.images_go_alone = true;  // only podman does not heed noprune, and there a base has a name
    plan.context = folder.path() + "/app";
    plan.tags = {"app:1"};
    plan.dockerfile.emplace();
    plan.dockerfile->shown = "Dockerfile";
    plan.dockerfile->has_ignore = true;
    plan.dockerfile->text = "FROM base:1\nCOPY main.c /\nRUN make\n";
    engine.written = tar_of({{"srv/app", "binary"}});
    talk.output = [this](std::string_view text) { told += text; };
    talk.warn = [this](const std::string& line) { told += line + "\n"; };
    talk.step = [this](const std::string& line) { told += line + "\n"; };
  }
  Outcome build() {
    static const auto scanner = Scanner::builtin();
    return imgbuild::build(plan, engine, scanner, vault, talk);
  }
  bool did(const std::string& step) const {
    return std::find(engine.diary.begin(), engine.diary.end(), step) != engine.diary.end();
  }
  void nothing_left() const {
    for (const auto& [id, image] : engine.images) CHECK_FALSE(image.names.empty());
    CHECK(read_journal().empty());
  }

  TempDir folder;
  FakeEngine engine;
  Plan plan;
  Vault vault;
  BuildTalk talk;
  std::string told;
};

}  // namespace

TEST_CASE("what the builder made is named without our label, and nothing else stays") {
  Bench bench;
  bench.plan.image_labels = {"team=a"};
  bench.plan.dockerfile->args = {{"VERSION", "2"}};
  bench.plan.dockerfile->target = "0";
  const Outcome outcome = bench.build();
  REQUIRE(outcome.status == Status::clean);
  const auto& image = bench.engine.images.at(outcome.handle);
  CHECK(image.names == std::set<std::string>{"app:1"});
  const Json config = Json::parse(image.config);
  CHECK(config["config"]["Labels"] == Json{{"base", "yes"}, {"team", "a"}});
  CHECK(config["history"].size() == 3);
  CHECK(bench.engine.asked.target == "0");
  CHECK(bench.engine.asked.args.at("VERSION") == "2");
  CHECK(bench.engine.asked.session.size() == 32);
  for (const auto& method : bench.engine.offered) CHECK_THAT(method, !Contains("sshforward"));
  CHECK_FALSE(bench.did("cache"));
  bench.nothing_left();
}

TEST_CASE("a leak is refused, traced to its line, and what the build cache holds of it is said or purged") {
  for (const bool purge : {false, true}) {
    Bench bench;
    bench.engine.written = tar_of({{"root/key", private_key()}});
    bench.plan.dockerfile->purge = purge;
    const Outcome outcome = bench.build();
    CHECK(outcome.status == Status::leak);
    CHECK(outcome.handle.empty());
    CHECK_THAT(bench.told, Contains("Dockerfile:3: RUN make brought in "));
    if (purge)
      CHECK_THAT(bench.told, Contains("purged 1 record"));
    else
      CHECK_THAT(bench.told, Contains("docker builder prune --all --force --filter 'id=c-1'"));
    CHECK(bench.engine.cache.size() == (purge ? 1 : 2));
    CHECK(bench.engine.cache[0].id == "theirs");
    bench.nothing_left();
  }
}

TEST_CASE("a build argument that is a credential is refused before anything is made") {
  Bench bench;
  bench.vault.add("Zk9-quite-Xsecret-4471", "secret npm", Origin::handed_out);
  bench.plan.dockerfile->args = {{"A", "plain"}, {"B", "Zk9-quite-Xsecret-4471"}};
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::leak);
  REQUIRE(outcome.withheld.size() == 1);
  CHECK(outcome.withheld[0].path == "--build-arg B");
  CHECK(outcome.withheld[0].action == Withheld::Action::refuse);
  CHECK_FALSE(bench.did("build"));
  CHECK_FALSE(bench.did("session"));
}

TEST_CASE("where no name is wanted the image is there as long as its outcome, and written down so long") {
  Bench bench;
  bench.plan.tags.clear();
  {
    const Outcome outcome = bench.build();
    REQUIRE(outcome.status == Status::clean);
    CHECK(bench.engine.images.at(outcome.handle).names.empty());
    REQUIRE(read_journal().size() == 1);
    CHECK(read_journal().front().images.front() == outcome.audit->record().id);
  }
  bench.nothing_left();
}

TEST_CASE("a credential in a Dockerfile that lies elsewhere is told by the name that was said") {
  Bench bench;
  bench.plan.dockerfile->shown = "../elsewhere/Dockerfile";
  bench.plan.dockerfile->text = "FROM base:1\nRUN <<EOF\n" + private_key() + "EOF\n";
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::leak);
  REQUIRE(outcome.withheld.size() == 1);
  CHECK(outcome.withheld[0].path == "../elsewhere/Dockerfile");
  CHECK(outcome.withheld[0].line == 3);
  CHECK_THAT(outcome.withheld[0].allow, Contains("../elsewhere/Dockerfile") && !Contains("imgbuild.dockerfile"));
}

TEST_CASE("a rehearsal refuses what the build would, and asks no engine") {
  Bench bench;
  std::ofstream(bench.folder.path() + "/app/deploy_key") << private_key();
  const auto rehearsed = [&] {
    bench.told.clear();
    return rehearse(bench.plan, Scanner::builtin(), bench.vault, bench.talk);
  };
  CHECK(rehearsed().status == Status::clean);
  bench.plan.dockerfile->text = "FROM base:1\nCOPY main.c deploy_key /srv/\nADD id_rsa /root/.ssh/\n";
  const Outcome outcome = rehearsed();
  CHECK(outcome.status == Status::leak);
  CHECK(std::any_of(outcome.withheld.begin(), outcome.withheld.end(), [](const Withheld& one) {
    return one.action == Withheld::Action::refuse && one.path == "Dockerfile" && one.line == 2;
  }));
  CHECK_THAT(bench.told, Contains("Dockerfile:3: "));
  bench.plan.dockerfile->text = "RUN x\n";
  CHECK_THROWS_WITH(rehearsed(), "Dockerfile: has no FROM");
  CHECK(bench.engine.diary.empty());
}

TEST_CASE("a COPY of a file that is withheld is refused with its line; one of the folder that holds it is not") {
  Bench bench;
  std::ofstream(bench.folder.path() + "/app/deploy_key") << private_key();
  bench.plan.dockerfile->text = "FROM base:1\nCOPY . /srv\n";
  CHECK(bench.build().status == Status::clean);
  bench.plan.dockerfile->text = "FROM base:1\nRUN x\nCOPY main.c ./deploy_* /srv/\n";
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::leak);
  const auto refused = std::find_if(outcome.withheld.begin(), outcome.withheld.end(),
                                    [](const Withheld& one) { return one.action == Withheld::Action::refuse; });
  REQUIRE(refused != outcome.withheld.end());
  CHECK(refused->path == "Dockerfile");
  CHECK(refused->line == 3);
  CHECK_THAT(refused->says, Contains("deploy_key"));
}

TEST_CASE("a RUN that fails is the Dockerfile's, whatever else fails is the engine's") {
  Bench bench;
  bench.engine.build_fails = "executor failed running [/bin/sh -c " + std::string(2000, 'x') + "]: exit code: 7";
  const Outcome outcome = bench.build();
  CHECK(outcome.status == Status::script);
  CHECK(outcome.script_status == 7);
  bench.nothing_left();
  bench.engine.build_fails = "unknown instruction: MAKE";
  CHECK_THROWS_WITH(bench.build(), "engine: build: unknown instruction: MAKE");
  bench.plan.dockerfile->target = "nowhere";
  CHECK_THROWS_WITH(bench.build(), Contains("has no stage nowhere"));
}

TEST_CASE("a build by Dockerfile that fails anywhere names nothing and leaves nothing") {
  int calls = 0;
  {
    Bench bench;
    bench.build();
    calls = static_cast<int>(bench.engine.diary.size());
  }
  REQUIRE(calls > 6);
  for (const bool after : {false, true})
    for (int at = 0; at < calls; ++at) {
      Bench bench;
      bench.engine.fail_at = at;
      bench.engine.fail_after = after;
      bool threw = false;
      Outcome outcome;
      try {
        outcome = bench.build();
      } catch (const Error&) {
        threw = true;
      }
      INFO("failing at call " << at << (after ? ", after it had its effect" : ""));
      bool named = false;
      for (const auto& [id, image] : bench.engine.images) named = named || image.names.contains("app:1");
      // Looking for the base, or tidying up, may fail without harm to what was cleared.
      if (threw && !(after && bench.engine.diary[static_cast<std::size_t>(at)] == "tag app:1")) CHECK_FALSE(named);
      if (!threw) CHECK(named == (outcome.status == Status::clean));
      bench.engine.fail_at = -1;
      collect_garbage(bench.engine, false);
      bench.nothing_left();
    }
}

// A damaged image: what is damaged is told with its place, all else is looked at, and nothing of it is ever cleared.
#include <catch2/catch.hpp>

#include "auditing.hpp"
#include "base/text.hpp"
#include "crypto/passphrases.hpp"
#include "image_text.hpp"
#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

/// "layer 2: root/key" of each place of each leak.
std::vector<std::string> leaks_of(const Audit& audit) {
  std::vector<std::string> all;
  for (const Finding& leak : audit.record().leaks)
    for (const Location& at : leak.locations) all.push_back(place_of(at));
  std::sort(all.begin(), all.end());
  return all;
}

bool finds(const Audit& audit, const std::string& place) {
  const auto all = leaks_of(audit);
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.starts_with(place); });
}

std::string damages_of(const Audit& audit) { return join(audit.record().damages(), "\n"); }

const std::string three_layers =
    "verdict: incomplete\n\nlayer FIRST\n  file app/first @KEY@\n"
    "layer SECOND\n  file app/good nothing\n  file app/broken nothing\n  file app/behind @OTHER_KEY@\n  change 1030\n"
    "layer THIRD\n  file app/third @KEY@\nenv NPM_TOKEN=ghp_{{}}mOq0wqkuMwQWB7Dbq5{{}}GcZTMsG4V9DG0aHl5z\n";

}  // namespace

TEST_CASE("A damaged layer hides neither the others, nor the config, nor what stands behind its damage") {
  const auto image = read_image("x", three_layers);
  for (const Layout layout : {Layout::old, Layout::oci}) {
    const std::string archive = archive_of(image, layout);
    const std::string mapped = stable_json(audit_file(archive));
    for (const Audit& audit : {audit_file(archive), audit_stream(archive, 1), audit_stream(archive, 3000),
                               audit_stream(piped("gzip -c", archive), 4096)}) {
      INFO(to_json(audit.record()).dump(1));
      CHECK(audit.verdict() == Verdict::incomplete);
      CHECK_FALSE(audit.clear("x"));
      CHECK(damages_of(audit) == "layer 1: damaged header at byte 1024");
      CHECK(finds(audit, "layer 0: app/first"));
      CHECK(finds(audit, "layer 1: :1 (outside every member)"));
      CHECK(finds(audit, "layer 2: app/third"));
      CHECK(finds(audit, "config: Env.NPM_TOKEN"));
      CHECK(audit.record().layers.size() == 3);
      CHECK(audit.record().layers.at(2).created_by == "THIRD");
      CHECK(stable_json(audit) == mapped);
    }
  }
}

TEST_CASE("Nobody can answer for a damage") {
  const std::string archive = archive_of(read_image("x", three_layers), Layout::old);
  Setup run;
  for (const std::string& at : {std::string("*:**"), std::string("config:**")})
    for (const char* rule : {"ssh.private-key", "github.token"})
      run.options.policy.allow.push_back({rule, at, "", "", "", "a test", "", "test"});
  const Audit first = audit_file(archive);
  for (const NotScanned& gap : first.record().coverage.not_scanned) {
    CHECK(gap.damaged);
    CHECK(gap.sha256.empty());  // and so no entry is offered
    run.options.policy.allow.push_back({"", "", "", gap.path, gap.sha256, "a test", "", "test"});
  }
  const Audit audit = audit_file(archive, std::move(run));
  CHECK(audit.verdict() == Verdict::incomplete);
  CHECK_FALSE(audit.clear("x"));
}

TEST_CASE("Of an archive that is cut short, or damaged in its midst, what is there is looked at") {
  const std::string whole = archive_of(
      read_image("x",
                 "verdict: leak\n\nlayer FIRST\n  file app/first @KEY@\nlayer SECOND\n  file app/second nothing\n"),
      Layout::old);
  const std::size_t second = whole.find("layer1/layer.tar");
  REQUIRE(second != std::string::npos);
  SECTION("before its tables come") {
    for (const std::string& cut : {whole.substr(0, second), whole.substr(0, second + 100)})
      for (const Audit& audit : {audit_file(cut), audit_stream(cut, 700), audit_stream(piped("gzip -c", cut), 700)}) {
        INFO(to_json(audit.record()).dump(1));
        CHECK(damages_of(audit).find(cut.size() > second
                                         ? "truncated archive"
                                         : "neither manifest.json nor index.json") != std::string::npos);
        CHECK(audit.verdict() == Verdict::incomplete);
        CHECK(finds(audit, "config: layer0/layer.tar!app/first"));
      }
  }
  SECTION("in a header of its own") {
    std::string damaged = whole;
    damaged[second + 20] = 'x';
    for (const Audit& audit : {audit_file(damaged), audit_stream(damaged, 700)}) {
      CHECK(damages_of(audit).find("damaged header at byte " + std::to_string(second)) != std::string::npos);
      CHECK(finds(audit, "config: layer0/layer.tar!app/first"));
    }
  }
  SECTION("as it is packed") {
    const std::string packed = piped("gzip -c", whole + std::string(300000, 'x'));
    for (const std::string& cut : {packed.substr(0, packed.size() - 9)})
      for (const Audit& audit : {audit_file(cut), audit_stream(cut, 700)}) {
        CHECK(damages_of(audit).find("truncated gzip stream") != std::string::npos);
        CHECK(finds(audit, "layer 0: app/first"));
      }
  }
  SECTION("in its table") {
    std::string damaged = whole;
    damaged.replace(damaged.find("\"RepoTags\""), 10, "RepoTags\"\"");
    for (const Audit& audit : {audit_file(damaged), audit_stream(damaged, 700)}) {
      CHECK(damages_of(audit).starts_with("manifest.json: "));
      CHECK(finds(audit, "config: layer0/layer.tar!app/first"));
    }
  }
}

TEST_CASE("A config that is missing keeps no layer from being looked at") {
  const auto image = read_image("x", "verdict: leak\n\nlayer FIRST\n  file app/first @KEY@\n");
  std::string archive = archive_of(image, Layout::old);
  const std::size_t at = archive.find("{\"Config\":\"");
  const std::size_t list = at == std::string::npos ? archive.find("\"Config\":\"") + 10 : at + 11;
  REQUIRE(list < archive.size());
  archive[list] = archive[list] == 'f' ? '0' : 'f';
  for (const Audit& audit : {audit_file(archive), audit_stream(archive, 700)}) {
    INFO(to_json(audit.record()).dump(1));
    CHECK(damages_of(audit).find("the config is not in the archive") != std::string::npos);
    CHECK(finds(audit, "layer 0: app/first"));
    CHECK(audit.record().id.empty());
  }
}

TEST_CASE("Encrypted keys for which no passphrase was left to try are told, once, and may be answered for") {
  const TempDir folder;
  shell(folder,
        "openssl genpkey -algorithm ed25519 -out k 2>/dev/null; for i in 1 2 3; do "
        "openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkcs8 -topk8 -v2 aes256 -passout pass:changeit -out "
        "$i; "
        "done");
  std::string text = "verdict: leak\n\nlayer COPY . /\n";
  for (const char* name : {"1", "2", "3"})
    text += std::string("  through app/") + name + ".pem cat " + folder.path() + "/" + name + " | x\n";
  const std::string archive = archive_of(read_image("x", text), Layout::old);
  const std::uint64_t before = set_passphrase_budget(0);
  const Audit untried = audit_file(archive);
  set_passphrase_budget(before);
  INFO(to_json(untried.record()).dump(1));
  CHECK(untried.verdict() == Verdict::leak);
  const auto& gaps = untried.record().coverage.not_scanned;
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].path == "app/1.pem");
  CHECK(gaps[0].why.starts_with("encrypted keys in 3 places: the passphrases that everybody uses were not tried"));
  CHECK(gaps[0].sha256.size() == 71);
  CHECK(to_json(untried.record()).dump().find("\"untried\":true") != std::string::npos);
  const Audit tried = audit_file(archive);
  CHECK(tried.record().coverage.not_scanned.empty());
  CHECK(to_json(tried.record()).dump().find("untried") == std::string::npos);
}

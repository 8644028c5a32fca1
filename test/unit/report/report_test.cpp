#include "report/report.hpp"

#include <catch2/catch.hpp>

#include "verdict/json.hpp"

using namespace imgbuild;

namespace {

const std::string secret = std::string("tR7") + "#kqZp0vLw92";

struct Run {
  std::shared_ptr<const Scanner> scanner = Scanner::builtin();
  Vault vault;
  Redaction redaction{*scanner, vault};

  Run() { vault.add(secret, "secret npm", Origin::found); }
};

Finding leak() {
  Finding finding;
  finding.rule = "ssh.private-key";
  finding.says = "private key: its holder logs in as you";
  finding.severity = Severity::critical;
  finding.secret = "S1";
  Location place;
  place.layer = 2;
  place.path = "root/.ssh/id_rsa";
  place.line = 1;
  place.state = Location::State::deleted;
  place.by_layer = 3;
  place.created_by = "RUN make";
  finding.locations = {place};
  finding.key = KeyFacts{"ed25519", 256, false, "SHA256:abc", {"agent: SHA256:abc"}};
  finding.fix = "write it under /dev/imgbuild";
  finding.rotate = "https://example.org/revoke";
  finding.allow =
      "[[allow]]\nrule = \"ssh.private-key\"\nat = \"*:root/.ssh/id_rsa\"\nidentity = \"SHA256:abc\"\nreason = "
      "\"...\"\n";
  return finding;
}

ImageRecord image() {
  ImageRecord record;
  record.id = "sha256:1234";
  record.source = "archive:app.tar";
  record.platform = "linux/amd64";
  record.layers = {{0, "sha256:aa", "ADD base", 10}, {1, "sha256:bb", "RUN make", 20}};
  record.coverage.layers = 2;
  record.coverage.entries = 7;
  record.coverage.bytes = 30;
  return record;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a leak is told with its road into the image, its mending and its allow-entry") {
  Run run;
  Report report;
  report.images = {image()};
  report.images[0].leaks = {leak()};
  const std::string text = report_as_text(report, run.redaction, {});
  INFO(text);
  CHECK(has(text, "LEAK S1  critical"));
  CHECK(has(text, "layer 2: root/.ssh/id_rsa:1"));
  CHECK(has(text, "added in layer 2 by RUN make; deleted by layer 3, and still in the image"));
  CHECK(has(text, "ed25519, 256 bits, not encrypted, SHA256:abc"));
  CHECK(has(text, "write it under /dev/imgbuild"));
  CHECK(has(text, "https://example.org/revoke"));
  CHECK(has(text, "at = \"*:root/.ssh/id_rsa\""));
  CHECK(has(text, "identity = \"SHA256:abc\""));
  CHECK(text.substr(text.rfind('\n', text.size() - 2) + 1) == "verdict: leak: 1 secret in 1 image\n");
}

TEST_CASE("no output contains a byte of what was found") {
  Run run;
  Report report;
  report.images = {image()};
  Finding finding = leak();
  finding.locations[0].path = "srv/" + secret + "/x";
  finding.locations[0].inside = {secret + ".jar"};
  finding.locations[0].created_by = "RUN echo " + secret;
  finding.packaged = "dpkg: " + secret;
  finding.why = secret;
  finding.key->matches = {"image: " + secret};
  finding.allow = "[[allow]]\nat = \"*:srv/" + secret + "/x\"\n";
  auto& record = report.images[0];
  record.leaks = record.notes = record.published = record.allowed = {finding};
  record.layers[1].created_by = "RUN echo " + secret;
  record.source = "archive:" + secret;
  record.coverage.not_scanned = {{1, secret + ".zip", "encrypted by " + secret, 5, "sha256:00", ""}};
  report.build = BuildFacts{{{Withheld::Action::file, secret, 0, "r", "s", secret}},
                            {{0, "SHA256:k", secret, secret, false, secret}},
                            {"1 " + secret},
                            {secret},
                            {secret}};
  report.not_audited = {secret};
  const std::string text = report_as_text(report, run.redaction, {.colour = true});
  const std::string json = report_as_json(report, *run.scanner, run.redaction);
  CHECK_FALSE(has(text, secret));
  CHECK_FALSE(has(facts_as_text(*report.build, run.redaction, {}), secret));
  CHECK_FALSE(has(json, secret));
  CHECK(has(text, "[redacted: secret npm]"));
  CHECK(has(json, "[redacted: secret npm]"));

  StageReport stage;
  stage.withheld = {{Withheld::Action::refuse, secret, 1, "r", "s", "at = \"" + secret + "\""}};
  stage.allowed = stage.notes = {finding};
  CHECK_FALSE(has(report_as_text(stage, run.redaction, {}), secret));
  CHECK_FALSE(has(report_as_json(stage, run.redaction), secret));
}

TEST_CASE("a value that was found does not change the report's own words") {
  Run run;
  run.vault.add("incomplete", "a careless value", Origin::found);
  run.vault.add("ssh.private-key", "another", Origin::found);
  Report report;
  report.images = {image()};
  report.images[0].coverage.not_scanned = {{0, "a.zip", "encrypted", 5, "", ""}};
  const auto json = nlohmann::json::parse(report_as_json(report, *run.scanner, run.redaction));
  CHECK(json["verdict"] == "incomplete");
  report.images[0].leaks = {leak()};
  const auto leaking = nlohmann::json::parse(report_as_json(report, *run.scanner, run.redaction));
  CHECK(leaking["images"][0]["leaks"][0]["rule"] == "ssh.private-key");
}

TEST_CASE("the allow-entry's identity survives the rules that look for passwords") {
  Run run;
  Report report;
  report.images = {image()};
  Finding finding = leak();
  const std::string identity =
      "identity = \"scrypt:AAECAwQFBgcICQoLDA0ODw==:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\"";
  finding.allow = "[[allow]]\nrule = \"generic.password\"\n" + identity + "\nreason = \"...\"\n";
  report.images[0].leaks = {finding};
  CHECK(has(report_as_text(report, run.redaction, {}), identity));
}

TEST_CASE("the JSON is the contract") {
  Run run;
  Report report;
  report.images = {image()};
  report.images[0].leaks = {leak()};
  const auto json = nlohmann::json::parse(report_as_json(report, *run.scanner, run.redaction));
  CHECK(json["schema"] == "imgbuild.audit/1");
  CHECK(json["tool"]["version"] == IMGBUILD_VERSION);
  CHECK(json["tool"]["rules"] == run.scanner->digest());
  CHECK(json["tool"]["rule_count"] == run.scanner->rules().size());
  CHECK(json["verdict"] == "leak");
  CHECK_FALSE(json.contains("build"));
  const auto& image = json["images"][0];
  for (const auto* key :
       {"id", "source", "platform", "layers", "verdict", "leaks", "notes", "published", "allowed", "coverage"}) {
    INFO(key);
    CHECK(image.contains(key));
  }
  CHECK(image["leaks"][0]["locations"][0]["state"] == "deleted");
  CHECK(image["leaks"][0]["key"]["fingerprint"] == "SHA256:abc");
  report.build = BuildFacts{};
  const auto built = nlohmann::json::parse(report_as_json(report, *run.scanner, run.redaction));
  for (const auto* key : {"withheld", "ledger", "killed", "stubs", "weak_secrets"}) {
    INFO(key);
    CHECK(built["build"][key].is_array());
  }
}

TEST_CASE("what could not be looked at is told, and makes the verdict incomplete") {
  Run run;
  Report report;
  report.images = {image()};
  report.images[0].coverage.not_scanned = {{1, "srv/b.zip", "encrypted", 12, "sha256:" + std::string(64, 'a'), ""}};
  const std::string text = report_as_text(report, run.redaction, {});
  INFO(text);
  CHECK(has(text, "NOT LOOKED AT  layer 1: srv/b.zip (12 bytes): encrypted"));
  CHECK(has(text, "path = \"srv/b.zip\""));
  CHECK(has(text, "verdict: incomplete: 1 thing could not be looked at"));
  report.images[0].coverage.not_scanned[0].allowed = "on purpose";
  CHECK(has(report_as_text(report, run.redaction, {}), "verdict: clean"));
}

TEST_CASE("leak beats incomplete beats clean over all images and targets") {
  Report report;
  CHECK(verdict_of(report) == Verdict::clean);
  report.not_audited = {"x: no such image"};
  CHECK(verdict_of(report) == Verdict::incomplete);
  report.images = {image(), image()};
  report.images[1].leaks = {leak()};
  CHECK(verdict_of(report) == Verdict::leak);
}

TEST_CASE("paths of an image cannot move the cursor or forge a line") {
  Run run;
  Report report;
  report.images = {image()};
  Finding finding = leak();
  finding.locations[0].path = "a\nverdict: clean\n\x1b[2J";
  finding.allow = "[[allow]]\nat = \"*:a\x1b[2J\"\n";
  report.images[0].leaks = {finding};
  report.images[0].coverage.not_scanned = {{0, "b\nverdict: clean", "c\r\x1b[1A", 1, "sha256:00", ""}};
  const std::string text = report_as_text(report, run.redaction, {});
  INFO(text);
  CHECK_FALSE(has(text, "\nverdict: clean"));
  CHECK_FALSE(has(text, "\x1b"));
  CHECK_FALSE(has(text, "\r"));
}

TEST_CASE("one secret that several rules know stands under one heading") {
  Run run;
  Report report;
  report.images = {image()};
  Finding second = leak();
  second.rule = "vault.value";
  second.severity = Severity::high;
  report.images[0].leaks = {leak(), second};
  const std::string text = report_as_text(report, run.redaction, {});
  CHECK(text.find("LEAK S1") == text.rfind("LEAK S1"));
  CHECK(has(text, "vault.value"));
  CHECK(has(text, "1 secret in 1 image"));
}

TEST_CASE("a hundred places of a secret are not a hundred lines") {
  Run run;
  Report report;
  report.images = {image()};
  Finding finding = leak();
  finding.locations.resize(100, finding.locations[0]);
  report.images[0].leaks = {finding};
  CHECK(has(report_as_text(report, run.redaction, {}), "... and 90 more places; --all prints them"));
}

TEST_CASE("staging tells what was withheld and why, or why nothing was staged") {
  Run run;
  StageReport stage{"sha256:12", 12, 3456, 0, {}, {}, {}, 0, 0};
  CHECK(report_as_text(stage, run.redaction, {}) == "staged 12 files (3.5 kB) sha256:12, nothing withheld\n");
  stage.withheld = {{Withheld::Action::line, ".npmrc", 3, "npm.auth", "an npm token", ""}};
  const std::string text = report_as_text(stage, run.redaction, {});
  CHECK(has(text, "withheld .npmrc:3: npm.auth (the line is left out)"));
  CHECK(has(text, "withheld 1"));
  const auto json = nlohmann::json::parse(report_as_json(stage, run.redaction));
  CHECK(json["schema"] == "imgbuild.stage/1");
  CHECK(json["digest"] == "sha256:12");
  CHECK(json["withheld"][0]["action"] == "line");

  StageReport refused;
  refused.withheld = {
      {Withheld::Action::refuse, "x_test.go", 3, "ssh.private-key", "a key", "[[allow]]\nrule = \"r\"\n"}};
  const std::string no = report_as_text(refused, run.redaction, {});
  CHECK(has(no, "REFUSED x_test.go:3"));
  CHECK(has(no, "[[allow]]"));
  CHECK(has(no, "nothing was staged"));
  CHECK(nlohmann::json::parse(report_as_json(refused, run.redaction))["digest"].is_null());
}

#include "report/baseline.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "crypto/digest.hpp"
#include "report/answers.hpp"

using namespace imgbuild;
using nlohmann::json;

namespace {

const std::string token = std::string("tR7#kq") + "Zp0vLw92";

struct Run {
  std::shared_ptr<const Scanner> scanner = Scanner::builtin();
  Vault vault;
  Redaction redaction{*scanner, vault};
  Run() { vault.add(token, "npm.access-token", Origin::found); }
};

Finding leak(const std::string& rule, const std::string& path, int layer) {
  Finding one;
  one.rule = rule;
  one.secret = "S1";
  one.identity = Vault::identify(token);
  Location place;
  place.layer = layer;
  place.path = path;
  one.locations = {place};
  return one;
}

ImageRecord image_of(std::vector<Finding> leaks) {
  ImageRecord image;
  image.leaks = std::move(leaks);
  return image;
}

std::string message_of(const std::string& text) {
  try {
    Baseline::read(text, "known.json");
  } catch (const Error& error) {
    CHECK(error.status() == Status::failed);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a baseline knows a leak again in another layer, and tells it as known") {
  Run first, second;
  std::size_t left_out = 0;
  const std::string text =
      write_baseline({image_of({leak("npm.access-token", "srv/.npmrc", 2)})}, first.vault, first.redaction, left_out);
  CHECK(left_out == 0);
  CHECK(text.find(token) == std::string::npos);
  auto image = image_of({leak("npm.access-token", "srv/.npmrc", 5)});
  Baseline::read(text, "known.json").apply(image, second.vault, second.redaction);
  CHECK(image.leaks.empty());
  REQUIRE(image.known.size() == 1);
  CHECK(image.verdict() == Verdict::clean);
}

TEST_CASE("a baseline binds rule, place and identity") {
  Run run;
  std::size_t left_out = 0;
  const Baseline baseline = Baseline::read(
      write_baseline({image_of({leak("npm.access-token", "srv/.npmrc", 2)})}, run.vault, run.redaction, left_out), "k");
  const std::string other = token + "other";
  run.vault.add(other, "another", Origin::found);
  Finding next_secret = leak("npm.access-token", "srv/.npmrc", 2);
  next_secret.identity = Vault::identify(other);
  auto image = image_of({leak("npm.access-token", "srv/other", 2), leak("a.b", "srv/.npmrc", 2), next_secret});
  baseline.apply(image, run.vault, run.redaction);
  CHECK(image.leaks.size() == 3);
  CHECK(image.known.empty());

  // The known secret in a second place: known in the first, new in the second.
  Finding spread = leak("npm.access-token", "srv/.npmrc", 2);
  spread.locations.push_back(leak("npm.access-token", "root/.npmrc", 2).locations[0]);
  image = image_of({spread});
  baseline.apply(image, run.vault, run.redaction);
  REQUIRE(image.leaks.size() == 1);
  CHECK(image.leaks[0].locations[0].path == "root/.npmrc");
  REQUIRE(image.known.size() == 1);
  CHECK(image.verdict() == Verdict::leak);
}

TEST_CASE("a baseline hides nothing that was not looked at") {
  Run run;
  std::size_t left_out = 0;
  auto image = image_of({leak("npm.access-token", "srv/.npmrc", 2)});
  image.coverage.not_scanned = {{1, "a.zip", "encrypted", 5, "", ""}};
  const std::string text = write_baseline({image}, run.vault, run.redaction, left_out);
  Baseline::read(text, "k").apply(image, run.vault, run.redaction);
  CHECK(image.verdict() == Verdict::incomplete);
}

TEST_CASE("a key stands in a baseline by its fingerprint, anything else by a hash under the file's own salt") {
  Run run;
  Finding key = leak("ssh.private-key", "root/.ssh/id", 0);
  key.key = KeyFacts{"ed25519", 256, false, "SHA256:" + std::string(43, 'a'), {}};
  key.identity = Identity{key.key->fingerprint};
  std::size_t left_out = 0;
  const auto write = [&] {
    return json::parse(
        write_baseline({image_of({key, leak("npm.access-token", "x", 0)})}, run.vault, run.redaction, left_out));
  };
  const auto one = write(), two = write();
  CHECK(one["schema"] == "imgbuild.baseline/1");
  REQUIRE(one["leaks"].size() == 2);
  CHECK(one["leaks"][0]["at"] == "*:x");
  CHECK(one["leaks"][0]["identity"].get<std::string>().rfind("scrypt:", 0) == 0);
  CHECK(one["leaks"][1]["identity"] == key.key->fingerprint);
  CHECK(one["salt"] != two["salt"]);
  CHECK(one["leaks"][0]["identity"] != two["leaks"][0]["identity"]);
  auto image = image_of({key});
  Baseline::read(one.dump(), "k").apply(image, run.vault, run.redaction);
  CHECK(image.leaks.empty());
}

TEST_CASE("a path that holds a secret does not bring it into the baseline") {
  Run run;
  std::size_t left_out = 0;
  const std::vector<ImageRecord> images{image_of({leak("npm.access-token", "srv/" + token, 0)})};
  const std::string text = write_baseline(images, run.vault, run.redaction, left_out);
  CHECK(text.find(token) == std::string::npos);
  auto image = images[0];
  Baseline::read(text, "k").apply(image, run.vault, run.redaction);
  CHECK(image.leaks.empty());
}

TEST_CASE("a damaged baseline is a failure that says what is wrong") {
  CHECK(message_of("{") == "known.json: damaged baseline: no JSON");
  CHECK(message_of("[]") == "known.json: damaged baseline: not imgbuild.baseline/1");
  CHECK(message_of(R"({"schema": "imgbuild.baseline/2"})") == "known.json: damaged baseline: not imgbuild.baseline/1");
  const std::string head = R"({"schema": "imgbuild.baseline/1", "salt": )";
  CHECK(message_of(head + R"("AAAA", "leaks": []})") == "known.json: damaged baseline: the salt is not 16 bytes");
  const std::string salted = head + R"("AAAAAAAAAAAAAAAAAAAAAA==", )";
  CHECK(message_of(salted + R"("leaks": {}})") == "known.json: damaged baseline: no leaks");
  CHECK(message_of(salted + R"("leaks": [{"rule": "a.b", "at": 3}]})") == "known.json: damaged baseline: no at");
  CHECK(message_of(salted + R"("leaks": [{"rule": "a", "at": "b", "identity": "scrypt:AAAA"}]})") ==
        "known.json: damaged baseline: an identity that is none");
  CHECK(message_of(salted + R"("leaks": []})").empty());
}

TEST_CASE("an allow-entry that expired or is not needed is told") {
  Run run;
  Policy policy;
  policy.now = 1767312000;  // 2026-01-02
  AllowEntry entry;
  entry.rule = "npm.access-token";
  entry.at = "*:srv/.npmrc";
  entry.identity = scrypt_identity(token);
  entry.reason = "of a test account";
  entry.expires = "2026-01-01";
  policy.allow = {entry};
  std::vector<ImageRecord> images{image_of({leak("npm.access-token", "srv/.npmrc", 2)})};
  auto remarks = remarks_on(policy, images, run.vault);
  REQUIRE(remarks.size() == 1);
  CHECK(remark_line(remarks[0]) ==
        "allow-entry npm.access-token at *:srv/.npmrc: expired on 2026-01-01: it excuses nothing any more");
  CHECK(images[0].leaks[0].why == "the allow-entry for it expired on 2026-01-01");

  policy.allow[0].expires = "2026-01-02";  // the day itself still counts
  images[0].allowed = std::move(images[0].leaks);
  images[0].leaks.clear();
  CHECK(remarks_on(policy, images, run.vault).empty());

  policy.allow[0].at = "*:elsewhere";
  remarks = remarks_on(policy, images, run.vault);
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].state == AllowRemark::State::unused);
}

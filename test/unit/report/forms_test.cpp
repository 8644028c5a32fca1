// The forms that other programs read, each parsed back. What an image is called and what it holds is a stranger's word.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "report/report.hpp"

using namespace imgbuild;
using nlohmann::json;

namespace {

const std::vector<std::string> hostile = {
    "a\nb::error title=x::y",
    "</script><script>alert(1)</script>",
    "]]>",
    "%0A::set-output name=a::b",
    "\x1b[2J\r\x07",
    std::string("\xff\xfe\x80 not utf-8 \xc0\xaf\xed\xa0\x80"),
    "\xef\xbf\xbe\xef\xbf\xbf\xe2\x80\xae",  // U+FFFE, U+FFFF, a bidirectional override
    "\" onload=\"x' & <b>",
    "a,b:c=d;e",
    std::string(4000, 'w'),
    std::string("nul\0inside", 10),
    "//host/../../etc/passwd",
    "{\"a\": [",
    "",
};

struct Run {
  std::shared_ptr<const Scanner> scanner = Scanner::builtin();
  Vault vault;
  Redaction redaction{*scanner, vault};
  std::string as(Format format, const Report& report) { return render(format, report, *scanner, redaction); }
  std::string as(Format format, const StageReport& report) { return render(format, report, *scanner, redaction); }
};

Finding finding(const std::string& path) {
  Finding one;
  one.rule = "ssh.private-key";
  one.says = "private key: its holder logs in as you";
  one.severity = Severity::critical;
  one.secret = "S1";
  Location place;
  place.layer = 2;
  place.path = path;
  place.line = 3;
  place.state = Location::State::deleted;
  place.by_layer = 3;
  place.created_by = "COPY key /root/";
  one.locations = {place};
  one.key = KeyFacts{"ed25519", 256, false, "SHA256:abc", {}};
  one.rotate = "https://example.org/revoke";
  one.allow = "[[allow]]\nrule = \"ssh.private-key\"\n";
  return one;
}

Report report_of(const std::vector<Finding>& leaks) {
  Report report;
  ImageRecord image;
  image.id = "sha256:" + std::string(64, 'a');
  image.source = "archive:app.tar";
  image.platform = "linux/amd64";
  image.leaks = leaks;
  image.coverage.layers = 4;
  report.images = {image};
  return report;
}

Finding hostile_finding(const std::string& text) {
  Finding one = finding(text);
  Location env;
  env.kind = Location::Kind::env;
  env.path = "Env." + text;
  Location deep = one.locations[0];
  deep.inside = {text, text + ".jar"};
  deep.decoded = {"base64"};
  deep.created_by = text;
  one.locations.push_back(env);
  one.locations.push_back(deep);
  one.locations[0].created_by = "COPY " + text + " /";
  one.key->matches = {"image: " + text};
  one.packaged = one.why = text;
  one.allow = "[[allow]]\nat = " + toml_quoted("*:" + text) + "\n";
  return one;
}

Report hostile_report() {
  Report report;
  for (const auto& text : hostile) {
    Report one = report_of({hostile_finding(text)});
    ImageRecord& image = one.images[0];
    image.source = image.platform = text;
    image.known = image.notes = image.published = image.allowed = image.leaks;
    image.coverage.not_scanned = {{1, text, text, 5, "sha256:" + std::string(64, 'b'), ""},
                                  {-1, text, text, 5, "", text}};
    image.layers = {{0, "sha256:aa", text, 10}};
    report.images.push_back(image);
    report.not_audited.push_back(text);
    report.allow_remarks.push_back({AllowRemark::State::expired, text, text, "2020-01-01"});
  }
  report.build = BuildFacts{{{Withheld::Action::file, hostile[0], 1, "r", hostile[1], hostile[2]}}, {}, {}, {}, {}};
  return report;
}

StageReport hostile_stage() {
  StageReport report;
  for (const auto& text : hostile) {
    report.withheld.push_back({Withheld::Action::refuse, text, 3, "a.b", text, "at = " + toml_quoted(text) + "\n"});
    report.allowed.push_back(hostile_finding(text));
    report.notes.push_back(hostile_finding(text));
  }
  return report;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The names of all elements, should the text be one well-formed tree of them; what stands between holds no mark that
// was not escaped. Void elements of HTML have no end.
std::vector<std::string> elements_of(const std::string& text, const std::vector<std::string>& voids = {}) {
  std::vector<std::string> open, all;
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
    // A quoted attribute may hold anything but its own quote and '<'.
    std::size_t end = at + 1;
    for (bool quoted = false; end < text.size() && (quoted || text[end] != '>'); ++end) {
      REQUIRE(text[end] != '<');
      if (text[end] == '"') quoted = !quoted;
    }
    REQUIRE(end < text.size());
    const std::string tag = text.substr(at + 1, end - at - 1);
    at = end;
    if (tag[0] == '?' || tag[0] == '!') continue;
    const std::string name = tag.substr(0, tag.find_first_of(" /\n", 1));
    if (tag[0] == '/') {
      REQUIRE_FALSE(open.empty());
      REQUIRE("/" + open.back() == tag);
      open.pop_back();
      continue;
    }
    all.push_back(name);
    if (tag.back() != '/' && std::find(voids.begin(), voids.end(), name) == voids.end()) open.push_back(name);
  }
  REQUIRE(open.empty());
  return all;
}

void check_characters(const std::string& text) {
  for (std::string_view left = text; !left.empty();) {
    const std::size_t length = utf8_length(left);
    REQUIRE(length > 0);
    REQUIRE((length > 1 || left[0] == '\n' || (static_cast<unsigned char>(left[0]) >= 0x20 && left[0] != 0x7F)));
    REQUIRE_FALSE((left.substr(0, length) == "\uFFFE" || left.substr(0, length) == "\uFFFF"));
    left.remove_prefix(length);
  }
}

template <class R>
void check_all_forms(Run& run, const R& report) {
  for (const auto format : {Format::json, Format::sarif, Format::gitlab}) {
    const std::string text = run.as(format, report);
    REQUIRE_FALSE(json::parse(text, nullptr, false).is_discarded());
    CHECK_FALSE(has(text, "\x1b"));
  }
  const std::string github = run.as(Format::github, report);
  for (const auto& line : split(trim(github), '\n')) {
    INFO(line.substr(0, 200));
    CHECK((line.rfind("::error ", 0) == 0 || line.rfind("::warning ", 0) == 0 || line.rfind("::notice ", 0) == 0));
    CHECK(line.find('\r') == std::string::npos);
  }
  const std::string junit = run.as(Format::junit, report);
  elements_of(junit);
  check_characters(junit);
  const std::string html = run.as(Format::html, report);
  for (const auto& name : elements_of(html, {"meta", "br"})) {
    CHECK(name != "script");
    CHECK(name != "b");
  }
  check_characters(html);
  CHECK_FALSE(has(html, "onload=\""));
  const std::string text = run.as(Format::text, report);
  CHECK_FALSE(has(text, "\x1b"));
  CHECK_FALSE(has(text, "\r"));
}

}  // namespace

TEST_CASE("no name, however hostile, breaks the form of a report") {
  Run run;
  check_all_forms(run, hostile_report());
  check_all_forms(run, hostile_stage());
}

TEST_CASE("an annotation of GitHub cannot be forged by a path") {
  Run run;
  const std::string text = run.as(Format::github, report_of({finding("a,title=x::y%0A\nz")}));
  INFO(text);
  CHECK(has(text, "file=a%2Ctitle=x%3A%3Ay%250A\\x0az,title="));
  CHECK(split(trim(text), '\n').size() == 2);
}

TEST_CASE("SARIF has a rule for each result, a place inside the image and a fingerprint that stays") {
  Run run;
  Finding token = finding("srv/a b\xff.txt");
  token.rule = "npm.access-token";
  token.key.reset();
  const auto log = json::parse(run.as(Format::sarif, report_of({finding("root/.ssh/id_rsa"), token})));
  CHECK(log["version"] == "2.1.0");
  const auto& sarif = log["runs"][0];
  CHECK(sarif["invocations"][0]["executionSuccessful"] == true);
  REQUIRE(sarif["results"].size() == 2);
  for (const auto& result : sarif["results"]) {
    const auto& rule = sarif["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()];
    CHECK(rule["id"] == result["ruleId"]);
    CHECK(rule["help"]["text"].is_string());
    CHECK(rule["helpUri"].get<std::string>().rfind("https://", 0) == 0);
    CHECK(result["level"] == "error");
    CHECK(result["partialFingerprints"]["imgbuild/v1"].get<std::string>().size() == 32);
  }
  const auto& place = sarif["results"][1]["locations"][0];
  CHECK(place["physicalLocation"]["artifactLocation"]["uri"] == "srv/a%20b%FF.txt");
  CHECK(sarif["originalUriBaseIds"].contains(
      place["physicalLocation"]["artifactLocation"]["uriBaseId"].get<std::string>()));
  CHECK(has(place["logicalLocations"][0]["fullyQualifiedName"], "archive:app.tar/2:srv/a b"));
  CHECK(place["properties"]["state"] == "deleted");

  // A rebuild on a base with one layer more: the same leaks.
  token.locations[0].layer = 3;
  const auto again = json::parse(run.as(Format::sarif, report_of({finding("root/.ssh/id_rsa"), token})));
  for (const std::size_t i : {0u, 1u})
    CHECK(again["runs"][0]["results"][i]["partialFingerprints"] == sarif["results"][i]["partialFingerprints"]);
  CHECK(sarif["results"][0]["partialFingerprints"] != sarif["results"][1]["partialFingerprints"]);
}

TEST_CASE("two alike in one file have two fingerprints") {
  Run run;
  Finding token = finding("srv/.env");
  token.key.reset();
  const auto log = json::parse(run.as(Format::sarif, report_of({token, token})));
  const auto& results = log["runs"][0]["results"];
  CHECK(results[0]["partialFingerprints"] != results[1]["partialFingerprints"]);
}

TEST_CASE("SARIF suppresses what is answered for, and an incomplete audit was no success") {
  Run run;
  Report report = report_of({});
  Finding allowed = finding("a");
  allowed.why = "test key";
  report.images[0].allowed = {allowed};
  report.images[0].known = {finding("b")};
  report.images[0].coverage.not_scanned = {{1, "srv/b.zip", "encrypted", 12, "", ""}};
  const auto log = json::parse(run.as(Format::sarif, report));
  const auto& sarif = log["runs"][0];
  CHECK(sarif["invocations"][0]["executionSuccessful"] == false);
  CHECK(sarif["invocations"][0]["toolExecutionNotifications"].size() == 1);
  REQUIRE(sarif["results"].size() == 3);
  CHECK(sarif["results"][0]["ruleId"] == "imgbuild.not-looked-at");
  CHECK(sarif["results"][1]["baselineState"] == "unchanged");
  CHECK(sarif["results"][2]["suppressions"][0]["justification"] == "allowed: test key");
}

TEST_CASE("GitLab is told a vulnerability for each leak, and never the secret") {
  Run run;
  Report report = report_of({finding("root/.ssh/id_rsa")});
  report.images[0].notes = {finding("note")};
  report.started = 1700000000;
  report.ended = 1700000060;
  const auto gitlab = json::parse(run.as(Format::gitlab, report));
  CHECK(gitlab["scan"]["type"] == "secret_detection");
  CHECK(gitlab["scan"]["status"] == "success");
  CHECK(gitlab["scan"]["start_time"] == "2023-11-14T22:13:20");
  CHECK(gitlab["scan"]["end_time"] == "2023-11-14T22:14:20");
  REQUIRE(gitlab["vulnerabilities"].size() == 1);
  const auto& one = gitlab["vulnerabilities"][0];
  CHECK(one["severity"] == "Critical");
  CHECK(one["identifiers"][0]["value"] == "ssh.private-key");
  CHECK(one["location"]["file"] == "root/.ssh/id_rsa");
  CHECK(one["location"]["commit"]["sha"].is_string());
  CHECK_FALSE(one.contains("raw_source_code_extract"));
}

TEST_CASE("JUnit fails for a leak, errs for what was not looked at, passes for a clean image") {
  Run run;
  CHECK(has(run.as(Format::junit, report_of({})), "<testcase classname=\"imgbuild\" name=\"no credential ships\"/>"));
  Report report = report_of({finding("root/.ssh/id_rsa")});
  report.images[0].coverage.not_scanned = {{1, "srv/b.zip", "encrypted", 12, "", ""}};
  const std::string junit = run.as(Format::junit, report);
  INFO(junit);
  CHECK(has(junit, "tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\""));
  CHECK(has(junit, "<failure message=\"private key: its holder logs in as you\" type=\"ssh.private-key\">"));
}

TEST_CASE("the page tells the verdict and loads nothing") {
  Run run;
  const std::string html = run.as(Format::html, report_of({finding("root/.ssh/id_rsa")}));
  CHECK(has(html, "<span class=\"leak\">leak</span>"));
  CHECK(has(html, "default-src 'none'"));
  CHECK_FALSE(has(html, " src="));
  CHECK_FALSE(has(html, "<link"));
}

TEST_CASE("no form contains a byte of what was found") {
  Run run;
  const std::string secret = std::string("tR7") + "#kqZp0vLw92";
  run.vault.add(secret, "secret npm", Origin::found);
  Report report = report_of({hostile_finding("srv/" + secret + "/x")});
  report.images[0].source = report.images[0].platform = secret;
  report.images[0].known = report.images[0].notes = report.images[0].allowed = report.images[0].leaks;
  report.images[0].coverage.not_scanned = {{1, secret, secret, 5, "sha256:00", ""}};
  report.not_audited = {secret + ": " + secret};
  report.allow_remarks = {{AllowRemark::State::unused, secret, secret, ""}};
  for (const auto format :
       {Format::text, Format::json, Format::sarif, Format::gitlab, Format::github, Format::junit, Format::html}) {
    const std::string text = run.as(format, report);
    INFO(static_cast<int>(format));
    CHECK_FALSE(has(text, secret));
    CHECK_FALSE(has(text, secret.substr(3)));
    CHECK(has(text, "secret npm"));
  }
}

TEST_CASE("a leak is told with what its instruction asks for") {
  Run run;
  const auto told = [&](const Finding& one) { return run.as(Format::text, report_of({one})); };
  Finding copied = finding("root/.ssh/deploy_key");
  copied.locations[0].created_by = "COPY deploy_key /root/.ssh/ # buildkit";
  CHECK(has(told(copied), "the line for .dockerignore: **/deploy_key"));
  CHECK(has(told(copied), "--secret id=deploy_key,src=FILE"));
  CHECK(has(told(copied), "rebuild from the instruction of layer 2: what a later instruction deletes stays"));
  copied.locations[0].created_by = "/bin/sh -c #(nop) COPY file:0123 in /root/.ssh/ ";
  CHECK(has(told(copied), "the line for .dockerignore: **/deploy_key"));

  Finding ran = finding("root/.npmrc");
  ran.locations[0].created_by = "RUN echo x > /root/.npmrc";
  CHECK(has(told(ran), "--secret id=npmrc,src=FILE"));
  CHECK_FALSE(has(told(ran), ".dockerignore"));

  Finding env = finding("Env.NPM_TOKEN");
  env.locations[0].kind = Location::Kind::env;
  env.locations[0].layer = -1;
  env.locations[0].created_by = "ENV NPM_TOKEN=[redacted: npm.access-token]";
  CHECK(has(told(env), "take NPM_TOKEN out of the ENV and ARG instruction"));
  CHECK(has(told(env), "--secret id=npm_token,env=NPM_TOKEN"));

  Finding jar = finding("app/x.jar");
  jar.locations[0].inside = {"META-INF/k.pem"};
  CHECK(has(told(jar), "it is inside x.jar"));
  CHECK_FALSE(has(told(jar), ".dockerignore"));
}

TEST_CASE("long lists say how many more there are, and --all prints them") {
  Run run;
  Finding one = finding("srv/0");
  for (int i = 1; i < 13; ++i) {
    one.locations.push_back(one.locations[0]);
    one.locations.back().path = "srv/" + std::to_string(i);
  }
  Report report = report_of({one});
  report.images[0].notes.assign(25, finding("n"));
  const std::string text = run.as(Format::text, report);
  CHECK(has(text, "... and 3 more places; --all prints them"));
  CHECK(has(text, "... and 15 more notes; --all prints them"));
  const std::string all = render(Format::text, report, *run.scanner, run.redaction, {.colour = false, .all = true});
  CHECK(has(all, "srv/12"));
  CHECK_FALSE(has(all, "--all"));
  // Five places with one road there: it is told once.
  CHECK(all.find("added in layer 2") == all.rfind("added in layer 2"));
}

TEST_CASE("a refused file of the work tree is annotated where it stands") {
  Run run;
  StageReport stage;
  stage.withheld = {{Withheld::Action::refuse, "src/a.js", 7, "npm.access-token", "npm token", "[[allow]]\n"}};
  CHECK(has(run.as(Format::github, stage), "::error file=src/a.js,line=7,title=refused%3A npm.access-token::"));
  const auto log = json::parse(run.as(Format::sarif, stage));
  const auto& place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
  CHECK(place["artifactLocation"]["uri"] == "src/a.js");
  CHECK_FALSE(place["artifactLocation"].contains("uriBaseId"));
  CHECK(place["region"]["startLine"] == 7);
  CHECK(json::parse(run.as(Format::gitlab, stage))["vulnerabilities"].size() == 1);
}

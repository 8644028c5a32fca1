// What everybody has is no leak, where it is proved: by the key, or by the bytes of the file.
#include <catch2/catch.hpp>

#include "audit/audit.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "image_text.hpp"
#include "verdict/json.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

/// archive/tar/testdata/writer-big.tar of Go's source: a header that promises 16 GiB, and nothing behind it.
std::string broken_tar() {
  std::string tar(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { tar.replace(at, text.size(), text); };
  put(0, "tmp/16gig.txt");
  put(100, "0000640");
  put(108, "0216501");
  put(116, "0011610");
  tar[124] = static_cast<char>(0x80);
  tar[131] = 4;
  put(136, "11262231050");
  put(148, "013123");
  put(155, " 0");
  put(257, "ustar  ");
  put(265, "dsymonds");
  put(297, "eng");
  put(329, "0000000");
  put(337, "0000000");
  return tar;
}

/// A layer of these files; their content is written to `folder`.
ImageText image_of(const TempDir& folder, const std::vector<std::pair<std::string, std::string>>& files) {
  std::string text = "verdict: any\n\nlayer COPY . /\n";
  int number = 0;
  for (const auto& [path, content] : files) {
    const std::string file = folder.path() + "/" + std::to_string(number++);
    write_file(file, content);
    text += "  through " + path + " cat " + file + " | x\n";
  }
  return read_image("x", text);
}

ImageRecord audited(const std::vector<std::pair<std::string, std::string>>& files,
                    std::shared_ptr<const Scanner> scanner = Scanner::builtin(), const ValueMatcher* values = nullptr) {
  const TempDir folder;
  Vault found;
  AuditOptions options;
  options.scanner = std::move(scanner);
  options.values = values;
  options.found = &found;
  const std::string path = folder.path() + "/image.tar";
  write_file(path, archive_of(image_of(folder, files), Layout::old));
  auto audits = audit_archive_file(path, options);
  REQUIRE(audits.size() == 1);
  return audits[0].record();
}

/// A rule that knows the name in broken_tar().
std::shared_ptr<const Scanner> scanner_for_the_name() {
  Rule rule;
  rule.id = "test.name";
  rule.says = "a name";
  rule.text = {R"(tmp/(16gig\.txt))"};
  rule.family = "test";
  return Scanner::of({rule});
}

std::vector<std::string> paths_of(const std::vector<Finding>& findings) {
  std::vector<std::string> paths;
  for (const auto& finding : findings)
    for (const auto& at : finding.locations) paths.push_back(at.path);
  return paths;
}

}  // namespace

TEST_CASE("An archive that a public package broke on purpose does not make an audit incomplete") {
  const auto record =
      audited({{"usr/share/go/writer-big.tar", broken_tar()}, {"srv/same.tar.gz", piped("gzip -nc", broken_tar())}});
  REQUIRE(record.coverage.not_scanned.size() == 2);
  for (const auto& gap : record.coverage.not_scanned) {
    INFO(gap.path);
    CHECK(gap.why.find("truncated") != std::string::npos);
    CHECK(gap.published.find("golang") != std::string::npos);
  }
  CHECK(record.verdict() == Verdict::clean);
  CHECK(to_json(record)["coverage"]["not_scanned"][0]["published"] == record.coverage.not_scanned[0].published);

  std::string other = broken_tar();
  std::swap(other[4], other[5]);  // the header's sum stays right
  CHECK(audited({{"usr/share/go/writer-big.tar", other}}).verdict() == Verdict::incomplete);
}

TEST_CASE("A finding in a published file is public there, in what Python makes of it, and nowhere else") {
  const auto record = audited({{"lib/source.py", broken_tar()},
                               {"lib/__pycache__/source.cpython-311.pyc", "compiled: tmp/16gig.txt"},
                               {"lib/__pycache__/other.cpython-311.pyc", "compiled: tmp/16gig.txt"},
                               {"etc/config", "tmp/16gig.txt"}},
                              scanner_for_the_name());
  CHECK(paths_of(record.published) ==
        std::vector<std::string>{"lib/__pycache__/source.cpython-311.pyc", "lib/source.py"});
  CHECK(paths_of(record.leaks) == std::vector<std::string>{"etc/config", "lib/__pycache__/other.cpython-311.pyc"});
  REQUIRE(record.published.size() == 1);
  CHECK(record.published[0].why.find("public file: ") == 0);
  CHECK(record.published[0].secret == record.leaks.at(0).secret);
}

TEST_CASE("What this run lent is a leak in a published file too") {
  Vault vault;
  vault.add("tmp/16gig.txt", "secret name", Origin::handed_out);
  const ValueMatcher matcher(vault, {Origin::handed_out});
  const auto record = audited({{"lib/source.tar", broken_tar()}}, Scanner::builtin(), &matcher);
  CHECK(record.published.empty());
  REQUIRE(record.leaks.size() == 1);
  CHECK(record.leaks[0].rule == "vault.value");
}

TEST_CASE("A published key is public wherever it lies, and another one beside it is not") {
  // The example of RFC 8410, section 10.3.
  const std::string der = "302e020100300506032b6570" + std::string("04220420") + "d4ee72dbf913584ad5b6d8f1f769f8ad" +
                          "3afe7c28cbf1d4fbe097a88f44755842";
  const std::string key =
      "-----BEGIN PRIVATE " + std::string("KEY-----\n") + base64(*unhex(der)) + "\n-----END PRIVATE KEY-----\n";
  const auto record = audited({{"srv/rfc.pem", key}, {"srv/own.pem", filled("@KEY@")}});
  CHECK(paths_of(record.published) == std::vector<std::string>{"srv/rfc.pem"});
  CHECK(paths_of(record.leaks) == std::vector<std::string>{"srv/own.pem"});
  CHECK(record.published.at(0).why.find("public test key: ") == 0);
}

TEST_CASE("A finding in a packaged file is told so and is a leak all the same") {
  const auto record = audited({{"opt/acme/key", filled("@KEY@")},
                               {"srv/key", filled("@OTHER_KEY@")},
                               {"var/lib/dpkg/status", "Package: acme\nVersion: 1.0-1\n"},
                               {"var/lib/dpkg/info/acme.list", "/opt/acme\n/opt/acme/key\n"}});
  REQUIRE(record.leaks.size() == 2);
  CHECK(record.leaks[0].packaged == "dpkg: acme 1.0-1");
  CHECK(record.leaks[0].severity == Severity::critical);
  CHECK(record.leaks[1].packaged.empty());
}

TEST_CASE("A value too short to be looked for can be answered for all the same") {
  Rule rule;
  rule.id = "test.pin";
  rule.says = "a pin";
  rule.text = {R"(pin=(\w{4}))"};
  rule.family = "test";
  const auto record = audited({{"etc/app", "pin=x7q2"}}, Scanner::of({rule}));
  REQUIRE(record.leaks.size() == 1);
  CHECK(record.leaks[0].allow.find("scrypt:") != std::string::npos);
}

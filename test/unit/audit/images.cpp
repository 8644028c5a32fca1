// Every image of testdata/images has the verdict that its header says, in both layouts of `docker save`, from a file
// and from a stream, whatever the cuts and the number of threads.
#include <catch2/catch.hpp>

#include "audit/content.hpp"
#include "audit/member.hpp"
#include "auditing.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "image_text.hpp"
#include "verdict/json.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

std::vector<std::string> found_in(const ImageRecord& record) {
  std::vector<std::string> all;
  for (const auto& finding : record.leaks)
    for (const auto& at : finding.locations)
      all.push_back(finding.rule + " " + name_of(at.kind) + " " + allow_place_of(at) + " " + name_of(at.state) +
                    (at.by_layer >= 0 ? " " + std::to_string(at.by_layer) : ""));
  return all;
}

void check(const ImageText& image, const Audit& audit) {
  const auto& record = audit.record();
  INFO(to_json(record).dump(1));
  CHECK(name_of(audit.verdict()) == image.said("verdict"));
  CHECK(std::to_string(record.leaks.size()) == image.said("leaks"));
  CHECK(audit.clear("x").has_value() == (image.said("verdict") == "clean"));
  std::vector<std::string> expected, found = found_in(record);
  const auto [first, last] = image.header.equal_range("find");
  for (auto at = first; at != last; ++at) expected.push_back(at->second);
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  CHECK(found == expected);
  std::vector<std::string> gaps, expected_gaps;
  for (const auto& gap : record.coverage.not_scanned) {
    if (gap.damaged) continue;
    gaps.push_back(gap.path + " " + gap.why);
    CHECK(gap.sha256.size() == 71);
  }
  const auto damages = record.damages();
  CHECK(damages.size() == image.header.count("damage"));
  for (const auto& damage : damages) CHECK(damage.starts_with(image.said("damage")));
  const auto [first_gap, last_gap] = image.header.equal_range("gap");
  for (auto at = first_gap; at != last_gap; ++at) expected_gaps.push_back(at->second);
  CHECK(gaps == expected_gaps);
}

void check_damage(const std::string& archive, const std::string& says) {
  for (const Audit& audit : {audit_file(archive), audit_stream(archive, 512)}) {
    INFO(to_json(audit.record()).dump(1));
    CHECK(audit.verdict() == Verdict::incomplete);
    CHECK(!audit.clear("x"));
    CHECK(join(audit.record().damages(), "\n").find(says) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("Every image described in testdata/images has the verdict that its header says") {
  const auto images = read_images(TESTDATA "/images");
  REQUIRE(images.size() > 20);
  for (const auto& image : images) {
    INFO(image.name);
    for (const Layout layout : {Layout::old, Layout::oci}) {
      const std::string archive = archive_of(image, layout);
      check(image, audit_file(archive));
    }
  }
}

TEST_CASE("Findings do not depend on cuts, on threads, or on how the archive is packed") {
  for (const auto& image : read_images(TESTDATA "/images")) {
    INFO(image.name);
    const std::string archive = archive_of(image, Layout::old);
    const std::string one = stable_json(audit_file(archive, Setup(1)));
    CHECK(stable_json(audit_file(archive, Setup(4))) == one);
    CHECK(stable_json(audit_stream(archive, 1)) == one);
    CHECK(stable_json(audit_stream(archive, 70000)) == one);
    CHECK(stable_json(audit_stream(piped("gzip -c", archive), 4096)) == one);
    CHECK(stable_json(audit_file(piped("zstd -qc", archive))) == one);
    CHECK(stable_json(audit_stream(piped("xz -c", archive), 4096)) == one);
  }
}

TEST_CASE("Of a packed archive all is looked at: its header, what unpacking skips, and what follows it") {
  const auto image = read_image("x", "verdict: leak\n\nlayer COPY . /\n  file app/x nothing\n");
  const std::string archive = archive_of(image, Layout::old), key = filled("@KEY@");
  const std::string size{static_cast<char>(key.size()), static_cast<char>(key.size() >> 8), '\0', '\0'};
  const std::string gzip = piped("gzip -nc", archive);
  const std::string comment =
      gzip.substr(0, 3) + "\x10" + gzip.substr(4, 6) + key + std::string(1, '\0') + gzip.substr(10);
  for (const std::string& packed :
       {gzip + key, comment, gzip + "x" + piped("gzip -c", key), piped("zstd -qc", archive) + "S*M\x18" + size + key,
        "S*M\x18" + size + key + piped("zstd -qc", archive), piped("xz -c", archive) + key,
        piped("bzip2 -c", archive) + key, piped("lz4 -qc", archive) + key})
    for (const auto& audit : {audit_file(packed), audit_stream(packed, 1000)}) {
      CHECK(audit.verdict() == Verdict::leak);
      CHECK(audit.record().leaks.size() == 1);
      for (const auto& found : found_in(audit.record())) CHECK(found == "ssh.private-key tail config: present");
    }
}

TEST_CASE("What a layer's headers say of a member that never comes is looked at") {
  const TempDir folder;
  const std::string layer =
      "python3 -c \"import tarfile, sys; t = tarfile.TarInfo('a'); t.pax_headers = {'comment': open('" + folder.path() +
      "/k').read()}; b = t.tobuf(tarfile.PAX_FORMAT); sys.stdout.buffer.write(b + b[:-512] + b'\\0' * 1024)\"";
  write_file(folder.path() + "/k", filled("@KEY@"));
  const std::string tar = piped(layer, "");
  const Setup run;
  Pool pool(2, 16 << 20);
  Buffers buffers;
  const Desk desk{*run.options.scanner, nullptr, run.options.found, pool, buffers, {}};
  MemberReader reader(desk, "layer.tar");
  reader.feed({view_of(tar), nullptr, true});
  const auto member = reader.finish();
  pool.drain();
  CHECK(member->failure.empty());
  const auto& found = member->record.found;
  CHECK(std::count_if(found.begin(), found.end(), [](const auto& one) { return one.kind == Location::Kind::tail; }) >
        0);
}

TEST_CASE("A secret far inside a large file is found on its line, from a file and from a stream") {
  std::string large;
  while (large.size() < (std::size_t{11} << 20)) large += "a line of text that says nothing at all\n";
  large += filled("@KEY@");
  const std::size_t lines = static_cast<std::size_t>(std::count(large.begin(), large.end(), '\n'));
  for (std::size_t i = 0; i < 3000; ++i) large += "more lines\n";
  const TempDir folder;
  auto image =
      read_image("large", "verdict: leak\n\nlayer COPY . /\n  through app/large cat " + folder.path() + "/large | x\n");
  write_file(folder.path() + "/large", large);
  const std::string archive = archive_of(image, Layout::oci);
  const auto mapped = audit_file(archive), streamed = audit_stream(archive, 65536);
  REQUIRE(mapped.record().leaks.size() == 1);
  const auto& at = mapped.record().leaks[0].locations;
  REQUIRE(at.size() == 1);
  const std::string key = filled("@KEY@");
  const auto key_lines = static_cast<std::size_t>(std::count(key.begin(), key.end(), '\n'));
  CHECK(at[0].line == lines - key_lines + 1);
  CHECK(stable_json(mapped) == stable_json(streamed));
}

TEST_CASE("No report of a finding contains a byte of what was found") {
  const auto image = read_image("x", "verdict: leak\n\nlayer COPY . /\n  file app/key @KEY@\n");
  const auto json = to_json(audit_file(archive_of(image, Layout::old)).record()).dump();
  for (const auto& line : split(filled("@KEY@"), '\n'))
    if (line.size() > 20) CHECK(json.find(line.substr(0, 40)) == std::string::npos);
}

TEST_CASE("A layer that is not what the config says is damage, and so is one that is missing") {
  const auto image = read_image("x", "verdict: clean\n\nlayer COPY . /\n  file app/x nothing\n");
  std::string archive = archive_of(image, Layout::old);
  SECTION("other bytes under the diff id") {
    const std::size_t at = archive.find("nothing");
    REQUIRE(at != std::string::npos);
    archive.replace(at, 7, "no thing");
    archive.erase(at + 8, 1);
    check_damage(archive, "layer 0: its bytes are not what the config says (diff id)");
  }
  SECTION("no such member") {
    const std::size_t at = archive.find("\"layer0/layer.tar\"");
    REQUIRE(at != std::string::npos);
    archive.replace(at, 18, "\"layer9/layer.tar\"");
    check_damage(archive, "layer 0: layer9/layer.tar is not in the archive");
  }
  SECTION("a config that is not what its name says") {
    const std::size_t at = archive.find("\"amd64\"");
    archive.replace(at, 7, "\"arm64\"");
    check_damage(archive, "its bytes are not what its name says");
  }
  SECTION("cut half-way") {
    archive.resize(archive.size() / 2 + 100);
    check_damage(archive, "truncated archive");
  }
}

TEST_CASE("What is no image archive is refused with one clear line") {
  const TempDir folder;
  const std::string path = folder.path() + "/x";
  Setup run;
  CHECK_THROWS_WITH(audit_archive_file(path, run.options), Catch::Contains("No such file"));
  CHECK_THROWS_WITH(audit_archive_file(folder.path(), run.options), Catch::Contains("is a directory"));
  write_file(path, "");
  CHECK_THROWS_WITH(audit_archive_file(path, run.options), Catch::Contains("no image archive: empty"));
  write_file(path, "some text");
  CHECK_THROWS_WITH(audit_archive_file(path, run.options), Catch::Contains("no image archive"));
}

TEST_CASE("Bytes after the archive's own end mark are looked at") {
  const auto image = read_image("x", "verdict: clean\n\nlayer COPY . /\n  file app/x nothing\n");
  const std::string archive = archive_of(image, Layout::old) + std::string(700, '\0') + filled("@KEY@");
  const auto mapped = audit_file(archive);
  REQUIRE(mapped.record().leaks.size() == 1);
  CHECK(mapped.record().leaks[0].locations.at(0).kind == Location::Kind::tail);
  CHECK(stable_json(audit_stream(archive, 1)) == stable_json(mapped));
}

TEST_CASE("An allow-entry answers for rule, place and identity together, and for nothing else") {
  const auto image = read_image("x",
                                "verdict: leak\n\nlayer COPY . /\n  file app/key @KEY@\n  file srv/key @KEY@\n"
                                "  file app/other @OTHER_KEY@\n");
  const std::string archive = archive_of(image, Layout::old);
  const auto plain = audit_file(archive);
  REQUIRE(plain.record().leaks.size() == 2);
  const Finding& key = plain.record().leaks[0];
  REQUIRE(key.locations.size() == 2);
  const auto with = [&](const std::string& at) {
    Setup run;
    run.options.policy.allow.push_back({key.rule, at, key.key->fingerprint, "", "", "a test key", "", "test"});
    return audit_file(archive, std::move(run)).record();
  };
  const auto one = with("*:app/*");
  REQUIRE(one.allowed.size() == 1);
  CHECK(one.allowed[0].why == "a test key");
  CHECK(one.allowed[0].locations.size() == 1);
  CHECK(one.leaks.size() == 2);  // the same key elsewhere, and another key in the same place
  const auto both = with("*:**");
  CHECK(both.leaks.size() == 1);
  CHECK(both.allowed.size() == 1);
}

TEST_CASE("What cannot be scanned is answered for by its path and digest") {
  const auto image =
      read_image("x", "verdict: incomplete\n\nlayer COPY . /\n  zip srv/x.zip -P word | plan.txt a plan\n");
  const std::string archive = archive_of(image, Layout::old);
  const auto plain = audit_file(archive);
  REQUIRE(plain.verdict() == Verdict::incomplete);
  Setup run;
  run.options.policy.allow.push_back(
      {"", "", "", "srv/x.zip", plain.record().coverage.not_scanned.at(0).sha256, "encrypted on purpose", "", "test"});
  CHECK(audit_file(archive, std::move(run)).verdict() == Verdict::clean);
}

TEST_CASE("A private key is told with who may log in by it") {
  const auto image = read_image("x",
                                "verdict: leak\n\nlayer COPY . /\n  file app/key @KEY@\n"
                                "  file home/app/.ssh/authorized_keys # comment\\n@PUBLIC@\n");
  const std::string archive = archive_of(image, Layout::old);
  const auto record = audit_file(archive).record();
  REQUIRE(record.leaks.size() == 1);
  CHECK(record.leaks[0].key->matches == std::vector<std::string>{"image: home/app/.ssh/authorized_keys:2"});
  Setup run;
  run.options.agent_keys = {record.leaks[0].key->fingerprint};
  CHECK(audit_file(archive, std::move(run)).record().leaks[0].key->matches[0] ==
        "agent: " + record.leaks[0].key->fingerprint);
}

TEST_CASE("An exact value is found where no rule knows it, in the forms it leaks in") {
  Vault vault;
  vault.add("correct horse battery", "secret phrase", Origin::handed_out);
  const ValueMatcher matcher(vault, {Origin::handed_out});
  for (const std::string line : {"file app/x correct horse battery", "through app/x base64 -w0 | correct horse battery",
                                 "through app/x od -An -v -tx1 | tr -d ' \\n' | correct horse battery",
                                 "pack app/x gzip -c | y correct horse battery"}) {
    INFO(line);
    const auto image = read_image("x", "verdict: leak\n\nlayer COPY . /\n  " + line + "\n");
    Setup run;
    run.options.values = &matcher;
    const auto record = audit_file(archive_of(image, Layout::old), std::move(run)).record();
    REQUIRE(record.leaks.size() == 1);
    CHECK(record.leaks[0].rule == "vault.value");
  }
}

TEST_CASE("Nested content beyond its budget ends as not scanned, the rest of the file is scanned all the same") {
  Setup run;
  Buffers buffers;
  Pool pool(1, 1 << 20);
  const Desk desk{*run.options.scanner, nullptr, &run.found, pool, buffers, {}};
  Sightings record;
  Where where;
  where.record = &record;
  where.path = "srv/bomb";
  where.budget = std::make_shared<Budget>(1);
  where.budget->take_bytes((std::uint64_t{1} << 30) - 1000);
  const std::string bomb = piped("head -c 100000 /dev/zero | gzip -c", "") + filled("@KEY@");
  look_at_whole(desk, where, {view_of(bomb), nullptr, true});
  pool.drain();
  REQUIRE(record.gaps.size() == 1);
  CHECK(record.gaps[0].path == "srv/bomb");
  CHECK(record.gaps[0].why == "holds more than 1.1 GB of nested content");
  REQUIRE(record.found.size() == 1);
  CHECK(record.found[0].hit.rule->id == "ssh.private-key");
}

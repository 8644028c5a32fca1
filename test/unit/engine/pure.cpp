#include <catch2/catch.hpp>

#include "crypto/digest.hpp"
#include "engine/api.hpp"
#include "engine/archives.hpp"
#include "engine/demux.hpp"
#include "image/reference.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

std::string frame(int which, const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string out{static_cast<char>(which), 0, 0, 0};
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(size >> shift & 0xFF);
  return out + text;
}

class Text : public Source {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  View next() override {
    if (given_) return {};
    given_ = true;
    return view_of(text_);
  }

 private:
  std::string text_;
  bool given_ = false;
};

struct Members : TarVisitor {
  std::map<std::string, std::string> files;
  std::string now;
  void entry(const TarEntry& entry) override { files[now = entry.path]; }
  void data(View piece) override { files[now] += text_of(piece); }
  void end_entry() override {}
  void stray(View, const char*) override { FAIL("stray bytes"); }
};

std::map<std::string, std::string> members_of(const std::string& tar) {
  Members members;
  Text source(tar);
  read_tar(source, members);
  return members.files;
}

const std::string config =
    R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:1","sha256:2"]}})";

}  // namespace

TEST_CASE("output and errors of a command are told apart wherever the connection cuts") {
  const std::string bytes = frame(1, "one") + frame(2, "problem") + frame(1, "") + frame(0, "zero") + frame(1, "two");
  for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
    Demux demux;
    Bytes output;
    for (std::size_t at = 0; at < bytes.size(); at += cut)
      demux.feed(view_of(std::string_view(bytes).substr(at, cut)), output);
    CHECK(text_of(output) == "onezerotwo");
    CHECK(demux.errors() == "problem");
    CHECK(demux.whole());
  }
}

TEST_CASE("a connection that ends within a frame, or within its header, is not whole") {
  for (const std::size_t size : {1, 7, 8, 10}) {
    Demux demux;
    Bytes output;
    demux.feed(view_of(std::string_view(frame(1, "abc")).substr(0, size)), output);
    CHECK_FALSE(demux.whole());
  }
}

TEST_CASE("of standard error the first 64 KiB are kept") {
  Demux demux;
  Bytes output;
  demux.feed(view_of(frame(2, std::string(60000, 'a')) + frame(2, std::string(60000, 'b')) + frame(1, "x")), output);
  CHECK(demux.errors().size() == 65536);
  CHECK(text_of(output) == "x");
}

TEST_CASE("an engine that speaks instead of framing is heard") {
  Bytes output;
  CHECK_THROWS_WITH(Demux().feed(view_of("OCI runtime exec failed"), output), Contains("OCI runt"));
  CHECK_THROWS_WITH(Demux().feed(view_of(frame(3, "no such\nexec\x1b[31m")), output), "no such exec\\x1b[31m");
}

TEST_CASE("a failure inside a 200 answer is found, the first one, on one line") {
  Messages messages;
  for (const char c : std::string(
           "{\"status\":\"}{\"}\r\n{\"errorDetail\":{\"message\":\"a\\nb\"},\"error\":\"x\"}\r\n{\"error\":\"later\"}"))
    messages.feed(view_of(std::string_view(&c, 1)));
  messages.finish();
  CHECK(messages.failure() == "a b");

  Messages fine;
  fine.feed(view_of(R"({"stream":"Loaded image ID: sha256:0\n"})"));
  fine.finish();
  CHECK(fine.failure().empty());

  Messages old;
  old.feed(view_of(R"({"error":"only the old field"})"));
  CHECK(old.failure() == "only the old field");

  Messages strange;
  strange.feed(view_of(R"({"errorDetail":{"code":5}})"));
  CHECK_FALSE(strange.failure().empty());
}

TEST_CASE("messages that are none, or end half way, are errors") {
  Messages half;
  half.feed(view_of(R"({"status":"Pulling)"));
  CHECK_THROWS_WITH(half.finish(), Contains("ended within"));
  Messages broken;
  CHECK_THROWS_AS(broken.feed(view_of("{status}")), Error);
  Messages endless;
  CHECK_THROWS_WITH(endless.feed(view_of("{\"a\":\"" + std::string(2 << 20, 'x'))), Contains("1 MiB"));
}

TEST_CASE("the version that is spoken is the lower of both, and 1.40 at least") {
  CHECK(negotiate("1.41") == "1.41");
  CHECK(negotiate("1.40") == "1.40");
  CHECK(negotiate("1.56") == "1.56");
  CHECK(negotiate("1.99") == "1.56");
  CHECK_THROWS_WITH(negotiate("1.39"), Contains("1.39") && Contains("1.40"));
  for (const char* none : {"", "1.", "2.0", "x", "1.x"})
    CHECK_THROWS_WITH(negotiate(none), Contains("no Docker engine"));
}

TEST_CASE("a name is taken apart as docker does") {
  struct Case {
    const char *name, *repository, *tag, *digest, *registry;
  };
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string with_digest = "app@" + digest;
  for (const auto& one : {Case{"app", "app", "", "", "docker.io"}, Case{"app:1.2", "app", "1.2", "", "docker.io"},
                          Case{"team/app:1", "team/app", "1", "", "docker.io"},
                          Case{"localhost:5000/a/b", "localhost:5000/a/b", "", "", "localhost:5000"},
                          Case{"reg.example/a:b", "reg.example/a", "b", "", "reg.example"},
                          Case{"[::1]:5000/a:b", "[::1]:5000/a", "b", "", "[::1]:5000"},
                          Case{with_digest.c_str(), "app", "", digest.c_str(), "docker.io"}}) {
    const Reference reference = parse_reference(one.name);
    CHECK(reference.repository == one.repository);
    CHECK(reference.tag == one.tag);
    CHECK(reference.digest == one.digest);
    CHECK(reference.registry() == one.registry);
  }
}

TEST_CASE("what would reach elsewhere in the API is no name") {
  for (const char* wrong : {"", "/", "a//b", "../containers/x", "a/../b", "a/./b", "a b", "a?force=1", "a#b", "a%2e",
                            "a\nb", "a:", "a:b:c", "a:-x", "a@sha256:12", "a:b/c d", "\xC3\xA9"}) {
    INFO(wrong);
    CHECK_THROWS_AS(parse_reference(wrong), Error);
  }
  CHECK_FALSE(is_image_id("sha256:12"));
  CHECK_FALSE(is_image_id("sha256:" + std::string(64, 'g')));
  CHECK(is_image_id("sha256:" + std::string(64, '0')));
}

TEST_CASE("a docker-archive names each layer, holds none, and gives no name") {
  const auto files = members_of(docker_archive(config, {"sha256:1", "sha256:2"}));
  REQUIRE(files.size() == 2);
  const std::string name = sha256_digest(view_of(config)).substr(7) + ".json";
  CHECK(files.at(name) == config);
  CHECK(Json::parse(files.at("manifest.json")) ==
        Json::parse(R"([{"Config":")" + name + R"(","RepoTags":null,"Layers":["0/layer.tar","1/layer.tar"]}])"));
}

TEST_CASE("an OCI layout points at blobs by digest, holds no layer, and gives no name") {
  const OciArchive archive = oci_archive(config, podman_layers({"sha256:1", "sha256:2"}));
  const auto files = members_of(archive.tar);
  REQUIRE(files.size() == 4);
  const Json index = Json::parse(files.at("index.json"));
  REQUIRE(index["manifests"].size() == 1);
  CHECK(index["manifests"][0]["digest"] == archive.manifest);
  CHECK_FALSE(index["manifests"][0].contains("annotations"));
  const std::string& text = files.at("blobs/sha256/" + archive.manifest.substr(7));
  CHECK(sha256_digest(view_of(text)) == archive.manifest);
  CHECK(index["manifests"][0]["size"] == text.size());
  const Json manifest = Json::parse(text);
  CHECK(manifest["config"]["digest"] == sha256_digest(view_of(config)));
  CHECK(manifest["config"]["size"] == config.size());
  REQUIRE(manifest["layers"].size() == 2);
  CHECK(manifest["layers"][1]["digest"] == "sha256:2");
  CHECK(files.at("blobs/sha256/" + sha256_digest(view_of(config)).substr(7)) == config);
}

TEST_CASE("a saved image is found by what its bytes are, not by what its members are called") {
  const OciArchive archive = oci_archive(config, podman_layers({"sha256:1", "sha256:2"}));
  Text by_manifest(archive.tar);
  const SavedImage image = find_saved(by_manifest, archive.manifest, "");
  CHECK(image.config == config);
  REQUIRE(image.layers.is_array());
  CHECK(image.layers[0]["digest"] == "sha256:1");

  Text by_config(docker_archive(config, {"sha256:1", "sha256:2"}));
  const SavedImage classic = find_saved(by_config, sha256_digest(view_of(config)), "");
  CHECK(classic.config == config);
  CHECK(classic.layers.is_null());

  // The right name on other bytes.
  const std::string wanted = sha256_digest(view_of(config));
  std::string forged = docker_archive(config, {});
  forged.replace(forged.find("amd64"), 5, "arm64");
  Text source(forged);
  CHECK_THROWS_WITH(find_saved(source, wanted, ""), Contains("does not hold"));
}

// Manifests from strangers, and what is chosen of a store.
#include "image/manifest.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "crypto/digest.hpp"
#include "http/url.hpp"
#include "image/challenge.hpp"
#include "image/image_set.hpp"
#include "image/platform.hpp"

using namespace imgbuild;
using Catch::Contains;
using Json = nlohmann::ordered_json;

namespace {

const std::string some = "sha256:" + std::string(64, 'a');

class FakeStore : public ImageStore {
 public:
  std::string top;
  bool layout = true;
  std::map<std::string, std::string> manifests;

  Json put(const Json& manifest, const std::string& platform = {}, const std::string& name = {}) {
    const std::string text = manifest.dump(), digest = sha256_digest(view_of(text));
    manifests[digest] = text;
    Json descriptor{{"digest", digest}, {"size", text.size()}};
    if (!platform.empty()) {
      const std::size_t slash = platform.find('/'), second = platform.find('/', slash + 1);
      descriptor["platform"] = {{"os", platform.substr(0, slash)},
                                {"architecture", platform.substr(slash + 1, second - slash - 1)}};
      if (second != std::string::npos) descriptor["platform"]["variant"] = platform.substr(second + 1);
    }
    if (!name.empty()) descriptor["annotations"]["org.opencontainers.image.ref.name"] = name;
    return descriptor;
  }
  Root root() override { return {"index.json", top, layout}; }
  std::optional<std::string> manifest(const Descriptor& descriptor) override {
    const auto found = manifests.find(descriptor.digest);
    return found == manifests.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<Blob> blob(const Descriptor&) override { return std::nullopt; }
};

Json image(const std::string& mark) {
  return {{"schemaVersion", 2}, {"config", {{"digest", some}, {"size", 2}}}, {"layers", Json::array()}, {"mark", mark}};
}

Json index_of(const std::vector<Json>& entries) { return {{"schemaVersion", 2}, {"manifests", entries}}; }

std::vector<std::string> chosen(FakeStore& store, const Choice& choice) {
  std::vector<std::string> marks;
  for (const auto& one : choose_images(store, choice).images)
    marks.push_back(Json::parse(one.document.text).value("mark", ""));
  return marks;
}

}  // namespace

TEST_CASE("What a manifest is, is known by its fields and not by what it is called") {
  const std::string config = R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" + some +
                             R"(","size":2},"mediaType":"application/vnd.oci.image.index.v1+json")";
  const std::string layer = R"({"mediaType":"x","digest":")" + some + R"(","size":5})";
  const Manifest read = parse_manifest("{" + config + R"(,"layers":[)" + layer + "]}");
  CHECK(read.kind == Manifest::Kind::image);
  REQUIRE(read.layers.size() == 1);
  CHECK(read.layers[0].size == 5);
  CHECK(read.layers[0].path() == "blobs/sha256/" + std::string(64, 'a'));
  CHECK(parse_manifest(R"({"manifests":[]})").kind == Manifest::Kind::index);
  CHECK(parse_manifest(R"({"schemaVersion":1,"fsLayers":[]})").kind == Manifest::Kind::schema1);
  const std::string chart = R"("config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":")" + some +
                            R"(","size":2},"layers":[])";
  CHECK(parse_manifest("{" + chart + "}").kind == Manifest::Kind::artifact);
  const std::string statement = R"({"mediaType":"application/vnd.in-toto+json","digest":")" + some + R"(","size":5})";
  CHECK(parse_manifest("{" + config + R"(,"layers":[)" + statement + "]}").kind == Manifest::Kind::artifact);
}

TEST_CASE("A manifest that could be read in two ways, or in none, is refused") {
  const std::string config = R"("config":{"digest":")" + some + R"(","size":2})";
  for (const std::string& bad : {
           std::string("[]"),
           std::string("{"),
           std::string("{}"),
           std::string(R"({"config":3,"layers":[]})"),
           "{" + config + "}",
           "{" + config + R"(,"layers":{}})",
           "{" + config + R"(,"layers":[],"Layers":[]})",
           "{" + config + R"(,"layers":[],"layers":[]})",
           "{" + config + R"(,"layers":[{"digest":"sha256:12","size":1}]})",
           "{" + config + R"(,"layers":[{"digest":")" + some + R"(","size":-1}]})",
           "{" + config + R"(,"layers":[{"digest":")" + some + R"(","size":1,"DIGEST":")" + some + R"("}]})",
           std::string(R"({"manifests":[],"layers":[]})"),
           R"({"manifests":[{"digest":"sha512:)" + std::string(128, 'a') + R"("}]})",
       }) {
    INFO(bad);
    CHECK_THROWS_AS(parse_manifest(bad), Error);
  }
  // Annotations are the user's own words.
  CHECK_NOTHROW(parse_manifest("{" + config + R"(,"layers":[],"annotations":{"a":"1","A":"2"}})"));
}

TEST_CASE("Of a layout every entry is an image; a name or a digest chooses") {
  FakeStore store;
  const Json one = store.put(image("one"), "", "1"), two = store.put(image("two"), "", "x.example/app:2");
  store.top = index_of({one, two}).dump();
  CHECK(chosen(store, {}) == std::vector<std::string>{"one", "two"});
  CHECK(chosen(store, {"x.example/app:2", "", false}) == std::vector<std::string>{"two"});
  CHECK(chosen(store, {one["digest"], "", false}) == std::vector<std::string>{"one"});
  CHECK_THROWS_WITH(chosen(store, {"3", "", false}), Contains("no image is called 3"));
  CHECK_THROWS_WITH(chosen(store, {some, "", false}), Contains("is missing"));
}

TEST_CASE("Of an index this machine's platform is chosen, the best variant, or an error lists what there is") {
  FakeStore store;
  const std::string here = host_platform();
  const Json ours = store.put(image("ours"), here), arm6 = store.put(image("six"), "linux/arm/v6"),
             arm7 = store.put(image("seven"), "linux/arm/v7"), windows = store.put(image("w"), "windows/amd64");
  store.top = index_of({store.put(index_of({arm6, arm7, ours, windows}), "", "a")}).dump();
  CHECK(chosen(store, {"a", "", false}) == std::vector<std::string>{"ours"});
  CHECK(chosen(store, {"", "linux/arm/v7", false}) == std::vector<std::string>{"seven"});
  CHECK(chosen(store, {"", "linux/arm", false}) == std::vector<std::string>{"six"});
  CHECK(chosen(store, {"", "", true}).size() == 4);
  CHECK_THROWS_WITH(chosen(store, {"", "linux/s390x", false}), Contains("no image for linux/s390x"));
  store.top = index_of({store.put(index_of({windows}), "", "a")}).dump();
  try {
    chosen(store, {});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains(here));
    CHECK_THAT(error.hint(), Contains("windows/amd64"));
  }
}

TEST_CASE("Attestations are always among what is read, whatever the platform") {
  FakeStore store;
  const Json ours = store.put(image("ours"), host_platform());
  Json note = store.put(image("note"), "unknown/unknown");
  note["annotations"] = {{"vnd.docker.reference.type", "attestation-manifest"},
                         {"vnd.docker.reference.digest", ours["digest"]}};
  store.top = index_of({store.put(index_of({note, ours}))}).dump();
  const ImageSet set = choose_images(store, {});
  REQUIRE(set.images.size() == 1);
  REQUIRE(set.attestations.size() == 1);
  CHECK(set.attestations[0].about == ours["digest"]);
  CHECK(set.indexes.size() == 2);
}

TEST_CASE("A manifest whose bytes are not what names it is an error that says both") {
  FakeStore store;
  Json one = store.put(image("one"));
  const std::string digest = one["digest"];
  store.top = index_of({one}).dump();
  store.manifests[digest] += " ";
  CHECK_THROWS_WITH(chosen(store, {}), Contains("expected " + digest) && Contains("got sha256:"));
  store.manifests[digest].pop_back();
  one["size"] = 1;
  store.top = index_of({one}).dump();
  CHECK_THROWS_WITH(chosen(store, {}), Contains("(1 bytes)"));
}

TEST_CASE("Indexes within indexes end") {
  FakeStore store;
  Json inner = store.put(image("deep"), host_platform());
  for (int i = 0; i < 3; ++i) inner = store.put(index_of({inner}));
  store.top = index_of({inner}).dump();
  CHECK(chosen(store, {}) == std::vector<std::string>{"deep"});
  store.top = index_of({store.put(index_of({store.put(index_of({inner}))}))}).dump();
  CHECK_THROWS_WITH(chosen(store, {}), Contains("nested deeper"));
}

TEST_CASE("A challenge is read whatever its spaces, quotes and order; Bearer goes before Basic") {
  const Challenge one =
      parse_challenge(R"(Bearer realm="https://a.example/token",service="r",scope="repository:x:pull,push")");
  CHECK(one.scheme == "bearer");
  CHECK(one.parameter("realm") == "https://a.example/token");
  CHECK(one.parameter("scope") == "repository:x:pull,push");
  const Challenge two = parse_challenge(R"(Basic realm="it's \"x\"", Bearer  Realm = t , junk=)");
  CHECK(two.scheme == "bearer");
  CHECK(two.parameter("realm") == "t");
  CHECK(parse_challenge(R"(basic realm="it's \"x\"")").parameter("realm") == "it's \"x\"");
  CHECK(parse_challenge("Negotiate abc==").scheme.empty());
  CHECK(parse_challenge("").scheme.empty());
  CHECK(parse_challenge(R"(Bearer realm="no end)").parameter("realm") == "no end");
}

TEST_CASE("A URL is taken apart; one with a user, another scheme or a line's end is none") {
  const Url url = parse_url("https://Reg.Example:5000/v2/?a=b#c");
  CHECK(url.host == "reg.example");
  CHECK(url.port == 5000);
  CHECK(url.target == "/v2/?a=b");
  CHECK(parse_url("http://[::1]").host == "::1");
  CHECK(parse_url("http://[::1]").port == 80);
  CHECK(parse_url("https://a?b").target == "/?b");
  for (const char* bad : {"ftp://a/", "https://", "https://u:w@a/", "https://a:0/", "https://a:99999/", "https://a:1x/",
                          "https://a/\r\nX: y", "https://[::1/", "a"})
    CHECK_THROWS_AS(parse_url(bad), Error);
  CHECK(resolve_url(url, "/x").target == "/x");
  CHECK(resolve_url(url, "/x").port == 5000);
  CHECK(resolve_url(url, "http://b/").host == "b");
  CHECK_FALSE(resolve_url(url, "https://reg.example/").same_server(url));
  CHECK(resolve_url(url, "//reg.example:5000/y").same_server(url));
  CHECK(is_loopback("127.8.0.1"));
  CHECK(is_loopback("LocalHost"));
  CHECK_FALSE(is_loopback("127.evil.example"));
  CHECK_FALSE(is_loopback("localhost.example"));
}

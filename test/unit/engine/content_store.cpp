#include "engine/content_store.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

/// containerd's folder, as it keeps an image that was pulled for some platforms only.
class Folder {
 public:
  Folder() { std::filesystem::create_directories(path() + "/blobs/sha256"); }
  std::string root() const { return dir_.path(); }
  std::string path() const { return dir_.path() + "/containerd/daemon/io.containerd.content.v1.content"; }
  std::string file(const std::string& digest) const { return path() + "/blobs/sha256/" + digest.substr(7); }

  std::string put(const std::string& bytes) const {
    const std::string digest = sha256_digest(view_of(bytes));
    write_file(file(digest), bytes);
    return digest;
  }
  /// An image's manifest, with a config of one layer, as a descriptor for an index.
  Json image(const std::string& architecture, const std::string& diff_id) const {
    const std::string config =
        Json{{"architecture", architecture}, {"os", "linux"}, {"rootfs", {{"type", "layers"}, {"diff_ids", {diff_id}}}}}
            .dump();
    const std::string layer = put("layer of " + architecture);
    const std::string manifest = Json{{"schemaVersion", 2},
                                      {"config", {{"digest", put(config)}, {"size", config.size()}}},
                                      {"layers", {{{"digest", layer}, {"size", 14 + architecture.size() - 5}}}}}
                                     .dump();
    return {{"digest", put(manifest)},
            {"size", manifest.size()},
            {"platform", {{"os", "linux"}, {"architecture", architecture}}}};
  }
  std::string index(const std::vector<Json>& images) const {
    return put(Json{{"schemaVersion", 2}, {"manifests", images}}.dump());
  }

 private:
  TempDir dir_;
};

std::string diff_id(char digit) { return "sha256:" + std::string(64, digit); }

Choice every() {
  Choice choice;
  choice.all_platforms = true;
  return choice;
}

}  // namespace

TEST_CASE("of an index what nobody fetched is passed over; what is there is found by what it is") {
  const Folder folder;
  const Json amd64 = folder.image("amd64", diff_id('a')), arm64 = folder.image("arm64", diff_id('b'));
  const std::string handle = folder.index({amd64, arm64});
  ContentStore both(folder.path(), handle);
  CHECK(choose_images(both, every()).images.size() == 2);
  const auto wanted = [](const ImageConfig& config) { return config.diff_ids.front() == diff_id('b'); };
  CHECK(parse_config(find_kept(both, wanted).config).architecture == "arm64");
  CHECK_THROWS_AS(find_kept(both, [](const ImageConfig&) { return false; }), Error);

  std::filesystem::remove(folder.file(text_at(amd64, "digest")));
  ContentStore one(folder.path(), handle);
  CHECK(choose_images(one, every()).images.size() == 1);
  // The only one is meant, whatever was asked.
  const SavedImage kept = find_kept(one, [](const ImageConfig&) { return false; });
  CHECK(parse_config(kept.config).architecture == "arm64");
  CHECK(text_at(kept.layers.at(0), "digest") == sha256_digest(view_of("layer of arm64")));
  Choice amd;
  amd.platform = "linux/amd64";
  CHECK_THROWS_WITH(choose_images(one, amd), Contains("none of the images that were chosen is here"));
  // A layout has no such excuse: there it is missing.
  write_file(folder.path() + "/index.json", Json{{"schemaVersion", 2}, {"manifests", {amd64, arm64}}}.dump());
  OciFolder layout(folder.path());
  CHECK_THROWS_WITH(choose_images(layout, every()), Contains("is missing"));
}

TEST_CASE("bytes that are not what their name says are no image of a content store") {
  const Folder folder;
  const Json image = folder.image("amd64", diff_id('a'));
  const std::string digest = text_at(image, "digest");
  ContentStore store(folder.path(), digest);
  CHECK_FALSE(find_kept(store, {}).config.empty());

  const Json manifest = parse_json(read_file(folder.file(digest)), "it");
  const std::string config = folder.file(text_at(at(manifest, "config"), "digest"));
  write_file(config, read_file(config) + " ");
  ContentStore changed(folder.path(), digest);
  CHECK_THROWS_WITH(find_kept(changed, {}), Contains("expected sha256:"));
  write_file(folder.file(digest), manifest.dump(1));
  ContentStore other(folder.path(), digest);
  CHECK_THROWS_WITH(find_kept(other, {}), Contains("its bytes are not what names it"));
  ContentStore none(folder.path(), diff_id('c'));
  CHECK_THROWS_WITH(find_kept(none, {}), Contains("is missing"));
}

TEST_CASE("the content store is where the engine's root or its containerd says, if it has the image") {
  const Folder folder;
  const std::string digest = text_at(folder.image("amd64", diff_id('a')), "digest");
  CHECK(find_content(folder.root(), "", digest) == folder.path());
  CHECK(find_content(folder.root(), "", diff_id('c')).empty());
  CHECK(find_content("/nonexistent", "/nonexistent/containerd.sock", digest).empty());
}

TEST_CASE("a container's mounts say where the containerd that keeps its files has its folder") {
  const std::string before =
      "22 1 0:20 / /proc rw,nosuid - proc proc rw\n89 58 0:40 / / rw,relatime - overlay overlay ";
  const std::string snapshots = "/srv/own/io.containerd.snapshotter.v1.overlayfs/snapshots/";
  CHECK(containerd_root_in(before + "rw,lowerdir=" + snapshots + "1/fs,upperdir=" + snapshots +
                           "2/fs,workdir=" + snapshots + "2/work\n") == "/srv/own");
  // Another mount's, one of another kind, one without a usual name, none.
  CHECK(containerd_root_in("9 8 0:4 / /x rw - overlay overlay rw,upperdir=" + snapshots + "2/fs\n").empty());
  CHECK(containerd_root_in(before + "rw,upperdir=/var/lib/docker/overlay2/a/diff\n").empty());
  CHECK(containerd_root_in(before + "rw,upperdir=/a\\054b" + snapshots + "2/fs\n").empty());
  CHECK(containerd_root_in(before + "rw,upperdir=own" + snapshots + "2/fs\n").empty());
  CHECK(containerd_root_in(before + "rw,upperdir=/io.containerd.snapshotter.v1.overlayfs/snapshots/2/fs\n").empty());
  CHECK(containerd_root_in("").empty());
}

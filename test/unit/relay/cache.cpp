// Folders that outlive a builder, by the real relay.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "relay_here.hpp"

using namespace imgbuild;
namespace fs = std::filesystem;

namespace {

struct Caches {
  Caches() {
    here.task.caches = {"c"};
    here.task.look_at_caches = true;
    here.events.cached = [this](std::string_view path, std::uint64_t size) {
      current = path;
      shown[current];
      sizes[current] = size;
    };
    here.events.cached_bytes = [this](View bytes) { shown[current] += text_of(bytes); };
    here.events.cached_all = [this] { return to_empty; };
    fs::create_directories(here.path() + "/caches/c");
  }
  // As an engine mounts the volume into each builder.
  RelayResult run(const std::string& script) {
    fs::remove_all(here.home());
    fs::remove_all(here.context());
    fs::create_directories(here.home());
    fs::create_directories(here.context());
    fs::rename(here.path() + "/caches", here.home() + "/cache");
    shown.clear();
    const RelayResult result = here.run(script);
    fs::rename(here.home() + "/cache", here.path() + "/caches");
    return result;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(here.path() + "/caches/c"))
      if (entry.path().filename() != ".imgbuild") found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

  RelayHere here;
  std::map<std::string, std::string> shown;
  std::map<std::string, std::uint64_t> sizes;
  std::string current;
  std::vector<std::string> to_empty;
};

}  // namespace

TEST_CASE("what a script leaves in a cache is shown, a link as its target, and is there for the next") {
  Caches caches;
  CHECK(caches.run("mkdir $BUILD_CACHE/c/a && printf new >$BUILD_CACHE/c/a/file && ln -s a/file $BUILD_CACHE/c/link")
            .status == 0);
  CHECK(caches.shown == std::map<std::string, std::string>{{"c/a", ""}, {"c/a/file", "new"}, {"c/link", "a/file"}});
  CHECK(caches.sizes["c/a/file"] == 3);
  CHECK(caches.run("test $(cat $BUILD_CACHE/c/link) = new").status == 0);
  caches.here.task.look_at_caches = false;
  CHECK(caches.run("printf more >$BUILD_CACHE/c/more").status == 0);
  CHECK(caches.shown.empty());
  CHECK(caches.names() == std::vector<std::string>{"a", "link", "more"});
}

TEST_CASE("a cache that must go is emptied, whatever lies in it; so is one in which the last run was not looked at") {
  Caches caches;
  caches.to_empty = {"c", "another"};
  CHECK(caches
            .run("cd $BUILD_CACHE/c && mkdir -p a/b && echo >a/b/file && mkfifo pipe && ln -s / root && chmod 000 a/b; "
                 "false")
            .status == 1);
  CHECK(caches.names().empty());
  CHECK(fs::exists("/etc"));
  caches.to_empty.clear();
  CHECK(caches.run("echo kept >$BUILD_CACHE/c/file").status == 0);
  fs::remove(caches.here.path() + "/caches/c/.imgbuild");
  CHECK(caches.run("test -z \"$(ls -A $BUILD_CACHE/c)\"").status == 0);
}

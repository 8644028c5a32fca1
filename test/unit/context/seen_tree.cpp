// A tree that is as it was when it was staged before is known by what the file system says of it.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tree_here.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

/// Stagings of one tree, each knowing what the one before it saw.
class Stagings {
 public:
  explicit Stagings(const std::string& root) {
    options_.root = root;
    options_.scanner = Scanner::builtin();
    options_.vault = &vault_;
    options_.seen = &seen_;
    options_.later = true;
  }
  Context next() {
    seen_.before = std::move(seen_.now);
    std::sort(seen_.before.begin(), seen_.before.end());
    seen_.now.clear();
    seen_.tree_before = std::exchange(seen_.tree_now, std::nullopt);
    return stage(options_);
  }
  StageOptions& options() { return options_; }
  Vault& vault() { return vault_; }
  std::string digest_of(const Context& context) const { return sha256_digest(view_of(read_file(own(context.tar)))); }

 private:
  static std::string own(const Fd& file) { return "/proc/self/fd/" + std::to_string(file.get()); }
  Vault vault_;
  SeenFiles seen_;
  StageOptions options_;
};

// What was written just now has no lasting state yet.
void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(2100)); }

}  // namespace

TEST_CASE("a known tree has its digest before it has a tar, and any change of it is seen") {
  const TreeHere tree;
  tree.file("a/one", "1\n");
  tree.file("a/two", "2\n");
  tree.file("empty", "");
  std::filesystem::create_symlink("one", tree.path("a/link"));
  settle();
  Stagings stagings(tree.path());
  const Context first = stagings.next();
  CHECK(first.tar);
  Context again = stagings.next();
  REQUIRE_FALSE(again.tar);
  CHECK(again.digest == first.digest);
  CHECK(again.files == 3);
  CHECK(again.bytes == first.bytes);
  CHECK(again.seen_before == 2);

  SECTION("the tar is made when it is wanted") {
    need_tar(again, stagings.options());
    REQUIRE(again.tar);
    CHECK(stagings.digest_of(again) == first.digest);
    CHECK(again.digest == first.digest);
    need_tar(again, stagings.options());
  }
  SECTION("not of a tree that has changed meanwhile") {
    tree.file("a/one", "3\n");
    CHECK_THROWS_WITH(need_tar(again, stagings.options()), Contains("changed while"));
  }
  SECTION("nor where only its bytes have, and all that the file system says of them is put back") {
    const auto then = std::filesystem::last_write_time(tree.path("a/one"));
    std::fstream(tree.path("a/one"), std::ios::in | std::ios::out) << '3';
    std::filesystem::last_write_time(tree.path("a/one"), then);
    CHECK_THROWS_WITH(need_tar(again, stagings.options()), Contains("changed while it was staged"));
  }
  SECTION("a content") { tree.file("a/two", "3\n"); }
  SECTION("a mode") { std::filesystem::permissions(tree.path("a/two"), std::filesystem::perms(0755)); }
  SECTION("a name") { std::filesystem::rename(tree.path("a/two"), tree.path("a/three")); }
  SECTION("an empty file more") { tree.file("b", ""); }
  SECTION("an empty folder more") { std::filesystem::create_directory(tree.path("b")); }
  SECTION("a file less") { std::filesystem::remove(tree.path("empty")); }
  SECTION("where a link leads") {
    std::filesystem::remove(tree.path("a/link"));
    std::filesystem::create_symlink("two", tree.path("a/link"));
  }
  SECTION("what is ignored") { tree.file(".dockerignore", "empty\n.dockerignore\n"); }
  if (!again.tar && again.tree) {
    const Context changed = stagings.next();
    CHECK(changed.tar);
    CHECK(stagings.digest_of(changed) == changed.digest);
    CHECK(changed.digest != first.digest);
  }
}

TEST_CASE("a tree is not known while a value is looked for, nor with something to be told in it") {
  const TreeHere tree;
  tree.file("one", "1\n");
  SECTION("a value") {
    settle();
    Stagings stagings(tree.path());
    stagings.next();
    stagings.vault().add("a value that was lent", "secret s", Origin::handed_out);
    CHECK(stagings.next().tar);
  }
  SECTION("something withheld") {
    tree.file("id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n");
    settle();
    Stagings stagings(tree.path());
    const Context first = stagings.next();
    const Context again = stagings.next();
    CHECK(again.withheld.size() == first.withheld.size());
    CHECK_FALSE(again.tree);
  }
  SECTION("a file that was written just now") {
    Stagings stagings(tree.path());
    stagings.next();
    CHECK(stagings.next().tar);
  }
}

// --with-git: a `.git` that stock git works with, and that gives nothing private away.
#include <catch2/catch.hpp>

#include "tree_here.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

void with_git(StageOptions& options) { options.with_git = true; }

// The staged tree, unpacked.
class Unpacked {
 public:
  explicit Unpacked(const Staged& result) { command({"tar", "-xf", "-"}, dir_.path(), result.tar); }
  std::string git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "git");
    return std::string(trim(command(arguments, dir_.path()).out));
  }
  std::string path(const std::string& name) const { return dir_.path() + "/" + name; }

 private:
  TempDir dir_;
};

void make_history(const TreeHere& tree) {
  tree.file("a.txt", "one\n");
  tree.file("run", "#!/bin/sh\n", 0755);
  tree.commit();
  tree.git({"tag", "-a", "-m", "release", "v1.0"});
  tree.file("a.txt", "two\n");
  tree.file(".dockerignore", "docs\n");
  tree.file("docs/guide.md");
  tree.commit();
}

}  // namespace

TEST_CASE("git works in a synthetic .git as in the real one") {
  const TreeHere tree(true);
  make_history(tree);
  const auto result = staged(tree.path(), with_git);
  REQUIRE(result->context.tar);
  const Unpacked copy(*result);
  CHECK(copy.git({"rev-parse", "HEAD"}) == tree.git({"rev-parse", "HEAD"}));
  CHECK(copy.git({"describe", "--tags", "--dirty"}) == tree.git({"describe", "--tags"}));
  CHECK(copy.git({"log", "--format=%H %s"}) == tree.git({"log", "--format=%H %s"}));
  CHECK(copy.git({"status", "--porcelain"}).empty());
  CHECK(copy.git({"branch", "--show-current"}) == "main");
  CHECK(copy.git({"fsck", "--full", "--strict"}).empty());
  CHECK_FALSE(std::filesystem::exists(copy.path("docs")));
}

TEST_CASE("a synthetic .git has no remote, hook, reflog, stash or other branch") {
  const TreeHere tree(true);
  make_history(tree);
  const std::string password = random_text(20);
  tree.git({"remote", "add", "origin", "https://ci:" + password + "@git.example.com/app"});
  tree.git({"checkout", "-q", "-b", "unfinished"});
  tree.file("secret-plan.txt");
  tree.commit();
  const std::string hidden = tree.git({"rev-parse", "HEAD"});
  tree.git({"checkout", "-q", "main"});
  tree.file("a.txt", "stashed\n");
  tree.git({"stash", "-q"});
  tree.file(".git/hooks/pre-commit", "#!/bin/sh\n", 0755);
  const auto result = staged(tree.path(), with_git);
  REQUIRE(result->context.tar);
  CHECK(result->tar.find(password) == std::string::npos);
  for (const auto& name : result->names) {
    CHECK_THAT(name, !Contains("hooks") && !Contains("logs") && !Contains("ORIG_HEAD") && !Contains("stash"));
  }
  const Unpacked copy(*result);
  CHECK(copy.git({"for-each-ref", "--format=%(refname)"}) == "refs/heads/main\nrefs/tags/v1.0");
  CHECK_THROWS(copy.git({"cat-file", "-e", hidden}));
}

TEST_CASE("a synthetic .git is the same for every clone of the same commit") {
  const TreeHere tree(true);
  make_history(tree);
  const TempDir other;
  command({"git", "clone", "-q", "--no-local", tree.path(), other.path() + "/clone"}, "/");
  CHECK(staged(tree.path(), with_git)->context.digest == staged(other.path() + "/clone", with_git)->context.digest);
}

TEST_CASE("a shallow clone stays shallow, a detached HEAD detached") {
  const TreeHere tree(true);
  make_history(tree);
  const TempDir other;
  const std::string clone = other.path() + "/clone";
  command({"git", "clone", "-q", "--depth", "1", "file://" + tree.path(), clone}, "/");
  command({"git", "checkout", "-q", "--detach"}, clone);
  const Unpacked copy(*staged(clone, with_git));
  CHECK(copy.git({"rev-parse", "--is-shallow-repository"}) == "true");
  CHECK(copy.git({"rev-list", "--count", "HEAD"}) == "1");
  CHECK(copy.git({"branch", "--show-current"}).empty());
  CHECK(copy.git({"status", "--porcelain"}).empty());
}

TEST_CASE("a secret anywhere in the history that would be given away is refused") {
  const TreeHere tree(true);
  const std::string key = fresh_key();
  tree.file("deploy.pem", key);
  tree.commit();
  tree.git({"rm", "-q", "deploy.pem"});
  tree.file("a");
  tree.commit();
  CHECK_FALSE(staged(tree.path())->context.refused());
  const auto result = staged(tree.path(), with_git);
  CHECK(result->context.refused());
  REQUIRE(result->context.withheld.size() == 1);
  CHECK_THAT(result->context.withheld[0].path, Catch::StartsWith(".git!") && Catch::EndsWith("!deploy.pem"));

  // An entry for the file as it was answers for its history too.
  const std::string& text = result->context.withheld[0].allow;
  const std::size_t at = text.find("SHA256:");
  AllowEntry entry;
  entry.rule = "ssh.private-key";
  entry.at = "*:deploy.pem";
  entry.identity = text.substr(at, text.find('"', at) - at);
  entry.reason = "revoked";
  const auto allowed = staged(tree.path(), [&](StageOptions& options) {
    options.with_git = true;
    options.policy.allow = {entry};
  });
  CHECK(allowed->context.tar);
  CHECK(allowed->context.allowed.size() == 1);
}

TEST_CASE("a token in a commit's message is refused") {
  const TreeHere tree(true);
  tree.file("a");
  tree.git({"add", "-A"});
  tree.git({"commit", "-q", "-m", "use npm_" + random_text(36)});
  CHECK(staged(tree.path(), with_git)->context.refused());
  CHECK_FALSE(staged(tree.path())->context.refused());
}

TEST_CASE("the flag --with-git needs a history, and the top of the work tree") {
  const TreeHere plain;
  CHECK_THROWS_WITH(staged(plain.path(), with_git), Contains("has no git history"));
  const TreeHere tree(true);
  CHECK_THROWS_WITH(staged(tree.path(), with_git), Contains("has no git history"));
  tree.file("sub/a");
  tree.commit();
  CHECK_THROWS_WITH(staged(tree.path("sub"), with_git), Contains("is not the top of its work tree"));
}

TEST_CASE("the flag --ref and --with-git together put HEAD on that commit") {
  const TreeHere tree(true);
  make_history(tree);
  const Unpacked copy(*staged(tree.path(), [](StageOptions& options) {
    options.with_git = true;
    options.ref = "v1.0";
  }));
  CHECK(copy.git({"describe"}) == "v1.0");
  CHECK(copy.git({"status", "--porcelain"}).empty());
  CHECK(copy.git({"rev-list", "--count", "HEAD"}) == "1");
}

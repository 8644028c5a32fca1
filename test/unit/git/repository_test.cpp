#include "git/repository.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

std::string git(const std::string& folder, std::vector<std::string> arguments, std::string_view in = {}) {
  Command command;
  command.argv = {"git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.com"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.env = {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"};
  const Ran ran = run(std::move(command), in);
  if (ran.status != 0) throw Error(join(arguments, " ") + ": " + ran.err);
  return std::string(trim(ran.out));
}

struct Here {
  Here() {
    git(dir.path(), {"init", "-q", "-b", "main"});
    write_file(dir.path() + "/a", "text\n");
    std::filesystem::create_directory(dir.path() + "/sub");
    write_file(dir.path() + "/sub/run", "run\n", 0755);
    std::filesystem::create_symlink("a", dir.path() + "/link");
    git(dir.path(), {"add", "-A"});
    git(dir.path(), {"commit", "-q", "-m", "first"});
  }
  TempDir dir;
};

}  // namespace

TEST_CASE("a repository is found from any folder of its work tree") {
  const Here here;
  const auto found = GitRepository::discover(here.dir.path() + "/sub");
  REQUIRE(found);
  CHECK(found->work_tree() == std::filesystem::canonical(here.dir.path()).string());
  CHECK(GitRepository::open(here.dir.path() + "/sub") == nullptr);
  const TempDir empty;
  CHECK(GitRepository::discover(empty.path()) == nullptr);
}

TEST_CASE("a commit's files are listed with their kinds, and read as they are stored") {
  const Here here;
  const auto repository = GitRepository::discover(here.dir.path());
  const auto files = repository->files_of(repository->resolve("main"));
  REQUIRE(files.size() == 3);
  CHECK(files[0].path == "a");
  CHECK(files[1].path == "link");
  CHECK(files[1].kind == GitFile::Kind::symlink);
  CHECK(files[2].path == "sub/run");
  CHECK(files[2].kind == GitFile::Kind::executable);
  CHECK(text_of(repository->read(files[0].id)) == "text\n");
  CHECK(repository->size_of(files[0].id) == 5);
  CHECK(repository->branch_of("HEAD") == "refs/heads/main");
  CHECK(repository->branch_of(repository->resolve("HEAD")).empty());
}

TEST_CASE("a repository without a commit has no head") {
  const TempDir dir;
  git(dir.path(), {"init", "-q"});
  CHECK_FALSE(GitRepository::discover(dir.path())->head());
}

TEST_CASE("a tree made up with names that git never checks out is refused") {
  const Here here;
  const std::string blob = git(here.dir.path(), {"hash-object", "-w", "--stdin"}, "x");
  const char* name = GENERATE("..", ".git", ".GIT", ".");
  // git itself will not write such a tree; its bytes are put together here.
  std::string tree = "100644 " + std::string(name) + '\0';
  tree += text_of(*unhex(blob));
  const std::string id = git(here.dir.path(), {"hash-object", "-w", "-t", "tree", "--literally", "--stdin"}, tree);
  const std::string commit = git(here.dir.path(), {"commit-tree", "-m", "bad", id});
  const auto repository = GitRepository::discover(here.dir.path());
  CHECK_THROWS_WITH(repository->files_of(commit), Contains("not a name for a file of a commit"));
}

TEST_CASE("core.worktree that leads elsewhere is refused, not followed") {
  const Here here;
  const TempDir elsewhere;
  git(here.dir.path(), {"config", "core.worktree", elsewhere.path()});
  CHECK_THROWS_WITH(GitRepository::discover(here.dir.path()), Contains("names another work tree"));
}

TEST_CASE("a damaged repository is an error, not a folder without git") {
  const TempDir dir;
  write_file(dir.path() + "/.git", "gitdir: /nowhere/at/all\n");
  CHECK_THROWS_AS(GitRepository::discover(dir.path()), Error);
}

// What is in a context, and what is not.
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "tree_here.hpp"

using namespace imgbuild;
using Names = std::vector<std::string>;
using Catch::Contains;

TEST_CASE("outside git everything is staged but what .dockerignore leaves out") {
  const TreeHere tree;
  tree.file(".dockerignore", "*.log\nout\n!out/keep\n");
  tree.file("a.log");
  tree.file("src/main.c");
  tree.file("out/big");
  tree.file("out/keep/this");
  std::filesystem::create_directory(tree.path("empty"));
  CHECK(staged(tree.path())->names ==
        Names{".dockerignore", "empty/", "out/", "out/keep/", "out/keep/this", "src/", "src/main.c"});
}

TEST_CASE("in a git work tree what git ignores stays out, but for what it tracks") {
  const TreeHere tree(true);
  tree.file(".gitignore", "*.o\nbuild/\n.env\n");
  tree.file("main.c");
  tree.file("build/kept.txt");
  tree.git({"add", "-f", "build/kept.txt"});
  tree.commit();
  tree.file("main.o");
  tree.file("build/junk");
  tree.file("build/sub/junk");
  tree.file("untracked.c");
  tree.file("sub/.gitignore", "local\n");
  tree.file("sub/local");
  tree.file("sub/shared");
  tree.file(".env");
  CHECK(staged(tree.path())->names == Names{".gitignore", "build/", "build/kept.txt", "main.c", "sub/",
                                            "sub/.gitignore", "sub/shared", "untracked.c"});
  // A folder of the work tree, by itself, is under the same rules.
  CHECK(staged(tree.path("sub"))->names == Names{".gitignore", "shared"});
  // A folder that git ignores as a whole is staged as one outside git.
  CHECK(staged(tree.path("build/sub"))->names == Names{"junk"});
}

TEST_CASE("the flag --include lets in again what git or .dockerignore leave out, and nothing else") {
  const TreeHere tree(true);
  tree.file(".gitignore", "dist/\nlogs/\n");
  tree.file(".dockerignore", "docs\n");
  tree.file("main.c");
  tree.file("docs/a.md");
  tree.file("docs/b.txt");
  tree.file("dist/app.js");
  tree.file("dist/deep/app.map");
  tree.file("logs/x");
  const auto with = [](std::vector<std::string> globs) {
    return [globs](StageOptions& options) { options.include = globs; };
  };
  CHECK(staged(tree.path(), with({"dist", "docs/*.md"}))->names ==
        Names{".dockerignore", ".gitignore", "dist/", "dist/app.js", "dist/deep/", "dist/deep/app.map", "docs/",
              "docs/a.md", "main.c"});
  CHECK(staged(tree.path(), with({"**/*.map"}))->names ==
        Names{".dockerignore", ".gitignore", "dist/", "dist/deep/", "dist/deep/app.map", "main.c"});
  CHECK_THROWS_WITH(staged(tree.path(), with({"dits"})), "--include dits: matches nothing");
  CHECK_THROWS_WITH(staged(tree.path(), with({".git/config"})), "--include .git/config: matches nothing");
}

TEST_CASE("a submodule's work tree is staged by its own ignore rules") {
  const TreeHere library(true);
  library.file("lib.c");
  library.file(".gitignore", "*.a\n");
  library.commit();
  const TreeHere tree(true);
  tree.file("main.c");
  tree.git({"submodule", "--quiet", "add", library.path(), "vendor/lib"});
  tree.commit();
  tree.file("vendor/lib/lib.a");
  tree.file("vendor/lib/new.c");
  CHECK(staged(tree.path())->names == Names{".gitmodules", "main.c", "vendor/", "vendor/lib/", "vendor/lib/.gitignore",
                                            "vendor/lib/lib.c", "vendor/lib/new.c"});
  const auto commit = staged(tree.path(), [](StageOptions& options) { options.ref = "HEAD"; });
  CHECK(commit->names ==
        Names{".gitmodules", "main.c", "vendor/", "vendor/lib/", "vendor/lib/.gitignore", "vendor/lib/lib.c"});
}

TEST_CASE("the flag --ref stages a commit, whatever lies in the work tree") {
  const TreeHere tree(true);
  tree.file("run.sh", "old\n", 0755);
  tree.file("gone");
  tree.file(".dockerignore", "*.md\n");
  tree.file("read.md");
  std::filesystem::create_symlink("run.sh", tree.path("link"));
  tree.commit();
  tree.git({"tag", "v1"});
  tree.file("run.sh", "new\n");
  std::filesystem::remove(tree.path("gone"));
  tree.file(".dockerignore", "");
  tree.file("later");
  tree.commit();
  const auto commit = staged(tree.path(), [](StageOptions& options) { options.ref = "v1"; });
  CHECK(commit->names == Names{".dockerignore", "gone", "link", "run.sh"});
  CHECK(commit->content("run.sh") == "old\n");
  CHECK_THAT(command({"tar", "-tvf", "-"}, "/", commit->tar).out, Contains("-rwxr-xr-x"));
  CHECK_THAT(command({"tar", "-tvf", "-"}, "/", commit->tar).out, Contains("link -> run.sh"));
  CHECK_THROWS_WITH(staged(tree.path(), [](StageOptions& options) { options.ref = "v2"; }),
                    Contains("no such commit: v2"));
  const TreeHere plain;
  CHECK_THROWS_WITH(staged(plain.path(), [](StageOptions& options) { options.ref = "v1"; }),
                    Contains("is no git work tree"));
}

TEST_CASE("the commit that is checked out and a clean work tree are the same context") {
  const TreeHere tree(true);
  tree.file("a/b/c.txt", "text");
  tree.file("run", "#!/bin/sh\n", 0755);
  tree.commit();
  const auto commit = staged(tree.path(), [](StageOptions& options) { options.ref = "main"; });
  CHECK(staged(tree.path())->context.digest == commit->context.digest);
  CHECK(commit->context.time == 1'600'000'000);
}

TEST_CASE("the flag --ref refuses what only a filter could turn into the file") {
  const TreeHere tree(true);
  const auto stage_ref = [&] { return staged(tree.path(), [](StageOptions& options) { options.ref = "HEAD"; }); };
  tree.file("big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') + "\nsize 5\n");
  tree.commit();
  CHECK_THROWS_WITH(stage_ref(), "big.bin: a Git LFS pointer, not the file");
  tree.file("big.bin", std::string_view("\0GITCRYPT\0junk", 14));
  tree.commit();
  CHECK_THROWS_WITH(stage_ref(), "big.bin: encrypted by git-crypt");
  tree.file(".dockerignore", "*.bin\n");
  tree.commit();
  CHECK(stage_ref()->names == Names{".dockerignore"});
}

TEST_CASE("no filter and no hook of a repository is run") {
  const TreeHere tree(true);
  const std::string trace = tree.path("../ran");
  tree.file(".gitattributes", "* filter=spy\n");
  tree.file("a.txt", "as stored\n");
  tree.commit();
  for (const char* key : {"filter.spy.smudge", "filter.spy.clean", "core.fsmonitor"})
    tree.git({"config", key, "touch " + trace + "; cat"});
  tree.file(".git/hooks/post-checkout", "#!/bin/sh\ntouch " + trace + "\n", 0755);
  CHECK(staged(tree.path(), [](StageOptions& options) { options.ref = "HEAD"; })->content("a.txt") == "as stored\n");
  CHECK(staged(tree.path())->has("a.txt"));
  CHECK_FALSE(std::filesystem::exists(trace));
}

TEST_CASE("a link is staged as a link and never followed") {
  const TreeHere tree;
  tree.file("../outside/secret", "outside");
  std::filesystem::create_symlink("../outside", tree.path("out"));
  std::filesystem::create_symlink("/etc/passwd", tree.path("absolute"));
  std::filesystem::create_symlink("nowhere", tree.path("dangling"));
  const auto result = staged(tree.path());
  CHECK(result->names == Names{"absolute", "dangling", "out"});
  CHECK_THAT(command({"tar", "-tvf", "-"}, "/", result->tar).out,
             Contains("lrwxrwxrwx 0/0               0 1980-01-02 00:00 out -> ../outside"));
}

TEST_CASE("a .dockerignore that is a link is refused") {
  const TreeHere tree;
  std::filesystem::create_symlink("/etc/passwd", tree.path(".dockerignore"));
  CHECK_THROWS_WITH(staged(tree.path()), ".dockerignore: a link, which could lead anywhere");
}

TEST_CASE("a socket, a fifo and a device are refused by name, unless they are ignored") {
  const TreeHere tree;
  tree.file("a");
  REQUIRE(::mkfifo(tree.path("pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(staged(tree.path()), "pipe: a fifo cannot be staged");
  tree.file(".dockerignore", "pipe\n");
  CHECK(staged(tree.path())->names == Names{".dockerignore", "a"});
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = tree.path("sock");
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK_THROWS_WITH(staged(tree.path()), "sock: a socket cannot be staged");
}

TEST_CASE("names of any bytes are staged") {
  const TreeHere tree(true);
  tree.file("new\nline");
  tree.file("\xff\xfe");
  tree.file(" blank ");
  tree.commit();
  const auto result = staged(tree.path());
  CHECK(result->context.files == 3);
  CHECK(command({"tar", "-xOf", "-", "new\nline"}, "/", result->tar).out == "x\n");
  CHECK(command({"tar", "-xOf", "-", "\xff\xfe"}, "/", result->tar).out == "x\n");
  CHECK(command({"tar", "-xOf", "-", " blank "}, "/", result->tar).out == "x\n");
}

TEST_CASE("the same tree has the same digest, wherever and whenever it lies") {
  const TreeHere one, other;
  const auto fill = [](const TreeHere& tree, bool backwards) {
    const std::vector<std::string> names{"a", "a-b", "a.d/x", "z"};
    for (std::size_t i = 0; i < names.size(); ++i) tree.file(names[backwards ? names.size() - 1 - i : i], "same");
  };
  fill(one, false);
  const mode_t before = ::umask(077);
  fill(other, true);
  ::umask(before);
  ::chmod(other.path("a").c_str(), 0600);
  std::filesystem::last_write_time(other.path("z"),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(99));
  const auto first = staged(one.path()), second = staged(other.path());
  CHECK(first->context.digest == second->context.digest);
  CHECK(first->context.digest == sha256_digest(view_of(first->tar)));
  CHECK(first->context.bytes == first->tar.size());
  ::chmod(other.path("a").c_str(), 0700);
  CHECK(staged(other.path())->context.digest != first->context.digest);
}

TEST_CASE("SOURCE_DATE_EPOCH is the time of every entry") {
  const TreeHere tree;
  tree.file("a");
  ::setenv("SOURCE_DATE_EPOCH", "1234567890", 1);
  const auto result = staged(tree.path());
  ::setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
  CHECK_THROWS_WITH(staged(tree.path()), "SOURCE_DATE_EPOCH: not a number of seconds since 1970: yesterday");
  ::unsetenv("SOURCE_DATE_EPOCH");
  CHECK(result->context.time == 1234567890);
  CHECK_THAT(command({"tar", "--utc", "-tvf", "-"}, "/", result->tar).out, Contains("2009-02-13 23:31 a"));
}

TEST_CASE("a file that changes while it is read is an error") {
  const TreeHere tree;
  for (int i = 0; i < 50; ++i) tree.file("many/" + std::to_string(i), std::string(100'000, 'x'));
  tree.file("written", "x");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    std::ofstream file(tree.path("written"), std::ios::app);
    while (!stop) file << "line\n" << std::flush;
  });
  CHECK_THROWS_WITH(staged(tree.path()), "written: changed while it was read");
  stop = true;
  writer.join();
}

TEST_CASE("what cannot be read is an error that says what to do") {
  const TreeHere tree;
  CHECK_THROWS_WITH(staged(tree.path("missing")), Contains("No such file or directory"));
  if (::geteuid() != 0) {
    tree.file("closed", "x", 0);
    CHECK_THROWS_WITH(staged(tree.path()), "closed: Permission denied");
  }
}

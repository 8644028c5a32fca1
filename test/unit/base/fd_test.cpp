#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "base/new_file.hpp"
#include "base/process.hpp"
#include "base/secret.hpp"
#include "base/temp_dir.hpp"

using namespace imgbuild;

TEST_CASE("a written file appears whole or not at all") {
  const TempDir dir;
  const std::string path = dir.path() + "/file";
  write_file(path, "old");
  write_file(path, "new", 0600);
  CHECK(read_file(path) == "new");
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK_THROWS_AS(write_file(dir.path() + "/no/such/folder", "x"), Error);
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++entries;
  CHECK(entries == 1);
}

TEST_CASE("a file that is too large, or a folder, is an error that names it") {
  const TempDir dir;
  write_file(dir.path() + "/big", std::string(100, 'x'));
  CHECK_THROWS_WITH(read_file(dir.path() + "/big", 99), Catch::Contains("/big: larger than 99 bytes"));
  CHECK_THROWS_WITH(read_file(dir.path()), Catch::Contains("Is a directory"));
  CHECK_THROWS_WITH(read_file(dir.path() + "/none"), Catch::Contains("No such file"));
}

TEST_CASE("an unnamed file leaves nothing in the folder for temporary files") {
  const TempDir dir;
  ::setenv("TMPDIR", dir.path().c_str(), 1);
  const Fd file = Fd::unnamed_file();
  ::unsetenv("TMPDIR");
  write_full(file.get(), view_of("content"), "unnamed");
  CHECK(std::filesystem::is_empty(dir.path()));
  const Mapping mapping(file, "unnamed");
  CHECK(text_of(mapping.bytes()) == "content");
}

TEST_CASE("a program gets its input, environment and folder, and its output and status come back") {
  const Ran ran =
      run({.argv = {"sh", "-c", "cat; pwd; echo $A$B >&2; exit 3"}, .env = {"A=1"}, .without = {"B"}, .directory = "/"},
          "in ");
  CHECK(ran.status == 3);
  CHECK(ran.out == "in /\n");
  CHECK(ran.err == "1\n");
  CHECK(run({.argv = {"sh", "-c", "kill -TERM $$"}}).status == 128 + 15);
  CHECK_THROWS_WITH(run({.argv = {"/no/such/program"}}), Catch::Contains("/no/such/program"));
}

TEST_CASE("a program that does not read its input does not end us") {
  CHECK(run({.argv = {"true"}}, std::string(1 << 20, 'x')).status == 0);
}

TEST_CASE("secrets of many sizes keep their values beside each other") {
  std::vector<Secret> secrets;
  for (std::size_t n = 0; n < 300; ++n)
    secrets.emplace_back(std::string(n * 7 % 5000, static_cast<char>('a' + n % 26)));
  secrets.erase(secrets.begin() + 10, secrets.begin() + 200);
  for (std::size_t n = 0; n < 100; ++n) secrets.emplace_back(std::string(n * 11, '!'));
  for (const auto& secret : secrets) {
    const auto value = secret.reveal();
    CHECK(value.find_first_not_of(value.empty() ? 'x' : value[0]) == std::string_view::npos);
  }
  Secret moved = std::move(secrets.back());
  CHECK(moved.reveal() == std::string(99 * 11, '!'));
  CHECK(secrets.back().empty());
}

TEST_CASE("a new file has no name before it is whole, and goes where a link leads") {
  const TempDir dir;
  const auto count = [&] {
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++entries;
    return entries;
  };
  const std::string path = dir.path() + "/file";
  {
    NewFile half(path);
    half.write(view_of("half"));
  }
  CHECK(count() == 0);
  write_file(path, "old");
  std::filesystem::create_symlink("file", dir.path() + "/link");
  {
    NewFile file(dir.path() + "/link");
    file.write(view_of("new "));
    file.write(view_of("bytes"));
    CHECK(read_file(path) == "old");
    file.finish();
  }
  CHECK(read_file(path) == "new bytes");
  CHECK(std::filesystem::is_symlink(dir.path() + "/link"));
  CHECK(count() == 2);
  NewFile nowhere("/dev/null");
  nowhere.write(view_of("gone"));
  nowhere.finish();
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK_THROWS_WITH(NewFile(dir.path() + "/none/x"), Catch::Contains("/none/x: "));
}

// Unpacking into a folder: what comes there, and that nothing comes anywhere else.
#include "push/folder_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "base/temp_dir.hpp"

using namespace imgbuild;
using Catch::Contains;
using Type = TarEntry::Type;
namespace fs = std::filesystem;

namespace {

struct Bench {
  TempDir folder;
  std::string dest = folder.path() + "/dest";
  std::string at(const std::string& path) const { return dest + "/" + path; }
  std::string read(const std::string& path) const { return read_file(at(path)); }
};

void put(FolderWriter& writer, Type type, const std::string& path, const std::string& text = {},
         std::uint32_t mode = 0644) {
  TarEntry entry;
  entry.type = type;
  entry.path = path;
  entry.mode = mode;
  entry.mtime = 1'600'000'000;
  if (type == Type::file)
    entry.size = text.size();
  else
    entry.link = text;
  writer.entry(entry);
  if (type == Type::file) writer.data(view_of(text));
  writer.end_entry();
}

struct stat facts_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(::lstat(path.c_str(), &facts) == 0);
  return facts;
}

}  // namespace

TEST_CASE("files, folders and links come with their modes and times, as the user's own") {
  const Bench bench;
  FolderWriter writer(bench.dest);
  put(writer, Type::directory, "shut", {}, 0500);
  put(writer, Type::directory, "sticky", {}, 01777);
  put(writer, Type::file, "shut/a", "one", 04751);
  put(writer, Type::file, "no/folder/told/b", "two");
  put(writer, Type::symlink, "link", "/etc/shadow");
  put(writer, Type::hard_link, "deep/c", "shut/a");
  put(writer, Type::character, "null");
  put(writer, Type::fifo, "pipe");
  writer.finish();
  CHECK(writer.written() == 4);
  CHECK(writer.bytes() == 6);
  CHECK(writer.left_out() == std::vector<std::string>{"null", "pipe"});
  CHECK(bench.read("shut/a") == "one");
  CHECK(bench.read("no/folder/told/b") == "two");
  CHECK(fs::read_symlink(bench.at("link")) == "/etc/shadow");
  CHECK_FALSE(fs::exists(bench.at("null")));
  const auto file = facts_of(bench.at("shut/a")), folder = facts_of(bench.at("shut"));
  CHECK((file.st_mode & 07777) == 0751);  // whose the right was it is not any more
  CHECK(file.st_mtime == 1'600'000'000);
  CHECK(file.st_uid == ::getuid());
  CHECK(file.st_nlink == 2);
  CHECK(facts_of(bench.at("deep/c")).st_ino == file.st_ino);
  CHECK((folder.st_mode & 07777) == 0500);
  CHECK(folder.st_mtime == 1'600'000'000);
  CHECK((facts_of(bench.at("sticky")).st_mode & 07777) == 01777);
  CHECK(facts_of(bench.at("link")).st_mtime == 1'600'000'000);
}

TEST_CASE("the same again, over itself and over what is there") {
  const Bench bench;
  fs::create_directories(bench.dest);
  write_file(bench.at("mine"), "stays");
  for (int i = 0; i < 2; ++i) {
    FolderWriter writer(bench.dest);
    put(writer, Type::directory, "shut", {}, 0500);
    put(writer, Type::file, "shut/a", std::to_string(i));
    put(writer, Type::hard_link, "b", "shut/a");
    put(writer, Type::symlink, "link", "a");
    writer.finish();
  }
  CHECK(bench.read("shut/a") == "1");
  CHECK(bench.read("b") == "1");
  CHECK(bench.read("mine") == "stays");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& one : fs::recursive_directory_iterator(bench.dest)) ++entries;
  CHECK(entries == 5);  // nothing of how it was made
}

TEST_CASE("a link that lies there is replaced, and nothing is written where it leads") {
  const Bench bench;
  fs::create_directories(bench.dest);
  fs::create_directory(bench.folder.path() + "/outside");
  write_file(bench.folder.path() + "/outside/file", "theirs");
  fs::create_symlink("../outside", bench.at("folder"));
  fs::create_symlink("../outside", bench.at("told"));
  fs::create_symlink("../outside/file", bench.at("file"));
  fs::create_hard_link(bench.folder.path() + "/outside/file", bench.at("hard"));
  FolderWriter writer(bench.dest);
  put(writer, Type::directory, "told", {}, 0700);
  put(writer, Type::file, "folder/file", "ours");
  put(writer, Type::file, "told/file", "ours");
  put(writer, Type::file, "file", "ours");
  put(writer, Type::file, "hard", "ours");
  writer.finish();
  CHECK(read_file(bench.folder.path() + "/outside/file") == "theirs");
  CHECK(fs::is_directory(fs::symlink_status(bench.at("folder"))));
  CHECK(bench.read("folder/file") == "ours");
  CHECK(bench.read("told/file") == "ours");
  CHECK(bench.read("file") == "ours");
  CHECK(bench.read("hard") == "ours");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& one : fs::directory_iterator(bench.folder.path() + "/outside")) ++entries;
  CHECK(entries == 1);
}

TEST_CASE("whatever it is told, nothing is written outside") {
  const Bench bench;
  fs::create_directory(bench.folder.path() + "/outside");
  FolderWriter writer(bench.dest);
  put(writer, Type::symlink, "up", "../outside");
  put(writer, Type::symlink, "away", bench.folder.path() + "/outside");
  // MergedLayers tells nothing below a link; if it did, the link would go.
  put(writer, Type::file, "up/x", "1");
  put(writer, Type::file, "away/x", "1");
  CHECK(fs::is_empty(bench.folder.path() + "/outside"));
  for (const char* path : {"../x", "a/../../x", "..", ".", "", "/x", "a//x", "a/"}) {
    INFO(path);
    CHECK_THROWS_AS(put(writer, Type::file, path, "1"), Error);
  }
  CHECK_THROWS_AS(put(writer, Type::hard_link, "hard", "../outside"), Error);
  CHECK_FALSE(fs::exists(bench.folder.path() + "/x"));
}

TEST_CASE("a folder where the image has none is not emptied, and a file that is not whole does not stay") {
  const Bench bench;
  fs::create_directories(bench.at("data/mine"));
  {
    FolderWriter writer(bench.dest);
    CHECK_THROWS_WITH(put(writer, Type::file, "data", "x"), Contains("data: there is a folder"));
    TarEntry entry;
    entry.path = "half";
    entry.size = 4;
    writer.entry(entry);
    writer.data(view_of("ha"));
  }
  std::vector<std::string> names;
  for (const auto& one : fs::directory_iterator(bench.dest)) names.push_back(one.path().filename());
  CHECK(names == std::vector<std::string>{"data"});
  CHECK(fs::exists(bench.at("data/mine")));
}

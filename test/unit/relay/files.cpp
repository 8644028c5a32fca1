// The real relay tells of files of this machine.
#include "relay/files.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "relay_here.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;
namespace fs = std::filesystem;
using Type = TarEntry::Type;

namespace {

// The relay's program, where a builder has it.
void put_relay(const std::string& folder) {
  const View program = relay_program(this_architecture);
  std::ofstream(folder + "/relay", std::ios::binary)
      .write(text_of(program).data(), static_cast<std::streamsize>(program.size()));
  fs::permissions(folder + "/relay", fs::perms(0755));
}

// One that runs, and our end of its exec.
struct Running {
  explicit Running(const std::vector<std::string>& argv) {
    auto [ours, theirs] = Fd::socket_pair();
    Command command;
    command.argv = argv;
    command.in = theirs.get();
    command.out = theirs.get();
    process = std::make_unique<Process>(command);
    stream = std::make_unique<SocketStream>(std::move(ours));
  }
  std::unique_ptr<Process> process;
  std::unique_ptr<Stream> stream;
};

// A relay that tells.
struct Telling {
  Telling() {
    fs::create_directories(tree());
    put_relay(folder.path());
  }
  std::string tree() const { return folder.path() + "/tree"; }
  void write(const std::string& path, const std::string& text) const { std::ofstream(tree() + path) << text; }

  // Empty where there is none; the members as they come, with their content, in `members` otherwise.
  bool operator()(const std::string& path) { return (*this)(path, {tree()}); }
  bool operator()(const std::string& path, const std::vector<std::string>& within) {
    const Running relay(relay_files_command(folder.path()));
    RelayFiles files(*relay.stream, path, within);
    members.clear();
    if (!files.found()) return false;
    struct Visitor : TarVisitor {
      explicit Visitor(std::vector<std::pair<TarEntry, std::string>>& to) : all(to) {}
      void entry(const TarEntry& entry) override { all.emplace_back(entry, ""); }
      void data(View piece) override { all.back().second += text_of(piece); }
      void end_entry() override {}
      void stray(View, const char* what) override { CHECK(std::string(what) == "header"); }  // a name that is too long
      std::vector<std::pair<TarEntry, std::string>>& all;
    } visitor(members);
    read_tar(files, visitor);
    return true;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [entry, content] : members) all.push_back(entry.path);
    return all;
  }

  TempDir folder;
  std::vector<std::pair<TarEntry, std::string>> members;
};

}  // namespace

TEST_CASE("files are told with their modes, times and links, folders first, names in order") {
  Telling telling;
  fs::create_directory(telling.tree() + "/d");
  telling.write("/d/b", "B");
  telling.write("/d/a", "content");
  fs::create_hard_link(telling.tree() + "/d/a", telling.tree() + "/d/c");
  fs::create_symlink("/etc/shadow", telling.tree() + "/d/l");
  REQUIRE(::mkfifo((telling.tree() + "/d/p").c_str(), 0640) == 0);
  REQUIRE(::chmod((telling.tree() + "/d/b").c_str(), 04711) == 0);
  REQUIRE(::chmod((telling.tree() + "/d").c_str(), 01750) == 0);
  const timespec times[2] = {{7, 0}, {1234567890, 999}};
  REQUIRE(::utimensat(AT_FDCWD, (telling.tree() + "/d/b").c_str(), times, 0) == 0);

  REQUIRE(telling(telling.tree() + "/d"));
  CHECK(telling.paths() == std::vector<std::string>{"d/", "d/a", "d/b", "d/c", "d/l", "d/p"});
  const auto& all = telling.members;
  CHECK(all[0].first.type == Type::directory);
  CHECK(all[0].first.mode == 01750);
  CHECK(all[1].second == "content");
  CHECK(all[2].first.mode == 04711);
  CHECK(all[2].first.mtime == 1234567890);
  CHECK(all[2].first.uid == ::geteuid());
  CHECK(all[3].first.type == Type::hard_link);
  CHECK(all[3].first.link == "d/a");
  CHECK(all[4].first.type == Type::symlink);
  CHECK(all[4].first.link == "/etc/shadow");
  CHECK(all[5].first.type == Type::fifo);

  REQUIRE(telling(telling.tree() + "/d/c"));
  CHECK(telling.paths() == std::vector<std::string>{"c"});
  CHECK(telling.members[0].second == "content");
}

TEST_CASE("what does not fit into a header is told all the same: long names, owners, attributes, much data") {
  Telling telling;
  const std::string name(200, 'n'), target(300, 't'), odd = "n\nl";
  const std::string big(700'001, 'x');
  telling.write("/" + name, big);
  telling.write("/" + odd, "");
  fs::create_symlink(target, telling.tree() + "/z");
  const std::string value("a=b\n\0c", 6);
  const std::string file = telling.tree() + "/" + name;
  const bool has_attributes = ::setxattr(file.c_str(), "user.note", value.data(), value.size(), 0) == 0;
  const bool root = ::geteuid() == 0;
  if (root) {
    REQUIRE(::chown(file.c_str(), 3'000'000, 4'000'000) == 0);
  }
  REQUIRE(telling(telling.tree() + "/"));
  CHECK(telling.paths() == std::vector<std::string>{"tree/", "tree/" + odd, "tree/" + name, "tree/z"});
  const auto& entry = telling.members[2].first;
  CHECK(telling.members[2].second == big);
  CHECK(telling.members[3].first.link == target);
  if (root) {
    CHECK(entry.uid == 3'000'000);
    CHECK(entry.gid == 4'000'000);
  }
  if (has_attributes) CHECK(entry.xattrs == std::vector<std::pair<std::string, std::string>>{{"user.note", value}});
}

TEST_CASE("a link is told as one, and looked behind where the path ends in '/'") {
  Telling telling;
  fs::create_directory(telling.tree() + "/real");
  telling.write("/real/x", "X");
  fs::create_symlink("real", telling.tree() + "/way");
  REQUIRE(telling(telling.tree() + "/way"));
  CHECK(telling.members[0].first.type == Type::symlink);
  REQUIRE(telling(telling.tree() + "/way/"));
  CHECK(telling.paths() == std::vector<std::string>{"way/", "way/x"});
  REQUIRE(telling(telling.tree() + "/way/x"));
  CHECK(telling.members[0].second == "X");
}

TEST_CASE("what is not there is not told, nor what lies on a file system that was not named") {
  Telling telling;
  telling.write("/x", "X");
  CHECK_FALSE(telling(telling.tree() + "/none"));
  CHECK_FALSE(telling(telling.tree() + "/none/"));
  CHECK_FALSE(telling(telling.tree() + "/x/y"));
  CHECK_FALSE(telling("/proc/self/environ"));
  fs::create_symlink("/proc/self", telling.tree() + "/way");
  CHECK_FALSE(telling(telling.tree() + "/way/environ"));
  CHECK_FALSE(telling(telling.tree() + "/x", {}));
  REQUIRE(telling("/proc/self/limits", {"/proc/self"}));
  CHECK_FALSE(telling("/proc/self/limits", {"/"}));
}

namespace {

// A relay that serves the files of a folder.
struct Serving {
  Serving() {
    fs::create_directories(folder());
    put_relay(dir.path());
    relay.emplace(std::vector<std::string>{dir.path() + "/relay", relay_serves});
  }
  std::string folder() const { return dir.path() + "/served"; }
  void write(const std::string& path, const std::string& text) const {
    std::ofstream(folder() + "/" + path, std::ios::binary) << text;
  }

  TempDir dir;
  std::optional<Running> relay;
};

}  // namespace

TEST_CASE("a relay serves files in the order in which they are wanted, however many are wanted ahead") {
  Serving serving;
  std::vector<std::string> contents;
  for (std::size_t i = 0; i < 300; ++i) {
    contents.emplace_back(i % 50 == 7 ? 700'001 : i * 37 % 5000, static_cast<char>('a' + i % 26));
    serving.write("f" + std::to_string(i), contents.back());
  }
  RelayFetch fetch(*serving.relay->stream);
  for (std::size_t i = 0; i < contents.size(); ++i) fetch.want(serving.folder(), "f" + std::to_string(i));
  for (const std::string& content : contents) {
    REQUIRE(fetch.begin() == content.size());
    std::string got(content.size() + 1, '\0');
    REQUIRE(fetch.read({reinterpret_cast<std::uint8_t*>(got.data()), got.size()}) == content.size());
    got.pop_back();
    REQUIRE(got == content);
  }
  CHECK(fetch.idle());
}

TEST_CASE("what a relay cannot serve it says, and goes on; links lead nowhere but into the folder") {
  Serving serving;
  serving.write("here", "content");
  std::ofstream(serving.dir.path() + "/outside") << "not to be had";
  fs::create_symlink("../outside", serving.folder() + "/up");
  fs::create_directory(serving.folder() + "/d");
  fs::create_symlink("/d", serving.folder() + "/link");
  serving.write("d/deep", "deeper");
  REQUIRE(::mkfifo((serving.folder() + "/fifo").c_str(), 0600) == 0);
  RelayFetch fetch(*serving.relay->stream);
  for (const char* none : {"missing", "up", "../outside", "fifo", "d"}) {
    CHECK_FALSE(fetch_whole(fetch, serving.folder(), none, 100));
    CHECK_FALSE(fetch.why().empty());
  }
  CHECK_FALSE(fetch_whole(fetch, serving.dir.path() + "/nowhere", "here", 100));
  CHECK(fetch_whole(fetch, serving.folder(), "link/deep", 100) == "deeper");
  CHECK(fetch_whole(fetch, serving.folder(), "here", 100) == "content");
  CHECK_FALSE(fetch_whole(fetch, serving.folder(), "here", 3));  // too long, and what is left of it is dropped
  CHECK(fetch_whole(fetch, serving.folder(), "here", 100) == "content");
}

TEST_CASE("a relay that serves ends with its driver") {
  Serving serving;
  serving.write("here", "content");
  {
    RelayFetch fetch(*serving.relay->stream);
    CHECK(fetch_whole(fetch, serving.folder(), "here", 100) == "content");
  }
  serving.relay->stream.reset();
  CHECK(serving.relay->process->wait() == 0);
}

// Files that are lent at places of the image: while the script runs they are there, and afterwards nothing of them is.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "relay_here.hpp"
#include "tar/writer.hpp"

using namespace imgbuild;
namespace fs = std::filesystem;

namespace {

/// A root file system of the script's, in which all is as it was, or is not.
class Root {
 public:
  explicit Root(RelayHere& relay) : path_(relay.path() + "/root") {
    fs::create_directories(path_ + "/etc/app");
    std::ofstream(path_ + "/etc/app/conf") << "of the base\n";
    ::chmod((path_ + "/etc/app/conf").c_str(), 0640);
    age();
  }
  /// Everything is as if it had been made long ago.
  void age() {
    const timespec old[] = {{1000000000, 0}, {1000000000, 12345}};
    for (const auto& entry : fs::recursive_directory_iterator(path_))
      ::utimensat(AT_FDCWD, entry.path().c_str(), old, AT_SYMLINK_NOFOLLOW);
    ::utimensat(AT_FDCWD, path_.c_str(), old, 0);
    before_ = list();
  }
  std::string at(const std::string& place) const { return path_ + place; }
  bool as_before() const { return list() == before_; }
  bool has(const std::string& place) const { return fs::exists(fs::symlink_status(at(place))); }

 private:
  // Name, mode, owner, time and content of all of it.
  std::map<std::string, std::string> list() const {
    std::map<std::string, std::string> all;
    const auto take = [&](const std::string& path) {
      struct stat facts {};
      ::lstat(path.c_str(), &facts);
      std::string& line = all[path];
      for (const auto one : {static_cast<long>(facts.st_mode), static_cast<long>(facts.st_uid), facts.st_mtim.tv_sec,
                             facts.st_mtim.tv_nsec})
        line += std::to_string(one) + " ";
      if (S_ISREG(facts.st_mode)) line += read_file(path);
      if (S_ISLNK(facts.st_mode)) line += fs::read_symlink(path);
    };
    take(path_);
    for (const auto& entry : fs::recursive_directory_iterator(path_)) take(entry.path());
    return all;
  }
  std::string path_;
  std::map<std::string, std::string> before_;
};

struct Lending {
  RelayHere relay;
  Root root{relay};
  Secret content{"lent\n"}, other{"another\n"};
  void lend(const std::string& place, std::uint32_t mode = 0600) {
    relay.task.lent_files.push_back({root.at(place), mode, &content});
  }
};

}  // namespace

TEST_CASE("a lent file is at its place for the script, and the place is as it was afterwards") {
  Lending here;
  SECTION("where the base has a file") { here.lend("/etc/app/conf"); }
  SECTION("where it has none") { here.lend("/etc/app/other"); }
  SECTION("where it has no folder either") { here.lend("/home/me/.config/tool/conf"); }
  SECTION("by a link of the base") {
    fs::create_symlink("etc/app", here.root.at("/link"));
    here.root.age();
    here.lend("/link/conf");
  }
  SECTION("where the base has a link, to nothing") {
    fs::create_symlink("/nothing/here", here.root.at("/etc/linked"));
    here.root.age();
    here.lend("/etc/linked");
  }
  const std::string place = here.relay.task.lent_files[0].place;
  const auto result = here.relay.run("cat " + place + "; stat -Lc '%a %u' " + place);
  CHECK(result.status == 0);
  CHECK(here.relay.out == "lent\n600 " + std::to_string(::geteuid()) + "\n");
  CHECK(result.replaced.empty());
  CHECK(here.root.as_before());
}

TEST_CASE("several files are lent at once, also into one folder") {
  Lending here;
  here.lend("/etc/app/conf", 0644);
  here.lend("/etc/app/a");
  here.lend("/new/b");
  here.lend("/new/c");
  here.relay.run("cd " + here.root.at("") + "; cat etc/app/conf etc/app/a new/b new/c; stat -Lc %a etc/app/conf");
  CHECK(here.relay.out == "lent\nlent\nlent\nlent\n644\n");
  CHECK(here.root.as_before());
}

TEST_CASE("a place without a / in front is in the context") {
  RelayHere relay;
  const Secret content("registry=x\n");
  Fd tar = Fd::unnamed_file();
  TarWriter writer([&](View bytes) { write_full(tar.get(), bytes, "tar"); });
  writer.file("sub/.npmrc", view_of("withheld\n"), 0644, 315619200);
  writer.finish();
  relay.task.tar = tar.get();
  relay.task.lent_files = {{".npmrc", 0600, &content}, {"sub/.npmrc", 0600, &content}};
  relay.run("cat .npmrc sub/.npmrc");
  CHECK(relay.out == "registry=x\nregistry=x\n");
  CHECK_FALSE(fs::exists(relay.context() + "/.npmrc"));
  CHECK(read_file(relay.context() + "/sub/.npmrc") == "withheld\n");
}

TEST_CASE("what a script does to a place does not stay") {
  Lending here;
  here.lend("/etc/app/conf");
  here.lend("/new/folder/conf");
  const std::string conf = here.root.at("/etc/app/conf"), made = here.root.at("/new/folder/conf");
  SECTION("it is written to") {
    here.relay.run("echo more >>" + conf + "; echo more >>" + made);
    CHECK(here.root.as_before());
  }
  SECTION("it is removed") {
    here.relay.run("rm " + conf + "; rm -r " + here.root.at("/new"));
    CHECK(read_file(conf) == "of the base\n");
    CHECK_FALSE(here.root.has("/new"));
  }
  SECTION("it is replaced by a file, as sed -i does") {
    const auto result = here.relay.run("sed -i s/lent/mine/ " + conf + "; cat " + conf);
    CHECK(here.relay.out == "mine\n");
    CHECK(result.replaced == std::vector<std::string>{conf});
    CHECK(read_file(conf) == "of the base\n");
  }
  SECTION("it is replaced by a link and a pipe") {
    const auto result = here.relay.run("ln -sf /etc/passwd " + conf + "; rm " + made + "; mkfifo " + made);
    CHECK(result.replaced == std::vector<std::string>{made, conf});
    CHECK(here.root.has("/etc/app/conf"));
    CHECK_FALSE(here.root.has("/new"));
  }
  SECTION("the script fails, by a signal too") {
    CHECK(here.relay.run("kill -9 $$").status == 137);
    CHECK(here.root.as_before());
  }
  SECTION("a process that it left behind would put it back") {
    here.relay.run("(while :; do echo again >" + conf + ".x; mv " + conf + ".x " + conf + "; done) & sleep 0.1");
    CHECK(read_file(conf) == "of the base\n");
  }
}

TEST_CASE("a folder that the script puts something into stays, without what was lent") {
  Lending here;
  here.lend("/new/folder/conf");
  here.relay.run("echo mine >" + here.root.at("/new/mine"));
  CHECK(read_file(here.root.at("/new/mine")) == "mine\n");
  CHECK_FALSE(here.root.has("/new/folder"));
}

TEST_CASE("a folder that the script moves takes what was there before along") {
  Lending here;
  here.lend("/etc/app/conf");
  here.relay.run("mv " + here.root.at("/etc/app") + " " + here.root.at("/etc/moved"));
  CHECK(read_file(here.root.at("/etc/moved/conf")) == "of the base\n");
  CHECK_FALSE(here.root.has("/etc/app"));
}

TEST_CASE("where a place cannot be made what it was, nothing goes on") {
  Lending here;
  here.lend("/etc/app/conf");
  const std::string folder = here.root.at("/etc/app"), conf = folder + "/conf";
  const auto fails = [&](const std::string& script, const char* why) {
    CHECK_THROWS_WITH(here.relay.run(script), Catch::Contains(conf) && Catch::Contains(why));
  };
  SECTION("a folder stands there") { fails("rm " + conf + "; mkdir " + conf, "made a folder"); }
  SECTION("what was there before is gone") { fails("rm -r " + folder, "removed what was there before"); }
  SECTION("another folder stands in its folder's place") {
    fails("mv " + folder + " " + folder + ".old; mkdir " + folder + "; echo x >" + conf, "another folder");
  }
}

TEST_CASE("a place that is no file's is refused before the script runs") {
  Lending here;
  const auto fails = [&](const char* why) {
    CHECK_THROWS_WITH(here.relay.run("echo ran"), Catch::Contains(why));
    CHECK(here.relay.out.empty());
  };
  SECTION("a folder") {
    here.lend("/etc/app");
    fails("is a folder");
  }
  SECTION("below a file") {
    here.lend("/etc/app/conf/sub");
    fails("Not a directory");
  }
  SECTION("two that are one by a link") {
    fs::create_symlink("app", here.root.at("/etc/same"));
    here.lend("/etc/app/x");
    here.lend("/etc/same/x");
    fails("are one place");
  }
  SECTION("by a link into what is in no image") {
    fs::create_symlink("/dev/shm", here.root.at("/etc/shm"));
    here.lend("/etc/shm/x");
    fails("is in /dev, which is in no image");
  }
  SECTION("below a link to nothing") {
    fs::create_symlink("nothing", here.root.at("/etc/hole"));
    here.lend("/etc/hole/x");
    fails("/etc/hole/x");
  }
}

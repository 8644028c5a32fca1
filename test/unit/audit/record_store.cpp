// Records that only this user's imgbuild can have written.
#include "audit/record_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/fd.hpp"
#include "base/temp_dir.hpp"

using namespace imgbuild;

namespace {

const std::string one(64, 'a'), two(64, 'b');

struct Home {
  Home() {
    ::setenv("XDG_CACHE_HOME", (dir.path() + "/cache").c_str(), 1);
    ::setenv("XDG_STATE_HOME", (dir.path() + "/state").c_str(), 1);
  }
  ~Home() {
    ::unsetenv("XDG_CACHE_HOME");
    ::unsetenv("XDG_STATE_HOME");
  }
  std::string record(const std::string& name) const { return dir.path() + "/cache/imgbuild/layers/" + name; }
  std::string key() const { return dir.path() + "/state/imgbuild/cache.key"; }
  TempDir dir;
};

std::string got(const RecordStore& store, const std::string& name) {
  const auto record = store.get(name);
  return record ? std::string(record->begin(), record->end()) : "none";
}

}  // namespace

TEST_CASE("a record is had again, also by another process with the same key") {
  Home home;
  const auto store = RecordStore::open();
  REQUIRE(store);
  CHECK(got(*store, one) == "none");
  CHECK(store->put(one, view_of("what was found")));
  CHECK(got(*store, one) == "what was found");
  CHECK(got(*RecordStore::open(), one) == "what was found");
  CHECK(store->put(one, view_of("better")));
  CHECK(got(*store, one) == "better");
}

TEST_CASE("a record that was altered, cut, renamed, linked, given away or made under another key is none") {
  Home home;
  auto store = RecordStore::open();
  REQUIRE(store);
  REQUIRE(store->put(one, view_of("clean clean clean")));
  const std::string whole = read_file(home.record(one));
  std::string wanted = two;
  SECTION("each byte altered") {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string altered = whole;
      altered[i] ^= 1;
      write_file(home.record(one), altered, 0600);
      INFO(i);
      CHECK(got(*store, one) == "none");
    }
    wanted = one;
  }
  SECTION("cut at each byte") {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      write_file(home.record(one), whole.substr(0, i), 0600);
      CHECK(got(*store, one) == "none");
    }
    wanted = one;
  }
  SECTION("renamed") { std::filesystem::rename(home.record(one), home.record(two)); }
  SECTION("linked") { std::filesystem::create_symlink(home.record(one), home.record(two)); }
  SECTION("a pipe") { REQUIRE(::mkfifo(home.record(two).c_str(), 0600) == 0); }
  SECTION("writable by others") {
    ::chmod(home.record(one).c_str(), 0622);
    wanted = one;
  }
  SECTION("of somebody else") {
    if (::geteuid() != 0) return;
    REQUIRE(::chown(home.record(one).c_str(), 1000, 1000) == 0);
    wanted = one;
  }
  SECTION("under another key") {
    std::filesystem::remove(home.key());
    store = RecordStore::open();
    REQUIRE(store);
    wanted = one;
  }
  CHECK(got(*store, wanted) == "none");
}

TEST_CASE("there is no store where folder or key are not ours alone") {
  Home home;
  REQUIRE(RecordStore::open());
  SECTION("a key that others read") { ::chmod(home.key().c_str(), 0644); }
  SECTION("a key of another length") { std::ofstream(home.key()) << "short"; }
  SECTION("a folder that others write") { ::chmod((home.dir.path() + "/cache/imgbuild/layers").c_str(), 0777); }
  SECTION("no place") { ::setenv("XDG_CACHE_HOME", (home.key() + "/below").c_str(), 1); }
  CHECK_FALSE(RecordStore::open());
}

TEST_CASE("the key lies outside the cache and nobody else can read it") {
  Home home;
  REQUIRE(RecordStore::open());
  struct stat facts = {};
  REQUIRE(::stat(home.key().c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
}

TEST_CASE("of processes that make the key at once, all come to the same one") {
  for (int round = 0; round < 20; ++round) {
    Home home;
    std::vector<std::thread> makers;
    for (int i = 0; i < 8; ++i)
      makers.emplace_back([i] {
        const auto store = RecordStore::open();
        if (store) store->put(std::string(63, 'c') + static_cast<char>('0' + i), view_of("x"));
      });
    for (auto& maker : makers) maker.join();
    const auto items = RecordStore::open()->verify();
    CHECK(items.size() == 8);
    for (const auto& item : items) CHECK(item.good);
  }
}

TEST_CASE("pruning removes what is no good, what is old, and the oldest of what is too much") {
  Home home;
  const auto store = RecordStore::open();
  REQUIRE(store);
  for (const char digit : {'1', '2', '3', '4'})
    REQUIRE(store->put(std::string(64, digit), view_of(std::string(1000, 'x'))));
  const auto used = [&](char digit, std::int64_t when) {
    const timespec times[] = {{when, 0}, {when, 0}};
    ::utimensat(AT_FDCWD, home.record(std::string(64, digit)).c_str(), times, 0);
  };
  used('1', 1000);
  used('2', 2000);
  used('3', 3000);
  used('4', 4000);
  std::ofstream(home.record(std::string(64, '4')), std::ios::app) << "more";
  used('4', 4000);
  CHECK(store->verify().back().good == false);
  const auto names = [](const std::vector<RecordStore::Item>& items) {
    std::string all;
    for (const auto& item : items) all += item.name[0];
    return all;
  };
  CHECK(names(store->prune(2000, 1500)) == "142");
  CHECK(names(store->verify()) == "3");
}

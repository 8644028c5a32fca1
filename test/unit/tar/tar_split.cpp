// Layers put together again from an engine's record and folder.
#include "tar/tar_split.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

std::string drained(Source& source) {
  std::string all;
  for (View piece = source.next(); !piece.empty(); piece = source.next())
    all.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  return all;
}

// The record as a file of this machine, the folder beside it.
std::unique_ptr<Source> put_together(const std::string& record, const std::string& folder) {
  const std::size_t slash = record.rfind('/');
  auto file = local_fetch();
  file->want(record.substr(0, slash), record.substr(slash + 1));
  REQUIRE(file->begin());
  return std::make_unique<TarSplitSource>(std::make_unique<FetchSource>(std::move(file)), record, local_fetch(),
                                          folder);
}

struct Store {
  Store() { std::filesystem::create_directory(folder()); }
  std::string folder() const { return dir.path() + "/diff"; }
  void file(const std::string& name, const std::string& content) const {
    std::ofstream(folder() + "/" + name, std::ios::binary) << content;
  }
  void segment(const std::string& bytes) {
    record += nlohmann::json{{"type", 2}, {"payload", base64(view_of(bytes))}}.dump() + "\n";
  }
  void content(const std::string& name, std::size_t size) {
    record += nlohmann::json{{"type", 1}, {"name", name}, {"size", size}, {"payload", "AAAAAAAAAAA="}}.dump() + "\n";
  }
  std::string read() const {
    std::ofstream(dir.path() + "/record", std::ios::binary) << record;
    run({{"gzip", "-nf", dir.path() + "/record"}, {}, {}, {}});
    return drained(*put_together(dir.path() + "/record.gz", folder()));
  }

  TempDir dir;
  std::string record;
};

}  // namespace

TEST_CASE("a layer is put together from its record and its folder, byte by byte") {
  Store store;
  const std::string large(3'000'017, 'l');
  store.file("small", "hello");
  store.file("large", large);
  store.file("na\xffme", "raw");
  store.segment("HEAD");
  store.content("small", 5);
  store.segment("PAD");
  store.content("empty", 0);
  store.record += R"({"type":1,"name":"link","payload":null,"position":9})"
                  "\n";
  store.content("large", large.size());
  store.record += nlohmann::json{{"type", 1}, {"name_raw", base64(view_of("na\xffme"))}, {"size", 3}}.dump() + "\n";
  store.segment(std::string(1024, '\0'));
  CHECK((store.read() == "HEADhelloPAD" + large + "raw" + std::string(1024, '\0')));
}

TEST_CASE("a record whose last line has no line feed is whole") {
  Store store;
  store.segment("all");
  store.record.pop_back();
  CHECK(store.read() == "all");
}

TEST_CASE("links of the layer lead where they lead in its own root, never out of it") {
  Store store;
  std::filesystem::create_directory(store.folder() + "/real");
  store.file("real/x", "inside");
  std::filesystem::create_directory_symlink("/real", store.folder() + "/absolute");
  std::filesystem::create_directory_symlink("/", store.folder() + "/up");
  store.content("absolute/x", 6);
  CHECK(store.read() == "inside");
  store.content("up" + store.dir.path() + "/record.gz", 6);
  CHECK_THROWS_WITH(store.read(), Contains("No such file"));
  store.record.clear();
  store.content("../../../../../../../../../../etc/hostname", 6);
  CHECK_THROWS_WITH(store.read(), Contains("No such file"));
}

TEST_CASE("what does not fit together is an error, and nothing blocks") {
  Store store;
  SECTION("a file of another size") {
    store.file("x", "123");
    store.content("x", 4);
  }
  SECTION("a file that is a link") {
    std::filesystem::create_symlink("y", store.folder() + "/x");
    store.file("y", "1234");
    store.content("x", 4);
  }
  SECTION("a file that is a pipe") {
    REQUIRE(::mkfifo((store.folder() + "/x").c_str(), 0600) == 0);
    store.content("x", 4);
  }
  SECTION("no file") { store.content("x", 4); }
  SECTION("no name") { store.content("", 4); }
  SECTION("an odd name") { store.content(std::string("a\0b", 3), 4); }
  SECTION("no JSON") { store.record = "{{{\n"; }
  SECTION("no entry") { store.record = "[1]\n"; }
  SECTION("a type of another kind") { store.record = R"({"type":"2"})"; }
  SECTION("no base64") { store.record = R"({"type":2,"payload":"?"})"; }
  CHECK_THROWS_AS(store.read(), Error);
}

TEST_CASE("a record that is cut off is an error") {
  Store store;
  store.segment(std::string(5000, 'x'));
  store.read();
  const std::string path = store.dir.path() + "/record.gz";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 9);
  const auto source = put_together(path, store.folder());
  CHECK_THROWS_WITH(drained(*source), Contains("gzip"));
}

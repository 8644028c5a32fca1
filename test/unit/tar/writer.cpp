#include "tar/writer.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;
using Catch::Contains;

namespace {

std::string written(const std::function<void(TarWriter&)>& what) {
  std::string bytes;
  TarWriter writer([&](View piece) { bytes += text_of(piece); });
  what(writer);
  writer.finish();
  return bytes;
}

Ran tar(const std::vector<std::string>& arguments, std::string_view archive, const std::string& directory = {}) {
  Command command;
  command.argv = {"tar"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.directory = directory;
  return run(std::move(command), archive);
}

TarEntry entry_of(TarEntry::Type type, const std::string& path, std::uint32_t mode) {
  TarEntry entry;
  entry.type = type;
  entry.path = path;
  entry.mode = mode;
  entry.mtime = 1'600'000'000;
  return entry;
}

}  // namespace

TEST_CASE("an archive is read back by tar as it was written") {
  const std::string long_path = std::string(120, 'd') + "/" + std::string(200, 'n');
  const std::string bytes = written([&](TarWriter& writer) {
    writer.entry(entry_of(TarEntry::Type::directory, "d", 0755));
    writer.file("d/run.sh", view_of("#!/bin/sh\n"), 0755, 1'600'000'000);
    TarEntry link = entry_of(TarEntry::Type::symlink, "d/link", 0777);
    link.link = "../elsewhere";
    writer.entry(link);
    writer.file(long_path, view_of("long"));
  });
  const Ran listed = tar({"--utc", "-tvf", "-"}, bytes);
  CHECK(listed.status == 0);
  CHECK(listed.err.empty());
  CHECK_THAT(listed.out, Contains("drwxr-xr-x 0/0               0 2020-09-13 12:26 d/\n"));
  CHECK_THAT(listed.out, Contains("-rwxr-xr-x 0/0              10 2020-09-13 12:26 d/run.sh\n"));
  CHECK_THAT(listed.out, Contains("d/link -> ../elsewhere\n"));
  CHECK_THAT(listed.out, Contains(long_path + "\n"));
  CHECK(tar({"-xOf", "-", "d/run.sh"}, bytes).out == "#!/bin/sh\n");
}

TEST_CASE("names of any bytes are written as they are, whatever the locale") {
  const std::string name = "new\nline \xff\xfe caf\xc3\xa9";
  const std::string bytes = written([&](TarWriter& writer) { writer.file(name, view_of("x")); });
  const TempDir place;
  CHECK(tar({"-xf", "-"}, bytes, place.path()).status == 0);
  CHECK(read_file(place.path() + "/" + name) == "x");
}

TEST_CASE("the same members give the same bytes, and the archive ends with two zero blocks") {
  const auto members = [](TarWriter& writer) { writer.file("a", view_of("abc")); };
  CHECK(written(members) == written(members));
  CHECK(written(members).size() == 512 + 512 + 1024);
  CHECK(written([](TarWriter&) {}) == std::string(1024, '\0'));
  CHECK(written(members).find("root") == std::string::npos);
  CHECK(written(members).substr(154, 2) == std::string("\0 ", 2));  // behind the checksum's digits
}

TEST_CASE("what does not fit a ustar header is told in an extended one") {
  const std::string deep = "p/" + std::string(99, 'd') + "/" + std::string(100, 'n');  // fits when cut at its '/'
  const std::string long_name = std::string(101, 'n') + "\xff";
  const std::string target(150, 't');
  TarEntry big = entry_of(TarEntry::Type::file, "far", 0644);
  big.uid = 3'000'000'000;
  big.mtime = -1;
  big.user = std::string(40, 'u');
  big.xattrs = {{"user.note", "a=b\nc"}};
  TarEntry link = entry_of(TarEntry::Type::symlink, "link", 0777);
  link.link = target;
  const std::string bytes = written([&](TarWriter& writer) {
    writer.file(deep, {});
    writer.file(long_name, {});
    writer.entry(big);
    writer.entry(link);
  });
  CHECK(bytes.find("path=" + deep) == std::string::npos);
  CHECK(bytes.find("21 hdrcharset=BINARY\n112 path=" + long_name + "\n") != std::string::npos);
  CHECK(bytes.find("18 uid=3000000000\n") != std::string::npos);
  CHECK(bytes.find("12 mtime=-1\n") != std::string::npos);
  CHECK(bytes.find("32 SCHILY.xattr.user.note=a=b\nc\n") != std::string::npos);
  const Ran listed = tar({"--numeric-owner", "--utc", "--quoting-style=literal", "-tvf", "-"}, bytes);
  CHECK(listed.status == 0);
  CHECK_THAT(listed.out, Contains(deep + "\n"));
  CHECK_THAT(listed.out, Contains("3000000000/0"));
  CHECK_THAT(listed.out, Contains("1969-12-31 23:59 far"));
  CHECK_THAT(listed.out, Contains("link -> " + target));
}

TEST_CASE("an archive that was not finished does not look whole") {
  std::string bytes;
  {
    TarWriter writer([&](View piece) { bytes += text_of(piece); });
    writer.file("a", view_of(std::string(200'000, 'a')));
    writer.file("b", view_of(std::string(1'000, 'b')));
  }
  CHECK(tar({"-tf", "-"}, bytes).status != 0);
}

TEST_CASE("a member gets exactly the bytes that its header says") {
  std::string bytes;
  TarWriter writer([&](View piece) { bytes += text_of(piece); });
  TarEntry entry = entry_of(TarEntry::Type::file, "short", 0644);
  entry.size = 10;
  writer.entry(entry);
  writer.data(view_of("12345"));
  CHECK_THROWS_WITH(writer.data(view_of("123456")), "tar: short: more data than its header says");
  CHECK_THROWS_WITH(writer.finish(), "tar: short: 5 bytes are missing");
  CHECK_THROWS_WITH(writer.file("next", view_of("")), "tar: short: 5 bytes are missing");
}

TEST_CASE("what the sink throws comes out of the writer as it was thrown") {
  TarWriter writer([](View) { throw Error("disk full"); });
  CHECK_THROWS_WITH(writer.file("a", view_of(std::string(1 << 20, 'a'))), "disk full");
}

TEST_CASE("a device is read back as it was written; what is sparse is refused") {
  TarEntry device = entry_of(TarEntry::Type::block, "dev/loop7", 0660);
  device.device_major = 7;
  device.device_minor = 300;
  const std::string bytes = written([&](TarWriter& writer) { writer.entry(device); });
  CHECK_THAT(tar({"-tvf", "-"}, bytes).out, Contains("brw-rw---- 0/0           7,300 "));
  struct Seen : TarVisitor {
    void entry(const TarEntry& entry) override { one = entry; }
    void data(View) override {}
    void end_entry() override {}
    void stray(View, const char*) override { FAIL("stray bytes"); }
    TarEntry one;
  } seen;
  TarReader reader(seen);
  reader.feed(view_of(bytes));
  reader.finish();
  CHECK(seen.one.type == TarEntry::Type::block);
  CHECK(seen.one.device_major == 7);
  CHECK(seen.one.device_minor == 300);
  device.device_major = 1U << 30;
  CHECK_THROWS_WITH(written([&](TarWriter& writer) { writer.entry(device); }), Contains("too large"));
  TarEntry sparse = entry_of(TarEntry::Type::file, "a", 0644);
  sparse.sparse = true;
  CHECK_THROWS_WITH(written([&](TarWriter& writer) { writer.entry(sparse); }), Contains("sparse"));
}

TEST_CASE("a sparse file of GNU tar is known as one, in either form") {
  const TempDir folder;
  REQUIRE(run({.argv = {"truncate", "-s", "1M", folder.path() + "/hole"}}).status == 0);
  for (const char* format : {"gnu", "posix"}) {
    const std::string bytes =
        tar({"--sparse", std::string("--format=") + format, "-cf", "-", "hole"}, "", folder.path()).out;
    struct Seen : TarVisitor {
      void entry(const TarEntry& entry) override { sparse = entry.sparse; }
      void data(View) override {}
      void end_entry() override {}
      void stray(View, const char*) override {}
      bool sparse = false;
    } seen;
    TarReader reader(seen);
    reader.feed(view_of(bytes));
    reader.finish();
    INFO(format);
    CHECK(seen.sparse);
  }
}

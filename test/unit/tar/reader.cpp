// What the tar reader shows of archives, good, odd and broken, however they are cut.
#include "tar/reader.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "base/error.hpp"
#include "tar/writer.hpp"

using namespace imgbuild;

namespace {

/// Writes down what it is shown, in a form that does not depend on where data were cut.
class Diary : public TarVisitor {
 public:
  std::string text;
  std::vector<TarEntry> entries;
  void entry(const TarEntry& entry) override {
    entries.push_back(entry);
    text += "[" + entry.path + (entry.link.empty() ? "" : "->" + entry.link) + "]";
  }
  void data(View piece) override { text += text_of(piece); }
  void end_entry() override { text += ";"; }
  void stray(View piece, const char* what) override {
    if (last_stray_ != text.size()) text += std::string("!") + what + ":";
    text += text_of(piece);
    last_stray_ = text.size();
  }

 private:
  std::size_t last_stray_ = std::string::npos;
};

std::string written(const std::function<void(TarWriter&)>& fill) {
  std::string bytes;
  TarWriter writer([&](View piece) { bytes += text_of(piece); });
  fill(writer);
  writer.finish();
  return bytes;
}

Diary read(std::string_view bytes, std::size_t cut = std::string::npos) {
  Diary diary;
  TarReader reader(diary);
  for (std::size_t at = 0; at < bytes.size(); at += std::min(cut, bytes.size() - at))
    reader.feed(view_of(bytes.substr(at, cut)));
  reader.finish();
  return diary;
}

void set_checksum(std::string& bytes, std::size_t header) {
  bytes.replace(header + 148, 8, "        ");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(bytes[header + i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  bytes.replace(header + 148, 7, std::string(text, 7));
}

/// A header block by hand.
std::string header(char type, const std::string& name, std::size_t size) {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  char text[13];
  std::snprintf(text, sizeof text, "%011o", static_cast<unsigned>(size));
  block.replace(124, 11, text, 11);
  for (const std::size_t field : {100, 108, 116}) block.replace(field, 7, "0000644");
  block.replace(136, 11, "00000000000");
  block[156] = type;
  block.replace(257, 8,
                std::string("ustar\0"
                            "00",
                            8));
  set_checksum(block, 0);
  return block;
}

std::string blocks(std::string data) {
  data.resize((data.size() + 511) / 512 * 512, '\0');
  return data;
}

const std::string end_mark(1024, '\0');

}  // namespace

TEST_CASE("Every member is shown with its data, and a folder, a link and an empty file without") {
  const auto bytes = written([](TarWriter& writer) {
    TarEntry folder;
    folder.type = TarEntry::Type::directory;
    folder.path = "etc";
    folder.mode = 0755;
    writer.entry(folder);
    writer.file("etc/motd", view_of("hello"));
    TarEntry link;
    link.type = TarEntry::Type::symlink;
    link.path = "etc/link";
    link.link = "/secret/target";
    writer.entry(link);
    writer.file("etc/empty", {});
  });
  const auto diary = read(bytes);
  REQUIRE(diary.entries.size() == 4);
  CHECK(diary.text.find("[etc/motd]hello;") != std::string::npos);
  CHECK(diary.text.find("[etc/link->/secret/target];") != std::string::npos);
  CHECK(diary.text.find("[etc/empty];") != std::string::npos);
}

TEST_CASE("What the tar reader shows does not depend on cuts") {
  auto bytes = written([](TarWriter& writer) {
    writer.file(std::string(300, 'n') + "/long", view_of(std::string(1500, 'x')));
    TarEntry entry;
    entry.path = "a";
    entry.xattrs = {{"user.note", "value"}};
    writer.entry(entry);
  });
  bytes += "after the end";
  const auto whole = read(bytes).text;
  for (const std::size_t cut : {1, 3, 511, 512, 513, 1000}) CHECK(read(bytes, cut).text == whole);
}

TEST_CASE("Bytes after the end mark are shown, however many zeros stand before them") {
  const auto bytes =
      header('0', "a", 0) + end_mark + std::string(5000, '\0') + "hidden" + std::string(10, '\0') + "more";
  const auto text = read(bytes).text;
  CHECK(text.find("!tail:hidden") != std::string::npos);
  CHECK(text.find("more") != std::string::npos);
}

TEST_CASE("Padding that is not zero is shown") {
  std::string data = blocks("data");
  data.replace(100, 6, "hidden");
  const auto text = read(header('0', "a", 4) + data + end_mark).text;
  CHECK(text.find("!padding:") != std::string::npos);
  CHECK(text.find("hidden") != std::string::npos);
}

TEST_CASE("Bytes of a header that no field claims are shown") {
  auto block = header('0', "name", 0);
  SECTION("behind the end of the name") { block.replace(20, 6, "hidden"); }
  SECTION("behind the end of the link target") { block.replace(170, 6, "hidden"); }
  SECTION("in the last twelve bytes") { block.replace(503, 6, "hidden"); }
  SECTION("in place of a number") { block.replace(108, 7, "hidden\0", 7); }
  set_checksum(block, 0);
  const auto text = read(block + end_mark).text;
  CHECK(text.find("hidden") != std::string::npos);
}

TEST_CASE("A name that a pax record replaces is shown all the same") {
  const auto bytes = header('x', "PaxHeaders/a", 14) + blocks("14 path=real\n\n");
  CHECK_THROWS_AS(read(bytes), Error);  // the record's length is wrong
  const auto good = header('x', "PaxHeaders/a", 13) + blocks("13 path=real\n") + header('0', "shadowed", 0) + end_mark;
  const auto diary = read(good);
  REQUIRE(diary.entries.size() == 1);
  CHECK(diary.entries[0].path == "real");
  CHECK(diary.text.find("shadowed") != std::string::npos);
}

TEST_CASE("A record said twice is shown twice") {
  const auto bytes = header('x', "x", 27) + blocks("13 path=first\n14 path=second\n");
  CHECK_THROWS_AS(read(bytes), Error);
  const std::string records = "14 path=first\n15 path=second\n";
  const auto diary = read(header('x', "x", records.size()) + blocks(records) + header('0', "n", 0) + end_mark);
  REQUIRE(diary.entries.size() == 1);
  CHECK(diary.entries[0].path == "second");
  CHECK(diary.entries[0].pax == std::vector<std::pair<std::string, std::string>>{{"path", "first"}});
}

TEST_CASE("Extended attributes of both spellings are decoded; other records are kept") {
  const std::string records =
      "30 SCHILY.xattr.user.note=text\n"
      "38 LIBARCHIVE.xattr.user%2Eother=dGV4dA\n"
      "17 comment=hello\n";
  std::string fixed;
  for (std::string record :
       {"SCHILY.xattr.user.note=text", "LIBARCHIVE.xattr.user%2Eother=dGV4dA==", "comment=hello"}) {
    std::size_t length = record.size() + 2;
    length += std::to_string(length + 2).size();
    fixed += std::to_string(length) + " " + record + "\n";
  }
  const auto diary = read(header('x', "x", fixed.size()) + blocks(fixed) + header('0', "n", 0) + end_mark);
  REQUIRE(diary.entries.size() == 1);
  CHECK(diary.entries[0].xattrs ==
        std::vector<std::pair<std::string, std::string>>{{"user.note", "text"}, {"user.other", "text"}});
  CHECK(diary.entries[0].pax == std::vector<std::pair<std::string, std::string>>{{"comment", "hello"}});
}

TEST_CASE("GNU long names and link targets are put together") {
  const std::string name(200, 'n'), target(150, 't');
  const auto bytes = header('L', "././@LongLink", name.size() + 1) + blocks(name + '\0') +
                     header('K', "././@LongLink", target.size() + 1) + blocks(target + '\0') + header('2', "short", 0) +
                     end_mark;
  const auto diary = read(bytes);
  REQUIRE(diary.entries.size() == 1);
  CHECK(diary.entries[0].path == name);
  CHECK(diary.entries[0].link == target);
  CHECK(diary.entries[0].type == TarEntry::Type::symlink);
}

TEST_CASE("A link has no data, whatever its size says: the next block is a header, as Docker reads it") {
  const auto bytes = header('1', "link", 512) + header('0', "next", 0) + end_mark;
  const auto diary = read(bytes);
  REQUIRE(diary.entries.size() == 2);
  CHECK(diary.entries[1].path == "next");
}

TEST_CASE("A cut archive is truncated, after what it holds has been shown") {
  const auto bytes = header('0', "a", 1000) + blocks(std::string(1000, 'x')) + end_mark;
  for (const std::size_t size : {100, 511, 513, 1000}) {
    Diary diary;
    TarReader reader(diary);
    reader.feed(view_of(bytes).first(size));
    CHECK_THROWS_WITH(reader.finish(), "truncated archive");
    if (size > 512) CHECK(diary.entries.size() == 1);
  }
}

TEST_CASE("A damaged header says at which byte") {
  auto bytes = header('0', "a", 0) + header('0', "b", 0) + end_mark;
  bytes[512] = 'c';
  CHECK_THROWS_WITH(read(bytes), "damaged header at byte 512");
}

TEST_CASE("A size that cannot be is damage, not a huge allocation") {
  auto block = header('x', "x", 0);
  block.replace(124, 12, "777777777777");
  set_checksum(block, 0);
  CHECK_THROWS_WITH(read(block), Catch::Contains("16 MiB"));
  block[156] = '0';
  block[124] = '\xff';
  set_checksum(block, 0);
  CHECK_THROWS_WITH(read(block), Catch::Contains("damaged header"));
}

TEST_CASE("A tar is known by its checksum, not by its name") {
  CHECK(looks_like_tar(view_of(header('0', "a", 0))));
  CHECK_FALSE(looks_like_tar(view_of(std::string(512, '\0'))));
  CHECK_FALSE(looks_like_tar(view_of(std::string(512, 'a'))));
  CHECK_FALSE(looks_like_tar(view_of("short")));
}

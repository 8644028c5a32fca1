// What the ar reader shows of archives, good, odd and broken, however they are cut.
#include "tar/ar.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"

using namespace imgbuild;

namespace {

class Diary : public TarVisitor {
 public:
  std::string text;
  std::size_t bytes = 8;  // the magic number
  void entry(const TarEntry& entry) override { text += "[" + entry.path + "]"; }
  void data(View piece) override {
    text += text_of(piece);
    bytes += piece.size();
  }
  void end_entry() override { text += ";"; }
  void stray(View piece, const char*) override { bytes += piece.size(); }
};

Diary read(std::string_view archive, std::size_t cut = std::string::npos) {
  Diary diary;
  ArReader reader(diary);
  try {
    for (std::size_t at = 0; at < archive.size(); at += std::min(cut, archive.size() - at))
      reader.feed(view_of(archive.substr(at, cut)));
    reader.finish();
  } catch (const Error& error) {
    diary.text += std::string(" ") + error.what();
  }
  return diary;
}

std::string member(std::string name, const std::string& data, std::string size = {}) {
  if (size.empty()) size = std::to_string(data.size());
  name.resize(16, ' ');
  size.resize(10, ' ');
  return name + "0           0     0     644     " + size + "`\n" + data + (data.size() % 2 != 0 ? "\n" : "");
}

/// What a shell command prints.
std::string made(const std::string& command) {
  Ran ran = run({.argv = {"sh", "-c", command}});
  REQUIRE(ran.status == 0);
  return ran.out;
}

}  // namespace

TEST_CASE("An ar shows its members by their names, short and long, of GNU and of BSD") {
  const std::string gnu = "!<arch>\n" + member("//", "a_very_long_name_indeed.o/\nanother_long_name.o/\n") +
                          member("/0", "one") + member("/27", "two") + member("short.o/", "three");
  const std::string bsd = "!<arch>\n" + member("#1/20", std::string("long_name_of_bsd.o\0\0", 20) + "four") +
                          member("plain.o", "") + member("__.SYMDEF", "5");
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
    CHECK(read(gnu, cut).text ==
          "[//]a_very_long_name_indeed.o/\nanother_long_name.o/"
          "\n;[a_very_long_name_indeed.o]one;[another_long_name.o]two;"
          "[short.o]three;");
    CHECK(read(bsd, cut).text == "[long_name_of_bsd.o]four;[plain.o];[__.SYMDEF]5;");
  }
}

TEST_CASE("What binutils writes is read as it lists it") {
  const TempDir folder;
  const std::string command =
      "cd " + folder.path() +
      " && for i in 1 a_name_that_is_longer_than_sixteen.o x; do printf $i > $i; done && ar rc all.a 1 "
      "a_name_that_is_longer_than_sixteen.o x && cat all.a";
  const std::string archive = made(command);
  CHECK(read(archive).text.ends_with(
      "[1]1;[a_name_that_is_longer_than_sixteen.o]a_name_that_is_longer_than_sixteen.o;[x]x;"));
}

TEST_CASE("A damaged ar says where, after it has shown what was good") {
  const std::string good = "!<arch>\n" + member("a", "first") + member("b", "second");
  CHECK(read(good).text == "[a]first;[b]second;");
  CHECK(read(good + "\n\n").text == "[a]first;[b]second;");
  CHECK(read(good.substr(0, good.size() - 2)).text == "[a]first;[b]seco truncated ar archive");
  CHECK(read(good.substr(0, 100)).text == "[a]first; truncated ar archive");
  CHECK(read("!<arch>\n" + member("a", "first") + std::string(60, 'x')).text ==
        "[a]first; damaged ar header at byte 74");
  CHECK(read("!<arch>\n" + member("a", "first", "-5")).text == " damaged ar header at byte 8");
  CHECK(read("!<arch>\n" + member("#1/99999", "first")).text == " damaged ar header at byte 8");
  CHECK(read("!<arch>\n" + member("/123456", "first")).text == "[/123456]first;");
}

TEST_CASE("No byte of an ar goes unseen") {
  const std::string archive = "!<arch>\n" + member("//", "a_very_long_name_indeed.o/\n") + member("/0", "12345") +
                              member("even", "1234") + std::string("#1/4            anything in the date") +
                              std::string(12, ' ') + "8         `\nnamedata";
  // all but the line feeds that fill up, and BSD's name, which is the entry's
  CHECK(read(archive).bytes == archive.size() - 2 - 4);
}

// What no table of contents leads to: bytes before, between and behind an archive's members, and members in the midst
// of other bytes.
#include <catch2/catch.hpp>

#include "look.hpp"

using namespace imgbuild;
using namespace imgbuild::test;
using namespace std::string_literals;

namespace {

const std::string found = "ssh.private-key file ";

/// Whole, and as it streams by; packed, so that nothing of it lies there as it is.
void check_finds(const std::string& content, const std::string& hit, std::size_t piece = 5000) {
  REQUIRE(content.find("PRIVATE") == std::string::npos);
  for (const bool streamed : {false, true}) {
    INFO(streamed);
    const Look look(content, streamed, piece);
    CAPTURE(look.hits());
    CHECK(look.finds(hit));
    CHECK(look.gaps().empty());
  }
}

std::string noise(std::size_t size) {
  std::string made;
  for (std::uint32_t state = 1; made.size() < size; made += static_cast<char>(state >> 24))
    state = state * 1664525 + 1013904223;
  return made;
}

struct Made {
  TempDir folder;
  std::string zip, gzip;
  Made() {
    put(folder, "k", key());
    put(folder, "plain", "a text");
    zip = shell(folder, "zip -q k.zip k && cat k.zip");
    gzip = shell(folder, "gzip -nc k");
  }
};

}  // namespace

TEST_CASE("A zip's members are read in the midst of other bytes: a disk's image, a process's memory") {
  const Made made;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5000}})
    check_finds(noise(700) + made.zip + noise(3000), found + "k", piece);
  put(made.folder, "more.txt", std::string(3000, 'y') + noise(500));
  const std::string two = shell(made.folder, "zip -q t.zip more.txt k && cat t.zip");
  check_finds(noise(70000) + two.substr(0, two.size() - 20) + noise(30), found + "k");
  // With a descriptor behind each, as what cannot seek writes it.
  check_finds(noise(100) + shell(made.folder, "cat k | zip -q - - | cat") + noise(2000), found + "-");
  shell(made.folder, "mkdir d && cp k.zip d && mke2fs -q -t ext4 -d d disk 2M");
  check_finds(read_file(made.folder.path() + "/disk"), found + "k");
  // What only begins alike is none; what says that it is encrypted is told.
  CHECK(Look(noise(300) + "PK\3\4 in a program" + noise(900)).is_clean());
  CHECK(Look(noise(300) + made.zip.substr(0, 40) + noise(900)).is_clean());
  const std::string sealed = noise(300) + shell(made.folder, "zip -q -P secret s.zip k && cat s.zip") + noise(2000);
  for (const bool streamed : {false, true})
    CHECK(Look(sealed, streamed).gaps() == std::vector<std::string>{"srv/file: encrypted"});
}

TEST_CASE("What lies before, between and behind a zip's members is looked into") {
  const Made made;
  // Two with the same names: readers see the second one.
  shell(made.folder, "mkdir other");
  put(made.folder, "other/k", "no key\n");
  const std::string other = shell(made.folder, "cd other && zip -q ../o.zip k && cat ../o.zip");
  check_finds(made.zip + other, found + "k");
  check_finds("#!/bin/sh\n" + made.gzip + noise(3000) + other, found);
  const std::size_t table = other.find("PK\1\2"), end = other.rfind("PK\5\6");
  REQUIRE(end < other.size());
  // Between the members and their table, as an APK's signature stands; and as a comment.
  std::string record = other.substr(end);
  const std::size_t moved = table + made.gzip.size();
  record[16] = static_cast<char>(moved & 255);
  record[17] = static_cast<char>(moved >> 8);
  check_finds(other.substr(0, table) + made.gzip + other.substr(table, end - table) + record, found);
  record = other.substr(end);
  record[20] = static_cast<char>(made.gzip.size() & 255);
  record[21] = static_cast<char>(made.gzip.size() >> 8);
  check_finds(other.substr(0, end) + record + made.gzip, found);
}

TEST_CASE("What follows an archive's end is looked into: 7z, squashfs, ISO 9660, cpio, tar") {
  const Made made;
  const std::pair<const char*, const char*> archives[] = {
      {"7z", "7z a -bd a.7z plain >/dev/null && cat a.7z"},
      {"squashfs", "mksquashfs plain a.sq -quiet -no-progress >/dev/null && cat a.sq"},
      {"iso", "genisoimage -quiet -R -o a.iso plain && cat a.iso"},
      {"cpio", "echo plain | cpio -o --quiet -H newc"},
      {"tar", "tar cf - plain"}};
  for (const auto& [name, command] : archives) {
    INFO(name);
    const std::string archive = shell(made.folder, command), hit = name == "tar"s ? "ssh.private-key tail " : found;
    for (const std::string& between : {""s, std::string(1024, '\0'), "MORE"s + noise(40)}) {
      check_finds(archive + between + made.gzip, hit);
      check_finds(archive + between + made.zip, hit + "k");
    }
    CHECK(Look(archive).is_clean());
    CHECK(Look(archive + std::string(5000, '\0')).is_clean());
  }
}

TEST_CASE("What lz4 skips is looked at as content, as what zstd skips is") {
  const Made made;
  const std::string frame = shell(made.folder, "lz4 -qc plain");
  std::string head("S*M\x18\0\0\0\0", 8);
  head[4] = static_cast<char>(made.gzip.size() & 255);
  head[5] = static_cast<char>(made.gzip.size() >> 8);
  check_finds(frame + head + made.gzip, found, 1);
  check_finds(frame + head + made.gzip + frame, found);
  CHECK(Look(frame + std::string("S*M\x18\0\0\0\0", 8) + frame).is_clean());
  CHECK(Look(frame + std::string("S*M\x18\x10\0\0\0text", 12)).gaps() ==
        std::vector<std::string>{"srv/file: truncated lz4 stream"});
}

TEST_CASE("cpio's first format is read, which cpio still writes, in either byte order") {
  const Made made;
  put(made.folder, "odd", "odd");
  const std::string archive = shell(made.folder, "printf 'odd\\nk.zip\\nplain\\n' | cpio -o --quiet -H bin");
  std::string swapped = archive;
  // Its words only: a header is followed by a name and by content.
  const auto number = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(archive[at]) | static_cast<std::uint8_t>(archive[at + 1])
                                                                                 << 8);
  };
  for (std::size_t at = 0; at + 26 < archive.size() && number(at) == 070707;) {
    for (std::size_t i = 0; i < 26; i += 2) std::swap(swapped[at + i], swapped[at + i + 1]);
    at += 26 + (number(at + 20) + 1) / 2 * 2 + (number(at + 22) * 65536 + number(at + 24) + 1) / 2 * 2;
  }
  for (const std::string& one : {archive, swapped}) {
    check_finds(one, found + "k.zip!k");
    check_finds(one + made.gzip, found);
    CHECK_FALSE(Look(one.substr(0, one.size() - 530)).gaps().empty());
  }
  CHECK(Look("\xc7\x71 and text, of no archive").is_clean());
}

TEST_CASE("Extended attributes of a squashfs are looked at, however they are packed") {
  const Made made;
  std::string words;
  for (int i = 0; i < 40; ++i) words += "a word of row " + std::to_string(i % 7) + ", ";
  shell(made.folder, "setfattr -n user.note -v '" + words + "token = " + token + " and " + words + "' plain");
  const std::string image =
      shell(made.folder, "mksquashfs plain x.sq -quiet -no-progress -xattrs >/dev/null && cat x.sq");
  if (image.find("user") == std::string::npos && image.size() < 300) return;  // its file system keeps none
  for (const bool streamed : {false, true}) {
    const Look look(image, streamed);
    CAPTURE(look.gaps());
    CHECK(look.finds("github.token xattr "));
    CHECK(look.gaps().empty());
  }
}

TEST_CASE("Keys and values of databases that stand one behind the other are told apart, as Arrow's texts are") {
  const std::string heads[] = {std::string(16, '\0') + "\xed\xda\x0c\xed"s, std::string(16, '\0') + "\xde\xc0\xef\xbe"s,
                               std::string(12, '\0') + "\x61\x15\6\0"s, "\xcd\x9a\x57\x13"s};
  for (const std::string& head : heads)
    CHECK(Look(head + noise(200) + "REGISTRY_TOKEN" + token + "other_key" + noise(60)).finds("github.token file "));
  CHECK(
      Look("ARROW1\0\0"s + noise(200) + "alicebobhello" + token + "worldmore" + noise(60)).finds("github.token file "));
}

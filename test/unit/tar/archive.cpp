// Containers are known by content, opened without external programs, and told where they cannot be read. The archives
// are made by the tools that people use.
#include "tar/archive.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"

using namespace imgbuild;

namespace {

/// What a shell command prints.
std::string made(const std::string& command) {
  Ran ran = run({.argv = {"sh", "-c", command}});
  REQUIRE(ran.status == 0);
  return ran.out;
}

const std::string plain = "some text that is long enough to be looked at, twice; some text that is long enough\n";

std::string packed_by(const std::string& command) { return made("printf '%s' '" + plain + "' | " + command); }

std::string inflated(Container kind, std::string_view packed, std::size_t cut) {
  std::string plain_text;
  Bytes buffer(7);
  Inflater inflater(
      kind, [&] { return std::span(buffer); }, [&](View filled) { plain_text += text_of(filled); });
  for (std::size_t at = 0; at < packed.size(); at += std::min(cut, packed.size() - at))
    inflater.feed(view_of(packed.substr(at, cut)));
  inflater.finish();
  return plain_text;
}

class Diary : public ArchiveVisitor {
 public:
  std::string text, unread;
  void member(const std::string& path, const std::string& link) override {
    text += "[" + path + (link.empty() ? "" : "->" + link) + "]";
  }
  void data(View piece) override { text += text_of(piece); }
  void end_member() override { text += ";"; }
  void unreadable(const std::string& why) override { unread += why + ";"; }
};

}  // namespace

TEST_CASE("gzip and zstd are inflated, member after member, wherever they are cut") {
  for (const auto& [kind, tool] : {std::pair(Container::gzip, "gzip -c"), std::pair(Container::zstd, "zstd -qc")}) {
    const auto packed = packed_by(tool);
    CHECK(container_of(view_of(packed)) == kind);
    for (const std::size_t cut : {1, 2, 5, 1000}) {
      CHECK(inflated(kind, packed, cut) == plain);
      CHECK(inflated(kind, packed + packed + packed, cut) == plain + plain + plain);
      CHECK(inflated(kind, packed + "trailing garbage", cut) == plain);
    }
  }
}

TEST_CASE("A cut or damaged gzip or zstd stream is told") {
  for (const auto& [kind, tool] :
       {std::pair(Container::gzip, "gzip -c"), std::pair(Container::zstd, "zstd -qc --check")}) {
    const auto packed = packed_by(tool);
    for (const std::size_t size : {std::size_t{1}, std::size_t{5}, packed.size() - 1})
      CHECK_THROWS_WITH(inflated(kind, std::string_view(packed).substr(0, size), 3), Catch::Contains("truncated"));
    auto damaged = packed;
    damaged[damaged.size() - 6] ^= 0x55;
    CHECK_THROWS_WITH(inflated(kind, damaged, 3), Catch::Contains("damaged"));
  }
}

TEST_CASE("xz, bzip2 and lz4 are unpacked") {
  for (const auto& [kind, tool] : {std::pair(Container::xz, "xz -c"), std::pair(Container::bzip2, "bzip2 -c"),
                                   std::pair(Container::lz4, "lz4 -c -q")}) {
    const auto packed = packed_by(tool);
    CHECK(container_of(view_of(packed)) == kind);
    ViewSource source(view_of(packed));
    const auto unpacked = unpack(source, kind);
    std::string text;
    for (View piece = unpacked->next(); !piece.empty(); piece = unpacked->next()) text += text_of(piece);
    CHECK(text == plain);

    ViewSource cut(view_of(packed).first(packed.size() - 20));
    const auto drain = [&] {
      const auto broken = unpack(cut, kind);
      while (!broken->next().empty()) {
      }
    };
    CHECK_THROWS_AS(drain(), Error);
  }
}

TEST_CASE("A zip is read by both of its tables of contents") {
  const TempDir folder;
  const auto zip = made("cd " + folder.path() +
                        " && printf first > a.txt && printf second > b.txt && zip -q z.zip a.txt b.txt && cat z.zip");
  REQUIRE(container_of(view_of(zip)) == Container::zip);
  Diary diary;
  CHECK(read_archive(view_of(zip), Container::zip, diary));
  CHECK(diary.text == "[a.txt]first;[b.txt]second;");
  CHECK(diary.unread.empty());

  // A central directory that knows only the second member: the first one's local header still tells of it.
  auto hidden = zip;
  const std::size_t first = hidden.find("PK\1\2"), second = hidden.find("PK\1\2", first + 4);
  const std::size_t end = hidden.find("PK\5\6");
  hidden.erase(first, second - first);
  const std::size_t shift = second - first;
  const std::size_t at = end - shift;
  hidden[at + 8] = hidden[at + 10] = 1;
  hidden[at + 12] = static_cast<char>(static_cast<unsigned char>(hidden[at + 12]) - shift);
  Diary both;
  CHECK(read_archive(view_of(hidden), Container::zip, both));
  CHECK(both.text.find("[b.txt]second;") != std::string::npos);
  CHECK(both.text.find("[a.txt]first;") != std::string::npos);
}

TEST_CASE("A zip's members are shown as they were packed: deflated, stored, behind a pipe, links, folders") {
  const TempDir folder;
  const auto zip = made("cd " + folder.path() +
                        " && mkdir d && seq 1 200000 > d/large && printf stored > small && ln -s d/large link"
                        " && zip -q -r -y z.zip d small link && printf piped | zip -q p.zip - && cat z.zip");
  Diary diary;
  CHECK(read_archive(view_of(zip), Container::zip, diary));
  CHECK(diary.text == "[d/];[d/large]" + made("seq 1 200000") + ";[small]stored;[link->d/large];");
  CHECK(diary.unread.empty());

  const auto streamed = made("printf piped | zip -q - - | cat");  // sizes stand behind the data
  Diary piped;
  CHECK(read_archive(view_of(streamed), Container::zip, piped));
  CHECK(piped.text == "[-]piped;");
  CHECK(piped.unread.empty());
}

TEST_CASE("A member of a zip that is not what was packed is told, with what there is of it") {
  const TempDir folder;
  const auto zip =
      made("cd " + folder.path() + " && printf first > a && seq 1 20000 > b && zip -q z.zip a b && cat z.zip");
  for (const std::string member : {"a", "b"}) {
    auto damaged = zip;
    const std::size_t data =
        damaged.find("PK\3\4", member == "a" ? 0 : 4) + 100;  // behind header, name and extra field
    damaged[member == "a" ? damaged.find("first") : data] ^= 1;
    Diary diary;
    CHECK(read_archive(view_of(damaged), Container::zip, diary));
    CHECK(diary.unread == "damaged zip archive;");
    CHECK(diary.text.find("[" + member + "]") != std::string::npos);
    if (member == "a") CHECK(diary.text.starts_with("[a]girst;"));
  }
}

TEST_CASE("An encrypted zip says so") {
  const TempDir folder;
  const auto zip = made("cd " + folder.path() + " && printf secret > a.txt && zip -q -P word z.zip a.txt && cat z.zip");
  Diary diary;
  CHECK(read_archive(view_of(zip), Container::zip, diary));
  CHECK(diary.text.find("secret") == std::string::npos);
  CHECK(diary.unread.find("encrypted") != std::string::npos);
}

TEST_CASE("A zip behind a program is known by its end") {
  const TempDir folder;
  const auto zip = made("cd " + folder.path() + " && printf first > a.txt && zip -q z.zip a.txt && cat z.zip");
  const std::string program = "#!/bin/sh\nexit 0\n" + zip;
  CHECK(container_of(view_of(program)) == Container::none);
  CHECK(ends_as_zip(view_of(program), program.size()));
  CHECK_FALSE(ends_as_zip(view_of(plain), plain.size()));
  Diary diary;
  CHECK(read_archive(view_of(program), Container::zip, diary));
  CHECK(diary.text.find("[a.txt]first;") != std::string::npos);
}

TEST_CASE("Debian packages and cpio archives are opened") {
  const TempDir folder;
  // cpio "newc": a magic number, thirteen numbers of eight hex digits, the name, the data, filled up to four bytes
  const auto member = [](const std::string& name, const std::string& data) {
    const auto number = [](std::size_t value) {
      char digits[20];
      std::snprintf(digits, sizeof digits, "%08zx", value);
      return std::string(digits);
    };
    const auto filled = [](std::string part) { return part.append((4 - part.size() % 4) % 4, '\0'); };
    const std::size_t mode = data.empty() ? 0 : 0100644;
    std::string header =
        "070701" + number(1) + number(mode) + number(0) + number(0) + number(1) + number(0) + number(data.size());
    for (int i = 0; i < 4; ++i) header += number(0);
    header += number(name.size() + 1) + number(0);
    return filled(header + name + '\0') + filled(data);
  };
  const auto cpio = member("a.txt", "first") + member("TRAILER!!!", "");
  REQUIRE(container_of(view_of(cpio)) == Container::cpio);
  Diary diary;
  CHECK(read_archive(view_of(cpio), Container::cpio, diary));
  CHECK(diary.text == "[a.txt]first;");
}

TEST_CASE("A magic number alone is no container") {
  for (const std::string_view text :
       {"PK and more text that is only text, as one finds it everywhere",
        "\x1f\x8b but not gzip, for the method is wrong", "BZh9 is how a text about bzip2 may begin",
        "!<arch>\nbut nothing that follows it", "070701 is a number, too", "7z"})
    CHECK(container_of(view_of(text)) == Container::none);
}

TEST_CASE("A cpio name that claims to be gigabytes long is not asked for") {
  /// A header, and zeros without end.
  class Endless : public Whole {
   public:
    explicit Endless(std::string header) : header_(std::move(header)) {}
    std::uint64_t size() const override { return std::uint64_t{1} << 33; }
    std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
      asked_for += into.size();
      std::fill(into.begin(), into.end(), std::uint8_t{0});
      for (std::size_t i = 0; i < into.size() && offset + i < header_.size(); ++i)
        into[i] = static_cast<std::uint8_t>(header_[static_cast<std::size_t>(offset) + i]);
      return into.size();
    }
    mutable std::uint64_t asked_for = 0;

   private:
    std::string header_;
  };
  const std::string first = "070701" + std::string(8, '0') + "000081A4" + std::string(16, '0') + "00000001" +
                            std::string(8, '0') + "00000005" + std::string(32, '0') + "00000002" + std::string(8, '0') +
                            std::string("a\0hello\0\0\0", 10);
  std::string bad = first.substr(0, 94) + "70000000" + std::string(8, '0');
  for (const std::string& text : {bad, first + bad, first + "x" + bad}) {
    const Endless whole(text);
    Diary diary;
    const bool any = read_archive(whole, Container::cpio, diary);
    CHECK(any == (text != bad));
    CHECK((!any || !diary.unread.empty()));
    CHECK(whole.asked_for < (1 << 20));
  }
}

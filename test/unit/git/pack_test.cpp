// Packs that git wrote, read object by object.
#include "git/pack.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"

using namespace imgbuild;

namespace {

std::string git(const std::string& command) {
  Ran ran =
      run({.argv = {"sh", "-c",
                    "exec 2>&1; export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_COMMITTER_NAME=a "
                    "GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_EMAIL=a@b; " +
                        command}});
  INFO(ran.out);
  REQUIRE(ran.status == 0);
  return ran.out;
}

/// Every object by its content; the id stays git's affair here.
class Diary : public PackVisitor {
 public:
  std::multimap<std::string, std::string> objects;
  std::string unread;
  std::uint64_t most = UINT64_MAX, made = 0;
  Bytes id_of(GitObject::Type type, const Whole& content) override {
    const std::string text = std::string(name_of(type)) + " " + std::string(text_of(content.part(0, 1 << 24)));
    const auto known = ids.find(text);
    return known == ids.end() ? Bytes(20) : known->second;
  }
  void object(GitObject::Type type, const Bytes&, const Whole& content) override {
    objects.emplace(name_of(type), text_of(content.part(0, 1 << 24)));
  }
  void unpacked(std::uint64_t bytes) override {
    made += bytes;
    if (made > most) throw Error("too much");
  }
  void unreadable(const std::string& why) override { unread += why + ";"; }
  std::map<std::string, Bytes> ids;  ///< by "TYPE CONTENT"
};

std::string versions(const TempDir& folder, const std::string& options = "") {
  return "cd " + folder.path() + " && git init -q r " + options +
         " && cd r && i=0; while [ $i -lt 60 ]; do seq $i $((i + 400)) > numbers; git add numbers; "
         "git commit -q -m \"number $i\"; i=$((i + 1)); done; git tag -a -m 'a tag' v1; ";
}

}  // namespace

TEST_CASE("Every object of a pack is read, its deltas resolved by distance or by id") {
  for (const char* way : {"--delta-base-offset", "--no-delta-base-offset"}) {
    const TempDir folder;
    git(versions(folder) + "git rev-list --objects --all | git pack-objects -q " + std::string(way) +
        " --depth=50 --stdout > ../p.pack; git cat-file --batch-all-objects --batch-check | wc -l");
    const std::string pack = read_file(folder.path() + "/p.pack");
    Diary diary;
    // What git says of each blob: needed where a base is named by its id.
    for (const auto& line :
         split(trim(git("cd " + folder.path() + "/r; git cat-file --batch-all-objects --batch-check")), '\n')) {
      const auto words = split(line, ' ');
      const std::string content =
          run({.argv = {"git", "-C", folder.path() + "/r", "cat-file", words[1], words[0]}}).out;
      diary.ids[words[1] + " " + content] = *unhex(words[0]);
    }
    read_pack(ViewWhole(view_of(pack)), 20, diary);
    CHECK(diary.unread.empty());
    CHECK(diary.objects.size() == diary.ids.size());
    for (const auto& [type, content] : diary.objects) CHECK(diary.ids.count(type + " " + content) == 1);
    CHECK(pack.size() * 5 < diary.made);
  }
}

TEST_CASE("A thin pack shows what it has, and says what it lacks") {
  const TempDir folder;
  git(versions(folder) + "printf 'HEAD\\n^HEAD~5\\n' | git pack-objects -q --revs --thin --stdout > ../p.pack");
  const std::string pack = read_file(folder.path() + "/p.pack");
  Diary diary;
  read_pack(ViewWhole(view_of(pack)), 20, diary);
  CHECK(diary.unread == "deltas of objects that are elsewhere (a thin git pack);");
  CHECK(diary.objects.count("commit") == 5);
}

TEST_CASE("A pack that is cut or changed anywhere is told, and neither crashes nor hangs") {
  const TempDir folder;
  git(versions(folder) + "git rev-list --objects --all | git pack-objects -q --stdout > ../p.pack");
  const std::string pack = read_file(folder.path() + "/p.pack");
  for (std::size_t size = 12; size < pack.size(); size += 512) {
    Diary diary;
    read_pack(ViewWhole(view_of(pack).first(size)), 20, diary);
    CHECK_FALSE(diary.unread.empty());
  }
  for (std::size_t at = 12; at + 20 < pack.size(); at += 97) {
    std::string changed = pack;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    Diary diary;
    diary.most = std::uint64_t{64} << 20;
    try {
      read_pack(ViewWhole(view_of(changed)), 20, diary);
    } catch (const Error&) {
    }
  }
}

TEST_CASE("A pack with more than it can hold is stopped by who reads it") {
  const TempDir folder;
  git("cd " + folder.path() +
      " && git init -q r && cd r && head -c 50000000 /dev/zero > z && git add z && git commit -q -m z && "
      "git repack -q -a -d && cp .git/objects/pack/*.pack ../p.pack");
  const std::string pack = read_file(folder.path() + "/p.pack");
  CHECK(pack.size() < 100000);
  Diary diary;
  diary.most = 1 << 20;
  CHECK_THROWS_WITH(read_pack(ViewWhole(view_of(pack)), 20, diary), "too much");
}

TEST_CASE("A loose object is known by what it unpacks to") {
  const TempDir folder;
  git("cd " + folder.path() +
      " && git init -q r && cd r && echo text > a && git add a && cp .git/objects/[0-9a-f]*/* ../loose");
  const std::string loose = read_file(folder.path() + "/loose");
  CHECK(begins_loose_object(view_of(loose)));
  CHECK_FALSE(begins_loose_object(view_of("x^2 + y^2 = z^2, and other formulas that begin as zlib does")));
  const auto head = read_loose_head(view_of(std::string_view("blob 12\0text", 12)));
  REQUIRE(head);
  CHECK(head->size == 12);
  CHECK(head->length == 8);
  CHECK_FALSE(read_loose_head(view_of("blob twelve")));
  CHECK_FALSE(read_loose_head(view_of("blob 99999999999999999999999")));
}

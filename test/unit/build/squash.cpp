// Several layers as one: what of each is left, and what still means the layers below.
#include "build/squash.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "fake_engine.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;
using Type = TarEntry::Type;

namespace {

// "d/" a folder, "a=x" a file with content x, "l->t" a symlink, "h is t" a hard link.
std::string layer_of(const std::vector<std::string>& members) {
  std::string tar;
  TarWriter writer([&](View bytes) { tar += text_of(bytes); });
  for (const std::string& member : members) {
    TarEntry entry;
    entry.mtime = 77;
    entry.mode = 0640;
    entry.uid = 5;
    if (const auto arrow = member.find("->"); arrow != std::string::npos) {
      entry.type = Type::symlink;
      entry.path = member.substr(0, arrow);
      entry.link = member.substr(arrow + 2);
    } else if (const auto is = member.find(" is "); is != std::string::npos) {
      entry.type = Type::hard_link;
      entry.path = member.substr(0, is);
      entry.link = member.substr(is + 4);
    } else if (member.ends_with('/')) {
      entry.type = Type::directory;
      entry.path = member;
    } else {
      const auto equals = member.find('=');
      entry.path = member.substr(0, equals);
      const std::string content = equals == std::string::npos ? "" : member.substr(equals + 1);
      entry.size = content.size();
      writer.entry(entry);
      writer.data(view_of(content));
      continue;
    }
    writer.entry(entry);
  }
  writer.finish();
  return tar;
}

struct Lister : TarVisitor {
  void entry(const TarEntry& entry) override {
    std::string line = entry.path;
    if (entry.type == Type::directory && !line.ends_with('/')) line += "/";
    if (entry.type == Type::symlink) line += "->" + entry.link;
    if (entry.type == Type::hard_link) line += " is " + entry.link;
    if (entry.type == Type::file && entry.size > 0) line += "=";
    lines.push_back(line);
    const bool mark = entry.path.find(".wh.") != std::string::npos;
    CHECK(entry.uid == (mark ? 0 : 5));
    CHECK(entry.mtime == (mark ? 0 : 77));
  }
  void data(View piece) override { lines.back() += text_of(piece); }
  void end_entry() override {}
  void stray(View, const char*) override {}
  std::vector<std::string> lines;
};

using Lines = std::vector<std::string>;

// The layers above a base, as one.
Lines squash(const std::vector<std::vector<std::string>>& layers) {
  FakeEngine engine;
  auto image = engine.images.at(engine.base);
  Json config = Json::parse(image.config);
  for (const auto& members : layers) {
    image.layers.push_back(layer_of(members));
    config["rootfs"]["diff_ids"].push_back(sha256_digest(view_of(image.layers.back())));
    config["history"].push_back({{"created_by", "RUN step"}});
  }
  image.config = config.dump();
  const std::string handle = sha256_digest(view_of(image.config));
  engine.images[handle] = image;
  const ImageConfig parsed = parse_config(image.config);
  engine.diary.clear();
  const NewLayer layer = squashed(engine, handle, parsed, 1);
  CHECK(std::count(engine.diary.begin(), engine.diary.end(), "save") == 1);  // whatever there is to be read
  std::string tar;
  const auto source = layer.open();
  for (View piece = source->next(); !piece.empty(); piece = source->next()) tar += text_of(piece);
  CHECK(sha256_digest(view_of(tar)) == layer.diff_id);
  CHECK(tar.size() == layer.size);
  const Json after = Json::parse(squashed_config(parsed, 1, layer.diff_id));
  CHECK(after["rootfs"]["diff_ids"] == Json({parsed.diff_ids[0], layer.diff_id}));
  CHECK(parse_config(after.dump()).created_by().back() == "imgbuild build --squash");
  CHECK(after["history"].size() == parsed.history.size() + 1);
  Lister lister;
  TextSource text(tar);
  read_tar(text, lister);
  return lister.lines;
}

}  // namespace

TEST_CASE("the last word on each path is what is left") {
  CHECK(squash({{"d/", "d/a=one", "d/b=two"}, {"d/", "d/a=three"}, {"c=four"}}) ==
        Lines{"d/", "d/b=two", "d/a=three", "c=four"});
  CHECK(squash({{"x=1", "x=2"}, {"y->x"}}) == Lines{"x=2", "y->x"});
}

TEST_CASE("what a later layer deletes is gone, and is deleted below too") {
  CHECK(squash({{"d/", "d/key=secret", "d/b=two"}, {"d/", "d/.wh.key"}}) == Lines{"d/", "d/.wh.key", "d/b=two"});
  CHECK(squash({{"d/", "d/e/", "d/e/f=1", "g=2"}, {".wh.d"}}) == Lines{".wh.d", "g=2"});
  CHECK(squash({{"d/", "d/.wh.x"}, {".wh.d"}}) == Lines{".wh.d"});
  CHECK(squash({{".wh.x"}, {"x=back"}}) == Lines{"x=back"});
  CHECK(squash({{".wh..wh..opq", "a=1"}, {"b=2"}}) == Lines{".wh..wh..opq", "a=1", "b=2"});
}

TEST_CASE("a folder that was deleted and came back does not show what was below") {
  CHECK(squash({{".wh.d"}, {"d/", "d/new=1"}}) == Lines{"d/", "d/.wh..wh..opq", "d/new=1"});
  CHECK(squash({{"d=file"}, {"d/", "d/new=1"}}) == Lines{"d/", "d/.wh..wh..opq", "d/new=1"});
  CHECK(squash({{"d/", "d/old=1"}, {"d/", "d/.wh..wh..opq", "d/new=2"}}) == Lines{"d/", "d/.wh..wh..opq", "d/new=2"});
  CHECK(squash({{"d/", "d/x=1"}, {"d=file"}}) == Lines{"d=file"});
  CHECK(squash({{"d/", "d/x=1"}, {"d->e"}}) == Lines{"d->e"});
}

TEST_CASE("names of one file stay names of one file, also where its first name went") {
  CHECK(squash({{"a=1", "b is a"}, {"c=2"}}) == Lines{"a=1", "c=2", "b is a"});
  CHECK(squash({{"a=1", "b is a", "c is a"}, {".wh.a"}}) == Lines{".wh.a", "b=1", "c is b"});
  CHECK(squash({{"a=1", "b is a"}, {"a=2"}}) == Lines{"b=1", "a=2"});
  CHECK(squash({{"a=1", "b is a"}, {".wh.b"}}) == Lines{".wh.b", "a=1"});
  CHECK_THROWS_AS(squash({{"b is nowhere"}, {"c=1"}}), Error);
}

TEST_CASE("names that sort around a slash are no trouble") {
  CHECK(squash({{"a/", "a/x=1", "a-b=2", "a0=3"}, {".wh.a"}}) == Lines{".wh.a", "a-b=2", "a0=3"});
}

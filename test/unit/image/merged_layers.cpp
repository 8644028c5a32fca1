// Several layers as one: what is told of each path, in which order, and what is refused.
#include "image/merged_layers.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "tar/writer.hpp"

using namespace imgbuild;
using Catch::Contains;
using Type = TarEntry::Type;
using Lines = std::vector<std::string>;

namespace {

// "d/" a folder, "a=x" a file with content x, "l->t" a symlink, "h is t" a hard link, "c:1,3" a device.
std::string layer_of(const Lines& members) {
  std::string tar;
  TarWriter writer([&](View bytes) { tar += text_of(bytes); });
  for (const std::string& member : members) {
    TarEntry entry;
    entry.mode = 0640;
    entry.uid = 7;
    entry.user = "somebody";
    const auto split_at = [&](std::string_view mark) {
      const auto at = member.find(mark);
      if (at == std::string::npos) return false;
      entry.path = member.substr(0, at);
      entry.link = member.substr(at + mark.size());
      return true;
    };
    if (split_at("->")) {
      entry.type = Type::symlink;
    } else if (split_at(" is ")) {
      entry.type = Type::hard_link;
    } else if (split_at(":")) {
      entry.type = Type::character;
      entry.device_major = 1;
      entry.device_minor = 3;
      entry.link.clear();
    } else if (member.ends_with('/')) {
      entry.type = Type::directory;
      entry.path = member;
    } else {
      if (!split_at("=")) entry.path = member;
      const std::string content = std::exchange(entry.link, {});
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

class Text : public Source {
 public:
  explicit Text(const std::string& text) : text_(text) {}
  View next() override { return std::exchange(given_, true) ? View() : view_of(text_); }

 private:
  const std::string& text_;
  bool given_ = false;
};

struct Lister : TarVisitor {
  void entry(const TarEntry& entry) override {
    std::string line = entry.path;
    if (entry.type == Type::directory) line += "/";
    if (entry.type == Type::symlink) line += "->" + entry.link;
    if (entry.type == Type::hard_link) line += " is " + entry.link;
    if (entry.type == Type::character)
      line += ":" + std::to_string(entry.device_major) + "," + std::to_string(entry.device_minor);
    if (entry.type == Type::file && entry.size > 0) line += "=";
    lines.push_back(line);
    CHECK(entry.user.empty());
    CHECK(entry.uid == 7);
  }
  void data(View piece) override { lines.back() += text_of(piece); }
  void end_entry() override { ++ended; }
  void stray(View, const char*) override {}
  Lines lines;
  std::size_t ended = 0;
};

Lines merged(const std::vector<Lines>& layers) {
  Lines tars;
  for (const auto& members : layers) tars.push_back(layer_of(members));
  const MergedLayers all([&](std::size_t i) { return std::make_unique<Text>(tars.at(i)); }, 0, tars.size());
  Lister lister;
  MergedLayers::Reading reading(all, lister);
  while (reading.step()) continue;
  CHECK(lister.ended == lister.lines.size());
  CHECK(all.size() == lister.lines.size());
  return lister.lines;
}

}  // namespace

TEST_CASE("what a later layer deletes, overwrites or hides is not told, nor is the deletion") {
  CHECK(merged({{"d/", "d/a=one", "d/b=two"}, {"d/", "d/a=three", "d/.wh.b"}}) == Lines{"d/", "d/a=three"});
  CHECK(merged({{"d/", "d/old=1"}, {"d/", "d/.wh..wh..opq", "d/new=2"}}) == Lines{"d/", "d/new=2"});
  CHECK(merged({{"d/", "d/x=1"}, {".wh.d"}}).empty());
  CHECK(merged({{"d/", "d/x=1"}, {"d->e"}}) == Lines{"d->e"});
  // Of its own layer a deletion takes nothing.
  CHECK(merged({{"a=1"}, {"a=2", ".wh.a"}}) == Lines{"a=2"});
}

TEST_CASE("names of one file stay so; of links and devices each is told") {
  CHECK(merged({{"a=1", "b is a", "c is b"}}) == Lines{"a=1", "b is a", "c is a"});
  CHECK(merged({{"a=1", "b is a"}, {"a=2"}}) == Lines{"b=1", "a=2"});
  CHECK(merged({{"a->x", "b is a"}, {"c=1"}}) == Lines{"a->x", "b->x", "c=1"});
  CHECK(merged({{"a->x", "b is a"}, {".wh.a"}}) == Lines{"b->x"});
  CHECK(merged({{"null:1,3"}}) == Lines{"null:1,3"});
}

TEST_CASE("paths are plain, and none leads out of the image") {
  CHECK(merged({{"./d//./a=1", "/b=2"}}) == Lines{"d/a=1", "b=2"});
  CHECK_THROWS_WITH(merged({{"../a=1"}}), Contains("layer 0: ../a: leads out"));
  CHECK_THROWS_WITH(merged({{"a=1"}, {"d/../../a=1"}}), Contains("layer 1: d/../../a: leads out"));
  CHECK_THROWS_WITH(merged({{"a=1", "b is ../etc/shadow"}}), Contains("leads out"));
  CHECK_THROWS_WITH(merged({{"b is nowhere"}}), Contains("b: a hard link to nothing in its layer"));
  CHECK_THROWS_WITH(merged({{"d/", "b is d"}}), Contains("b: a hard link to nothing in its layer"));
  CHECK_THROWS_WITH(merged({{"a=1"}, {"b is a"}}), Contains("layer 1: b: a hard link to nothing"));
}

TEST_CASE("nothing is told below a link: an older one gives way, one of the same layer is refused") {
  CHECK(merged({{"bin->usr/bin", "c=1"}, {"bin/tool=2"}}) == Lines{"c=1", "bin/tool=2"});
  CHECK(merged({{"bin=file"}, {"bin/x/tool=2"}}) == Lines{"bin/x/tool=2"});
  CHECK_THROWS_WITH(merged({{"out->/etc", "out/passwd=x"}}),
                    Contains("out/passwd: lies below out, which is no folder"));
}

TEST_CASE("a file that is packed as sparse is refused, not told as what is stored of it") {
  std::string tar = layer_of({"a=1"});
  tar[156] = 'S';
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(tar[i]);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  tar.replace(148, 7, std::string(digits, 7));
  CHECK_THROWS_WITH(MergedLayers([&](std::size_t) { return std::make_unique<Text>(tar); }, 0, 1),
                    "layer 0: a: is packed as a sparse file");
}

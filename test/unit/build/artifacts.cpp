// Artefacts: which files of the builder reach the other image, under what name, and what is refused.
#include <catch2/catch.hpp>

#include "build/artifacts.hpp"
#include "fake_engine.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;
using Type = TarEntry::Type;

namespace {

TarEntry member(Type type, const std::string& path, std::uint32_t mode = 0644, const std::string& link = {}) {
  TarEntry entry;
  entry.type = type;
  entry.path = path;
  entry.mode = mode;
  entry.link = link;
  entry.mtime = 1000;
  return entry;
}

std::string tar_with(std::vector<std::pair<TarEntry, std::string>> members) {
  std::string tar;
  TarWriter writer([&](View bytes) { tar += text_of(bytes); });
  for (auto& [entry, content] : members) {
    if (entry.type == Type::file) entry.size = content.size();
    writer.entry(entry);
    if (entry.type == Type::file) writer.data(view_of(content));
  }
  writer.finish();
  return tar;
}

std::string folder(const std::string& path, std::uint32_t mode = 0755) {
  return tar_with({{member(Type::directory, path, mode), ""}});
}

// One line a member: "755 0:0 usr/bin/", "644 0:0 a = content", "s b -> a".
std::vector<std::string> listed(const std::string& tar) {
  struct Lister : TarVisitor {
    void entry(const TarEntry& entry) override {
      char mode[16];
      std::snprintf(mode, sizeof mode, "%o", entry.mode);
      std::string line =
          std::string(mode) + " " + std::to_string(entry.uid) + ":" + std::to_string(entry.gid) + " " + entry.path;
      if (entry.type == Type::directory) line.pop_back();  // its '/'
      if (entry.type == Type::symlink) line += " -> " + entry.link;
      if (entry.type == Type::hard_link) line += " is " + entry.link;
      if (entry.type == Type::file) line += " = ";
      lines.push_back(line);
      times.push_back(entry.mtime);
    }
    void data(View piece) override { lines.back() += text_of(piece); }
    void end_entry() override {}
    void stray(View, const char*) override {}
    std::vector<std::string> lines;
    std::vector<std::int64_t> times;
  } lister;
  TextSource source(tar);
  read_tar(source, lister);
  for (const auto time : lister.times) CHECK(time <= 500);
  return lister.lines;
}

struct Packed {
  Packed() {
    engine.containers["t"] = {{}, "created", 0, engine.base};
    engine.of_image["/usr"] = folder("usr");
    engine.of_image["/usr/bin"] = folder("bin", 0751);
    engine.of_image["/bin"] = tar_with({{member(Type::symlink, "bin", 0777, "usr/bin"), ""}});
    engine.links["/bin"] = "/usr/bin";
    engine.of_image["/etc"] = folder("etc");
    engine.of_image["/etc/passwd"] = tar_with({{member(Type::file, "passwd"), "root"}});
    auto app = member(Type::file, "app", 04750);
    app.uid = 12;
    app.gid = 34;
    app.user = "somebody";
    of_builder["/dev/imgbuild/context/out/app"] = tar_with({{app, "binary"}});
    of_builder["/out"] = tar_with({{member(Type::directory, "out", 0700), ""},
                                   {member(Type::file, "out/a.so"), "A"},
                                   {member(Type::hard_link, "out/b.so", 0644, "out/a.so"), ""},
                                   {member(Type::directory, "out/lib", 0711), ""},
                                   {member(Type::file, "out/lib/deep.so"), "D"},
                                   {member(Type::symlink, "out/lib/l", 0777, "/etc/shadow"), ""},
                                   {member(Type::file, "out/n\nl"), "N"}});
  }
  std::vector<std::string> operator()(const std::vector<std::string>& said) {
    std::vector<Artifact> artifacts;
    for (const auto& each : said) artifacts.push_back(parse_artifact(each));
    const BuilderFiles files = [this](const std::string& path) -> std::unique_ptr<Source> {
      const auto at = of_builder.find(path.ends_with('/') ? path.substr(0, path.size() - 1) : path);
      if (at == of_builder.end()) return nullptr;
      return std::make_unique<TextSource>(at->second);
    };
    const NewLayer layer = pack_artifacts(artifacts, files, engine, "t", 500);
    std::string tar;
    const auto source = layer.open();
    for (View piece = source->next(); !piece.empty(); piece = source->next()) tar += text_of(piece);
    CHECK(sha256_digest(view_of(tar)) == layer.diff_id);
    CHECK(tar.size() == layer.size);
    return listed(tar);
  }
  FakeEngine engine;
  std::map<std::string, std::string> of_builder;  // path, its tar
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "an artefact keeps its owner and mode, goes under its new name, and the folders of the image stay as they are") {
  Packed packed;
  CHECK(packed({"out/app:/usr/bin/tool"}) ==
        Lines{"755 0:0 usr", "751 0:0 usr/bin", "4750 12:34 usr/bin/tool = binary"});
  CHECK(packed({"./out//app:/opt/new/"}) == Lines{"755 0:0 opt", "755 0:0 opt/new", "4750 12:34 opt/new/app = binary"});
}

TEST_CASE("a link of the image on the way is followed, not replaced by a folder") {
  Packed packed;
  CHECK(packed({"out/app:/bin/tool"}) == Lines{"755 0:0 usr", "751 0:0 usr/bin", "4750 12:34 usr/bin/tool = binary"});
}

TEST_CASE("podman's image is looked at in what it exports: its archives tell no owners") {
  Packed packed;
  packed.engine.known.kind = EngineFacts::Kind::podman;
  packed.engine.of_image.clear();
  auto bin = member(Type::directory, "usr/bin/", 02751);
  bin.uid = 7;
  packed.engine.exported = tar_with({{member(Type::symlink, "bin", 0777, "usr/bin"), ""},
                                     {member(Type::directory, "usr/", 0711), ""},
                                     {bin, ""},
                                     {member(Type::file, "usr/bin/sh"), "sh"}});
  CHECK(packed({"out/app:/bin/tool"}) == Lines{"711 0:0 usr", "2751 7:0 usr/bin", "4750 12:34 usr/bin/tool = binary"});
  CHECK(packed({"out/app:/opt/tool"}) == Lines{"755 0:0 opt", "4750 12:34 opt/tool = binary"});
  CHECK(std::count(packed.engine.diary.begin(), packed.engine.diary.end(), "export") == 2);
  CHECK_THROWS_AS(packed({"out/app:/usr/bin"}), Error);
}

TEST_CASE("a folder comes with all that is in it: links as links, hard links, a name with a newline") {
  Packed packed;
  CHECK(packed({"/out:/srv"}) == Lines{"700 0:0 srv", "644 0:0 srv/a.so = A", "644 0:0 srv/b.so is srv/a.so",
                                       "711 0:0 srv/lib", "644 0:0 srv/lib/deep.so = D",
                                       "777 0:0 srv/lib/l -> /etc/shadow", "644 0:0 srv/n\nl = N"});
  // Into a folder that the image has: that one keeps its mode.
  CHECK(packed({"/out:/usr"}).front() == "755 0:0 usr");
  CHECK(packed({"/out:/usr/"}).at(1) == "700 0:0 usr/out");
  CHECK(packed({"/out"}).front() == "700 0:0 out");
}

TEST_CASE("a glob puts what it finds into a folder; `**` crosses folders") {
  Packed packed;
  CHECK(packed({"/out/*.so:/l"}) == Lines{"755 0:0 l", "644 0:0 l/a.so = A", "644 0:0 l/b.so is l/a.so"});
  CHECK(packed({"/out/**.so:/l"}) ==
        Lines{"755 0:0 l", "644 0:0 l/a.so = A", "644 0:0 l/b.so is l/a.so", "644 0:0 l/deep.so = D"});
  CHECK(packed({"/out/l*:/x"}) ==
        Lines{"755 0:0 x", "711 0:0 x/lib", "644 0:0 x/lib/deep.so = D", "777 0:0 x/lib/l -> /etc/shadow"});
}

TEST_CASE("a second name of a file that does not come along has the file's bytes") {
  Packed packed;
  packed.of_builder["/out/b.so"] = tar_with({{member(Type::file, "b.so"), "A"}});
  CHECK(packed({"/out/b*:/l"}) == Lines{"755 0:0 l", "644 0:0 l/b.so = A"});
}

TEST_CASE("what an artefact cannot be is one line that names it") {
  Packed packed;
  auto& builder = packed.of_builder;
  builder["/device"] = tar_with({{member(Type::directory, "device"), ""}});
  builder["/hidden"] =
      tar_with({{member(Type::directory, "hidden"), ""}, {member(Type::file, "hidden/.wh.passwd"), ""}});
  const auto why = [&](const std::vector<std::string>& said) {
    try {
      packed(said);
    } catch (const Error& error) {
      CHECK(error.status() == Status::failed);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(why({"nothing:/x"}) == "artifact nothing:/x: the builder has none");
  CHECK(why({"/out/*.none:/x"}) == "artifact /out/*.none:/x: nothing in the builder matches");
  CHECK(why({"/nowhere/*:/x"}) == "artifact /nowhere/*:/x: the builder has no folder /nowhere");
  CHECK(why({"/hidden:/x"}) ==
        "artifact /hidden:/x: /x/.wh.passwd: in a layer a name that begins with .wh. deletes something");
  CHECK(why({"out/app:/usr/bin"}) == "artifact out/app:/usr/bin: /usr/bin is a folder in the image");
  CHECK(why({"out/app:/etc/passwd/x"}) == "artifact out/app:/etc/passwd/x: /etc/passwd is no folder in the image");
  CHECK(why({"/out:/x", "out/app:/x/a.so"}) == "artifact out/app:/x/a.so: something else was put at /x/a.so before");
  CHECK(why({"/out:/x", "out/app:/x/lib/l/y"}) ==
        "artifact out/app:/x/lib/l/y: /x/lib/l is no folder: it was put there before");
}

TEST_CASE("links of the image that lead round and round are given up") {
  Packed packed;
  auto& image = packed.engine.of_image;
  image["/a"] = tar_with({{member(Type::symlink, "a", 0777, "b"), ""}});
  image["/b"] = tar_with({{member(Type::symlink, "b", 0777, "a"), ""}});
  CHECK_THROWS_AS(packed({"out/app:/a/x"}), Error);
}

TEST_CASE("what --artifact may not say is a usage error, before anything is made") {
  for (const char* said : {"", ":/x", "/:/x", "../x:/x", "a/../b:/x", "x:/a/../b", "x", "x:y",
                           "/dev/imgbuild/secrets/a:/x", "/dev/imgbuild:/x", "/*/a*"})
    CHECK_THROWS_AS(parse_artifact(said), Error);
  const Artifact whole = parse_artifact(".:/srv/app/");
  CHECK(whole.path == builder_context);
  CHECK(whole.dest == "srv/app");
  CHECK_FALSE(whole.into);
  CHECK(parse_artifact("/usr/lib/*.so").dest == "usr/lib");
  CHECK(parse_artifact("/odd\\*name").dest == "odd*name");
}

// What an image weighs, and what of that nobody sees.
#include <catch2/catch.hpp>

#include "audit/life_cycle.hpp"
#include "verdict/weight.hpp"

using namespace imgbuild;

namespace {

struct Entry {
  std::string path;
  std::uint64_t size = 0;  // of a folder: 0, and a '/' at the end
};

std::vector<std::uint64_t> hidden(const std::vector<std::vector<Entry>>& layers) {
  std::vector<PathIndex> indexes;
  for (const auto& layer : layers) {
    PathIndex index;
    for (const auto& [path, size] : layer) index.add(path, path.ends_with('/'), size);
    index.finish();
    indexes.push_back(index);
  }
  std::vector<const PathIndex*> all;
  for (const auto& index : indexes) all.push_back(&index);
  return hidden_bytes(all);
}

using Sizes = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("hidden is what a later layer deletes, overwrites, or takes with its folder") {
  const std::vector<Entry> base{{"a/"}, {"a/b/"}, {"a/b/c", 10}, {"a/d", 5}, {"e", 3}};
  CHECK(hidden({base}) == Sizes{0});
  CHECK(hidden({base, {{"e", 7}}}) == Sizes{3, 0});      // overwritten
  CHECK(hidden({base, {{"e/"}}}) == Sizes{3, 0});        // by a folder
  CHECK(hidden({base, {{".wh.e"}}}) == Sizes{3, 0});     // deleted
  CHECK(hidden({base, {{"a/.wh.b"}}}) == Sizes{10, 0});  // with its folder
  CHECK(hidden({base, {{".wh.a"}}}) == Sizes{15, 0});    // and the folder above that
  CHECK(hidden({base, {{"a", 1}}}) == Sizes{15, 0});     // a file where the folder was
  CHECK(hidden({base, {{"a/"}, {"a/.wh..wh..opq"}}}) == Sizes{15, 0});
  CHECK(hidden({base, {{".wh..wh..opq"}}}) == Sizes{18, 0});
  CHECK(hidden({base, {{"a/"}, {"a/b/"}, {"a/b/new", 4}}}) == Sizes{0, 0});  // a folder again hides nothing
}

TEST_CASE("what was deleted and came back is hidden once; what a layer has twice is hidden in it") {
  CHECK(hidden({{{"x", 10}}, {{".wh.x"}}, {{"x", 20}}}) == Sizes{10, 0, 0});
  CHECK(hidden({{{"x", 10}}, {{"x", 20}}, {{"x", 30}}}) == Sizes{10, 20, 0});
  CHECK(hidden({{{"x", 10}, {"x", 20}}}) == Sizes{10});
  CHECK(hidden({{{"d/"}, {"d/x", 10}}, {{".wh.d"}, {"d/"}, {"d/x", 20}}}) == Sizes{10, 0});
  CHECK(hidden({}).empty());
}

TEST_CASE("an image that is larger than it may be is told with its heaviest layers and largest files") {
  ImageRecord record;
  record.layers = {{0, "sha256:a", "ADD base", 1'000'000, 200'000, {{"lib/big.so", 400'000}}},
                   {1, "sha256:b", "RUN make", 2'000'000, 0, {{"opt/app", 1'500'000}, {"opt/rest", 10}}}};
  record.base = "debian:12";
  record.base_layers = 1;
  record.coverage.bytes = 3'000'000;
  CHECK(too_large(record, 0).empty());
  CHECK(too_large(record, 3'000'000).empty());
  CHECK(too_large(record, 2'999'999) ==
        std::vector<std::string>{"it weighs 3.0 MB, more than 3.0 MB", "layer 1: 2.0 MB",
                                 "layer 0: 1.0 MB, of debian:12, 200.0 kB of it hidden", "layer 1: opt/app (1.5 MB)",
                                 "layer 0: lib/big.so (400.0 kB)", "layer 1: opt/rest (10 bytes)"});
}

TEST_CASE("sizes are read as people write them") {
  CHECK(size_of_text("300MB") == 300'000'000u);
  CHECK(size_of_text("1.5 GB") == 1'500'000'000u);
  CHECK(size_of_text("40MiB") == 41'943'040u);
  CHECK(size_of_text("2g") == 2'000'000'000u);
  CHECK(size_of_text("40000") == 40'000u);
  CHECK(size_of_text("0.5k") == 500u);
  for (const char* text : {"", "MB", "1.MB", ".5MB", "1.2.3k", "12XB", "-1", "1e9", "99999999999999999999", "9999999T"})
    CHECK_FALSE(size_of_text(text));
}

// A layer's two names are tied by its bytes alone.
#include "push/packed_layer.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "crypto/digest.hpp"
#include "tar/archive.hpp"

using namespace imgbuild;

namespace {

std::string made(const std::string& command) {
  Ran ran = run({.argv = {"sh", "-c", command}});
  REQUIRE(ran.status == 0);
  return ran.out;
}

std::string bytes_of(const PackedLayer& layer) {
  return std::string(text_of(layer.bytes->part(0, static_cast<std::size_t>(layer.size))));
}

}  // namespace

TEST_CASE("A layer that lies there as a tar is packed with gzip, the same way each time") {
  const TempDir folder;
  const std::string tar = made("cd " + folder.path() + " && seq 1 300000 > numbers && tar -c numbers");
  const std::string diff_id = sha256_digest(view_of(tar));
  ViewSource source(view_of(tar)), again(view_of(tar));
  const PackedLayer layer = pack_layer(source, diff_id);
  CHECK(layer.kind == Container::gzip);
  CHECK(layer.size == layer.bytes->size());
  CHECK(layer.size < tar.size() / 2);
  CHECK(layer.digest == sha256_digest(view_of(bytes_of(layer))));
  CHECK(run({.argv = {"gzip", "-dc"}}, bytes_of(layer)).out == tar);
  CHECK(pack_layer(again, diff_id).digest == layer.digest);

  ViewSource other(view_of(tar).first(tar.size() - 1));
  CHECK_THROWS_WITH(pack_layer(other, diff_id), Catch::Contains("expected " + diff_id));

  const std::string packed = bytes_of(layer);
  ViewSource blob(view_of(packed));
  const auto [got, names] = names_of_blob(blob);
  CHECK(got == diff_id);
  CHECK(names.digest == layer.digest);
  CHECK(names.size == layer.size);
}

TEST_CASE("A blob that does not unpack has no diff id") {
  const std::string cut = made("seq 1 100000 | gzip -n | head -c 1000");
  ViewSource blob(view_of(cut));
  CHECK_THROWS_AS(names_of_blob(blob), Error);
}

TEST_CASE("An archive's layers are found by their bytes, and stay packed as they are") {
  const TempDir folder;
  const std::string archive = made("cd " + folder.path() +
                                   " && seq 1 3000 > a && seq 1 4000 > b && tar -cf a.tar a && tar -cf b.tar b"
                                   " && zstd -q -o b.zst b.tar && seq 1 9 > manifest.json && gzip -nk b.zst"
                                   " && tar -c manifest.json a.tar b.zst b.zst.gz");
  const auto digest_of = [&](const char* file) {
    return "sha256:" + made("sha256sum " + folder.path() + "/" + file).substr(0, 64);
  };
  ViewSource source(view_of(archive));
  const auto found = layers_of_archive(source, {digest_of("a.tar"), digest_of("b.tar"), digest_of("b")});
  REQUIRE(found.size() == 2);
  CHECK(found.at(digest_of("a.tar")).kind == Container::gzip);
  CHECK(found.at(digest_of("b.tar")).kind == Container::zstd);
  CHECK(found.at(digest_of("b.tar")).digest == digest_of("b.zst"));
}

// Documents of images that were audited before: which are kept, and what is made of them later.
#include "audit/document_cache.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "../whole.hpp"
#include "audit/audit.hpp"
#include "base/fd.hpp"
#include "base/temp_dir.hpp"
#include "crypto/digest.hpp"

using namespace imgbuild;
namespace fs = std::filesystem;

namespace {

std::string digest_of(const std::string& text) { return sha256_digest(view_of(text)); }

std::string config_with(const std::string& variable) {
  return nlohmann::json{{"architecture", "amd64"},
                        {"os", "linux"},
                        {"config", {{"Env", {variable}}}},
                        {"rootfs", {{"type", "layers"}, {"diff_ids", nlohmann::json::array()}}}}
      .dump();
}

struct House {
  House() {
    ::setenv("XDG_CACHE_HOME", (dir.path() + "/cache").c_str(), 1);
    ::setenv("XDG_STATE_HOME", (dir.path() + "/state").c_str(), 1);
  }
  ~House() {
    ::unsetenv("XDG_CACHE_HOME");
    ::unsetenv("XDG_STATE_HOME");
  }

  // Audits an image of that config, without layers, and says what the next run remembers of it.
  std::optional<std::string> after_audit_of(const std::string& config, bool cache = true, Vault* secrets = nullptr) {
    static const auto scanner = Scanner::builtin();
    Vault found;
    std::optional<ValueMatcher> values;
    if (secrets != nullptr) values.emplace(*secrets, std::vector<Origin>{Origin::handed_out});
    AuditOptions options;
    options.scanner = scanner;
    options.found = &found;
    options.values = values ? &*values : nullptr;
    options.cache = cache;
    REQUIRE(Auditor(options).stored(
        parse_config(config), "test", [](std::size_t) { return nullptr; }, 0));
    return Auditor(options).remembered(digest_of(config));
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(dir.path() + "/cache/imgbuild/layers")) files.push_back(file.path());
    return files;
  }

  TempDir dir;
};

}  // namespace

TEST_CASE("a config in which nothing was found is remembered, verbatim") {
  House house;
  const std::string config = config_with("PATH=/bin");
  CHECK(house.after_audit_of(config) == config);
  CHECK(house.files().size() == 1);
  CHECK_FALSE(house.after_audit_of(config, false));  // --no-cache
}

TEST_CASE("a config with a secret is not written down, and one that an earlier program kept goes") {
  House house;
  const std::string config = config_with(whole("TOKEN=glpat-{{}}Zq7RtV4mP{{}}Lk2X9WdYb3h"));
  CHECK_FALSE(house.after_audit_of(config));
  CHECK(house.files().empty());
  DocumentCache::open()->keep(digest_of(config), config);
  REQUIRE(house.files().size() == 1);
  CHECK_FALSE(house.after_audit_of(config));
  CHECK(house.files().empty());
}

TEST_CASE("where a build's secrets are looked for no config is written down: a weak one is not among them") {
  House house;
  Vault secrets;
  secrets.add("correct horse battery", "secret s", Origin::handed_out);
  CHECK_FALSE(house.after_audit_of(config_with("WORD=abc"), true, &secrets));
  CHECK(house.files().empty());
}

TEST_CASE("a document that was altered, or lies in another's place, is none, and is written again") {
  House house;
  const std::string one = config_with("A=1"), other = config_with("A=2");
  const auto cache = DocumentCache::open();
  REQUIRE(cache);
  cache->keep(digest_of(one), one);
  const fs::path file = house.files().at(0);
  const std::string whole_file = read_file(file.string());
  for (std::size_t i = 0; i < whole_file.size(); ++i) {
    std::string altered = whole_file;
    altered[i] ^= 1;
    write_file(file.string(), altered, 0600);
    INFO(i);
    CHECK_FALSE(cache->find(digest_of(one)));
  }
  cache->keep(digest_of(one), one);
  CHECK(cache->find(digest_of(one)) == one);
  cache->keep(digest_of(other), other);
  for (const auto& path : house.files())
    if (path != file) fs::copy_file(path, file, fs::copy_options::overwrite_existing);
  CHECK_FALSE(cache->find(digest_of(one)));
  // Even one that is signed, but not what its digest says.
  cache->keep(digest_of(one), other);
  CHECK_FALSE(cache->find(digest_of(one)));
}

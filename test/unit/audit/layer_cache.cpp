// Layers that were audited before: what a record keeps, when it is used, and when it is not.
#include "audit/layer_cache.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "../whole.hpp"
#include "audit/audit.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "crypto/digest.hpp"
#include "tar/writer.hpp"

using namespace imgbuild;

namespace {

std::shared_ptr<const Scanner> scanner() {
  static const auto one = Scanner::builtin();
  return one;
}

std::string private_key() {
  static const std::string key = run({{"openssl", "genpkey", "-algorithm", "ed25519"}, {}, {}, {}}).out;
  return key;
}

std::string token() { return whole("glpat-{{}}Zq7RtV4mP{{}}Lk2X9WdYb3h"); }

class Text : public Source {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  View next() override { return std::exchange(given_, true) ? View() : view_of(text_); }

 private:
  std::string text_;
  bool given_ = false;
};

std::string layer_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  TarWriter writer([&](View some) { tar.append(reinterpret_cast<const char*>(some.data()), some.size()); });
  for (const auto& [path, content] : files) writer.file(path, view_of(content));
  writer.finish();
  return tar;
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

  // Audits an image of these layers; `opened` counts how many were read.
  std::optional<Audit> audit(const std::vector<std::string>& layers, std::size_t from_cache = 99,
                             Severity fail_on = Severity::medium, const Vault* secrets = nullptr) {
    nlohmann::json config{{"architecture", "amd64"}, {"os", "linux"}, {"rootfs", {{"type", "layers"}}}};
    for (const auto& layer : layers) config["rootfs"]["diff_ids"].push_back(sha256_digest(view_of(layer)));
    Vault found;
    std::optional<ValueMatcher> values;
    if (secrets != nullptr) values.emplace(*secrets, std::vector<Origin>{Origin::handed_out});
    AuditOptions options;
    options.scanner = scanner();
    options.found = &found;
    options.values = values ? &*values : nullptr;
    options.policy.fail_on = fail_on;
    options.cache = cache;
    opened = 0;
    return Auditor(options).stored(
        parse_config(config.dump()), "test",
        [&](std::size_t i) -> std::unique_ptr<Source> {
          ++opened;
          return std::make_unique<Text>(replaced.empty() ? layers[i] : replaced);
        },
        from_cache);
  }

  TempDir dir;
  bool cache = true;
  std::atomic<int> opened{0};
  std::string replaced;
};

}  // namespace

TEST_CASE("a layer that was audited is not read again, and its record says the same") {
  House house;
  const std::string base = layer_of({{"etc/motd", "hello"}, {"srv/deploy.pem", private_key()}});
  const std::string above = layer_of({{"srv/.wh.deploy.pem", ""}});
  const auto first = house.audit({base, above});
  REQUIRE(first);
  CHECK(house.opened == 2);
  REQUIRE(first->record().leaks.size() == 1);

  const auto second = house.audit({base, above});
  REQUIRE(second);
  CHECK(house.opened == 0);
  CHECK(second->record().coverage.layers_cached == 2);
  CHECK(second->record().coverage.entries == first->record().coverage.entries);
  CHECK(second->record().coverage.bytes == first->record().coverage.bytes);
  REQUIRE(second->record().leaks.size() == 1);
  const Finding &a = first->record().leaks[0], &b = second->record().leaks[0];
  CHECK(a.rule == b.rule);
  CHECK(a.identity == b.identity);
  CHECK(a.allow == b.allow);
  REQUIRE(b.locations.size() == a.locations.size());
  for (std::size_t i = 0; i < a.locations.size(); ++i) {
    CHECK(place_of(a.locations[i]) == place_of(b.locations[i]));
    CHECK(b.locations[i].state == Location::State::deleted);
    CHECK(b.locations[i].by_layer == 1);
  }

  house.cache = false;
  REQUIRE(house.audit({base, above}));
  CHECK(house.opened == 2);
}

TEST_CASE("a record holds no byte of a secret, and is not used where a report would need one") {
  House house;
  const std::string layer = layer_of({{"app/.env", "GITLAB_TOKEN=" + token() + "\n"}});
  const auto first = house.audit({layer});
  REQUIRE(first);
  REQUIRE(first->verdict() == Verdict::leak);
  const auto store = RecordStore::open();
  REQUIRE(store);
  for (const auto& item : store->verify()) {
    const auto record = store->get(item.name);
    REQUIRE(record);
    CHECK(std::string(record->begin(), record->end()).find(token().substr(4, 12)) == std::string::npos);
  }
  const auto second = house.audit({layer});
  REQUIRE(second);
  CHECK(house.opened == 1);
  CHECK(second->verdict() == Verdict::leak);
  CHECK_FALSE(second->record().leaks.front().allow.empty());
}

TEST_CASE(
    "what a script made is read always, and of a remembered base it is told that a build's secrets were not looked "
    "for") {
  House house;
  const std::string base = layer_of({{"etc/motd", "hello"}}), made = layer_of({{"srv/out", "made"}});
  REQUIRE(house.audit({base, made}));
  Vault secrets;
  secrets.add("correct-horse-battery", "secret s", Origin::handed_out);
  const auto audit = house.audit({base, made}, 1, Severity::medium, &secrets);
  REQUIRE(audit);
  CHECK(house.opened == 1);
  CHECK(audit->record().coverage.vault_not_looked_for == std::vector<int>{0});
  CHECK(audit->verdict() == Verdict::clean);
}

TEST_CASE("what a build's own secret was found in is not remembered as anything else") {
  House house;
  const std::string layer = layer_of({{"srv/out", "x correct-horse-battery y"}});
  Vault secrets;
  secrets.add("correct-horse-battery", "secret s", Origin::handed_out);
  CHECK(house.audit({layer}, 0, Severity::medium, &secrets)->verdict() == Verdict::leak);
  CHECK(RecordStore::open()->verify().empty());
}

TEST_CASE("bytes that are not what their diff id says are no image, and are not remembered") {
  House house;
  const std::string base = layer_of({{"etc/motd", "hello"}});
  house.replaced = layer_of({{"etc/motd", "other"}});
  CHECK_FALSE(house.audit({base}));
  house.replaced = "no tar";
  CHECK_FALSE(house.audit({base}));
  CHECK(RecordStore::open()->verify().empty());
}

TEST_CASE("a record of a gap, a package and a key for somebody's login comes back whole") {
  House house;
  const std::string status = "Package: acme\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: all\n\n";
  const std::string base =
      layer_of({{"var/lib/dpkg/status", status},
                {"var/lib/dpkg/info/acme.list", "/.\n/srv\n/srv/key.pem\n"},
                {"srv/broken.gz", std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 no deflate", 21)}});
  const std::string above = layer_of({{"srv/key.pem", private_key()}});
  const auto first = house.audit({base, above});
  const auto second = house.audit({base, above});
  REQUIRE(first);
  REQUIRE(second);
  CHECK(house.opened == 0);
  REQUIRE(first->record().coverage.not_scanned.size() == 1);
  REQUIRE(second->record().coverage.not_scanned.size() == 1);
  CHECK(second->record().coverage.not_scanned[0].path == "srv/broken.gz");
  CHECK(second->record().coverage.not_scanned[0].sha256 == first->record().coverage.not_scanned[0].sha256);
  REQUIRE(second->record().leaks.size() == 1);
  CHECK(first->record().leaks[0].packaged == "dpkg: acme 1.0-1");
  CHECK(second->record().leaks[0].packaged == "dpkg: acme 1.0-1");
}

TEST_CASE("a record that is cut or altered below its signature is an error, never a layer") {
  MemberRecord layer;
  layer.type = MemberRecord::Type::layer;
  layer.digest = layer.diff_id = "sha256:x";
  const Bytes record = write_layer(layer);
  CHECK(read_layer(record, *scanner())->digest == "sha256:x");
  for (std::size_t i = 0; i < record.size(); ++i) CHECK_THROWS_AS(read_layer(View(record).first(i), *scanner()), Error);
  CHECK_FALSE(build_of_this_program().empty());
}

#include "scan/allow.hpp"

#include <catch2/catch.hpp>

#include "crypto/digest.hpp"

using namespace imgbuild;

namespace {

Location at(int layer, const std::string& path) {
  Location place;
  place.layer = layer;
  place.path = path;
  if (layer < 0) place.kind = Location::Kind::env;
  return place;
}
AllowEntry entry(const std::string& where, const std::string& identity) {
  AllowEntry made;
  made.rule = "a.b";
  made.at = where;
  made.identity = identity;
  made.reason = "a test";
  return made;
}

}  // namespace

TEST_CASE("an allow-entry binds rule, place and identity together") {
  const std::string value = "k2Js9Qw7Zp";
  Policy policy;
  policy.now = 1800000000;  // 2027-01-15
  policy.allow = {entry("*:srv/*.pem", scrypt_identity(value))};
  CHECK(find_allow(policy, "a.b", at(3, "srv/k.pem"), {}, value) == &policy.allow[0]);
  CHECK(find_allow(policy, "a.c", at(3, "srv/k.pem"), {}, value) == nullptr);
  CHECK(find_allow(policy, "a.b", at(3, "srv/x/k.pem"), {}, value) == nullptr);
  CHECK(find_allow(policy, "a.b", at(-1, "srv/k.pem"), {}, value) == nullptr);
  CHECK(find_allow(policy, "a.b", at(3, "other:srv/k.pem"), {}, value) == nullptr);
  CHECK(find_allow(policy, "a.b", at(3, "srv/k.pem"), {}, "another value") == nullptr);
  policy.allow[0].expires = "2027-01-15";
  CHECK(find_allow(policy, "a.b", at(3, "srv/k.pem"), {}, value) != nullptr);
  policy.allow[0].expires = "2027-01-14";
  CHECK(find_allow(policy, "a.b", at(3, "srv/k.pem"), {}, value) == nullptr);
  policy.allow[0].expires.clear();
  for (const char* reason : {"", "..."}) {
    policy.allow[0].reason = reason;
    CHECK(find_allow(policy, "a.b", at(3, "srv/k.pem"), {}, value) == nullptr);
  }
}

TEST_CASE("a key is allowed by its fingerprint") {
  Policy policy;
  policy.allow = {entry("config:Env.KEY", "SHA256:abc")};
  KeyFacts key;
  key.fingerprint = "SHA256:abc";
  CHECK(find_allow(policy, "a.b", at(-1, "Env.KEY"), key, "x") != nullptr);
  key.fingerprint = "SHA256:abd";
  CHECK(find_allow(policy, "a.b", at(-1, "Env.KEY"), key, "x") == nullptr);
  CHECK(find_allow(policy, "a.b", at(-1, "Env.KEY"), {}, "SHA256:abc") == nullptr);
}

TEST_CASE("something that cannot be scanned is allowed by path and digest") {
  Policy policy;
  AllowEntry made;
  made.path = "srv/a.zip";
  made.sha256 = "ABCD";
  made.reason = "encrypted on purpose";
  policy.allow = {made};
  CHECK(find_allow_file(policy, "srv/a.zip", "sha256:abcd") != nullptr);
  CHECK(find_allow_file(policy, "srv/b.zip", "sha256:abcd") == nullptr);
  CHECK(find_allow_file(policy, "srv/a.zip", "sha256:abce") == nullptr);
  CHECK(find_allow_file(policy, "srv/a.zip", "") == nullptr);
}

TEST_CASE("the entry to paste names any layer, quotes the place and asks for a reason") {
  CHECK(allow_entry_text("a.b", "2:srv/a[1]\"b", "SHA256:x") ==
        "[[allow]]\nrule = \"a.b\"\nat = \"*:srv/a\\\\[1]\\\"b\"\nidentity = \"SHA256:x\"\nreason = \"...\"\n");
  CHECK(allow_entry_text("a.b", "config:Env.A", "SHA256:x").find("at = \"config:Env.A\"") != std::string::npos);
}

TEST_CASE("an entry for a path that is no text is a TOML file, and still fits") {
  Policy policy;
  const std::string text = allow_entry_text("a.b", "2:srv/k\xff.pem", "SHA256:abc");
  CHECK(text.find("at = \"*:srv/k?.pem\"") != std::string::npos);
  AllowEntry entry;
  entry.rule = "a.b";
  entry.at = "*:srv/k?.pem";
  entry.identity = "SHA256:abc";
  entry.reason = "known";
  policy.allow = {entry};
  Location place;
  place.layer = 1;
  place.path = "srv/k\xff.pem";
  KeyFacts key;
  key.fingerprint = "SHA256:abc";
  CHECK(find_allow(policy, "a.b", place, key, "x") != nullptr);
}

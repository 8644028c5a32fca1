#include "config/merged_toml.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace imgbuild;
using Catch::Matchers::Contains;

TEST_CASE("of several TOML files the later counts, table by table, and a list has more") {
  const std::string all =
      merged_toml({{"a", "[containers]\nvolumes = [\"/x:/y\"]\nlabel = false\n[engine]\nruntime = \"crun\"\n"},
                   {"b", "[engine]\nruntime = \"runc\"\n"}},
                  "containers", "volumes", {"/s:/dev/a"});
  CHECK_THAT(all, Contains("'/x:/y', '/s:/dev/a'") || Contains("\"/x:/y\", \"/s:/dev/a\""));
  CHECK_THAT(all, Contains("label = false"));
  CHECK_THAT(all, Contains("runc"));
  CHECK_THAT(all, !Contains("crun"));
  // What it wrote is TOML again, whatever stands in a value.
  const std::string odd = "/a 'b' \"c\" \\d:/e";
  const std::string once = merged_toml({}, "containers", "volumes", {odd});
  CHECK(merged_toml({{"once", once}}, "containers", "volumes", {}) == once);
  CHECK_THROWS_WITH(merged_toml({{"bad.conf", "x = 1\n[y\n"}}, "t", "l", {}), Contains("bad.conf:2: malformed TOML"));
}

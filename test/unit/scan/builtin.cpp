// The knowledge that is compiled in.
#include <catch2/catch.hpp>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "scan/rule.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

TEST_CASE("every example of every family does what it says") {
  for (const auto& failure : check_examples(builtin_rules())) FAIL_CHECK(failure);
  REQUIRE(builtin_rules().size() > 50);
}

TEST_CASE("the compiled-in database finds what one compiled now finds") {
  const auto now = Scanner::of(builtin_rules());
  const auto in = Scanner::builtin();
  REQUIRE(in->digest() == now->digest());
  std::string text;
  for (const auto& rule : builtin_rules())
    for (const auto& example : rule.leak) text += example + "\n\n";
  const auto expected = now->scan(view_of(text), {}), got = in->scan(view_of(text), {});
  REQUIRE(got.size() == expected.size());
  REQUIRE(got.size() > 100);
  for (std::size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].rule->id == expected[i].rule->id);
    CHECK(got[i].begin == expected[i].begin);
    CHECK(got[i].end == expected[i].end);
  }
}

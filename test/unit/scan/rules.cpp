#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "family.hpp"
#include "scan/rule.hpp"
#include "scan/shape.hpp"

using namespace imgbuild;
using Catch::Matchers::Contains;

namespace {

std::string rule(const std::string& extra) {
  return "[[rule]]\nid = \"a.b\"\nsays = \"x\"\nleak = [\"l\"]\nsafe = [\"s\"]\n" + extra;
}
std::string wrong(const std::string& toml) {
  try {
    read_rules(toml, "f.toml");
  } catch (const Error& e) {
    CHECK(e.status() == Status::usage);
    return e.what();
  }
  return "read";
}

}  // namespace

TEST_CASE("a rule is refused with its name and what is wrong with it") {
  CHECK(wrong(rule("text = ['hello_[a-z]{8}']")) == "read");
  CHECK_THAT(wrong("[[rule"), Contains("f.toml:1"));
  CHECK_THAT(wrong(""), Contains("no [[rule]]"));
  CHECK_THAT(wrong(rule("")), Contains("neither `text` nor `path`"));
  CHECK_THAT(wrong(rule("text = ['hello_(']")), Contains("f.toml: rule a.b: text 1"));
  CHECK_THAT(wrong(rule("text = ['hello_[a-z]+']")), Contains("upper bound"));
  CHECK_THAT(wrong(rule("text = ['hello_.*']")), Contains("upper bound"));
  CHECK_THAT(wrong(rule("text = ['hello_[a-z]{3,}']")), Contains("upper bound"));
  CHECK_THAT(wrong(rule("text = ['(?:hello_[a-z]{1000}){9}']")), Contains("f.toml: rule a.b"));
  CHECK_THAT(wrong(rule("text = ['[a-z]{32}']")), Contains("rare enough"));
  CHECK_THAT(wrong(rule("text = ['(?:hello)?']")), Contains("empty text"));
  CHECK_THAT(wrong(rule("text = ['hello_x']\nentropi = 3.0")), Contains("unknown key `entropi`"));
  CHECK_THAT(wrong(rule("text = ['hello_x']\nproof = 'no-such'")), Contains("unknown proof"));
  CHECK_THAT(wrong(rule("text = ['hello_x']\nscrub = 'all'")), Contains("scrub"));
  CHECK_THAT(wrong(rule("text = ['hello_x']\nseverity = 'huge'")), Contains("severity"));
  CHECK_THAT(wrong(rule("text = 'hello_x'")), Contains("`text` is no list"));
  CHECK_THAT(wrong("[[rule]]\nid = \"A.b\"\n"), Contains("lower case"));
  CHECK_THAT(wrong("[[rule]]\nid = \"a.b\"\nsays = \"x\"\ntext = ['hello_x']\nsafe = ['s']"), Contains("no `leak`"));
  CHECK_THAT(wrong("[[rule]]\nid = \"a.b\"\nsays = \"x\"\ntext = ['hello_x']\nleak = ['s']"), Contains("no `safe`"));
}

TEST_CASE("an example that does not do what it says is told") {
  auto rules = read_rules(test::family, "acme.toml");
  CHECK(check_examples(rules).empty());
  rules[0].safe = rules[0].leak;
  rules[1].leak = {"nothing"};
  const auto failures = check_examples(rules);
  REQUIRE(failures.size() == 2);
  CHECK(failures[0] == "acme.assigned: leak 1 is not found");
  CHECK(failures[1] == "acme.token: safe 1 is found");
}

TEST_CASE("`{{}}` in an example is nothing") {
  const auto rules = read_rules(test::family, "acme.toml");
  CHECK(rules[0].leak[0].find('{') == std::string::npos);
  CHECK(rules[0].family == "acme");
}

TEST_CASE("two rules of one name are refused") {
  auto rules = read_rules(test::family, "acme.toml");
  rules.push_back(rules.front());
  CHECK_THROWS_WITH(Scanner::of(rules), Contains("two rules are called acme.token"));
}

TEST_CASE("a shape rejects what cannot match, and nothing that can") {
  std::mt19937 dice(1);
  // Random ways over a small alphabet, against a plain set of reached positions.
  for (int round = 0; round < 2000; ++round) {
    Way way;
    for (unsigned i = 0; i < 1 + dice() % 6; ++i) {
      Stretch stretch;
      stretch.set = ByteSet(dice() % 7 + 1) << 'a';
      stretch.least = static_cast<std::uint32_t>(dice() % 3);
      stretch.most = stretch.least + static_cast<std::uint32_t>(dice() % 3);
      if (stretch.most > 0) way.push_back(stretch);
    }
    if (way.empty()) continue;
    const WayShape shape(way, 64);
    for (int sample = 0; sample < 20; ++sample) {
      std::string text;
      for (unsigned i = 0; i < dice() % 14; ++i) text += static_cast<char>('a' + dice() % 3);
      // reached[i]: the stretches before this one can end after i bytes.
      std::vector<bool> reached(text.size() + 1, false);
      reached[0] = true;
      for (const auto& stretch : way) {
        std::vector<bool> next(text.size() + 1, false);
        for (std::size_t i = 0; i <= text.size(); ++i) {
          if (!reached[i]) continue;
          for (std::size_t n = 0; n <= stretch.most && i + n <= text.size(); ++n) {
            if (n > 0 && !stretch.set[static_cast<unsigned char>(text[i + n - 1])]) break;
            if (n >= stretch.least) next[i + n] = true;
          }
        }
        reached = next;
      }
      const bool expected = std::find(reached.begin(), reached.end(), true) != reached.end();
      const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
      CHECK(shape.may_start(at, at + text.size()) == expected);
    }
  }
}

TEST_CASE("the ways through a pattern are its alternatives") {
  CHECK(read_pattern("(?:abc|abd)x").ways.size() == 2);
  CHECK(read_pattern("(?:abc|abd)x").width == 4);
  CHECK(read_pattern("a[0-9]{3,7}b?").width == 9);
  CHECK(read_pattern("(?i)Ab").ways[0][0].set.count() == 2);
  CHECK(read_pattern("(?i:a)b").ways[0][1].set.count() == 1);
  CHECK(read_pattern("\\Qa.b\\E").width == 3);
  CHECK(read_pattern("[^\\n]").ways[0][0].set.count() == 255);
  CHECK(read_pattern("[]a-]").ways[0][0].set.count() == 3);
  CHECK_THROWS(read_pattern("(((a)"));
  CHECK_THROWS(read_pattern(std::string(1000, '(')));
}

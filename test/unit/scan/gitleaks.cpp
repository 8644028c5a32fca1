// gitleaks' configuration files as rules.
#include <catch2/catch.hpp>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "scan/rule.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;
using Catch::Matchers::Contains;

namespace {

// What the rules of a file find in a text, as "rule:secret".
std::vector<std::string> found(const std::string& toml, const std::string& text, const std::string& path = "a.txt") {
  const auto scanner = Scanner::of(read_rules(toml, "g.toml"));
  std::vector<std::string> out;
  for (const auto& hit : scanner->scan(view_of(text), {path, nullptr, nullptr}))
    out.push_back(hit.rule->id + ":" + text.substr(hit.begin, hit.end - hit.begin));
  for (const auto& hit : scanner->scan_name(path)) out.push_back(hit.rule->id);
  return out;
}

std::string wrong(const std::string& toml) {
  try {
    read_rules(toml, "g.toml");
  } catch (const Error& e) {
    CHECK(e.status() == Status::usage);
    return e.what();
  }
  return "read";
}

const std::string acme = R"([[rules]]
id = "Acme_Token"
description = "an acme token"
regex = '''(?i)acme(_|-)?key\s*[:=]+\s*["']?([a-z0-9]{8,})\b'''
secretGroup = 2
entropy = 2.5
keywords = ["acme"]
)";
using Found = std::vector<std::string>;
const Found one = {"gitleaks.acme-token:k7d9x2m4"};

}  // namespace

TEST_CASE("a rule of gitleaks finds what it says, in the group that it says") {
  CHECK(found(acme, "ACME_KEY := 'k7d9x2m4'\n") == one);
  CHECK(found(acme, "acmekey=k7d9x2m4\n") == one);
  CHECK(found(acme, "acme_key = aaaabaaa\n").empty());  // its entropy
  CHECK(found(acme, "acme_key is k7d9x2m4\n").empty());
}

TEST_CASE("an allowlist of gitleaks excuses by path, by pattern and by word, one of them or all") {
  const std::string text = "x acme_key = k7d9x2m4 y\n";
  const auto with = [&](const std::string& list, const std::string& path = "src/a.txt") {
    return found(acme + list, text, path);
  };
  CHECK(with("[[rules.allowlists]]\npaths = ['''(^|/)src/''']") == Found{});
  CHECK(with("[[rules.allowlists]]\npaths = ['''(^|/)src/''']", "lib/a.txt") == one);
  CHECK(with("[rules.allowlist]\nregexes = ['''^k7''']") == Found{});
  CHECK(with("[rules.allowlist]\nregexes = ['''^acme''']") == one);
  CHECK(with("[rules.allowlist]\nregexTarget = \"match\"\nregexes = ['''^acme''']") == Found{});
  CHECK(with("[rules.allowlist]\nregexTarget = \"line\"\nregexes = ['''y$''']") == Found{});
  CHECK(with("[rules.allowlist]\nstopwords = [\"D9X\"]") == Found{});
  CHECK(with("[[rules.allowlists]]\ncondition = \"AND\"\npaths = ['''src''']\nstopwords = [\"nothing\"]") == one);
  CHECK(with("[[rules.allowlists]]\ncondition = \"AND\"\npaths = ['''src''']\nstopwords = [\"d9x\"]") == Found{});
  CHECK(with("[allowlist]\npaths = ['''a\\.txt$''']") == Found{});
  CHECK(with("[[allowlists]]\ntargetRules = [\"other\"]\npaths = ['''a\\.txt$''']") == one);
  CHECK(with("[[rules.allowlists]]\ncommits = [\"8cf2dc7\"]") == one);
}

TEST_CASE("a rule of gitleaks looks only where its path says, and may be a path alone") {
  const std::string in_env = acme + "path = '''\\.env$'''\n";
  CHECK(found(in_env, "acme_key = k7d9x2m4\n", "a/.env") == one);
  CHECK(found(in_env, "acme_key = k7d9x2m4\n", "a/.envrc").empty());
  const std::string name = "[[rules]]\nid = 'p12'\npath = '''(?i)\\.p12$'''\n";
  CHECK(found(name, "", "etc/A.P12") == Found{"gitleaks.p12"});
  CHECK(found(name, "", "etc/a.pem").empty());
}

TEST_CASE("repetitions without a bound get one that the pattern bears") {
  const auto rules = read_rules("[[rules]]\nid = 'a'\nregex = '''acme_(?:[a-z]+[0-9]{2,})+[*+]x{2}'''\n", "g.toml");
  REQUIRE(rules.size() == 1);
  CHECK_THAT(rules[0].text[0], Contains("[*+]x{2}") && Contains("{1,"));
  CHECK_THAT(rules[0].text[0], !Contains("]+[0") && !Contains("{2,}"));
}

TEST_CASE("what is wrong with a file of gitleaks is told in one line with its place") {
  CHECK_THAT(wrong("[[rules]]\nregex = 'acme_x'"), Contains("g.toml: a rule: no `id`"));
  CHECK_THAT(wrong("[[rules]]\nid = 'a'"), Contains("g.toml: rule a: neither"));
  CHECK_THAT(wrong("[[rules]]\nid = 'a'\nregex = 'acme_('"), Contains("g.toml: rule a: regex: "));
  CHECK_THAT(wrong("[[rules]]\nid = 'a'\nregex = 'acme_(x)'\nsecretGroup = 2"), Contains("no group 2"));
  CHECK_THAT(wrong("[[rules]]\nid = 'a'\nregex = '[a-z]{30}'"), Contains("rare enough"));
  CHECK(wrong("[[rules]]\nid = 'a'\nregex = '[a-z]{30}'\nkeywords = ['acme']") == "read");
  CHECK_THAT(wrong("[[rules]]\nid = 'a'\nregexp = 'acme_x'"), Contains("`regexp` is not read here"));
  CHECK_THAT(wrong(acme + "[rules.allowlist]\nregexes = ['''(''']"), Contains("g.toml: rule Acme_Token: "));
  CHECK_THAT(wrong("[extend]\npath = '/nonexistent.toml'"), Contains("g.toml: extend: "));
  CHECK(wrong("title = 'x'\n[extend]\nuseDefault = true\n") == "read");
}

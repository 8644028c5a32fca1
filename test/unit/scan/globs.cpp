// The globs of all rules, held against a path at once.
#include "scan/globs.hpp"

#include <catch2/catch.hpp>

#include "base/text.hpp"

using namespace imgbuild;

TEST_CASE("a path is taken by the rules that have a glob for it, whatever the glob ends in") {
  std::vector<Rule> rules(6);
  rules[0].path = {"**/.npmrc"};
  rules[1].path = {"**/*.kdbx", "**/.npmrc", "**/keys.kdbx"};
  rules[2].path = {"**/.ssh/id_*"};
  rules[3].path = {"etc/{shadow,gshadow}", "**/config[0-9].json"};
  rules[4].path = {"**/.config/*/**/*.txt", "**/svn.simple/*", "**/\\*.odd", "**/.mutt/**"};
  rules[5].path = {"**"};
  const RuleGlobs globs(rules);
  for (const std::string path :
       {".npmrc", "root/.npmrc", "root/x.npmrc", "a/keys.kdbx", "root/.ssh/id_rsa", "id_rsa", "etc/shadow",
        "app/config7.json", "app/config.json", "", "root/.config/a/b.txt", ".config/a/b/c.txt", "svn.simple/a",
        "a/svn.simple", "x/*.odd", "x/a.odd", "home/.mutt", "home/.mutt/rc", ".mutt/rc"}) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t r = 0; r < rules.size(); ++r)
      for (const auto& glob : rules[r].path)
        if (glob_matches(glob, path) && (expected.empty() || expected.back() != r)) expected.push_back(r);
    INFO(path);
    CHECK(globs.taking(path) == expected);
  }
  CHECK(globs.taking("root/.npmrc") == std::vector<std::uint32_t>{0, 1, 5});
}

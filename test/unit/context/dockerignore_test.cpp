#include "context/dockerignore.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace imgbuild;

// What docker does with each pattern, told by example: the file's lines, a path, and whether it is left out.
TEST_CASE("a .dockerignore leaves out what docker leaves out") {
  struct Row {
    const char* rules;
    const char* path;
    bool left_out;
  };
  const auto row = GENERATE(values<Row>({
      // Anchored at the root, unlike git's; a matched folder takes its content along.
      {"secret", "secret", true},
      {"secret", "secret/deep/file", true},
      {"secret", "sub/secret", false},
      {"secret", "secrets", false},
      {"/secret", "secret", true},
      {"secret/", "secret/file", true},
      {"./a//b/../c", "a/c", true},
      {"  padded \t", "padded", true},
      // * and ? stay within a name.
      {"*.log", "a.log", true},
      {"*.log", "sub/a.log", false},
      {"*/temp*", "a/temporary.txt", true},
      {"*/temp*", "a/b/temporary.txt", false},
      {"temp?", "tempa", true},
      {"temp?", "temp", false},
      {"t?mp", "t\xC3\xA4mp", true},
      {"t?mp", "t\xFFmp", true},
      {"t?mp", "t/mp", false},
      {"*", ".hidden", true},
      // ** takes any folders.
      {"**/*.go", "a.go", true},
      {"**/*.go", "a/b/c.go", true},
      {"**/*.go", "a.gone", false},
      {"**/key", "key", true},
      {"**/key", "a/b/key", true},
      {"**/key", "monkey", false},
      {"**key", "monkey", true},
      {"a/**", "a/b/c", true},
      {"a/**", "a", false},
      {"a**", "abc/d", true},
      {"a/**/z", "a/z", true},
      {"a/**/z", "a/b/c/z", true},
      {"a/**/z", "a/bz", false},
      {"a**z", "az", true},
      {"a**z", "ab/z", true},
      {"a**z", "abz", false},
      {"**", "anything/at/all", true},
      {"**/**", "anything/at/all", true},
      {"a/***", "a/b/c", true},
      {"**/a*/**", "x/ab/c", true},
      {"a/**/z", "a/new\nline/z", false},
      {"a/*/z", "a/new\nline/z", true},
      // Sets and quoting.
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[^a-c]x", "dx", true},
      {"[^a]x", "/x", true},
      {"[!a]x", "!x", true},
      {"[!a]x", "bx", false},
      {"[\\]]x", "]x", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"a\\?", "ab", false},
      {"a.c", "abc", false},
      {"a+(b)|c$", "a+(b)|c$", true},
      // The last pattern that matches decides.
      {"*.md\n!README.md", "README.md", false},
      {"*.md\n!README.md", "OTHER.md", true},
      {"!README.md\n*.md", "README.md", true},
      {"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
      {"*.md\n!README*.md\nREADME-secret.md", "README-b.md", false},
      // Something below an ignored folder can return.
      {"a\n!a/b", "a/b", false},
      {"a\n!a/b", "a/b/c", false},
      {"a\n!a/b", "a/c", true},
      {"*\n!src", "src/main.c", false},
      {"*\n!src", "other/main.c", true},
      {"*\n!src\nsrc/*.o", "src/main.o", true},
      {"**\n!**/keep", "a/b/keep", false},
      // Lines that are none.
      {"# a\na", "# a", false},
      {" # a", "# a", true},
      {"\n\n \na", "a", true},
      {"a\r\nb\r\n", "b", true},
      {"\xEF\xBB\xBF# comment\nb", "# comment", false},
      {"\xEF\xBB\xBF"
       "a",
       "a", true},
      {"! a\na\n! a", "a", false},
      {".", "a", false},
      {"/", "a", false},
      {"../a", "a", false},
      {"a/..", "a", false},
  }));
  INFO("rules: " << row.rules << "\npath: " << row.path);
  CHECK(DockerIgnore::parse(row.rules).ignores(row.path) == row.left_out);
}

TEST_CASE("a pattern that docker refuses is refused with its line") {
  const char* rules =
      GENERATE("a\n[", "a\n[]", "a\n[]a]", "a\n[a-]", "a\n[-a]", "a\nb\\", "a\n[\\", "a\n!", "a\n! /", "a\n[^");
  INFO(rules);
  CHECK_THROWS_WITH(DockerIgnore::parse(rules), Catch::StartsWith(".dockerignore: line 2: "));
  try {
    DockerIgnore::parse(rules);
  } catch (const Error& error) {
    CHECK(error.status() == Status::usage);
  }
}

TEST_CASE("an ignored folder is entered where something in it may return") {
  const auto rules = DockerIgnore::parse("*\n!src/app\n!docs/*.md");
  CHECK(rules.may_return_below("src"));
  CHECK(rules.may_return_below("src/app"));
  CHECK(rules.may_return_below("src/app/deep"));
  CHECK(rules.may_return_below("docs"));
  CHECK_FALSE(rules.may_return_below("srcs"));
  CHECK_FALSE(rules.may_return_below("node_modules"));
  CHECK(DockerIgnore::parse("*\n!**/keep").may_return_below("anything"));
  CHECK_FALSE(DockerIgnore::parse("*").may_return_below("src"));
}

TEST_CASE("a hostile pattern costs no more than its length times the path's") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a**/";
  const std::string path(5000, 'a');
  CHECK_FALSE(DockerIgnore::parse(pattern + "b").ignores(path));
}

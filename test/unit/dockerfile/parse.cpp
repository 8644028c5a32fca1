// Reading Dockerfiles: what becomes of lines, flags, heredocs and stages.
#include <catch2/catch.hpp>

#include "dockerfile/dockerfile.hpp"

using namespace imgbuild;

TEST_CASE("an instruction goes on behind its escape; comments and empty lines within it are gone") {
  const auto file = parse_dockerfile(
      "FROM busybox\n"
      "run echo a \\\n"
      "  # not this\n"
      "\n"
      "  && echo b \\   \n"
      "  && echo c\\\\\n"
      "USER dev\n");
  REQUIRE(file.instructions.size() == 3);
  const auto& run = file.instructions[1];
  CHECK(run.name == "RUN");
  CHECK(run.line == 2);
  CHECK(run.last_line == 6);
  CHECK(run.text == "echo a   && echo b   && echo c\\\\");
  CHECK(file.instructions[2].line == 7);
}

TEST_CASE("directives count before anything else, and may change the escape") {
  const auto file =
      parse_dockerfile("# syntax = docker/dockerfile:1\n# escape=`\nFROM a\nRUN dir C:\\ `\n  D:\\\nUSER b\n");
  CHECK(file.syntax == "docker/dockerfile:1");
  CHECK(file.escape == '`');
  REQUIRE(file.instructions.size() == 3);
  CHECK(file.instructions[1].text == "dir C:\\   D:\\");
  const auto late = parse_dockerfile("\n# escape=`\nFROM a\nRUN x \\\ny\n");
  CHECK(late.escape == '\\');
  CHECK(late.instructions[1].text == "x y");
}

TEST_CASE("a file with a byte order mark and CRLF reads as one without") {
  const auto file = parse_dockerfile(
      "\xEF\xBB\xBF"
      "FROM a\r\nRUN x \\\r\n y\r\n");
  REQUIRE(file.instructions.size() == 2);
  CHECK(file.instructions[0].text == "a");
  CHECK(file.instructions[1].text == "x  y");
}

TEST_CASE("flags are taken off the front, quotes and all") {
  const auto file = parse_dockerfile(
      "FROM --platform=linux/arm64 a AS Base\nRUN --mount=type=ssh --mount=type=secret,id=\"x y\" -- make\n"
      "COPY --from=base --chown=1:1 a b /c/\n");
  CHECK(file.instructions[0].flag("platform") == "linux/arm64");
  REQUIRE(file.instructions[1].flags.size() == 2);
  CHECK(file.instructions[1].flags[1].second == "type=secret,id=x y");
  CHECK(file.instructions[1].text == "make");
  CHECK(file.instructions[2].paths() == std::vector<std::string>{"a", "b", "/c/"});
}

TEST_CASE("the JSON form is taken as words, and what only looks like it is not") {
  const auto file = parse_dockerfile("FROM a\nCOPY [\"a b\", \"/c\"]\nRUN [ -f x ] && y\nCMD [\"x\", 1]\n");
  CHECK(file.instructions[1].paths() == std::vector<std::string>{"a b", "/c"});
  CHECK_FALSE(file.instructions[2].words);
  CHECK_FALSE(file.instructions[3].words);
}

TEST_CASE("a heredoc's lines are nobody's instructions") {
  const auto file = parse_dockerfile(
      "FROM a\nRUN <<EOF cat\nFROM b\n# kept \\\nEOF\nCOPY <<-'one' <<two /x/\n\tA\n\tone\nB\ntwo\nUSER c\n");
  REQUIRE(file.instructions.size() == 4);
  CHECK(file.stages.size() == 1);
  CHECK(file.instructions[1].heredocs.at(0).content == "FROM b\n# kept \\\n");
  CHECK(file.instructions[1].heredocs[0].expands);
  REQUIRE(file.instructions[2].heredocs.size() == 2);
  CHECK(file.instructions[2].heredocs[0].content == "A\n");
  CHECK_FALSE(file.instructions[2].heredocs[0].expands);
  CHECK(file.instructions[2].heredocs[1].content == "B\n");
  CHECK(file.instructions[3].line == 11);
}

TEST_CASE("a shift, a here-string, and a heredoc without an end are the shell's") {
  const auto file = parse_dockerfile("FROM a\nRUN echo $((1<<2)) '<<EOF' && cat <<<word\nRUN cat <<NEVER\nUSER b\n");
  REQUIRE(file.instructions.size() == 4);
  for (const auto& each : file.instructions) CHECK(each.heredocs.empty());
}

TEST_CASE("ENV, ARG and LABEL give names and values, in the old form too") {
  const auto file = parse_dockerfile("FROM a\nENV A=1 B=\"x y\" C=z\\ w\nENV OLD  some words\nARG X\nARG Y=2\n");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(file.instructions[1].pairs() == Pairs{{"A", "1"}, {"B", "x y"}, {"C", "z w"}});
  CHECK(file.instructions[2].pairs() == Pairs{{"OLD", "some words"}});
  CHECK(file.instructions[3].pairs() == Pairs{{"X", ""}});
  CHECK(file.instructions[4].pairs() == Pairs{{"Y", "2"}});
}

TEST_CASE("ONBUILD keeps an instruction") {
  const auto file = parse_dockerfile("FROM a\nONBUILD COPY --chown=1 key /k\nONBUILD ONBUILD RUN x\n");
  REQUIRE(file.instructions[1].inner.size() == 1);
  CHECK(file.instructions[1].inner[0].name == "COPY");
  CHECK(file.instructions[1].inner[0].line == 2);
  CHECK(file.instructions[2].inner[0].inner.empty());
}

TEST_CASE("a target's chain is its own stage behind those that it stands on, and no others") {
  const auto file = parse_dockerfile(
      "ARG V=1\nFROM busybox AS base\nRUN a\nFROM scratch AS other\nCOPY x /\nFROM Base\nRUN b\nFROM scratch\nRUN c\n");
  const auto texts = [&](const std::string& target) {
    std::string all;
    for (const auto* each : file.chain(target)) all += each->text + ";";
    return all;
  };
  CHECK(texts("") == "c;");
  CHECK(texts("2") == "a;b;");
  CHECK(texts("BASE") == "a;");
  CHECK(texts("nowhere").empty());
  CHECK(file.base("2") == "busybox");
  CHECK(file.base("") == "scratch");
  CHECK(file.stage("99999999999999999999") == nullptr);
}

TEST_CASE("a stage that is called as its own base does not run in circles") {
  const auto file = parse_dockerfile("FROM a AS a\nRUN x\nFROM a AS a\nRUN y\n");
  CHECK(file.chain("").size() == 2);
  CHECK(file.base("") == "a");
}

TEST_CASE("what is no Dockerfile is read without complaint") {
  CHECK(parse_dockerfile("").stages.empty());
  CHECK(parse_dockerfile("FROM").stages.size() == 1);
  CHECK(parse_dockerfile("RUN x \\").instructions.size() == 1);
  CHECK(parse_dockerfile(std::string("\0\n\xff", 3)).stages.empty());
}

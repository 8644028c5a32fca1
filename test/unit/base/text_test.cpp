#include "base/text.hpp"

#include <catch2/catch.hpp>

using namespace imgbuild;

TEST_CASE("what is printed cannot move the cursor, reorder a line or break it in two") {
  CHECK(printable("plain/path.txt") == "plain/path.txt");
  CHECK(printable("a\nb\x1b[2J\x7f") == "a\\x0ab\\x1b[2J\\x7f");
  CHECK(printable("back\\slash") == "back\\\\slash");
  CHECK(printable("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate is not UTF-8
  CHECK(printable("\xe2\x80\xae"
                  "gpj") == "\\u{202e}gpj");  // right-to-left override
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\u{009b}2J");  // C1 control
}

TEST_CASE("hex and base64 are read back as they were written") {
  Bytes bytes;
  for (int n = 0; n < 70; ++n) {
    CHECK(unhex(hex(bytes)) == bytes);
    CHECK(unbase64(base64(bytes)) == bytes);
    bytes.push_back(static_cast<std::uint8_t>(n * 37));
  }
  CHECK(base64(view_of("any carnal pleas")) == "YW55IGNhcm5hbCBwbGVhcw==");
  CHECK_FALSE(unbase64("a"));
  CHECK_FALSE(unbase64("ab!="));
  CHECK_FALSE(unhex("abc"));
  CHECK_FALSE(unhex("zz"));
}

TEST_CASE("a glob's star stays within a component, two stars do not") {
  struct Row {
    const char *pattern, *text;
    bool matches;
  };
  const Row rows[] = {
      {"*.pem", "a.pem", true},
      {"*.pem", "a/b.pem", false},
      {"**/*.pem", "a/b/c.pem", true},
      {"**/*.pem", "c.pem", true},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/xb", false},
      {"a/**", "a/x/y", true},
      {"a/**", "a", false},
      {"?", "/", false},
      {"[a-c]x", "bx", true},
      {"[!a-c]x", "bx", false},
      {"\\*", "*", true},
      {"\\*", "x", false},
      {"*:srv/k", "2:srv/k", true},
      {"**/.ssh/id_*", ".ssh/id_rsa", true},
      {"**/.ssh/id_*", "root/.ssh/id_rsa", true},
      {"**/.ssh/id_*", "root/x.ssh/id_rsa", false},
      {"a*b*c", "aXbYbZc", true},
      {"", "", true},
      {"", "a", false},
      {"**", "any/thing", true},
      {"**/", "a/b", false},
  };
  for (const auto& row : rows) {
    INFO(row.pattern << " against " << row.text);
    CHECK(glob_matches(row.pattern, row.text) == row.matches);
  }
}

TEST_CASE("a pattern of many stars costs no exponential time") {
  const std::string text(4000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  CHECK_FALSE(glob_matches(pattern + "b", text));
}

TEST_CASE("sizes are told in decimal units") {
  CHECK(human_size(1) == "1 byte");
  CHECK(human_size(999) == "999 bytes");
  CHECK(human_size(1500) == "1.5 kB");
  CHECK(human_size(1522255360) == "1.5 GB");
  CHECK(human_size(999950000) == "1.0 GB");
}

TEST_CASE("a TOML string holds any text on one line, and a byte that is no text as a mark") {
  CHECK(toml_quoted("a\"b\\c") == R"("a\"b\\c")");
  CHECK(toml_quoted("a\nb\x7f") == R"("a\u000ab\u007f")");
  CHECK(toml_quoted("caf\xc3\xa9") == "\"caf\xc3\xa9\"");
  CHECK(toml_quoted("\xff\xed\xa0\x80x") == R"("\ufffd\ufffd\ufffd\ufffdx")");
  CHECK(toml_quoted(std::string_view("\0", 1)) == R"("\u0000")");
  CHECK(toml_quoted("") == R"("")");
}

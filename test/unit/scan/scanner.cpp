#include "scan/scanner.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "base/text.hpp"
#include "family.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

std::vector<Hit> scan(const std::string& text, const std::string& path = "", const ValueMatcher* values = nullptr,
                      Vault* found = nullptr) {
  return scanner()->scan(view_of(text), {path, values, found});
}
std::vector<std::string> ids(const std::vector<Hit>& hits) {
  std::vector<std::string> out;
  for (const auto& hit : hits) out.push_back(hit.rule->id);
  return out;
}
using Ids = std::vector<std::string>;

std::string wrapped(const std::string& text, std::size_t width, const std::string& with) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += width) out += text.substr(i, width) + with;
  return out;
}

// As `style` writes it: 0 2d:2d, 1 blanks and lines, 2 xxd, 3 hexdump -C, 4 od -A x -t x1z.
std::string dumped(const std::string& bytes, unsigned style) {
  std::string out;
  for (std::size_t line = 0; line < bytes.size(); line += 16) {
    const std::string part = bytes.substr(line, 16);
    std::string shown;
    for (const char c : part) shown += c >= ' ' && c < 127 ? c : '.';
    char offset[20];
    std::snprintf(offset, sizeof offset, style == 4 ? "%06zx" : "%08zx", line);
    if (style >= 2) out += offset + std::string(style == 2 ? ": " : style == 3 ? "  " : " ");
    for (std::size_t i = 0; i < part.size(); ++i) {
      out += hex(view_of(part.substr(i, 1)));
      if (style == 0)
        out += line + i + 1 < bytes.size() ? ":" : "";
      else if (style != 2 || i % 2 == 1)
        out += style == 3 && i == 7 ? "  " : " ";
    }
    if (style >= 2) out += std::string(3 * (16 - part.size()), ' ');
    if (style >= 2) out += style == 2 ? " " + shown : style == 3 ? " |" + shown + "|" : " >" + shown + "<";
    if (style >= 1) out += "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("a token is found where it stands, with its line, and its bytes are the span") {
  std::mt19937 dice(1);
  const std::string secret = token(dice);
  const auto hits = scan("one\ntwo " + secret + " three\n");
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].rule->id == "acme.token");
  CHECK(hits[0].begin == 8);
  CHECK(hits[0].end == 8 + secret.size());
  CHECK(hits[0].line == 2);
  CHECK(hits[0].decoded.empty());
  CHECK(hits[0].identity == Vault::identify(secret));
}

TEST_CASE("a word boundary in a pattern is one in the text, at its ends too") {
  std::mt19937 dice(2);
  const std::string secret = token(dice);
  CHECK(scan(secret).size() == 1);
  CHECK(scan("x" + secret).empty());
  CHECK(scan(secret + "x").empty());
  CHECK(scan("-" + secret + "-").size() == 1);
}

TEST_CASE("in a program, and shortly behind control characters, a token has no border") {
  std::mt19937 dice(2);
  const std::string secret = token(dice), text = "slice length" + secret + "http2: stream";
  CHECK(scan(text).empty());
  const auto hits = scanner()->scan(view_of(text), {.path = "", .matter = Scanner::Matter::program});
  REQUIRE(ids(hits) == Ids{"acme.token"});
  CHECK(hits[0].begin == 12);
  CHECK(hits[0].identity == Vault::identify(secret));
  CHECK(scan("login \x1b[32m" + secret + "\x1b[0m").size() == 1);
  CHECK(scan(std::string("\x0a\x04name\x12", 7) + "x" + secret + "y").size() == 1);
  CHECK(scanner()
            ->scan(view_of("x" + std::string(60, 'a') + secret.substr(0, 9)),
                   {.path = "", .matter = Scanner::Matter::program})
            .empty());
}

TEST_CASE("two values in a row are two findings, though a pattern may begin well before its word") {
  CHECK(ids(scan("my_secret = '"
                 "aB3dE6gH9jK'\nyour_secret='"
                 "zY8xW5vU2tS'\n")) == Ids{"acme.assigned", "acme.assigned"});
}

TEST_CASE("a shapeless token counts only near its word") {
  const std::string digits = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  CHECK(ids(scan("AcmeCorp: " + digits)) == Ids{"acme.shapeless"});
  CHECK(ids(scan(digits + " is for acmecorp")) == Ids{"acme.shapeless"});
  CHECK(scan(std::string(digits) + std::string(100, ' ') + "acmecorp").empty());
}

TEST_CASE("a rule with path globs looks in those files only, a rule of paths alone at names only") {
  CHECK(ids(scan("user qWeR8362plok", "home/a/.acmerc")) == Ids{"acme.login"});
  CHECK(scan("user qWeR8362plok", "home/a/.otherrc").empty());
  CHECK(ids(scanner()->scan_name("srv/x.acmekeys")) == Ids{"acme.store"});
  CHECK(scanner()->scan_name("srv/x.acmekeys.txt").empty());
}

TEST_CASE("a generic rule gives way to one that knows better, and to nothing else") {
  std::mt19937 dice(3);
  CHECK(ids(scan("token = '" + token(dice) + "'")) == Ids{"acme.token"});
  CHECK(ids(scan("token = '"
                 "k2Js9Qw7Zp'")) == Ids{"generic.value"});
}

TEST_CASE("placeholders and values without randomness are no findings") {
  CHECK(scan("secret = '${ACME_SECRET}'").empty());
  CHECK(scan("secret = 'xxxxxxxxxxxx'").empty());
  CHECK(scan("secret = '"
             "aaaabbbbaaaa'")
            .empty());
}

TEST_CASE("what is encoded is found, to depth 3, and not deeper") {
  std::mt19937 dice(4);
  const std::string inner = "key: " + token(dice) + "\n";
  std::string text = inner;
  for (unsigned depth = 1; depth <= 4; ++depth) {
    text = base64(view_of(text));
    const auto hits = scan("data: " + text + " end");
    if (depth == 4) {
      CHECK(hits.empty());
      continue;
    }
    REQUIRE(ids(hits) == Ids{"acme.token"});
    CHECK(hits[0].decoded == Ids(depth, "base64"));
    CHECK(hits[0].begin >= 6);
    CHECK(hits[0].end <= 6 + text.size());
  }
  const auto both = scan(hex(view_of(base64(view_of(inner)))));
  REQUIRE(ids(both) == Ids{"acme.token"});
  CHECK(both[0].decoded == Ids{"hex", "base64"});
}

TEST_CASE("the last letter of an escape is no part of the word behind it") {
  std::mt19937 dice(12);
  const std::string secret = token(dice);
  for (const std::string escape :
       {"\\n", "\\t", "\\r\\n", "%20", "%0A", "%2520", "\\x20", "\\u000A", "\\040", "#012", "\\033[1m", "^[[1;31m"}) {
    INFO(escape);
    const auto hits = scan("{\"log\": \"your token is:" + escape + secret + escape + "\"}");
    REQUIRE(ids(hits) == Ids{"acme.token"});
    CHECK(hits[0].end - hits[0].begin == secret.size());
  }
  for (const std::string before : {"n", "20", "[1x", "#112", "u000a"}) CHECK(scan("text " + before + secret).empty());
}

TEST_CASE("what is written as hex byte by byte is found, whatever stands around it") {
  std::mt19937 dice(8);
  const std::string inner = "the key of the robot is " + token(dice) + "\nand so on and on\n";
  for (unsigned style = 0; style < 5; ++style) {
    INFO(style);
    const std::string before = style < 2 ? "data: " : "data:\n";
    const auto hits = scan(before + dumped(inner, style) + "\nend\n");
    REQUIRE(ids(hits) == Ids{"acme.token"});
    CHECK(hits[0].decoded == Ids{"dump"});
    CHECK(hits[0].begin > before.size());
    CHECK(hits[0].line == (style == 0 ? 1 : style == 1 ? 2 : 3));
  }
  CHECK(scan("00:c3:4f:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd").empty());
}

TEST_CASE("base32 is found on one line and on several") {
  std::mt19937 dice(6);
  const std::string inner = "the key of the robot is " + token(dice) + "\nand so on and on\n";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : inner + std::string(4 - inner.size() % 5, ' ')) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 5; count -= 5) text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits >> (count - 5) & 31];
  }
  for (const std::string& one : {text, wrapped(text, 76, "\n"), wrapped(text, 64, "\\n")}) {
    const auto hits = scan("data: " + one + "=== end");
    REQUIRE(ids(hits) == Ids{"acme.token"});
    CHECK(hits[0].decoded == Ids{"base32"});
    CHECK(hits[0].begin >= 6 + 24 * 8 / 5);
    CHECK(hits[0].end <= 6 + one.size());
  }
}

TEST_CASE("base64 is found in whatever it is wrapped") {
  std::mt19937 dice(5);
  const std::string plain = std::string(50, 'a') + " " + token(dice) + " " + std::string(90, 'b') + "?>?>";
  const std::string code = base64(view_of(plain));
  std::string url = code;
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  for (const std::string& text :
       {code, url, wrapped(code, 64, "\n"), wrapped(code, 76, "\r\n"), wrapped(code, 64, "\n    "),
        wrapped(code, 60, "\\n"), "\"\\n" + code + "\"", "srv/data/" + code, "name-of-it_" + code,
        "data:text/plain;base64," + code, wrapped(hex(view_of(plain)), 60, "\n"), "0x" + hex(view_of(plain))}) {
    const auto hits = scan(text);
    INFO(text);
    REQUIRE(ids(hits) == Ids{"acme.token"});
  }
}

TEST_CASE("a decoded finding points at the characters that encode it") {
  std::mt19937 dice(6);
  const std::string secret = token(dice), before = std::string(51, '.');
  const std::string code = base64(view_of(before + secret + "!"));
  const auto hits = scan("x = " + wrapped(code, 64, "\n"));
  REQUIRE(hits.size() == 1);
  const std::size_t first = before.size() * 8 / 6, last = ((before.size() + secret.size()) * 8 - 1) / 6;
  CHECK(hits[0].begin == 4 + first + first / 64);
  CHECK(hits[0].end == 4 + last + last / 64 + 1);
  CHECK(hits[0].line == 1 + first / 64);
}

TEST_CASE("what is found does not depend on where the pieces were cut") {
  std::mt19937 dice(7);
  Vault vault;
  const std::string handed = random_word(dice, 30);
  vault.add(handed, "secret s", Origin::handed_out);
  const ValueMatcher values(vault, {Origin::handed_out});
  for (int round = 0; round < 12; ++round) {
    std::string text;
    const std::size_t size = round < 6 ? 5000 : 400000;
    while (text.size() < size) {
      switch (dice() % 14) {
        case 0:
          text += " " + token(dice) + " ";
          break;
        case 1:
          text += "my_secret: '" + random_word(dice, 20) + "'\n";
          break;
        case 2:
          text += "acmecorp " + hex(view_of(random_word(dice, 16))) + " ";
          break;
        case 3:
          text += base64(view_of(" " + token(dice) + " "));
          break;
        case 4:
          text +=
              wrapped(base64(view_of(random_word(dice, dice() % 3000) + " " + token(dice) + "\n")), 64, "\n") + "\n";
          break;
        case 5:
          text += hex(view_of("= " + token(dice) + ";"));
          break;
        case 6:
          text += "token = '" + token(dice) + "'";
          break;
        case 7:
          text += base64(view_of(handed)) + " " + handed;
          break;
        case 8:
          text += std::string(dice() % 300, '\n');
          break;
        case 9:
          // One long line: longer than anything that is looked at in one go.
          if (size > 100000 && dice() % 4 == 0)
            text += base64(view_of(random_word(dice, 60000) + " " + token(dice) + " " + random_word(dice, 50000)));
          break;
        case 10:
          text +=
              (dice() % 2 == 0 ? "\n" : "") + dumped(random_word(dice, dice() % (size / 50)) + " " + token(dice) + "\n",
                                                     static_cast<unsigned>(dice() % 5));
          break;
        case 11: {
          const std::size_t zeros = dice() % 2 == 0 ? 1 : 3;
          for (const char c : random_word(dice, dice() % (size / 50)) + " " + token(dice) + "\n")
            text += c + std::string(zeros, '\0');
          break;
        }
        default:
          text += random_word(dice, dice() % 40) + (dice() % 3 == 0 ? "\n" : " ");
      }
    }
    const auto whole = scan(text, "", &values);
    const auto expected = shown(whole);
    REQUIRE(expected.size() > 3);

    for (int cuts = 0; cuts < 6; ++cuts) {
      Scan stream(*scanner(), "", &values, nullptr);
      const std::size_t most = cuts == 0 ? 1 : cuts == 1 ? 7 : 1 + dice() % 200000;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t take =
            std::min<std::size_t>(text.size() - at, size > 5000 && cuts < 2 ? 5000 : 1 + dice() % most);
        stream.feed(view_of(text).subspan(at, take));
        at += take;
      }
      CHECK(shown(stream.finish()) == expected);

      std::vector<Hit> tiled;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end =
            std::min<std::size_t>(text.size(), at + 1 + dice() % (cuts % 2 == 0 ? size : size / 10 + 1));
        const std::size_t low = at - std::min(at, Scanner::reach), high = std::min(text.size(), end + Scanner::reach);
        for (auto& hit : scanner()->scan_part(view_of(text).subspan(low, high - low), at - low, end - low, low,
                                              {"", &values, nullptr})) {
          hit.line += static_cast<std::uint32_t>(
              std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(low), '\n'));
          tiled.push_back(std::move(hit));
        }
        at = end;
      }
      // Tiles are in the order of their home; within one position the order is theirs.
      auto got = shown(tiled), wanted = expected;
      std::sort(got.begin(), got.end());
      std::sort(wanted.begin(), wanted.end());
      CHECK(got == wanted);
    }
  }
}

TEST_CASE("a secret in a base64 line of a megabyte is found") {
  std::mt19937 dice(8);
  for (const std::size_t before : {100001u, 400002u, 700003u}) {
    const std::string text =
        base64(view_of(random_word(dice, before) + " " + token(dice) + " " + random_word(dice, 300000)));
    CHECK(ids(scan(text)) == Ids{"acme.token"});
    CHECK(ids(scan(wrapped(text, 76, "\n"))) == Ids{"acme.token"});
  }
}

TEST_CASE("found values join the vault, decoded ones as well") {
  std::mt19937 dice(9);
  const std::string plain = token(dice), hidden = token(dice);
  Vault vault;
  scan(plain + " " + base64(view_of("= " + hidden + " ")), "", nullptr, &vault);
  const auto parts = vault.parts();
  REQUIRE(parts.size() == 2);
  for (const auto& secret : {plain, hidden})
    CHECK(std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.value == secret; }));
}

TEST_CASE("a scanner is shared by threads") {
  std::mt19937 dice(10);
  std::string text;
  for (int i = 0; i < 200; ++i) text += token(dice) + "\n" + base64(view_of(" " + token(dice))) + "\n";
  const auto expected = shown(scan(text));
  std::vector<std::vector<std::string>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) mine = shown(scan(text));
    });
  for (auto& thread : threads) thread.join();
  for (const auto& mine : got) CHECK(mine == expected);
}

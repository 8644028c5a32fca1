// Tokens that a program puts together out of parts, or writes as numbers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"
#include "family.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

const std::string secret = whole("gh{{}}p_mOq0wqkuMwQWB7Dbq5{{}}GcZTMsG4V9DG0aHl5z");

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string rot13(std::string text) {
  for (char& c : text)
    if (std::isalpha(static_cast<unsigned char>(c)) != 0)
      c = static_cast<char>((c & 0x20) + 'A' + ((c & ~0x20) - 'A' + 13) % 26);
  return text;
}

// A line of spelled.txt, with the parts of the token: the first is short, as the first of an evader's is.
std::string spelled(std::string text, const std::string& token = secret) {
  text = replaced(replaced(std::move(text), "\\n", "\n"), "\\r", "\r");
  text = replaced(replaced(std::move(text), "\\t", "\t"), "@1", token.substr(0, 2));
  text = replaced(replaced(std::move(text), "@2", token.substr(2, 13)), "@3", token.substr(15));
  return replaced(replaced(std::move(text), "@r", {token.rbegin(), token.rend()}), "@o", rot13(token));
}

std::string character(const char* format, char c) {
  char out[64];
  std::snprintf(out, sizeof out, format, static_cast<unsigned>(c));
  return out;
}

// Each character of the token as `format` writes it, with `between` between each two.
std::string listed(const std::string& before, const char* format, const std::string& between, const std::string& after,
                   const std::string& token = secret) {
  std::string out;
  for (const char c : token) out += (out.empty() ? "" : between) + character(format, c);
  return before + out + after;
}

// The lines of spelled.txt.
std::vector<std::string> lines() {
  std::ifstream file(TESTDATA "/scan/spelled.txt");
  REQUIRE(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && !line.starts_with("# ")) out.push_back(line);
  return out;
}

// In each place of a block, and over the border of one.
void check_found(const std::string& text, const std::string& road) {
  for (const std::size_t before : {std::size_t{3}, std::size_t{100}, (std::size_t{4} << 10) - 20,
                                   (std::size_t{32} << 10) - 60, (std::size_t{32} << 10) - 20}) {
    INFO(text << " behind " << before);
    const auto hits = Scanner::builtin()->scan(view_of(std::string(before, '\n') + text + "\n"), {});
    CHECK(hits.size() == 1);
    if (hits.empty()) return;
    CHECK(hits[0].rule->id == "github.token");
    CHECK(hits[0].decoded == std::vector<std::string>{road});
    CHECK(hits[0].identity == Vault::identify(secret));
    CHECK(hits[0].begin >= before);
    CHECK(hits[0].end > hits[0].begin);
    CHECK(hits[0].end <= before + text.size());
  }
}

}  // namespace

TEST_CASE("a token is found however a program spells it") {
  const auto all = lines();
  CHECK(all.size() > 100);
  for (const auto& line : all) {
    const std::size_t blank = line.find(' ');
    check_found(spelled(line.substr(blank + 1)), line.substr(0, blank));
  }
}

TEST_CASE("a token is found over the lines of a notebook, which JSON keeps in a list") {
  check_found(spelled(R"({"source": ["t = '@1@2' + )") + R"(\\\n",)" + "\n" + spelled(R"(  "    '@3')") + R"(\n"]})",
              "concatenation");
}

TEST_CASE("a token that is written character by character is found") {
  check_found(listed("$t = ", "chr(%u)", ".", ";"), "array");
  check_found(listed("t = ", "chr(%u)", " + ", ""), "array");
  check_found(listed("t = ", "Chr(%u)", " & ", ""), "array");
  check_found(listed("SELECT ", "CHR(%u)", "||", ";"), "array");
  check_found(listed("=", "CHAR(%u)", "&", ""), "array");
  check_found(listed("t = ", "Chr(%u)", " & _\n    ", ""), "array");
  check_found(listed("$t = ", "[char]%u", "+", ";"), "array");
  check_found(listed("t := ", "#%u", "", ";"), "array");
  check_found(listed("T = <<", "%u", ",", ">>."), "array");
  check_found(listed("t = String.fromCharCode(", "%u", ",", ")"), "array");
  check_found(listed("t = String.fromCharCode(", "0x%x", ", ", ")"), "array");
  check_found(listed("t = ", "String.fromCharCode(%u)", "+", ";"), "array");
  check_found(listed("T = ", "%u", " ", ""), "array");
  check_found(listed("T = ", "%u", ";", ""), "array");
  check_found(listed("\"T\"=hex:", "%02x", ",", ",00"), "dump");
  std::string wrapped = listed("\"T\"=hex(2):", "%02x", ",", ",00");
  wrapped.insert(11 + 16 * 3, "\\\r\n  ");
  check_found(wrapped, "dump");
  check_found(listed("t = [", "'%c'", ", ", "]"), "concatenation");
  check_found(listed("t = {", "'%c'", ",", "}"), "concatenation");
  check_found(listed("char t[] = {\n  ", "'%c'", ",\n  ", "};"), "concatenation");
  check_found(listed("t = [", "\"%c\"", ",", "]"), "concatenation");
  check_found(listed("t = ", "\"%c\"", " + ", ";"), "concatenation");
  check_found(listed("a { content: \"", "\\%x", " ", "\"; }"), "css");
}

TEST_CASE("a token is found behind escapes and characters that nobody sees") {
  check_found(listed("t = '", "\\U%08x", "", "'"), "unicode");
  check_found(listed("t = unescape('", "%%u%04x", "", "')"), "percent");
  check_found(spelled("t = '@1\xc2\xad@2\xc2\xad@3'"), "zero-width");
  check_found(spelled("t = '@1@2&#173;@3'"), "html");
  check_found(spelled("t = '@1@2&#x200b;@3'"), "html");
  std::string wide;
  for (const char c : secret)
    wide += c < 0x60 ? std::string("\xef\xbc") + static_cast<char>(c + 0x60)
                     : std::string("\xef\xbd") + static_cast<char>(c + 0x20);
  check_found("t = '" + wide + "'", "full-width");
  check_found("t = '" + secret.substr(0, 20) + wide.substr(60, 3) + secret.substr(21) + "'", "full-width");
}

TEST_CASE("a token that is written as bytes is found") {
  check_found(listed("byte[] k = {", "(byte)0x%02x", ", ", "};"), "array");
  check_found(listed("byte[] k = {", "(byte) 0x%02x", ",\n  ", "};"), "array");
  std::string keyed, packets, words;
  for (std::size_t i = 0; i < secret.size(); ++i)
    keyed += (i == 0 ? "{\"" : ",\"") + std::to_string(i) + "\":" + std::to_string(static_cast<int>(secret[i]));
  check_found(keyed + "}", "array");
  check_found(replaced(keyed, ",\"", ",\n  \"") + "}", "array");
  const std::string padded = "\nT= " + secret + "\n   ";
  for (std::size_t i = 0; i < padded.size(); ++i) {
    const std::size_t at = i % 16;
    if (at == 0) packets += (i == 0 ? "\t0x" : "\n\t0x") + character("%04x", static_cast<char>(i)) + ":  ";
    if (at == 0) words += (i == 0 ? "" : "\n") + character("%07o", static_cast<char>(i));
    packets += character("%02x", padded[i]) + (i % 2 == 1 && at != 15 ? " " : "");
    if (i % 2 == 0) words += " " + character("%02x", padded[i + 1]) + character("%02x", padded[i]);
  }
  check_found(packets, "dump");
  check_found(words, "dump");
  constexpr char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string small;
  for (std::size_t bit = 0; bit < 8 * secret.size(); bit += 5) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 5; ++i)
      value = value << 1 | (i < 8 * secret.size() ? static_cast<unsigned>(secret[i / 8]) >> (7 - i % 8) & 1u : 0u);
    small += base32[value];
  }
  check_found("T=" + small, "base32");
}

TEST_CASE("a token in UTF-16 is found whatever stands before and behind it") {
  const auto wide = [](bool big) {
    std::string text;
    for (const char c : secret) text += big ? std::string{'\0', c} : std::string{c, '\0'};
    return text;
  };
  const std::string zeros(20, '\0');
  for (const bool big : {true, false})
    for (const std::string& before : {std::string(), zeros, std::string("\1\0", 2), std::string("abc\1"),
                                      big ? std::string("\0\x28", 2) : std::string("\1Q\0", 3),
                                      big ? std::string("\4\x47\0 ", 4) : std::string("\x47\4 \0", 4)})
      for (const std::string& behind :
           {std::string(), zeros, std::string("\x14\2ab") + zeros, std::string("\1\7abc"), std::string("Ilocblob")}) {
        std::string text = before + wide(big) + behind;
        INFO(before.size() << " before, " << behind.size() << " behind, " << big);
        const auto hits = Scanner::builtin()->scan(view_of(text), {});
        REQUIRE(hits.size() == 1);
        CHECK(hits[0].decoded == std::vector<std::string>{"utf-16"});
        CHECK(hits[0].identity == Vault::identify(secret));
        CHECK(hits[0].end <= text.size());
      }
  const auto registry = Scanner::builtin()->scan(view_of(listed("\"T\"=hex(7):", "%02x,00", ",", ",00,00,00,00")), {});
  REQUIRE(registry.size() == 1);
  CHECK(registry[0].decoded == std::vector<std::string>{"dump", "utf-16"});
}

TEST_CASE("a token is found where its characters are escaped or coloured") {
  check_found("\\texttt{" + replaced(secret, "_", "\\_") + "}", "escaped");
  check_found("export T=" + replaced(secret, "_", "\\_"), "escaped");
  check_found("T=3D" + replaced(secret, "_", "=5F"), "quoted-printable");
  check_found("{\\rtf1 " + replaced(secret, "_", "\\'5f") + "}", "rtf");
  check_found(spelled("T=\x1b[01;31m\x1b[K@1@2\x1b[m\x1b[K@3\x1b[0m"), "terminal");
}

TEST_CASE("a list of numbers or characters that are no text is none") {
  for (const std::string text : {"1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18",
                                 "a = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm']",
                                 "2024-01-02 2024-01-03 2024-01-04 2024-01-05 2024-01-06"})
    CHECK(Scanner::builtin()->scan(view_of(text), {}).empty());
}

TEST_CASE("a list of texts that nothing joins is none") {
  for (const std::string text :
       {"t = ['@1', '@2', '@3']", "t = ['@1', '@2', '@3'].join('-')", "t = '-'.join(['@1', '@2', '@3'])",
        "t = join('-', '@1', '@2', '@3')", "t := strings.Join([]string{\"@1\", \"@2\", \"@3\"}, \"-\")",
        "f('@1', '@2', '@3')", "t = '@1'; u = '@2'; v = '@3'", "t = '@1'\nu += '@2'\nt += '@3'",
        "set T=@1\nset U=%T%@2\nset T=%U%@3\n", "t = '@r'"}) {
    INFO(text);
    CHECK(Scanner::builtin()->scan(view_of(spelled(text)), {}).empty());
  }
}

TEST_CASE("what is found of spelled tokens does not depend on where the pieces were cut") {
  std::mt19937 dice(11);
  const auto all = lines();
  for (int round = 0; round < 8; ++round) {
    std::string text;
    while (text.size() < 300000) {
      const std::string one = test::token(dice);
      switch (dice() % 8) {
        case 0:
          text += listed("t = ", "chr(%u)", ".", ";\n", one);
          break;
        case 1:
          text += listed("t = [", "'%c'", ", ", "]\n", one);
          break;
        case 2:
          text += test::random_word(dice, dice() % 60) + std::string(dice() % 300, dice() % 2 == 0 ? ' ' : '\n');
          break;
        case 3:  // far more than a cell of one kind
          for (std::size_t i = dice() % 400; i > 0; --i)
            text += "'" + test::random_word(dice, 1 + dice() % 20) + "' +\n  ";
          break;
        case 4:
          for (std::size_t i = dice() % 400; i > 0; --i)
            text += "s += \"" + test::random_word(dice, 1 + dice() % 20) + "\";\n";
          text += "s += \"" + one.substr(0, 5) + "\";\ns += \"" + one.substr(5) + "\";\n";
          break;
        case 5:
          for (std::size_t i = dice() % 100; i > 0; --i) text += test::random_word(dice, 75) + "=\n";
          text += one.substr(0, 9) + "=\n" + one.substr(9) + "\n";
          break;
        default: {
          const std::string& line = all[dice() % all.size()];
          text += spelled(line.substr(line.find(' ') + 1), one) + "\n";
        }
      }
    }
    const Scanner& scanner = *test::scanner();
    const auto expected = test::shown(scanner.scan(view_of(text), {}));
    REQUIRE(expected.size() > 30);
    for (int cuts = 0; cuts < 4; ++cuts) {
      Scan stream(scanner, "", nullptr, nullptr);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t take = std::min<std::size_t>(text.size() - at, 1 + dice() % 50000);
        stream.feed(view_of(text).subspan(at, take));
        at += take;
      }
      CHECK(test::shown(stream.finish()) == expected);
      std::vector<std::string> tiled;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min<std::size_t>(text.size(), at + 1 + dice() % 60000);
        const std::size_t low = at - std::min(at, Scanner::reach), high = std::min(text.size(), end + Scanner::reach);
        for (auto& hit : scanner.scan_part(view_of(text).subspan(low, high - low), at - low, end - low, low, {})) {
          hit.line += static_cast<std::uint32_t>(
              std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(low), '\n'));
          tiled.push_back(test::shown(hit));
        }
        at = end;
      }
      auto wanted = expected;
      std::sort(tiled.begin(), tiled.end());
      std::sort(wanted.begin(), wanted.end());
      CHECK(tiled == wanted);
    }
  }
}

TEST_CASE("texts that are torn in the midst of how they are spelled are read to their end and no farther") {
  std::mt19937 dice(12);
  std::vector<std::string> all = lines();
  for (auto& line : all) line = spelled(line.substr(line.find(' ') + 1));
  for (const char* more : {"set a=%a%b\n", "x.split('-')", "\\\n ", "join('', qw", "::-1]", "*/", "=\r\n"})
    all.push_back(more);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t parts = 1 + dice() % 6; parts > 0; --parts) {
      const std::string& line = all[dice() % all.size()];
      const std::size_t begin = dice() % line.size();
      text += line.substr(begin, 1 + dice() % (line.size() - begin));
    }
    // Where nothing stands behind it.
    const Bytes bytes(text.begin(), text.end());
    CHECK(test::scanner()->scan(bytes, {}).empty());
  }
  std::string batch;
  while (batch.size() < 20000) batch += "set a=%a%b1c2\n";
  CHECK(test::scanner()->scan(view_of(batch), {}).empty());
}

// Passwords that a line spells out in a way of its own, and texts that stand in other texts.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "base/text.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

const std::string password = whole("Walnut{{}}-badger{{}}397");

std::string each(const std::function<std::string(char)>& write, const std::string& between,
                 const std::string& text = password) {
  std::string out;
  for (const char c : text) out += (out.empty() ? "" : between) + write(c);
  return out;
}
std::string printed(const char* format, unsigned value) {
  char out[32];
  std::snprintf(out, sizeof out, format, value);
  return out;
}
std::function<std::string(char)> as(const char* format) {
  return [format](char c) { return printed(format, static_cast<unsigned char>(c)); };
}
std::string binary(char c) {
  std::string out;
  for (int bit = 7; bit >= 0; --bit) out += (c >> bit & 1) != 0 ? '1' : '0';
  return out;
}
std::string changed(const std::function<char(char)>& change) {
  std::string out = password;
  std::transform(out.begin(), out.end(), out.begin(), change);
  return out;
}
std::size_t hits(const std::string& text, const std::string& path = "a.txt") {
  Scanner::Subject subject;
  subject.path = path;
  return Scanner::builtin()->scan(view_of(text), subject).size();
}
// Once, wherever it stands in a block.
void check_found(const std::string& text) {
  for (const std::size_t before :
       {std::size_t{0}, std::size_t{90}, (std::size_t{4} << 10) - 20, (std::size_t{32} << 10) - 40}) {
    INFO(text << " behind " << before);
    CHECK(hits(std::string(before, '\n') + text + "\n") == 1);
  }
}

}  // namespace

TEST_CASE("rows of numbers and letters, shifted and XORed texts are read") {
  check_found("EXEC('CREATE LOGIN x WITH PASSWORD = ''' + " + each(as("CHAR(%u)"), "+") + " + '''')");
  check_found("password = ''.join(chr(int(h, 16)) for h in \"" + each(as("%02x"), " ") + "\".split())");
  check_found("my $password = join '', map { chr } (" + each(as("%u"), ", ") + ");");
  check_found("pw <- rawToChar(as.raw(c(" + each(as("0x%02x"), ", ") + ")))");
  check_found("\"DefaultPassword\"=hex(1):" + each(as("%02x"), ",") + ",00");
  check_found("\"DefaultPassword\"=hex(2):" + each(as("%02x,00"), ",") + ",00,00");
  check_found("char wifi_password[] = {" + each(as("'%c'"), ", ") + ", '\\0'};");
  check_found("PASS=$(printf '" + each(as("\\x%02x"), "") + "')");
  check_found("local password = \"" + each(as("\\%03u"), "") + "\"");
  check_found("password in binary: " + each(binary, " "));
  check_found("password, letter by letter: " + each(as("%c"), " "));
  check_found("PASSWORD = ''.join(chr(ord(c) - 1) for c in '" + changed([](char c) { return ++c; }) + "')");
  check_found("func password() string {\n\tb, _ := hex.DecodeString(\"" +
              each(as("%02x"), "", changed([](char c) { return static_cast<char>(c ^ 0x5a); })) +
              "\")\n\tfor i := range b { b[i] ^= 0x5a }\n}");
  check_found("password = Replace(\"" + each(as("%c"), "#") + "\", \"#\", \"\")");
}

TEST_CASE("a secret is read that is told in halves, and what a terminal's recording shows") {
  check_found("mk: the root password in two messages\nmk: first half: " + password.substr(0, 9) +
              "\nmk: second half: " + password.substr(9));
  check_found("[1.02, \"o\", \"$ export DB_PASSWORD=\\\"" + password.substr(0, 9) + "\"]\n[1.34, \"o\", \"" +
              password.substr(9) + "\\\"\\r\\n\"]");
}

TEST_CASE("colours, comments and breaks of a line hide no password") {
  check_found("\x1b[33mpassword:\x1b[0m \x1b[32m" + password + "\x1b[0m");
  check_found("<password>" + password.substr(0, 5) + "<!-- x -->" + password.substr(5) + "</password>");
  check_found("<password><![CDATA[" + password.substr(0, 5) + "]]><![CDATA[" + password.substr(5) + "]]></password>");
  check_found("mail.password=" + password.substr(0, 5) + "\\\n    " + password.substr(5));
}

TEST_CASE("lines of a text in a literal, a mail, a patch, a listing or a log are lines") {
  const std::string community = whole("walnut{{}}.rw.9391"), line = "IPSec secret " + password;
  check_found("\"source\": [\n    \"%%writefile a\\n\",\n    \"IPSec gateway vpn.a.jp\\n\",\n    \"" + line +
              "\\n\"\n   ]");
  check_found("INSERT INTO `pages` VALUES (9,'office.conf','IPSec gateway vpn.a.jp\\nIPSec ID staff\\n" + line +
              "\\n','2026-08-26');");
  for (const std::string before : {"> ", "+", "  3  ", "2026-11-28 04:56:30 provision[7072]: "})
    check_found(before + "IPSec gateway vpn.a.jp\n" + before + line);
  check_found("+rocommunity " + community);
}

TEST_CASE("rows that are no secret, and secrets that no line speaks of, are none") {
  for (const std::string& text :
       {std::string("Allowed in a password: `_ : / = + - @`."), std::string("PASS: p 1 + 2 + 3 + 4 + 5 + 6"),
        "const hello = \"" + each(as("\\x%02x"), "", "Hello,-world") + "\";",
        "label = ''.join(chr(int(h, 16)) for h in \"" + each(as("%02x"), " ") + "\".split())",
        std::string("i sent you the first half of the password by mail, second half by sms"),
        std::string("\"KeyPosition\"=hex:2c,00,00,00,02,00,00,00,03,00,00,00,ff,ff"),
        std::string("m = {\"a\", \"Enter your password\\nand your name\\nor Contrase\\u00f1a:\\nnone\"}")}) {
    INFO(text);
    CHECK(hits(text + "\n") == 0);
  }
}

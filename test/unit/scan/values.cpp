#include <catch2/catch.hpp>

#include "base/text.hpp"
#include "family.hpp"
#include "scan/redactor.hpp"
#include "scan/vault.hpp"

using namespace imgbuild;
using namespace imgbuild::test;

namespace {

std::vector<std::string> forms(const std::string& value, const std::string& text) {
  Vault vault;
  vault.add(value, "secret s", Origin::handed_out);
  std::vector<std::string> out;
  for (const auto& match : ValueMatcher(vault, {Origin::handed_out}).find(view_of(text))) {
    CHECK(match.name == "secret s");
    CHECK(match.identity == Vault::identify(value));
    out.push_back(match.form);
  }
  return out;
}
using Forms = std::vector<std::string>;

std::string all_of(Redactor& redactor, const std::string& text, std::size_t step) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) out += redactor.feed(std::string_view(text).substr(at, step));
  return out + redactor.finish();
}

}  // namespace

TEST_CASE("a value is found in every form that it leaks in") {
  const std::string value = "p\"s/w rd$'<\xc3\xa9>&!";
  CHECK(forms(value, "x" + value + "x") == Forms{""});
  for (const std::string before : {"", "a", "ab"}) {
    std::string code = base64(view_of(before + value + "tail"));
    CHECK(forms(value, code) == Forms{"base64"});
    for (char& c : code) c = c == '+' ? '-' : c == '/' ? '_' : c;
    CHECK(forms(value, code) == Forms{"base64"});
  }
  CHECK(forms(value, hex(view_of(value))) == Forms{"hex"});
  CHECK(forms(value, "p%22s%2Fw%20rd%24%27%3C%C3%A9%3E%26%21") == Forms{"percent"});
  CHECK(forms(value, "p%22s%2fw%20rd%24%27%3c%c3%a9%3e%26%21") == Forms{"percent"});
  CHECK(forms(value, "p%22s%2Fw+rd%24%27%3C%C3%A9%3E%26%21") == Forms{"percent"});
  CHECK(forms(value, "p\\\"s/w rd$'<\xc3\xa9>&!") == Forms{"json"});
  CHECK(forms(value, "p\\\"s\\/w rd$'<\\u00e9>&!") == Forms{"json"});
  CHECK(forms(value, "p\\\"s/w rd$'\\u003c\xc3\xa9\\u003e\\u0026!") == Forms{"json"});
  CHECK(forms(value, "p\"s/w rd$'\\''<\xc3\xa9>&!") == Forms{"shell"});
  CHECK(forms(value, "p\\\"s/w\\ rd\\$\\'\\<\xc3\xa9\\>\\&\\!") == Forms{"shell"});
}

TEST_CASE("of a configuration file the lines count that may hold a secret") {
  std::mt19937 dice(3);
  const std::string word = random_word(dice, 24) + "1aB";
  for (const std::string& line : {"password = " + word, "pass: '" + word + "'", word, "https://me:" + word + "@host/"})
    CHECK(may_hold_secret(line));
  for (const char* line : {"[default]", "index-url = https://mirror.example/simple", "# Comment1 about2 Things3", "",
                           "proxy = proxy1.example.com:3128", "cafile = /etc/ssl/Certs1/ca2.pem", "timeout = 12345678",
                           "include python3.11", "enabled = true", "name = UPPER_CASE_NAME"})
    CHECK_FALSE(may_hold_secret(line));
}

TEST_CASE("a value of several lines is looked for by line, but for the lines that any such file has") {
  std::mt19937 dice(1);
  const std::string line = random_word(dice, 40);
  Vault vault;
  vault.add("-----BEGIN ACME KEY-----\n" + line +
                "\n[default]\nregistry=https://registry.example.com/\n-----END ACME KEY-----\n",
            "secret k", Origin::handed_out);
  const ValueMatcher values(vault, {Origin::handed_out});
  CHECK(values.find(view_of("a " + line + " b")).size() == 1);
  CHECK(values.find(view_of(std::string("-----BEGIN ACME KEY-----"))).empty());
  CHECK(values.find(view_of(std::string("x [default] y"))).empty());
  CHECK(values.find(view_of(std::string("registry=https://registry.example.com/"))).empty());
}

TEST_CASE("a value in base64 that is wrapped is found through the scanner") {
  std::mt19937 dice(2);
  const std::string value = random_word(dice, 120);
  Vault vault;
  vault.add(value, "secret w", Origin::handed_out);
  const ValueMatcher values(vault, {Origin::handed_out});
  const std::string code = base64(view_of("xy" + value));
  std::string text;
  for (std::size_t i = 0; i < code.size(); i += 64) text += code.substr(i, 64) + "\n";
  const auto hits = scanner()->scan(view_of(text), {"", &values, nullptr});
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].rule == &vault_rule());
  CHECK(hits[0].value_name == "secret w");
  CHECK(hits[0].decoded == Forms{"base64"});
}

TEST_CASE("a value that is a line of another is known by its own identity too") {
  Vault vault;
  vault.add("first line 7f3a\nsecond line 9c1e\n", "lines", Origin::found);
  vault.add("second line 9c1e", "line", Origin::found);
  CHECK(vault.value_of(Vault::identify("second line 9c1e")) == "second line 9c1e");
}

TEST_CASE("weak values are not looked for, and the same value twice is one") {
  CHECK(is_weak("short"));
  CHECK(is_weak("Password"));
  CHECK(is_weak("aaaaaaaaaaaa"));
  CHECK_FALSE(is_weak("k2Js9Qw7"));
  Vault vault;
  vault.add("changeme", "secret a", Origin::handed_out);
  CHECK(vault.parts().empty());
  CHECK(vault.value_of(Vault::identify("changeme")) == "changeme");
  CHECK(vault.value_of(Vault::identify("changeyou")).empty());
  vault.add("k2Js9Qw7", "secret b", Origin::handed_out);
  vault.add("k2Js9Qw7", "secret c", Origin::handed_out);
  CHECK(vault.parts().size() == 1);
}

TEST_CASE("identities are equal for equal values, and no plain hash") {
  CHECK(Vault::identify("value one") == Vault::identify("value one"));
  CHECK(Vault::identify("value one") != Vault::identify("value two"));
  CHECK(Vault::identify("value one").text.rfind("hmac:", 0) == 0);
}

TEST_CASE("a message is redacted of values and of what rules know") {
  std::mt19937 dice(3);
  const std::string secret = token(dice);
  Vault vault;
  vault.add("k2Js9Qw7Zp", "secret npm", Origin::handed_out);
  CHECK(redact("a k2Js9Qw7Zp b " + secret + " c", *scanner(), vault) ==
        "a [redacted: secret npm] b [redacted: acme.token] c");
  vault.add("later-Added9", "secret two", Origin::found);
  CHECK(redact("later-Added9", *scanner(), vault) == "[redacted: secret two]");
}

TEST_CASE("a redacted stream is the same however it was cut, and holds no byte of a value") {
  std::mt19937 dice(4);
  Vault vault;
  const std::string value = "two\nLines9 of a secret\nand3 more";
  vault.add(value, "secret v", Origin::handed_out);
  std::string key = std::string("-----BEGIN ") + "OPENSSH PRIVATE KEY-----\n";
  for (int i = 0; i < 5; ++i) key += random_word(dice, 70) + "\n";
  key += std::string("-----END ") + "OPENSSH PRIVATE KEY-----\n";
  const std::string secret = token(dice);
  const std::string text = "start " + value + " middle\ntwo\nLines apart\n" + key + "after " + secret + "\n" +
                           base64(view_of(value)) + "\ntwo\nLines9 of";
  const std::string expected =
      "start [redacted: secret v] middle\ntwo\nLines apart\n[redacted: a private key]\nafter [redacted: acme.token]\n"
      "[redacted: secret v]";
  std::string first;
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{50}, text.size()}) {
    Redactor redactor(scanner(), vault);
    const std::string got = all_of(redactor, text, step);
    CHECK(got.substr(0, expected.size()) == expected);
    CHECK(got.find(value) == std::string::npos);
    CHECK(got.find(secret) == std::string::npos);
    CHECK(got.find(key.substr(40, 30)) == std::string::npos);
    if (first.empty()) first = got;
    CHECK(got == first);
  }
}

TEST_CASE("complete lines go out at once, a partial one when its time has come") {
  Vault vault;
  vault.add("k2Js9Qw7Zp", "secret v", Origin::handed_out);
  Redactor redactor(scanner(), vault);
  CHECK(redactor.feed("one\ntw") == "one\n");
  CHECK(redactor.tick().empty());
  struct timespec pause = {0, 250 * 1000 * 1000};
  nanosleep(&pause, nullptr);
  CHECK(redactor.tick() == "tw");
  // The beginning of a value stays, however long it takes.
  CHECK(redactor.feed("o k2Js9").empty());
  nanosleep(&pause, nullptr);
  CHECK(redactor.tick() == "o ");
  CHECK(redactor.feed("Qw7Zp.\n") == "[redacted: secret v].\n");
}

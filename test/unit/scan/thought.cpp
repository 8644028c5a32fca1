// Passwords of words, and values as files write them: what is found depends on the file.
#include <catch2/catch.hpp>
#include <string>

#include "../whole.hpp"
#include "base/bytes.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

bool found(const std::string& text, const std::string& path) {
  for (const auto& hit : Scanner::builtin()->scan(view_of(text + "\n"), {path}))
    if (hit.severity >= Severity::medium) return true;
  return false;
}

}  // namespace

TEST_CASE("a password of words with blanks is found in settings, and what a form says in any language is none") {
  const std::string words = whole("badger {{}}piano cactus");
  for (const std::string before : {"\"password\": \"", "MATCH_PASSWORD = \"", "\"secret\": \"", "DB_PASS=\""}) {
    INFO(before);
    CHECK(found(before + words + "\"", "config/default.json"));
    CHECK_FALSE(found(before + words + "\"", "app/locales/en.json"));
    for (const std::string said : {"forgot your password", "choose another word", "bitte kennwort eingeben",
                                   "wachtwoord opnieuw instellen", "mot de passe perdu", "nueva clave requerida",
                                   "letters digits symbols", "user account locked", "stored encrypted values"})
      CHECK_FALSE(found(before + said + "\"", "config/default.json"));
  }
}

TEST_CASE("the four groups of an app password are found without quotes where the line ends behind them") {
  const std::string groups = whole("geng {{}}piza ggrs fafw");
  CHECK(found("    password: " + groups, "application.yml"));
  CHECK(found("SMTP_PASS=" + groups + "  # of the bot", "mail.sh"));
  CHECK_FALSE(found("    password: " + groups + " and more", "application.yml"));
  CHECK_FALSE(found("    password: this must have text", "application.yml"));
}

TEST_CASE("a password with an umlaut needs no quotes in settings, and a word of a translation is none") {
  for (const std::string path : {"app.properties", "app.yml", "app.ini"}) {
    INFO(path);
    const std::string sign = path == "app.yml" ? ": " : " = ";
    CHECK(found("password" + sign + whole("Schl\xc3\xbcssel{{}}4931!"), path));
    CHECK_FALSE(found("password" + sign + "Schl\xc3\xbcssel", path));
    CHECK_FALSE(found("password" + sign +
                          "Gr\xc3\xb6\xc3\x9f"
                          "e\xc3\xa4nderung",
                      path));
  }
}

TEST_CASE("escapes of JSON and of C hide no password, and what they hide may be none") {
  CHECK(found(whole(R"({"Password": "fDk3Vj\u0026{{}}3twU"})"), "appsettings.json"));
  CHECK(found(whole(R"(char api_pass[] = "\x4b\x65{{}}\x73\x74\x72\x65\x6c\x23\x31\x35\x38";)"), "fw.c"));
  CHECK_FALSE(found(R"({"Password": "\u003cpassword\u003e"})", "appsettings.json"));
  CHECK_FALSE(found(R"({"Password": "Schl\u00fcsselwort"})", "appsettings.json"));
  CHECK_FALSE(found(R"(char hdr_pass[] = "\x70\x61\x73\x73\x77\x6f\x72\x64";)", "fw.c"));
}

TEST_CASE("a keystore of Java on one line of base64 is a key, and one that holds certificates is none") {
  const std::string head = "/u3+7QAAAAIAAAABAAAAA", name = "AGdXBsb2FkAAABi3aC6BQAAAK8MIICuDAOBgorBgEEASoCEQEBBQAEggKk";
  std::string rest;
  for (int i = 0; i < 12; ++i) rest += "3CQ9hbvXwS0mJ+2kf7TQyVZr1oE3";
  CHECK(found("KEYSTORE_BASE64=" + head + "Q" + name + rest, "signing.env"));
  CHECK_FALSE(found("TRUSTSTORE_BASE64=" + head + "gAEcm9vdAAAAYcAAAAAAAVYLjUwOQAAAAQwAgUA" + rest, "trust.sh"));
}

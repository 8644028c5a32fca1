#include "scan/meant_public.hpp"
#include "../whole.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "base/text.hpp"
#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

std::string token_with(std::string_view payload) {
  const auto part = [](std::string_view json) {
    std::string code = base64(view_of(json));
    for (char& c : code) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return code.substr(0, code.find('='));
  };
  return part(R"({"alg":"HS256","typ":"JWT"})") + "." + part(payload) + "." + std::string("Zm9v") +
         "QJYNMq1ktRPtUzWv6VUMV0IcAMwRIhbSGwVmYAQM";
}

std::size_t found(const std::string& text, const std::string& path) {
  static const auto scanner = Scanner::builtin();
  return scanner->scan(view_of(text), {path, nullptr, nullptr}).size();
}

}  // namespace

TEST_CASE("a token of Supabase's for everybody is no secret, one that is more is") {
  const std::string anon = token_with(R"({"iss":"supabase","ref":"abc","role":"anon","iat":1701223511})");
  CHECK(is_meant_to_be_public(anon, "", ""));
  CHECK(found("createClient('https://abc.supabase.co', '" + anon + "')", "app.js") == 0);
  CHECK(found("SUPABASE_ANON_KEY=" + anon + "\n", ".env") == 0);
  for (const char* payload : {R"({"iss":"supabase","ref":"abc","role":"service_role","iat":1701223511})",
                              R"({"iss":"supabase","sub":"7","role":"anon"})", R"({"iss":"acme","role":"anon"})"}) {
    CHECK_FALSE(is_meant_to_be_public(token_with(payload), "", ""));
    CHECK(found("createClient('https://abc.supabase.co', '" + token_with(payload) + "')", "app.js") == 1);
  }
  CHECK_FALSE(is_meant_to_be_public("eyJ", "", ""));
  CHECK_FALSE(is_meant_to_be_public("eyJ.eyJ", "", ""));
  CHECK_FALSE(is_meant_to_be_public(token_with(std::string(2000, '[')), "", ""));
}

TEST_CASE("a key that only searches stands beside its index; one of an administrator is a secret") {
  const std::string key = whole("e24a65703c{{}}62c732358ff5{{}}a86c3e9d27");
  CHECK(found("docsearch({ appId: 'Y6C5URRSY1', apiKey: '" + key + "', indexName: 'shop' })", "a.js") == 0);
  CHECK(found("algolia: {\n  appId: 'Y6C5URRSY1',\n  apiKey: '" + key + "',\n  indexName: 'shop',\n}", "a.js") == 0);
  CHECK(found("ALGOLIA_SEARCH_API_KEY=" + key + "\n", ".env") == 0);
  CHECK(found("ALGOLIA_ADMIN_API_KEY=" + key + "\n", ".env") > 0);
  CHECK(found("{ appId: 'Y6C5URRSY1', apiKey: '" + key + "' }; x({ indexName: 'shop' })", "a.js") == 1);
  CHECK(found("{ appId: 'Y6C5URRSY1', adminApiKey: '" + key + "', indexName: 'shop' }", "a.js") == 1);
}

TEST_CASE("the sum in an annotation is no secret, whatever it is the sum of") {
  const std::string sum = std::string("5ea5bb0a93ef9ce9cb389b40bc3b6233") + "29167dfd596c2d2c5afd87f8e3a40211";
  for (const char* name : {"checksum/secret: ", "checksum/app-secrets: ", "\"checksum/secret\": \""})
    CHECK(is_meant_to_be_public(sum, std::string("annotations:\n  ") + name, "\n"));
  CHECK(found("annotations:\n  checksum/secret: " + sum + "\n", "a.yaml") == 0);
  CHECK(found("annotations:\n  app/secret: " + sum + "\n", "a.yaml") == 1);
}

TEST_CASE("an account of a blockchain is no key of the service that shows it") {
  const std::string account = std::string("7a250d5630b4cf539739") + "df2c5dacb4c659f2488d";
  CHECK(found("etherscan token contract: 0x" + account + "\n", "a.md") == 0);
  CHECK(found("etherscan_token = '" + account + "'\n", "a.py") == 1);
}

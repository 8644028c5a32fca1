// The proofs, and what is no secret whatever the rule. That every rule uses its proof rightly, its examples show.
#include "scan/proof.hpp"

#include <catch2/catch.hpp>

#include "../whole.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "scan/published.hpp"

using namespace imgbuild;

namespace {

Proof prove_alone(std::string_view name, const std::string& secret) {
  return prove(name, {secret, secret, secret, ""});
}

bool proves(std::string_view name, const std::string& secret) { return prove_alone(name, secret).proven; }

// `match` holds the secret once; both lie in `around`, as the scanner has it.
Proof prove_within(std::string_view name, const std::string& around, std::string_view match, std::string_view secret) {
  const std::string_view all = around;
  const std::string_view found = all.substr(all.find(match), match.size());
  return prove(name, {found.substr(found.find(secret), secret.size()), found, all, ""});
}

Proof prove_url(const std::string& url, std::string_view password) {
  return prove_within("url-password", url, url, password);
}

std::string jwt_of(std::string_view header, std::string_view payload) {
  const auto part = [](std::string_view text) {
    std::string encoded = base64(view_of(text));
    encoded.resize(encoded.find_last_not_of('=') + 1);
    return encoded;
  };
  return part(header) + "." + part(payload) + "." + part("a signature of some length");
}

}  // namespace

TEST_CASE("every proof has a name, and no other name is one") {
  REQUIRE_FALSE(proof_names().empty());
  for (const auto name : proof_names()) CHECK(is_proof(name));
  CHECK_FALSE(is_proof("private-keys"));
  CHECK_FALSE(is_proof(""));
  CHECK_FALSE(proves("private-keys", "x"));
}

TEST_CASE("what stands where a secret would is none") {
  for (const char* text : {"",
                           "${TOKEN}",
                           "$TOKEN",
                           "$(cat token)",
                           "{{ token }}",
                           "<your token>",
                           "%TOKEN%",
                           "@token@",
                           "xxxxxxxxxxxx",
                           "changeme",
                           "your-api-key",
                           "YOUR_TOKEN_HERE",
                           "AKIAIOSFODNN7EXAMPLE",
                           "********",
                           "0000000000000000",
                           "1234567890",
                           "abcdefghijkl",
                           "0123456789abcdef0123456789abcdef",
                           "password",
                           "my-secret-password",
                           "mySecretToken",
                           "sk-...",
                           "insert-token",
                           "'changeme'",
                           "test123",
                           "2YotnFZFEjr1zCsicMWpAA"})
    CHECK(is_placeholder(text));
  for (const std::string text :
       {"Tr0ub4dor"
        "&3",
        "kX9wQz71LmPq",
        "d41d8cd98f00b204e980"
        "0998ecf8427e",
        "-----BEGIN RSA PRIVATE KEY-----", "correct.horse.battery", "acme-prod-2024!", "hunter2hunter2"})
    CHECK_FALSE(is_placeholder(text));
  // A long random value has all its alphabet; few distinct characters of many are no sign of a stand-in.
  Bytes random(600);
  random_bytes(random);
  CHECK_FALSE(is_placeholder(base64(random).substr(0, 500)));
  CHECK_FALSE(is_placeholder(hex(random).substr(0, 128)));
}

TEST_CASE("entropy counts bits per character") {
  CHECK(entropy_of("") == 0);
  CHECK(entropy_of("aaaa") == Approx(0));
  CHECK(entropy_of("abab") == Approx(1));
  CHECK(entropy_of("0123456789abcdef") == Approx(4));
}

TEST_CASE("a GitHub token whose checksum does not hold weighs less, one whose checksum holds is what the rule says") {
  const std::string good =
      "ghp_"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      "0uCPlr";
  CHECK(prove_alone("crc32-base62", good).proven);
  CHECK_FALSE(prove_alone("crc32-base62", good).severity);
  std::string bad = good;
  bad[8] = 'B';
  CHECK(prove_alone("crc32-base62", bad).severity == Severity::medium);
  CHECK_FALSE(proves("crc32-base62", "ghp_short"));
}

TEST_CASE("a JWT has a header with an algorithm and a payload, both JSON") {
  CHECK(proves("jwt", jwt_of(R"({"alg":"RS256"})", R"({"sub":"ci"})")));
  CHECK_FALSE(proves("jwt", jwt_of(R"({"alg":"none"})", R"({"sub":"ci"})")));
  CHECK_FALSE(proves("jwt", jwt_of(R"({"typ":"JWT"})", R"({"sub":"ci"})")));
  CHECK_FALSE(proves("jwt", jwt_of(R"({"alg":"RS256"})", "no JSON")));
  CHECK_FALSE(proves("jwt", jwt_of(R"({"alg":"HS256"})", R"({"sub":"1234567890","name":"John Doe"})")));
  CHECK_FALSE(proves("jwt", "a.b"));
  CHECK_FALSE(proves("jwt", jwt_of("{" + std::string(100000, '['), "{}")));
}

TEST_CASE("keys of fixed size are held against their size and alphabet") {
  Bytes random(64);
  random_bytes(random);
  CHECK(proves("azure-storage-key", base64(random)));
  CHECK_FALSE(proves("azure-storage-key", base64(View(random).first(63))));
  CHECK(proves("aws-key-id", whole("AKIA{{}}QYLPMN5H{{}}FIQR7XYA")));
  CHECK_FALSE(proves("aws-key-id",
                     "AKIA"
                     "QYLPMN5HFIQR7XY0"));
  CHECK_FALSE(proves("aws-key-id",
                     "AKIA"
                     "AAAAAAAAAAAAAAAA"));
  CHECK_FALSE(proves("aws-key-id", "AKIA"));
  CHECK(proves("discord-token", base64(view_of("123456789012345678")) + ".a.b"));
  CHECK_FALSE(proves("discord-token", base64(view_of("not a number at all")) + ".a.b"));
  CHECK_FALSE(proves("pypi-macaroon", "pypi-"));
  CHECK_FALSE(proves("age-identity", "AGE-SECRET-KEY-1"));
}

TEST_CASE("a URL's password is one that is written out and is nobody's default") {
  const std::string password =
      "k9"
      "Xw4-zt";
  CHECK(prove_url("https://ci:" + password + "@git.acme.com/", password).proven);
  CHECK_FALSE(prove_url("https://ci:" + password + "@git.acme.com/", password).severity);
  CHECK(prove_url("https://ci:" + password + "@localhost/", password).proven);
  // RFC 2606: nobody can log in there.
  CHECK(prove_url("https://ci:" + password + "@example.com/", password).severity == Severity::low);
  CHECK_FALSE(prove_url("https://user:password@git.acme.com/", "password").proven);
  CHECK_FALSE(prove_url("https://guest:${PASS}@git.acme.com/", "${PASS}").proven);
  CHECK_FALSE(prove_url("amqp://rabbit:rabbit@queue/", "rabbit").proven);
  CHECK_FALSE(prove_url("https://ci:%7B%7Bpass%7D%7D@git.acme.com/", "%7B%7Bpass%7D%7D").proven);
  CHECK(prove_url("redis://:" + password + "@cache/0", password).proven);
}

TEST_CASE("a login in base64 has a user and a password that is written out") {
  CHECK(proves("basic-auth", base64(view_of("ci:k9"
                                            "Xw4zt"))));
  CHECK_FALSE(proves("basic-auth", base64(view_of("user:password"))));
  CHECK_FALSE(proves("basic-auth", base64(view_of("no colon"))));
  CHECK_FALSE(proves("basic-auth", base64(view_of("ci:\x01\x02\x03\x04"))));
  CHECK_FALSE(proves("basic-auth", "?"));
}

TEST_CASE("a value in code is a secret where it is neither reference nor name nor words") {
  for (const std::string value : {"Tr0ub4dor"
                                  "&3",
                                  "kX9wQz71LmPq",
                                  "a3f5c8e1b2d4"
                                  "96870123fedc"})
    CHECK(proves("generic-password", value));
  for (const char* value :
       {"os.environ[PW]", "process.env.PW", "user.password.label", "PasswordAuthenticator", "DB_PASSWORD_FILE",
        "/run/secrets/pw", "https://acme.com/", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "%s-password",
        "vault:secret/data/x", "Password123"})
    CHECK_FALSE(proves("generic-password", value));
  for (const std::string value : {"k9Xw"
                                  "4ztQ",
                                  "s3cr"
                                  "et-of-acme"})
    CHECK(proves("env-value", value));
  for (const char* value : {"true", "changeme", "${PW}", "/etc/app/key", "file:/run/pw", "a b c d e f"})
    CHECK_FALSE(proves("env-value", value));
}

TEST_CASE("the secret of one handshake in a test vector is none") {
  const std::string value = "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b";
  const std::string match = "secret\": \"" + value + "\"";
  CHECK_FALSE(prove_within("generic-password", "{\"shared_" + match, match, value).proven);
  CHECK_FALSE(prove_within("generic-password", "{\"exporter_" + match, match, value).proven);
  CHECK(prove_within("generic-password", "{\"client_" + match, match, value).proven);
}

TEST_CASE("no proof stumbles over bytes that mean nothing") {
  Bytes random(4096);
  for (int round = 0; round < 20; ++round) {
    random_bytes(random);
    const std::string_view around = text_of(random);
    for (const auto name : proof_names())
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{40}, std::size_t{3000}})
        (void)prove(name, {around.substr(7, size), around.substr(3, size + 8), around, "a/path"});
  }
  for (const auto name : proof_names()) CHECK_NOTHROW(prove(name, {"", "", "", ""}));
}

TEST_CASE("a key that a public package brings is known by its fingerprint, and no other is") {
  // A self-test key of libgnutls, which every image with git holds.
  CHECK(published_key("SHA256:/s7hC1qbiBH8ldTc08GJSkZlmCiNIbFLFmlDUIrRkck").find("debian libgnutls30") == 0);
  CHECK(published_key("SHA256:").empty());
  CHECK(published_key("/s7hC1qbiBH8ldTc08GJSkZlmCiNIbFLFmlDUIrRkck").empty());
  CHECK(published_key("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").empty());
}

TEST_CASE("a file that a public package brings is known by its digest, and a key's is none of a file") {
  const std::string broken = "5a0bee74a7bd0caa1d572ff1ae58c3c79310c8fc646a5e84fb5e1eea488ea4b5";
  CHECK(published_file("sha256:" + broken).find("writer-big.tar") != std::string_view::npos);
  CHECK(published_file("SHA256:" + broken).empty());
  CHECK(published_file(broken).empty());
  CHECK(published_file("sha256:").empty());
  CHECK(published_file("sha256:/s7hC1qbiBH8ldTc08GJSkZlmCiNIbFLFmlDUIrRkck").empty());
  CHECK(published_file("sha256:" + std::string(64, '0')).empty());
}

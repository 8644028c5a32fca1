#include "crypto/private_key.hpp"

#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "crypto/passphrases.hpp"

using namespace imgbuild;

namespace {

std::string output_of(std::vector<std::string> argv, std::string_view in = {}) {
  Command command;
  command.argv = std::move(argv);
  const Ran ran = run(command, in);
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return ran.out;
}

// A fresh key by ssh-keygen: its file, and the fingerprint that ssh-keygen prints.
struct SshKeyFile {
  TempDir dir;
  std::string path = dir.path() + "/key";
  explicit SshKeyFile(std::vector<std::string> how, const std::string& passphrase = "") {
    std::vector<std::string> argv{"ssh-keygen", "-q", "-N", passphrase, "-f", path, "-C", "a test"};
    argv.insert(argv.end(), how.begin(), how.end());
    output_of(argv);
  }
  std::string text() const { return read_file(path); }
  std::string fingerprint() const { return split(output_of({"ssh-keygen", "-lf", path + ".pub"}), ' ').at(1); }
};

std::string openssl(std::vector<std::string> arguments, std::string_view in = {}) {
  arguments.insert(arguments.begin(), "openssl");
  return output_of(std::move(arguments), in);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// What ssh-keygen says of the public half of a key that OpenSSL made.
std::string fingerprint_by_ssh(const std::string& pem) {
  TempDir dir;
  const std::string path = dir.path() + "/public";
  std::ofstream(path) << openssl({"pkey", "-pubout"}, pem);
  const std::string line = output_of({"ssh-keygen", "-i", "-m", "PKCS8", "-f", path});
  std::ofstream(path) << line;
  return split(output_of({"ssh-keygen", "-lf", path}), ' ').at(1);
}

}  // namespace

TEST_CASE("a key of each type that ssh-keygen makes is read with the fingerprint that ssh-keygen prints") {
  struct Row {
    std::vector<std::string> how;
    std::string type;
    int bits;
  };
  const auto row = GENERATE(
      Row{{"-t", "ed25519"}, "ed25519", 256}, Row{{"-t", "rsa", "-b", "2048"}, "rsa", 2048},
      Row{{"-t", "ecdsa", "-b", "256"}, "ecdsa", 256}, Row{{"-t", "ecdsa", "-b", "521"}, "ecdsa", 521},
      Row{{"-t", "dsa"}, "dsa", 1024}, Row{{"-t", "rsa", "-b", "2048", "-m", "PEM"}, "rsa", 2048},
      Row{{"-t", "ecdsa", "-b", "384", "-m", "PEM"}, "ecdsa", 384}, Row{{"-t", "dsa", "-m", "PEM"}, "dsa", 1024},
      Row{{"-t", "rsa", "-b", "3072", "-m", "PKCS8"}, "rsa", 3072});
  const SshKeyFile key(row.how);
  const auto facts = read_pem_key(key.text());
  REQUIRE(facts);
  CHECK(facts->type == row.type);
  CHECK(facts->bits == row.bits);
  CHECK_FALSE(facts->encrypted);
  CHECK(facts->fingerprint == key.fingerprint());
}

TEST_CASE("an encrypted key shows what its format leaves in clear, and asks for nothing") {
  SECTION("OpenSSH: everything public") {
    const SshKeyFile key({"-t", "ed25519"}, "a long passphrase");
    const auto facts = read_pem_key(key.text());
    REQUIRE(facts);
    CHECK(facts->encrypted);
    CHECK(facts->type == "ed25519");
    CHECK(facts->fingerprint == key.fingerprint());
  }
  SECTION("traditional PEM: the type, by its label") {
    const SshKeyFile key({"-t", "ecdsa", "-m", "PEM"}, "a long passphrase");
    for (const std::string& text : {key.text(), replaced(key.text(), "\n", "\\n"), replaced(key.text(), "\n", " ")}) {
      const auto facts = read_pem_key(text);
      REQUIRE(facts);
      CHECK(facts->encrypted);
      CHECK(facts->type == "ecdsa");
      CHECK(facts->fingerprint.empty());
    }
  }
  SECTION("PKCS#8: nothing") {
    const std::string pem = openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"});
    const auto facts =
        read_pem_key(openssl({"pkcs8", "-topk8", "-passout", "pass:longpass", "-v2", "aes-256-cbc"}, pem));
    REQUIRE(facts);
    CHECK(facts->encrypted);
    CHECK(facts->type == "unknown");
    CHECK(facts->bits == 0);
  }
}

TEST_CASE("keys that OpenSSL makes are read in every label and in DER") {
  struct Row {
    std::vector<std::string> how;
    std::string type;
    int bits;
    bool ssh_knows;
  };
  const auto row =
      GENERATE(Row{{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, "rsa", 2048, true},
               Row{{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "ecdsa", 256, true},
               Row{{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, "ecdsa", 521, true},
               Row{{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"}, "ecdsa", 256, false},
               Row{{"-algorithm", "ED25519"}, "ed25519", 256, false},
               Row{{"-algorithm", "X25519"}, "x25519", 253, false}, Row{{"-algorithm", "ED448"}, "ed448", 456, false});
  std::vector<std::string> how{"genpkey"};
  how.insert(how.end(), row.how.begin(), row.how.end());
  const std::string pem = openssl(how);
  const auto facts = read_pem_key(pem);
  REQUIRE(facts);
  CHECK(facts->type == row.type);
  CHECK(facts->bits == row.bits);
  if (row.ssh_knows) CHECK(facts->fingerprint == fingerprint_by_ssh(pem));

  const auto der = read_der_key(view_of(openssl({"pkey", "-outform", "DER"}, pem)));
  REQUIRE(der);
  CHECK(der->type == facts->type);
  CHECK(der->fingerprint == facts->fingerprint);
  if (row.type == "rsa" || row.type == "ecdsa") {
    const auto traditional = read_der_key(view_of(openssl({"pkey", "-traditional", "-outform", "DER"}, pem)));
    REQUIRE(traditional);
    CHECK(traditional->fingerprint == facts->fingerprint);
  }
}

TEST_CASE("a key is read in every layout that it leaks in") {
  const SshKeyFile key({"-t", "rsa", "-b", "2048", "-m", "PEM"});
  const std::string text = key.text();
  const std::string end = "-----END RSA PRIVATE KEY-----";
  for (const std::string& layout :
       {replaced(text, "\n", "\r\n"), replaced(text, "\n", "\n    "), replaced(text, "\n", "\\n"),
        replaced(text, "\n", "\\\\n"), replaced(text, "\n", "\\r\\n"), replaced(text, "\n", " "),
        replaced(text, "\n", "\",\n  \""), replaced(text, "\n", "\\n\" +\n \""), replaced(text, "\n", "\n# "),
        replaced(text, "\n", "\n+"), replaced(replaced(text, "\n", "\\n"), "/", "\\/"),
        replaced(replaced(text, "\n", "\\n"), "+", "\\u002b"), replaced(text, end, ""),
        text + "and what follows: no key"}) {
    const auto facts = read_pem_key(layout);
    INFO(layout.substr(0, 120));
    REQUIRE(facts);
    CHECK(facts->fingerprint == key.fingerprint());
  }
}

TEST_CASE("a header with no key behind it is no key") {
  const std::string begin = "-----BEGIN RSA PRIVATE KEY-----", end = "-----END RSA PRIVATE KEY-----";
  CHECK_FALSE(read_pem_key(""));
  CHECK_FALSE(read_pem_key(begin));
  CHECK_FALSE(read_pem_key(begin + "\n" + end));
  CHECK_FALSE(read_pem_key(begin + "\n...\n" + end));
  CHECK_FALSE(read_pem_key(begin + "\nMIIEpAIBAAKCAQEA\n" + end));
  CHECK_FALSE(read_pem_key(begin + "\nyour key goes here\n" + end));
  CHECK_FALSE(read_pem_key(begin + "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + end));
  const SshKeyFile key({"-t", "rsa", "-b", "2048", "-m", "PEM"});
  const std::string text = key.text();
  CHECK_FALSE(read_pem_key(text.substr(0, text.size() / 2)));
  CHECK_FALSE(read_pem_key(replaced(text, "MII", "MIJ")));
  CHECK_FALSE(read_pem_key(openssl({"pkey", "-pubout"}, text)));
  CHECK_FALSE(read_der_key(view_of("0\x82\xff\xff")));
}

TEST_CASE("an RSA key whose parts do not belong together is no key") {
  std::string der =
      openssl({"pkey", "-traditional", "-outform", "DER"}, SshKeyFile({"-t", "rsa", "-b", "2048", "-m", "PEM"}).text());
  REQUIRE(read_der_key(view_of(der)));
  der[60] = static_cast<char>(der[60] ^ 1);  // a bit of the modulus
  CHECK_FALSE(read_der_key(view_of(der)));
}

TEST_CASE("PuTTY's files are read in both versions, encrypted or not") {
  // The public and private blobs are real; only puttygen's frame around them is written here.
  const SshKeyFile key({"-t", "ed25519"});
  const std::string blob = split(read_file(key.path + ".pub"), ' ').at(1);
  const std::string secret = base64(Bytes(36, 7));
  const auto file = [&](const std::string& version, const std::string& cipher, const std::string& derivation) {
    return "PuTTY-User-Key-File-" + version + ": ssh-ed25519\nEncryption: " + cipher +
           "\nComment: a test\nPublic-Lines: 2\n" + blob.substr(0, 64) + "\n" + blob.substr(64) + "\n" + derivation +
           "Private-Lines: 1\n" + secret + "\nPrivate-MAC: 00ff\n";
  };
  const std::string argon =
      "Key-Derivation: Argon2id\nArgon2-Memory: 8192\nArgon2-Passes: 21\nArgon2-Parallelism: 1\nArgon2-Salt: 00\n";
  for (const auto& [text, encrypted] : {std::pair{file("2", "none", ""), false},
                                        {file("3", "none", ""), false},
                                        {file("2", "aes256-cbc", ""), true},
                                        {file("3", "aes256-cbc", argon), true}}) {
    for (const std::string& layout : {text, replaced(text, "\n", "\r\n"), replaced(text, "\n", "\\n")}) {
      const auto facts = read_ppk_key(layout);
      REQUIRE(facts);
      CHECK(facts->encrypted == encrypted);
      CHECK(facts->type == "ed25519");
      CHECK(facts->fingerprint == key.fingerprint());
    }
  }
  CHECK_FALSE(read_ppk_key("PuTTY-User-Key-File-2: ssh-ed25519\nEncryption: none\n"));
  CHECK_FALSE(read_ppk_key(replaced(file("3", "none", ""), "Private-Lines: 1", "Private-Lines: 0")));
  CHECK_FALSE(read_ppk_key(replaced(file("3", "none", ""), ": ssh-ed25519", ": ssh-rsa")));
}

TEST_CASE("the headers of a key with something else in them are none") {
  const auto repeated = [](std::string_view header) {
    std::string all;
    while (all.size() < 4000) all += header;
    return all;
  };
  using namespace std::string_view_literals;
  for (const auto header :
       {"\x30\x82\x04\xa4\2\1\0\2\x82\1\1\0"sv, "\x30\x82\4\xbe\2\1\0\x30\x0d\6\x09*\x86H\x86\xf7\x0d\1\1\1"sv,
        "\x30\x82\2\1\2\1\1\4\x20"sv, "\x30\x77\2\1\1\4\x20"sv})
    CHECK_FALSE(read_der_key(view_of(repeated(header))));
}

TEST_CASE("attempts to open keys are counted, for one key and for all") {
  Attempts one{10};
  CHECK_FALSE(may_try(0, 0, one));
  CHECK_FALSE(may_try(11, 0, one));
  CHECK(may_try(10, 0, one));
  CHECK_FALSE(may_try(1, 0, one));
  CHECK_FALSE(one.refused);  // it is this key that has none left
  const std::uint64_t had = set_passphrase_budget(10 * most_iterations);
  int keys = 0;
  for (bool more = true; more && keys < 100; ++keys) {
    Attempts each;
    more = may_try(most_iterations, 0, each);
    CHECK(each.refused == !more);
  }
  set_passphrase_budget(had);
  CHECK(keys < 100);
}

TEST_CASE("absurd numbers cost no time, and no error is left behind in OpenSSL's queue") {
  ERR_clear_error();
  const auto start = std::chrono::steady_clock::now();
  // A DSA key (PKCS#8) whose prime has 100,000 bits: computing its public half would take minutes.
  const auto der = [](std::uint8_t tag, const Bytes& content) {
    Bytes out{tag, 0x83, static_cast<std::uint8_t>(content.size() >> 16),
              static_cast<std::uint8_t>(content.size() >> 8), static_cast<std::uint8_t>(content.size())};
    out.insert(out.end(), content.begin(), content.end());
    return out;
  };
  const auto sequence = [&](std::vector<Bytes> parts) {
    Bytes all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return der(0x30, all);
  };
  for (const std::size_t size : {1900u, 12500u}) {
    const Bytes number = der(2, Bytes(size / 3, 0x7f));
    const Bytes key = sequence(
        {Bytes{2, 1, 0},
         sequence({Bytes{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1}, sequence({number, Bytes{2, 1, 11}, number})}),
         der(4, number)});
    (void)read_der_key(key);
    (void)read_pem_key("-----BEGIN PRIVATE KEY-----\n" + base64(key) + "\n-----END PRIVATE KEY-----\n");
  }
  CHECK_FALSE(read_pem_key("-----BEGIN PRIVATE KEY-----\n" + std::string(1 << 20, 'A')));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(ERR_peek_error() == 0);
}

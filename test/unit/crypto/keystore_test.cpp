// Keystores as openssl and keytool make them.
#include "crypto/keystore.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"

using namespace imgbuild;

namespace {

void shell(const TempDir& folder, const std::string& command) {
  const Ran ran = run({.argv = {"sh", "-ec", "exec 2>&1; cd " + folder.path() + "; " + command}});
  INFO(ran.out);
  REQUIRE(ran.status == 0);
}

bool has_keytool() { return run({.argv = {"sh", "-c", "command -v keytool"}}).status == 0; }

std::string made(const TempDir& folder, const std::string& options) {
  shell(folder, "openssl pkcs12 -export -inkey k.pem -in c.pem -name one -out store " + options);
  return read_file(folder.path() + "/store");
}

}  // namespace

TEST_CASE("A PKCS#12 keystore is opened with the passphrases that everybody has") {
  const TempDir folder;
  shell(folder, "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=x");
  const auto key = read_pem_key(read_file(folder.path() + "/k.pem"));
  REQUIRE(key);
  for (const char* options : {"-passout pass:", "-passout pass:changeit", "-passout pass:password -certpbe NONE",
                              "-passout pass: -keypbe NONE -certpbe NONE", "-passout pass:changeit -nomac"}) {
    INFO(options);
    const auto facts = read_keystore(view_of(made(folder, options)));
    REQUIRE(facts);
    CHECK(facts->type == "rsa");
    CHECK(facts->bits == 2048);
    CHECK_FALSE(facts->encrypted);
    CHECK(facts->fingerprint == key->fingerprint);
  }
}

TEST_CASE("A PKCS#12 keystore that nobody can open is told as encrypted, at once whatever it asks for") {
  const TempDir folder;
  shell(folder, "openssl req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=x");
  for (const char* options : {"-passout pass:a-better-one", "-passout pass:a-better-one -iter 5000000"}) {
    const auto facts = read_keystore(view_of(made(folder, options)));
    REQUIRE(facts);
    CHECK(facts->encrypted);
    CHECK(facts->fingerprint.empty());
  }
}

TEST_CASE("A keystore without private keys is none") {
  const TempDir folder;
  shell(folder, "openssl req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=x");
  shell(folder, "openssl pkcs12 -export -nokeys -in c.pem -out store -passout pass:changeit");
  CHECK_FALSE(read_keystore(view_of(read_file(folder.path() + "/store"))));
  if (has_keytool()) {
    shell(folder,
          "keytool -importcert -noprompt -file c.pem -storetype JKS -keystore trust -storepass changeit -alias a");
    CHECK_FALSE(read_keystore(view_of(read_file(folder.path() + "/trust"))));
  }
  CHECK_FALSE(read_keystore({}));
  CHECK_FALSE(read_keystore(view_of(std::string(100, '0'))));
}

TEST_CASE("Java's keystores are read; the public half is known where the passphrase is not") {
  if (!has_keytool()) {
    WARN("keytool is not installed");
    return;
  }
  for (const char* type : {"JKS", "JCEKS"})
    for (const char* passphrase : {"changeit", "a-better-one"}) {
      INFO(type << " " << passphrase);
      const TempDir folder;
      const std::string common =
          std::string(" -keystore store -storetype ") + type + " -storepass " + passphrase + " -keypass " + passphrase;
      shell(folder, "keytool -genkeypair -keyalg RSA -keysize 2048 -alias a -dname CN=x" + common);
      const auto facts = read_keystore(view_of(read_file(folder.path() + "/store")));
      REQUIRE(facts);
      CHECK(facts->type == "rsa");
      CHECK(facts->bits == 2048);
      CHECK(facts->fingerprint.starts_with("SHA256:"));
      const bool opened = std::string(type) == "JKS" && std::string(passphrase) == "changeit";
      CHECK(facts->encrypted != opened);
      shell(folder, "keytool -genkeypair -keyalg RSA -keysize 2048 -alias b -dname CN=y" + common);
      const auto both = read_keystore(view_of(read_file(folder.path() + "/store")));
      REQUIRE(both);
      CHECK(both->fingerprint.empty());  // an allow-entry for one must not answer for the other
    }
}

TEST_CASE("Bouncy Castle's keystores are read like Java's") {
  const char* jar = "/usr/share/java/bcprov.jar";
  if (!has_keytool() || ::access(jar, R_OK) != 0) {
    WARN("keytool or Bouncy Castle is not installed");
    return;
  }
  for (const char* passphrase : {"changeit", "a-better-one"})
    for (const char* type : {"RSA -keysize 2048", "EC"}) {
      INFO(type << " " << passphrase);
      const TempDir folder;
      const std::string common = std::string(" -keystore store -storetype BKS -storepass ") + passphrase +
                                 " -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath " +
                                 jar;
      shell(folder, std::string("keytool -genkeypair -alias a -dname CN=x -keyalg ") + type + common);
      const std::string store = read_file(folder.path() + "/store");
      const auto facts = read_keystore(view_of(store));
      REQUIRE(facts);
      CHECK(facts->type == (type[0] == 'R' ? "rsa" : "ecdsa"));
      CHECK(facts->fingerprint.starts_with("SHA256:"));
      CHECK(facts->encrypted == (std::string(passphrase) != "changeit"));
      shell(folder, "keytool -exportcert -alias a -file c" + common);
      shell(folder, "rm store; keytool -importcert -noprompt -file c -alias a" + common);
      CHECK_FALSE(read_keystore(view_of(read_file(folder.path() + "/store"))));
      for (std::size_t at = 0; at < store.size(); at += 3) {
        read_keystore(view_of(store).first(at));
        std::string changed = store;
        changed[at] = static_cast<char>(changed[at] ^ 0x11);
        read_keystore(view_of(changed));
      }
    }
}

TEST_CASE("A keystore cut or changed anywhere is read as far as it goes") {
  const TempDir folder;
  shell(folder, "openssl req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=x");
  std::vector<std::string> stores{made(folder, "-passout pass:changeit -iter 1")};
  if (has_keytool()) {
    shell(folder,
          "keytool -genkeypair -keyalg EC -alias a -dname CN=x -keystore j -storetype JKS -storepass changeit -keypass "
          "changeit");
    stores.push_back(read_file(folder.path() + "/j"));
  }
  for (const auto& store : stores)
    for (std::size_t at = 0; at < store.size(); at += 3) {
      read_keystore(view_of(store).first(at));
      std::string changed = store;
      changed[at] = static_cast<char>(changed[at] ^ 0x11);
      read_keystore(view_of(changed));
    }
}

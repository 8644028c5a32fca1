#include "crypto/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"

namespace imgbuild {

struct Sha256::Inside {
  Owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : inside_(std::make_unique<Inside>()) {
  // Fetched once: looking the algorithm up costs more than hashing a small file.
  static EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (!inside_->context || EVP_DigestInit_ex(inside_->context.get(), algorithm, nullptr) != 1)
    throw Error("SHA-256 is not available");
}

Sha256::~Sha256() = default;

void Sha256::update(View bytes) {
  if (EVP_DigestUpdate(inside_->context.get(), bytes.data(), bytes.size()) != 1) throw Error("SHA-256 failed");
}

std::array<std::uint8_t, 32> Sha256::finish() {
  std::array<std::uint8_t, 32> out{};
  if (EVP_DigestFinal_ex(inside_->context.get(), out.data(), nullptr) != 1) throw Error("SHA-256 failed");
  return out;
}

std::string Sha256::finish_digest() { return "sha256:" + hex(finish()); }

struct Sha1::Inside {
  Owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
};

Sha1::Sha1() : inside_(std::make_unique<Inside>()) {
  static EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  if (!inside_->context || EVP_DigestInit_ex(inside_->context.get(), algorithm, nullptr) != 1)
    throw Error("SHA-1 is not available");
}

Sha1::~Sha1() = default;

void Sha1::update(View bytes) {
  if (EVP_DigestUpdate(inside_->context.get(), bytes.data(), bytes.size()) != 1) throw Error("SHA-1 failed");
}

std::array<std::uint8_t, 20> Sha1::finish() {
  std::array<std::uint8_t, 20> out{};
  if (EVP_DigestFinal_ex(inside_->context.get(), out.data(), nullptr) != 1) throw Error("SHA-1 failed");
  return out;
}

std::array<std::uint8_t, 32> sha256(View bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_digest(View bytes) { return "sha256:" + hex(sha256(bytes)); }

std::array<std::uint8_t, 32> hmac_sha256(View key, View bytes) {
  std::array<std::uint8_t, 32> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), out.data(), &size) ==
      nullptr)
    throw Error("HMAC-SHA-256 failed");
  return out;
}

void random_bytes(std::span<std::uint8_t> into) {
  if (RAND_bytes(into.data(), static_cast<int>(into.size())) != 1) throw Error("no random bytes to be had");
}

namespace {

std::array<std::uint8_t, 32> scrypt(std::string_view value, View salt) {
  std::array<std::uint8_t, 32> out{};
  if (EVP_PBE_scrypt(value.data(), value.size(), salt.data(), salt.size(), 1 << 14, 8, 1, std::uint64_t{64} << 20,
                     out.data(), out.size()) != 1)
    throw Error("scrypt failed");
  return out;
}

}  // namespace

std::string scrypt_identity(std::string_view value) {
  std::array<std::uint8_t, 16> salt{};
  random_bytes(salt);
  return "scrypt:" + base64(salt) + ":" + scrypt_hash(value, salt);
}

std::string scrypt_hash(std::string_view value, View salt) { return base64(scrypt(value, salt)); }

bool scrypt_matches(std::string_view identity, std::string_view value) {
  const auto parts = split(identity, ':');
  if (parts.size() != 3 || parts[0] != "scrypt") return false;
  const auto salt = unbase64(parts[1]);
  const auto hash = unbase64(parts[2]);
  if (!salt || !hash || salt->size() != 16 || hash->size() != 32) return false;
  const auto made = scrypt(value, *salt);
  return CRYPTO_memcmp(made.data(), hash->data(), made.size()) == 0;
}

}  // namespace imgbuild

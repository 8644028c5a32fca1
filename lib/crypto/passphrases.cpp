// An encrypted key whose passphrase everybody knows is a key. The list is short, and what each try may cost is bounded:
// a stranger's file says how often its passphrase is hashed.
#include "crypto/passphrases.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/owned.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

using Info = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

std::uint64_t iterations_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* name = nullptr;
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(&name, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return 0;
  const auto* text = static_cast<const ASN1_STRING*>(value);
  const ASN1_INTEGER* count = nullptr;
  Owned<PBEPARAM, PBEPARAM_free> simple;
  Owned<PBE2PARAM, PBE2PARAM_free> frame;
  Owned<PBKDF2PARAM, PBKDF2PARAM_free> derivation;
  if (OBJ_obj2nid(name) == NID_pbes2) {
    frame.reset(static_cast<PBE2PARAM*>(ASN1_item_unpack(text, ASN1_ITEM_rptr(PBE2PARAM))));
    if (!frame) return 0;
    const ASN1_OBJECT* function = nullptr;
    X509_ALGOR_get0(&function, &type, &value, frame->keyfunc);
    if (OBJ_obj2nid(function) != NID_id_pbkdf2 || type != V_ASN1_SEQUENCE) return 0;
    derivation.reset(static_cast<PBKDF2PARAM*>(
        ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(PBKDF2PARAM))));
    if (derivation) count = derivation->iter;
  } else {
    simple.reset(static_cast<PBEPARAM*>(ASN1_item_unpack(text, ASN1_ITEM_rptr(PBEPARAM))));
    if (simple) count = simple->iter;
    if (simple && count == nullptr) return 1;
  }
  std::uint64_t iterations = 0;
  if (count == nullptr || ASN1_INTEGER_get_uint64(&iterations, count) != 1) return 0;
  return std::max<std::uint64_t>(iterations, 1);
}

std::atomic<std::uint64_t> of_process{100'000'000};  // of PBKDF2 with SHA-1

}  // namespace

std::uint64_t set_passphrase_budget(std::uint64_t iterations) { return of_process.exchange(iterations); }

bool may_try(std::uint64_t iterations, std::size_t bytes, Attempts& attempts) {
  constexpr std::size_t bytes_of_one = 8;  // of triple DES
  if (iterations == 0 || iterations > attempts.left) return false;
  attempts.left -= iterations;
  const std::uint64_t cost = iterations + bytes / bytes_of_one;
  std::uint64_t all = of_process.load();
  while (cost <= all)
    if (of_process.compare_exchange_weak(all, all - cost)) return true;
  attempts.refused = true;
  return false;
}

std::optional<PrivateKeyFacts> facts_of(PKCS8_PRIV_KEY_INFO* info) {
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  if (size <= 0) return std::nullopt;
  auto facts = read_der_key({der, static_cast<std::size_t>(size)});
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return facts;
}

std::span<const std::string_view> default_passphrases() {
  static constexpr std::string_view all[] = {"",          "changeit", "changeme",   "password", "secret", "keystore",
                                             "password1", "passw0rd", "123456",     "android",  "test",   "notasecret",
                                             "1234",      "12345678", "passphrase", "admin",    "root",   "qwerty"};
  return all;
}

std::optional<PrivateKeyFacts> open_with_default(const X509_SIG* frame, Attempts& attempts) {
  const X509_ALGOR* algorithm = nullptr;
  const ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_get0(frame, &algorithm, &content);
  const std::uint64_t iterations = iterations_of(algorithm);
  for (const auto passphrase : default_passphrases()) {
    if (!may_try(iterations, static_cast<std::size_t>(ASN1_STRING_length(content)), attempts)) break;
    const Info info(PKCS8_decrypt(frame, passphrase.data(), static_cast<int>(passphrase.size())));
    if (!info) continue;
    if (auto facts = facts_of(info.get())) {
      facts->default_passphrase = true;
      return facts;
    }
  }
  return std::nullopt;
}

// OpenSSL's own way since SSLeay: one round of MD5 over the passphrase and the first eight bytes of the vector.
std::optional<PrivateKeyFacts> open_with_default(std::string_view dek_info, View content, Attempts& attempts) {
  const std::size_t comma = dek_info.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const EVP_CIPHER* cipher = EVP_get_cipherbyname(std::string(dek_info.substr(0, comma)).c_str());
  const auto vector = unhex(dek_info.substr(comma + 1));
  if (cipher == nullptr || !vector || vector->size() < 8 || EVP_CIPHER_get_mode(cipher) != EVP_CIPH_CBC_MODE ||
      vector->size() != static_cast<std::size_t>(EVP_CIPHER_get_iv_length(cipher)))
    return std::nullopt;
  for (const auto passphrase : default_passphrases()) {
    if (!may_try(1, content.size(), attempts)) break;
    std::array<unsigned char, EVP_MAX_KEY_LENGTH> key{};
    EVP_BytesToKey(cipher, EVP_md5(), vector->data(), reinterpret_cast<const unsigned char*>(passphrase.data()),
                   static_cast<int>(passphrase.size()), 1, key.data(), nullptr);
    const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
    Bytes plain(content.size() + EVP_MAX_BLOCK_LENGTH);
    int size = 0, rest = 0;
    const bool open =
        context && EVP_DecryptInit_ex(context.get(), cipher, nullptr, key.data(), vector->data()) == 1 &&
        EVP_DecryptUpdate(context.get(), plain.data(), &size, content.data(), static_cast<int>(content.size())) == 1 &&
        EVP_DecryptFinal_ex(context.get(), plain.data() + size, &rest) == 1;
    auto facts = open ? read_der_key(View(plain).first(static_cast<std::size_t>(size + rest))) : std::nullopt;
    wipe(plain.data(), plain.size());
    if (!facts) continue;
    facts->default_passphrase = true;
    return facts;
  }
  return std::nullopt;
}

}  // namespace imgbuild

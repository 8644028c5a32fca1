#include "crypto/gmac.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/owned.hpp"

namespace imgbuild {
namespace {

void check(int done) {
  if (done != 1) throw Error("AES-GMAC failed");
}

}  // namespace

struct Gmac::Inside {
  Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context{EVP_CIPHER_CTX_new()};
};

// The nonce may be the same always: each key is used once.
Gmac::Gmac(const Key& key) : inside_(std::make_unique<Inside>()) {
  constexpr std::uint8_t nonce[12] = {};
  auto* context = inside_->context.get();
  check(context == nullptr ? 0 : EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, key.data(), nonce));
}

Gmac::~Gmac() = default;

void Gmac::update(View bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
    int none = 0;
    check(EVP_EncryptUpdate(inside_->context.get(), nullptr, &none, bytes.data(), static_cast<int>(size)));
    bytes = bytes.subspan(size);
  }
}

Gmac::Tag Gmac::finish() {
  Tag tag{};
  int none = 0;
  std::uint8_t nothing[16];
  check(EVP_EncryptFinal_ex(inside_->context.get(), nothing, &none));
  check(EVP_CIPHER_CTX_ctrl(inside_->context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data()));
  return tag;
}

}  // namespace imgbuild

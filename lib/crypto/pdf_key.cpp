// PDF's own cryptography. MD5 and RC4 are what the format asks for; the latter is written here, for OpenSSL keeps it in
// a provider that a machine may lack.
#include "crypto/pdf_key.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <numeric>

#include "base/owned.hpp"

namespace imgbuild {
namespace {

constexpr std::array<std::uint8_t, 32> padding = {0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e,
                                                  0x56, 0xff, 0xfa, 0x01, 0x08, 0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68,
                                                  0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a};

/// Empty where there is no such hash.
Bytes hash(const EVP_MD* kind, std::initializer_list<View> parts) {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  bool sound = context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1;
  for (const View part : parts) sound = sound && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  sound = sound && EVP_DigestFinal_ex(context.get(), out.data(), &size) == 1;
  out.resize(sound ? size : 0);
  return out;
}

Bytes rc4(View key, View text) {
  std::array<std::uint8_t, 256> state;
  std::iota(state.begin(), state.end(), std::uint8_t{0});
  for (unsigned i = 0, j = 0; i < 256; ++i) {
    j = (j + state[i] + key[i % key.size()]) & 0xff;
    std::swap(state[i], state[j]);
  }
  Bytes out(text.begin(), text.end());
  unsigned i = 0, j = 0;
  for (std::uint8_t& byte : out) {
    i = (i + 1) & 0xff;
    j = (j + state[i]) & 0xff;
    std::swap(state[i], state[j]);
    byte ^= state[(state[i] + state[j]) & 0xff];
  }
  return out;
}

/// CBC over whole blocks, without padding.
Bytes aes(View key, View vector, View text, bool encrypts) {
  constexpr std::size_t block = 16;
  const EVP_CIPHER* kind = key.size() == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
  const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  Bytes out(text.size() / block * block);
  int size = 0;
  const bool sound =
      context && EVP_CipherInit_ex(context.get(), kind, nullptr, key.data(), vector.data(), encrypts ? 1 : 0) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_CipherUpdate(context.get(), out.data(), &size, text.data(), static_cast<int>(out.size())) == 1;
  out.resize(sound ? static_cast<std::size_t>(size) : 0);
  return out;
}

/// Algorithms 2, 4 and 5 of ISO 32000-1, with the password that is the padding alone.
std::optional<Bytes> open_old(const PdfHandler& handler) {
  const std::size_t size = handler.revision == 2 ? 5 : handler.key_size;
  if (size < 5 || size > 16 || handler.owner.size() < 32 || handler.user.size() < 32) return std::nullopt;
  std::array<std::uint8_t, 4> permissions{};
  for (std::size_t i = 0; i < 4; ++i) permissions[i] = static_cast<std::uint8_t>(handler.permissions >> 8 * i);
  static constexpr std::array<std::uint8_t, 4> plain_metadata = {255, 255, 255, 255};
  const bool marked = handler.revision >= 4 && !handler.metadata;
  Bytes key = hash(EVP_md5(),
                   {padding, handler.owner.first(32), permissions, handler.id, marked ? View(plain_metadata) : View()});
  if (key.size() < size) return std::nullopt;
  if (handler.revision >= 3)
    for (int i = 0; i < 50; ++i) key = hash(EVP_md5(), {View(key).first(size)});
  key.resize(size);
  if (handler.revision == 2) {
    const Bytes made = rc4(key, padding);
    return std::equal(made.begin(), made.end(), handler.user.begin()) ? std::optional(key) : std::nullopt;
  }
  Bytes made = hash(EVP_md5(), {padding, handler.id});
  for (std::uint8_t i = 0; i < 20; ++i) {
    Bytes turned = key;
    for (std::uint8_t& byte : turned) byte ^= i;
    made = rc4(turned, made);
  }
  return std::equal(made.begin(), made.end(), handler.user.begin()) ? std::optional(key) : std::nullopt;
}

/// Algorithm 2.B of ISO 32000-2, with the empty password; of revision 5 its first hash alone.
Bytes new_hash(View salt, int revision) {
  Bytes made = hash(EVP_sha256(), {salt});
  if (revision == 5 || made.size() != 32) return made;
  for (int round = 0, last = 0; round < 64 || last > round - 32; ++round) {
    Bytes row;
    for (int i = 0; i < 64; ++i) row.insert(row.end(), made.begin(), made.end());
    const Bytes mixed = aes(View(made).first(16), View(made).subspan(16, 16), row, true);
    if (mixed.empty()) return {};
    const int kind = std::accumulate(mixed.begin(), mixed.begin() + 16, 0) % 3;
    made = hash(kind == 0 ? EVP_sha256() : kind == 1 ? EVP_sha384() : EVP_sha512(), {mixed});
    last = mixed.back();
  }
  made.resize(32);
  return made;
}

std::optional<Bytes> open_new(const PdfHandler& handler) {
  if (handler.user.size() < 48 || handler.user_key.size() < 32) return std::nullopt;
  const Bytes made = new_hash(handler.user.subspan(32, 8), handler.revision);
  if (made.empty() || !std::equal(made.begin(), made.end(), handler.user.begin())) return std::nullopt;
  const Bytes between = new_hash(handler.user.subspan(40, 8), handler.revision);
  constexpr std::array<std::uint8_t, 16> zeros{};
  Bytes key = between.size() == 32 ? aes(between, zeros, handler.user_key.first(32), false) : Bytes();
  return key.size() == 32 ? std::optional(std::move(key)) : std::nullopt;
}

}  // namespace

std::optional<Bytes> open_pdf(const PdfHandler& handler) {
  if (handler.revision >= 2 && handler.revision <= 4) return open_old(handler);
  if (handler.revision == 5 || handler.revision == 6) return open_new(handler);
  return std::nullopt;
}

Bytes decrypt_pdf(View file_key, PdfCipher cipher, std::uint32_t object, std::uint32_t generation, View sealed) {
  if (cipher == PdfCipher::none || file_key.empty()) return {sealed.begin(), sealed.end()};
  Bytes key(file_key.begin(), file_key.end());
  if (key.size() < 32) {
    const std::array<std::uint8_t, 5> which = {
        static_cast<std::uint8_t>(object), static_cast<std::uint8_t>(object >> 8),
        static_cast<std::uint8_t>(object >> 16), static_cast<std::uint8_t>(generation),
        static_cast<std::uint8_t>(generation >> 8)};
    static constexpr std::array<std::uint8_t, 4> salt = {'s', 'A', 'l', 'T'};
    key = hash(EVP_md5(), {file_key, which, cipher == PdfCipher::aes ? View(salt) : View()});
    key.resize(std::min<std::size_t>(key.size(), file_key.size() + 5));
  }
  if (cipher == PdfCipher::rc4) return key.empty() ? Bytes() : rc4(key, sealed);
  constexpr std::size_t block = 16;
  if ((key.size() != 16 && key.size() != 32) || sealed.size() < 2 * block) return {};
  Bytes plain = aes(key, sealed.first(block), sealed.subspan(block), false);
  if (!plain.empty() && plain.back() >= 1 && plain.back() <= block) plain.resize(plain.size() - plain.back());
  return plain;
}

}  // namespace imgbuild

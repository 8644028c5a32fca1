#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace imgbuild {

/// SHA-256 over a stream. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(View bytes);
  std::array<std::uint8_t, 32> finish();  ///< once
  std::string finish_digest();            ///< "sha256:" and lower-case hex; once

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// SHA-1 over a stream: for the names of git's objects, which know no better hash. One thread at a time.
class Sha1 {
 public:
  Sha1();
  ~Sha1();
  void update(View bytes);
  std::array<std::uint8_t, 20> finish();  ///< once

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

std::array<std::uint8_t, 32> sha256(View bytes);
std::string sha256_digest(View bytes);  ///< "sha256:..."
std::array<std::uint8_t, 32> hmac_sha256(View key, View bytes);
void random_bytes(std::span<std::uint8_t> into);

/// "scrypt:SALT:HASH" of a value (RFC 7914; N = 2^14, r = 8, p = 1; 16-byte salt, 32-byte hash, base64). About 40 ms.
std::string scrypt_identity(std::string_view value);
/// The hash alone under a given salt of 16 bytes, base64: what many values of one file share a salt for.
std::string scrypt_hash(std::string_view value, View salt);
/// Does the value have this identity? False also for a malformed one.
bool scrypt_matches(std::string_view identity, std::string_view value);

}  // namespace imgbuild

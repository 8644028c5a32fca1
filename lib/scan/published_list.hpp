#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/text.hpp"

namespace imgbuild {

/// What is kept of a digest, be it a key's or a file's. 128 bits: to pass for an entry, a secret would have to be made
/// to fit one of N thousand entries, at 2^128 / N tries. (Two that fit each other take 2^64, but whoever puts one of
/// them into a public package and the other into an image means to hide something, for which there are cheaper ways.)
using PublishedDigest = std::array<std::uint8_t, 16>;

/// The list as the compiler (compiler/published.cpp) put it into the program. Room-internal.
struct PublishedList {
  const PublishedDigest* digests;  ///< ascending
  const std::uint32_t* places;     ///< of each, where in `text` it is told where it is from
  const char* text;                ///< strings, each ended by a zero
  std::size_t count;
};

const PublishedList& published_list();

/// "SHA256:" and base64 of a key, "sha256:" and hex of a file. nullopt: neither.
inline std::optional<PublishedDigest> read_published_digest(std::string_view text) {
  std::optional<Bytes> whole;
  if (text.starts_with("SHA256:")) whole = unbase64(text.substr(7));
  if (text.starts_with("sha256:")) whole = unhex(text.substr(7));
  if (!whole || whole->size() != 32) return std::nullopt;
  PublishedDigest digest{};
  std::memcpy(digest.data(), whole->data(), digest.size());
  return digest;
}

}  // namespace imgbuild

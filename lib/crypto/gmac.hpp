#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

namespace imgbuild {

/// A message authentication code (GMAC of AES-256, NIST SP 800-38D) under a key that is made for one text and shown to
/// nobody who could alter that: it tells whether the text is the same as surely as a digest does, in a fifth of its
/// time. One thread.
class Gmac {
 public:
  using Key = std::array<std::uint8_t, 32>;
  using Tag = std::array<std::uint8_t, 16>;

  explicit Gmac(const Key& key);
  ~Gmac();
  void update(View bytes);
  /// Once.
  Tag finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

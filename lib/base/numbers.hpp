#pragma once
#include <algorithm>

#include "base/bytes.hpp"

/// Numbers in a stranger's bytes: what is not there is 0, or empty. Any thread; nothing throws.
namespace imgbuild {

/// Of `width` bytes at `at`, eight at most, the first of them the highest.
inline std::uint64_t big_endian(View bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  if (at <= bytes.size() && width <= bytes.size() - at)
    for (const auto byte : bytes.subspan(at, width)) value = value << 8 | byte;
  return value;
}

/// The same, the first of them the lowest.
inline std::uint64_t little_endian(View bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  if (at <= bytes.size() && width <= bytes.size() - at)
    for (std::size_t i = width; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

/// What there is from `at` on.
inline View rest_from(View bytes, std::size_t at) { return bytes.subspan(std::min(at, bytes.size())); }

}  // namespace imgbuild

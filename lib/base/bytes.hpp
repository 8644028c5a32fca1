#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

inline View view_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
inline std::string_view text_of(View bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// A stream of bytes, pulled piece by piece. One thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  /// The next piece, of any size the source likes; empty at the end. Valid until the next call, or, where stable(),
  /// as long as the source lives. Throws Error where the bytes cannot be had.
  virtual View next() = 0;
  /// True where the pieces lie in memory (a mapped file) for the source's life.
  virtual bool stable() const { return false; }
};

}  // namespace imgbuild

#pragma once
#include <optional>

#include "base/bytes.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// Where something packed may begin in the midst of other bytes.
struct Beginning {
  std::size_t at = 0;
  Container kind = Container::none;  ///< none: base64 (RFC 4648) of something packed
};

/// How many bytes before and behind a beginning are looked at to know it.
constexpr std::size_t beginning_behind = 8, beginning_ahead = 256;

/// The first beginning in [from, to) of `window`: of gzip, zlib, zstd, xz, bzip2, a git pack, squashfs, 7z, rar or cab
/// by more than a magic number, and of base64 of one of them, of zip or PDF, or of base64 of gzip. Bytes around the
/// range count as far as said above. A picture's pixels (PNG's IDAT, APNG's fdAT) are none.
std::optional<Beginning> next_beginning(View window, std::size_t from, std::size_t to);

}  // namespace imgbuild

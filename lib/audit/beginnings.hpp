#pragma once
#include <optional>

#include "base/bytes.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// How text stands for bytes: base64 (RFC 4648), uuencode (POSIX), Adobe's Ascii85, base85 as git's binary patches
/// have, and OpenPGP's armor (RFC 9580, section 6.2).
enum class Encoding { base64, uuencode, ascii85, base85, armor };
const char* name_of(Encoding encoding);

/// May it stand in a line of uuencode?
inline bool is_uuencode(char c) { return c >= ' ' && c <= '`'; }

/// Where something packed or encoded may begin in the midst of other bytes.
struct Beginning {
  std::size_t at = 0;
  Container kind = Container::none;  ///< none: it is encoded
  Encoding encoding = Encoding::base64;
};

/// How many bytes before and behind a beginning are looked at to know it.
constexpr std::size_t beginning_behind = 8, beginning_ahead = 256;

/// The first beginning in [from, to) of `window`: of gzip, zlib, zstd, xz, lz4, bzip2, snappy, a git pack, squashfs,
/// 7z, rar, cab or a zip's member by more than a magic number, and of base64 of one of them, of zip or PDF, or of
/// base64 of gzip; of anything in the other encodings, which have a beginning of their own. Bytes around the range
/// count as far as said above. A picture's pixels (PNG's IDAT, APNG's fdAT) are none.
std::optional<Beginning> next_beginning(View window, std::size_t from, std::size_t to);

}  // namespace imgbuild

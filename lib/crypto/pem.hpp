#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace imgbuild {

/// A block of RFC 7468, or of RFC 1421 where it has headers.
struct Pem {
  std::string label;       ///< "RSA PRIVATE KEY"
  bool encrypted = false;  ///< its headers say so
  Bytes content;
};

/// Reads the block that begins with "-----BEGIN " at the start of `text`: with its END line up to there, without one as
/// far as base64 goes. Undoes CRLF, indentation, `\n` written out, quotes, comment marks, diffs. nullopt where the body
/// is no base64 or beyond what a key has. Does not throw.
std::optional<Pem> read_pem(std::string_view text);

}  // namespace imgbuild

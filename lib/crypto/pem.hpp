#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace imgbuild {

/// A block of RFC 7468, or of RFC 1421 where it has headers, or of RFC 4716 ("---- BEGIN SSH2...").
struct Pem {
  std::string label;       ///< "RSA PRIVATE KEY"
  bool encrypted = false;  ///< its headers say so
  std::string dek_info;    ///< "AES-128-CBC,0123..." of such a block
  Bytes content;
};

/// Reads the block that begins with "-----BEGIN " at the start of `text`: with its END line up to there, without one as
/// far as base64 goes; in any layout (key_text.hpp), of which `before` is what stands before the block. nullopt where
/// the body is no base64 or beyond what a key has. Does not throw.
std::optional<Pem> read_pem(std::string_view text, std::string_view before = {});

/// The label of the BEGIN line at the start of `text`, its blanks undone where they stand as "+" or "%20"; empty where
/// there is none.
std::string pem_label(std::string_view text);

}  // namespace imgbuild

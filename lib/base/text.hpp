#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// The text made safe for a terminal and for one line: control characters, DEL, bytes that are not UTF-8 and
/// bidirectional overrides become \xNN or \u{NNNN}; a backslash is doubled. Every path out of an image goes through it.
std::string printable(std::string_view text);

/// Bytes of the well-formed UTF-8 sequence that `text` begins with (Unicode 15, table 3-7); 0 where there is none.
std::size_t utf8_length(std::string_view text);

/// The text as a TOML basic string, quotes and all. TOML is UTF-8: a byte that is not becomes U+FFFD.
std::string toml_quoted(std::string_view text);

std::string hex(View bytes);                           ///< lower case
std::optional<Bytes> unhex(std::string_view text);     ///< nullopt: odd length or another character
std::string base64(View bytes);                        ///< RFC 4648 section 4, padded
std::optional<Bytes> unbase64(std::string_view text);  ///< standard alphabet, padding optional; else nullopt

std::vector<std::string> split(std::string_view text, char at);  ///< "a::b" at ':' is {"a", "", "b"}
std::string join(const std::vector<std::string>& parts, std::string_view between);
std::string_view trim(std::string_view text);  ///< without blanks, tabs, CR and LF at both ends
std::string lower(std::string_view text);      ///< ASCII only

/// fnmatch-like: `*` and `?` do not cross '/', `**` does, [a-z] and [!a-z] are sets, backslash quotes. Linear memory,
/// no backtracking beyond the last star.
bool glob_matches(std::string_view pattern, std::string_view text);

/// "1.5 GB", "12 bytes": decimal units, for people.
std::string human_size(std::uint64_t bytes);

}  // namespace imgbuild

#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

/// What kind of character a byte is. Room-internal.
namespace imgbuild {

inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return is_lower(c) || is_upper(c); }
inline bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
inline bool is_name_char(char c) { return is_alphanumeric(c) || c == '_' || c == '-' || (c & 0x80) != 0; }
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_break(char c) { return c == '\n' || c == '\r'; }
inline bool is_space(char c) { return is_blank(c) || is_break(c); }
inline bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
/// Of a text: printable ASCII, blanks and line breaks.
inline bool is_text(char c) { return (c >= 0x20 && c < 0x7f) || is_space(c); }
/// A hex digit's value; -1: it is none.
inline int nibble(char c) {
  if (is_digit(c)) return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
/// '\0' behind the end.
inline char char_at(View text, std::size_t at) { return at < text.size() ? static_cast<char>(text[at]) : '\0'; }

/// Does it start with `small`, which is in lower case, in whatever case?
inline bool starts_caseless(std::string_view text, std::string_view small) {
  return text.size() >= small.size() && std::equal(small.begin(), small.end(), text.begin(),
                                                   [](char a, char b) { return a == (is_upper(b) ? b | 0x20 : b); });
}

/// May a name begin at `at`? No letter stands before it, but of camelCase and of the -D of command lines.
inline bool begins_name(std::string_view text, std::size_t at) {
  if (at == 0 || !is_letter(text[at - 1])) return true;
  if (is_lower(text[at - 1]) && is_upper(text[at])) return true;
  return at > 1 && text[at - 1] == 'D' && text[at - 2] == '-';
}

/// Behind the gap that begins at `at`: blanks and a few line breaks, also written out as in JSON.
inline std::size_t behind_gap(std::string_view text, std::size_t at) {
  const auto peek = [&](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
  for (std::size_t left = 60; left > 0; --left) {
    if (is_blank(peek(at)) || is_break(peek(at)))
      ++at;
    else if (peek(at) == '\\' && (peek(at + 1) == 'n' || peek(at + 1) == 'r' || peek(at + 1) == 't'))
      at += 2;
    else
      break;
  }
  return at;
}

}  // namespace imgbuild

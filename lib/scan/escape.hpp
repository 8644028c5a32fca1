#pragma once
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "scan/joined.hpp"
#include "scan/letters.hpp"

/// One escape, as its format reads it. Room-internal.
namespace imgbuild {

/// What tokens, keys and passwords are made of: words of a message end in a blank where they are joined.
inline bool is_token(std::uint8_t c) {
  return c > 0x20 && c < 0x7f && !is_quote(c) && c != ',' && c != '(' && c != ')';
}

/// What a token has on both sides of where its line is broken.
inline bool is_of_word(std::uint8_t c) {
  return is_alphanumeric(static_cast<char>(c)) || c == '-' || c == '_' || c == '.';
}

inline constexpr const char* continued = "continued";
inline constexpr const char* escaped = "escaped";    // an underscore, as LaTeX, Markdown and shells have it
inline constexpr const char* no_break = "no-break";  // a blank that is none to a program

/// One place: how many bytes it takes, and what it stands for; -1: for nothing.
struct Escape {
  std::size_t length = 0;  ///< 0: none is here
  int byte = -1;
  const char* kind = "";
};

class Escapes {
 public:
  Escapes(View text, const Joined& joined) : text_(text), joined_(joined) {}

  bool has_openers() const { return !joined_.openers.empty(); }
  /// Of a byte that is nothing special by itself: what opens a list that is joined.
  Escape opener(std::size_t i) const;
  Escape at(std::size_t i) const;

 private:
  std::uint8_t peek(std::size_t i) const { return i < text_.size() ? text_[i] : 0; }
  Escape hex(std::size_t i, int digits, std::size_t length, const char* kind) const;
  Escape full_width(std::size_t i) const;
  Escape backslash(std::size_t i) const;
  Escape octal(std::size_t first) const;
  Escape printable(std::size_t i) const;
  Escape entity(std::size_t i) const;
  Escape joint(std::size_t i) const;

  View text_;
  const Joined& joined_;
};

}  // namespace imgbuild

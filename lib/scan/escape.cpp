#include "scan/escape.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace imgbuild {
Escape Escapes::opener(std::size_t i) const {
  const auto at = std::lower_bound(joined_.openers.begin(), joined_.openers.end(), i,
                                   [](const Joined::Opener& one, std::size_t value) { return one.begin < value; });
  return at != joined_.openers.end() && at->begin == i ? Escape{at->end - i, -1, "concatenation"} : Escape{};
}

Escape Escapes::at(std::size_t i) const {
  switch (peek(i)) {
    case '%':
      return peek(i + 1) == 'u' ? hex(i + 2, 4, 6, "percent") : hex(i + 1, 2, 3, "percent");
    case '\\':
      return backslash(i);
    case '&':
      return entity(i);
    case '=':
      return printable(i);
    case '"':
    case '\'':
    case '`':
      return joint(i);
    case 0xe2: {  // zero-width characters, and marks of the direction of writing
      const int second = peek(i + 1), third = peek(i + 2);
      if ((second == 0x80 && ((third >= 0x8b && third <= 0x8f) || (third >= 0xaa && third <= 0xae))) ||
          (second == 0x81 && third >= 0xa0 && third <= 0xa9))
        return {3, -1, "zero-width"};
      return {};
    }
    case 0xc2:
      if (peek(i + 1) == 0xa0) return {2, ' ', no_break};
      return peek(i + 1) == 0xad ? Escape{2, -1, "zero-width"} : Escape{};
    case 0xef:
      return peek(i + 1) == 0xbb && peek(i + 2) == 0xbf ? Escape{3, -1, "zero-width"} : full_width(i);
    default:
      return {};
  }
}

Escape Escapes::hex(std::size_t i, int digits, std::size_t length, const char* kind) const {
  int value = 0;
  for (int d = 0; d < digits; ++d) {
    const int n = nibble(peek(i + static_cast<std::size_t>(d)));
    if (n < 0 || value >= 0x80) return {};
    value = value << 4 | n;
  }
  return value < 0x80 && is_text(static_cast<std::uint8_t>(value)) ? Escape{length, value, kind} : Escape{};
}

// Letters and digits as wide as Chinese ones, U+FF01 and behind.
Escape Escapes::full_width(std::size_t i) const {
  const std::uint8_t second = peek(i + 1), third = peek(i + 2);
  if ((second != 0xbc && second != 0xbd) || third < 0x80 || third >= 0xc0) return {};
  const int value = (second - 0xbc) * 64 + third - 0x80 + 0x20;
  return value < 0x7f && is_of_word(static_cast<std::uint8_t>(value)) ? Escape{3, value, "full-width"} : Escape{};
}

Escape Escapes::backslash(std::size_t i) const {
  std::size_t slashes = 1;  // in JSON in JSON they are doubled
  while (slashes < 4 && peek(i + slashes) == '\\') ++slashes;
  const std::size_t next = i + slashes;
  if (peek(next) == 'u' && peek(next + 1) == '{') {
    std::size_t digits = 0;
    while (digits < 6 && nibble(peek(next + 2 + digits)) >= 0) ++digits;
    return peek(next + 2 + digits) == '}' ? hex(next + 2, static_cast<int>(digits), slashes + 3 + digits, "unicode")
                                          : Escape{};
  }
  if (peek(next) == 'u') return hex(next + 1, 4, slashes + 5, "unicode");
  if (peek(next) == 'U') return hex(next + 1, 8, slashes + 9, "unicode");
  if (peek(next) == 'x') return hex(next + 1, 2, slashes + 3, "unicode");
  if (slashes == 1 && peek(next) >= '0' && peek(next) <= '3') return octal(next);
  if (peek(next) == '_' && i > 0 && is_of_word(text_[i - 1]) && is_of_word(peek(next + 1)))
    return {slashes + 1, '_', escaped};
  if (slashes == 1 && peek(next) == '\n') return {2, -1, continued};
  if (slashes == 1 && peek(next) == '\r' && peek(next + 1) == '\n') return {3, -1, continued};
  return {};
}

// Three digits, as C, shells, Python and Java know them; fewer stand for a group of a pattern more often.
Escape Escapes::octal(std::size_t first) const {
  int value = 0;
  for (std::size_t at = first; at < first + 3; ++at) {
    if (peek(at) < '0' || peek(at) > '7') return {};
    value = value << 3 | (peek(at) - '0');
  }
  return value < 0x80 && is_text(static_cast<std::uint8_t>(value)) ? Escape{4, value, "octal"} : Escape{};
}

// Quoted-printable (RFC 2045 section 6.7): of its escapes those for = itself and within a word for an underscore, and
// the line break that is none.
Escape Escapes::printable(std::size_t i) const {
  if (peek(i + 1) == '5' && peek(i + 2) == 'F' && i > 0 && is_of_word(text_[i - 1]) && is_of_word(peek(i + 3)))
    return {3, '_', "quoted-printable"};
  if (peek(i + 1) == '3' && peek(i + 2) == 'D') return {3, '=', "quoted-printable"};
  const std::size_t line = peek(i + 1) == '\n' ? i + 2 : peek(i + 1) == '\r' && peek(i + 2) == '\n' ? i + 3 : 0;
  return line != 0 && i > 0 && is_of_word(text_[i - 1]) && is_of_word(peek(line))
             ? Escape{line - i, -1, "quoted-printable"}
             : Escape{};
}

Escape Escapes::entity(std::size_t i) const {
  if (peek(i + 1) == '#') {
    const bool is_hex = (peek(i + 2) | 0x20) == 'x';
    int value = 0;
    std::size_t at = i + (is_hex ? 3 : 2);
    const std::size_t first = at;
    for (; at < first + 5; ++at) {
      const int n = nibble(peek(at));
      if (n < 0 || (!is_hex && n > 9)) break;
      value = value * (is_hex ? 16 : 10) + n;
    }
    // A soft hyphen, and spaces without a width.
    if (at > first && peek(at) == ';' && (value == 0xad || (value >= 0x200b && value <= 0x200d)))
      return {at + 1 - i, -1, "html"};
    return at > first && peek(at) == ';' && value < 0x80 && is_text(static_cast<std::uint8_t>(value))
               ? Escape{at + 1 - i, value, "html"}
               : Escape{};
  }
  static constexpr std::pair<std::string_view, char> names[] = {{"&quot;", '"'}, {"&amp;", '&'},   {"&lt;", '<'},
                                                                {"&gt;", '>'},   {"&apos;", '\''}, {"&equals;", '='},
                                                                {"&plus;", '+'}};
  const std::string_view rest = text_of(text_.subspan(i, std::min<std::size_t>(8, text_.size() - i)));
  if (rest.starts_with("&shy;")) return {5, -1, "html"};
  for (const auto& [name, byte] : names)
    if (peek(i + 1) == name[1] && rest.starts_with(name)) return {name.size(), byte, "html"};
  return {};
}

// "ab" + "cd", 'ab' . 'cd', 'ab''cd', and "ab" with "cd" on the next line.
Escape Escapes::joint(std::size_t i) const {
  if (i == 0 || !is_token(text_[i - 1]) || text_[i - 1] == '\\' || text_[i - 1] == '=' || text_[i - 1] == ':')
    return {};
  const std::uint8_t quote = text_[i];
  std::size_t at = i + 1;
  bool operated = false, broken = peek(at) == quote;
  for (; at < i + 80; ++at) {
    const std::uint8_t c = peek(at);
    if (c == '\n') broken = true;
    if (c == '/' && (peek(at + 1) == '*' || peek(at + 1) == '/')) {  // a comment
      const bool is_line = peek(at + 1) == '/';
      for (at += 2; at < i + 80 && !(is_line ? peek(at) == '\n' : peek(at) == '*' && peek(at + 1) == '/');) ++at;
      at += is_line ? 0 : 1;
      continue;
    }
    if (is_space(c) || (c == '\\' && peek(at + 1) == '\n')) continue;
    // Lua's .., SQL's || and Haskell's ++
    const bool twice = (c == '.' || c == '|' || c == '+') && peek(at + 1) == c;
    const bool listed = c == ',' && std::binary_search(joined_.ends.begin(), joined_.ends.end(), i);
    if ((c == '+' || c == '.' || c == '&' || c == '~' || twice || listed) && !operated) {
      operated = true;
      at += twice ? 1 : 0;
      continue;
    }
    break;
  }
  if (peek(at) != quote || !(operated || broken) || !is_token(peek(at + 1))) return {};
  // Two strings on two lines are one where nothing else is between them, and nothing but a token is in them there.
  for (std::size_t n = 1; !operated && n <= 6; ++n)
    if (n > i || !is_token(text_[i - n]) || !is_token(peek(at + n))) return {};
  return {at + 1 - i, -1, "concatenation"};
}

}  // namespace imgbuild

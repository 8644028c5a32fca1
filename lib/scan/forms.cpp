// The forms that tools give a value on its way into a file: base64 of something it is a part of, hex, percent encoding,
// JSON and shell escapes. Each is made as the common tools make it; two tools that differ are two forms.
#include "scan/forms.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/text.hpp"

namespace imgbuild {
namespace {

std::string replaced(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

// `byte` as "PREFIXnn".
std::string hex_byte(const char* prefix, char byte, bool upper) {
  std::string digits = hex(view_of(std::string_view(&byte, 1)));
  if (upper)
    for (char& c : digits)
      if (c >= 'a') c = static_cast<char>(c - 32);
  return prefix + digits;
}

// Base64 of a text that holds the value `before` bytes behind a multiple of three: only the characters that no
// neighbour has a bit in.
std::string base64_within(std::string_view value, std::size_t before) {
  const std::string all = base64(view_of(std::string(before, '\0') + std::string(value)));
  const std::size_t first = (before * 8 + 5) / 6, last = (before + value.size()) * 8 / 6;
  return all.substr(first, last - first);
}

bool unreserved(char c) {  // RFC 3986, section 2.3
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent(std::string_view value, std::string_view kept, bool upper, bool plus) {
  std::string out;
  for (const char c : value) {
    if (plus && c == ' ')
      out += '+';
    else if (unreserved(c) || kept.find(c) != std::string_view::npos)
      out += c;
    else
      out += hex_byte("%", c, upper);
  }
  return out;
}

// The code point of the UTF-8 sequence at the start of `text` and its length; nullopt where there is none.
std::optional<std::pair<unsigned, std::size_t>> code_point(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || length > text.size()) return std::nullopt;
  unsigned code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    code = code << 6 | (next & 0x3F);
  }
  return std::pair{code, length};
}

std::string u_escape(unsigned unit, bool upper) {
  const char bytes[2] = {static_cast<char>(unit >> 8), static_cast<char>(unit)};
  return hex_byte("\\u", bytes[0], upper) + hex_byte("", bytes[1], upper);
}

struct JsonStyle {
  bool slash, ascii, html, upper;
};

std::string json(std::string_view value, const JsonStyle& style) {
  std::string out;
  while (!value.empty()) {
    const char c = value[0];
    std::size_t length = 1;
    if (c == '"' || c == '\\' || (c == '/' && style.slash))
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\b')
      out += "\\b";
    else if (c == '\f')
      out += "\\f";
    else if (static_cast<unsigned char>(c) < 0x20 || (style.html && (c == '<' || c == '>' || c == '&')))
      out += u_escape(static_cast<unsigned char>(c), style.upper);
    else if (const auto code = style.ascii && (c & 0x80) != 0 ? code_point(value) : std::nullopt) {
      length = code->second;
      if (code->first >= 0x10000) {
        out += u_escape(0xD800 + ((code->first - 0x10000) >> 10), style.upper);
        out += u_escape(0xDC00 + ((code->first - 0x10000) & 0x3FF), style.upper);
      } else {
        out += u_escape(code->first, style.upper);
      }
    } else {
      out += c;
    }
    value.remove_prefix(length);
  }
  return out;
}

std::string backslashed(std::string_view value, const std::function<bool(char)>& special) {
  std::string out;
  for (const char c : value) {
    if (special(c)) out += '\\';
    out += c;
  }
  return out;
}

std::string substituted(std::string_view value, char what, std::string_view by) {
  std::string out;
  for (const char c : value) {
    if (c == what)
      out += by;
    else
      out += c;
  }
  return out;
}

// As $'...' has it.
std::string dollar_quoted(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\'' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (c == 27)
      out += "\\E";
    else if (static_cast<unsigned char>(c) < 0x20 || (c & 0x80) != 0) {
      const auto byte = static_cast<unsigned char>(c);
      for (int shift = 6; shift >= 0; shift -= 3) {
        if (shift == 6) out += '\\';
        out += static_cast<char>('0' + (byte >> shift & 7));
      }
    } else
      out += c;
  }
  return out;
}

}  // namespace

std::vector<Form> forms_of(std::string_view value) {
  std::vector<Form> all;
  const auto add = [&](std::string text, const char* name) {
    if (text.size() > most_form) text.resize(most_form);
    if (text.size() < 8) return;
    for (const auto& form : all)
      if (form.text == text) return;
    all.push_back({std::move(text), name});
  };
  add(std::string(value), "");
  // What is cut off behind most_form anyway need not be made.
  value = value.substr(0, most_form);
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string text = base64_within(value, before);
    add(text, "base64");
    add(replaced(replaced(text, '+', '-'), '/', '_'), "base64");
  }
  const std::string digits = hex(view_of(value));
  add(digits, "hex");
  std::string upper = digits;
  for (char& c : upper)
    if (c >= 'a') c = static_cast<char>(c - 32);
  add(upper, "hex");
  for (const bool capital : {true, false})
    for (const char* kept : {"", "!*'()", ";,/?:@&=+$#!*'()"}) {
      add(percent(value, kept, capital, false), "percent");
      add(percent(value, kept, capital, true), "percent");
    }
  for (const bool slash : {false, true})
    for (const bool ascii : {false, true})
      for (const bool html : {false, true})
        for (const bool capital : {false, true}) add(json(value, {slash, ascii, html, capital}), "json");
  const auto in = [](std::string_view set) { return [set](char c) { return set.find(c) != std::string_view::npos; }; };
  add(backslashed(value,
                  [](char c) {
                    return (c & 0x80) == 0 && c != '\n' && !unreserved(c) &&
                           std::string_view("/:=@%+,").find(c) == std::string_view::npos;
                  }),
      "shell");
  add(backslashed(value,
                  [](char c) {
                    return (c & 0x80) == 0 && c != '\n' && !unreserved(c) &&
                           std::string_view("/:=@%+").find(c) == std::string_view::npos;
                  }),
      "shell");
  add(backslashed(value, in("\"$`\\")), "shell");
  add(backslashed(value, in("\"$`\\!")), "shell");
  add(substituted(value, '\'', "'\\''"), "shell");
  add(substituted(value, '\'', "'\"'\"'"), "shell");
  add(dollar_quoted(value), "shell");
  return all;
}

}  // namespace imgbuild

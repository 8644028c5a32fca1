// Values as files write them: with escapes for what would mean something else there, or over more than one word.
#include <algorithm>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/proofs.hpp"

namespace imgbuild::proofs {
namespace {

// wh7Jw\#aT8\:puui of Java's properties: what would mean something else there has a backslash before it.
std::string without_backslashes(std::string_view value) {
  std::string out;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const bool escapes = value[at] == '\\' && at + 1 < value.size() &&
                         std::string_view("#!:= ").find(value[at + 1]) != std::string_view::npos;
    if (!escapes) out += value[at];
  }
  return out;
}

// Tr\u003cq8\u0026xyz of JSON, whose writers escape what HTML would take for its own. Of more than the Latin letters
// it is a word of another script. Empty: it has none.
std::string without_code_points(std::string_view value) {
  constexpr std::size_t width = 6;
  std::string out;
  bool any = false;
  for (std::size_t at = 0; at < value.size();) {
    if (value.substr(at, 2) == "\\u" && at + width <= value.size()) {
      const auto point = unhex(value.substr(at + 2, 4));
      if (!point || (*point)[0] > 1) return {};
      const unsigned code = (*point)[0] << 8U | (*point)[1];
      if (code < 0x20 || code == 0x7f) return {};
      if (code < 0x80) {
        out += static_cast<char>(code);
      } else {
        out += static_cast<char>(0xc0 | code >> 6U);
        out += static_cast<char>(0x80 | (code & 0x3fU));
      }
      any = true;
      at += width;
      continue;
    }
    if (value[at] == '\\') return {};
    out += value[at++];
  }
  return any ? out : std::string();
}

// \x70\x65\x62 of a text that is hidden from whoever searches for it. Empty: it is not all of it so, or no text.
std::string without_bytes(std::string_view value) {
  constexpr std::size_t width = 4;
  std::string out;
  for (std::size_t at = 0; at < value.size(); at += width) {
    const auto byte = value.substr(at, 2) == "\\x" ? unhex(value.substr(at + 2, 2)) : std::nullopt;
    if (!byte || byte->size() != 1 || (*byte)[0] <= 0x20 || (*byte)[0] >= 0x7f) return {};
    out += static_cast<char>((*byte)[0]);
  }
  return out;
}

// One item of a list of characters: 0x42, 66, 'B'. nullopt: it is none of a text.
std::optional<char> listed(std::string_view item) {
  if (item.size() == 3 && item[0] == '\'' && item[2] == '\'') return item[1];
  unsigned value = 0;
  const bool hex = item.starts_with("0x") || item.starts_with("0X");
  if (hex) item.remove_prefix(2);
  if (item.empty() || item.size() > 3) return std::nullopt;
  for (const char c : item) {
    const int digit = nibble(c);
    if (digit < 0 || (!hex && digit > 9)) return std::nullopt;
    value = value * (hex ? 16 : 10) + static_cast<unsigned>(digit);
  }
  return value < 0x7f ? std::optional(static_cast<char>(value)) : std::nullopt;
}

}  // namespace

// 0x42, 0x65, 0x6c; 'B', 'e', 'l'; 66, 101, 108: a password, letter by letter.
Proof listed_password(const Suspect& suspect) {
  std::string plain;
  std::string_view rest = suspect.secret;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const auto c = listed(trim(rest.substr(0, comma)));
    if (!c) return {};
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (*c == 0 && trim(rest).empty()) break;
    if (*c <= 0x20) return {};
    plain += *c;
  }
  Suspect read = suspect;
  read.secret = plain;
  return proven(spelled_password(read).proven);
}

std::string unescaped(std::string_view value, std::string_view path) {
  if (path.ends_with(".properties") && contains(value, "\\") && !contains(value, "\\u"))
    return without_backslashes(value);
  if (value.starts_with("\\x")) return without_bytes(value);
  return contains(value, "\\u0") ? without_code_points(value) : std::string();
}

// b'\x8f\xda\xe2o\xfaJ...': random bytes, as programs print a key that they made.
bool is_of_bytes(std::string_view value) {
  std::size_t units = 0, escapes = 0, steps = 0, zeros = 0;
  std::string seen;
  for (std::size_t at = 0; at < value.size(); ++units) {
    const auto byte = value[at] == '\\' && at + 3 < value.size() && value[at + 1] == 'x'
                          ? unhex(value.substr(at + 2, 2))
                          : std::nullopt;
    const char c = byte ? static_cast<char>((*byte)[0]) : value[at];
    escapes += byte ? 1 : 0;
    zeros += c == 0 ? 1 : 0;
    steps += !seen.empty() && (c == seen.back() || c == seen.back() + 1) ? 1 : 0;
    seen += c;
    at += byte ? 4 : value[at] == '\\' ? 2 : 1;
  }
  std::sort(seen.begin(), seen.end());
  const auto distinct = static_cast<std::size_t>(std::unique(seen.begin(), seen.end()) - seen.begin());
  return units >= 16 && units <= 80 && escapes * 5 >= units * 2 && distinct * 4 >= units * 3 && steps * 4 <= units &&
         zeros <= 2;
}

// SMTP_PASS=kqzv hmtp wxbn ajre: all four groups, where nothing stands behind them on the line.
std::string_view whole_app_password(std::string_view around, std::string_view value) {
  constexpr std::size_t groups = 19;
  const auto at = static_cast<std::size_t>(value.data() - around.data());
  if (value.size() != 4 || around.size() - at < groups) return value;
  const std::string_view whole = around.substr(at, groups), behind = around.substr(at + groups);
  const std::size_t next = behind.find_first_not_of(" \t");
  const bool ends =
      next == std::string_view::npos || std::string_view("\r\n#").find(behind[next]) != std::string_view::npos;
  return ends && is_app_password(whole) ? whole : value;
}

}  // namespace imgbuild::proofs

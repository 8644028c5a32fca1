#include "scan/decoders.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "base/percent.hpp"
#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"
#include "scan/named.hpp"
#include "scan/turned.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t around = 400;  // of a call's word: its line
constexpr std::size_t shortest = 6, longest = 100;
constexpr std::size_t beside = 24;  // strrev(trim("...")), "...".chars().

enum class Code : std::uint8_t { base64, base32, base85, hex, percent, rot13, reversed, numbers, either };

struct Call {
  std::string_view word;
  Code code;
  const char* name;
};
// By what follows from a word of the call on, in small letters; the first that fits.
constexpr Call calls[] = {{"biginteger(", Code::hex, "hex"},
                          {"32decode", Code::base32, "base32"},
                          {"85decode", Code::base85, "base85"},
                          {"16decode", Code::hex, "hex"},
                          {"fromhex", Code::hex, "hex"},
                          {"unhexlify", Code::hex, "hex"},
                          {"hex2bin", Code::hex, "hex"},
                          {"\"h*", Code::hex, "hex"},
                          {"'h*", Code::hex, "hex"},
                          {"unhex(", Code::hex, "hex"},
                          {"xxd -r", Code::hex, "hex"},
                          {"hex!(", Code::hex, "hex"},
                          {"decodeuri", Code::percent, "percent"},
                          {"urldecode", Code::percent, "percent"},
                          {"unescape(", Code::percent, "percent"},
                          {"rot13", Code::rot13, "rot13"},
                          {"rot_13", Code::rot13, "rot13"},
                          {"rot-13", Code::rot13, "rot13"},
                          {"n-za-m", Code::rot13, "rot13"},
                          {"rev", Code::reversed, "reversed"},
                          {"strrev", Code::reversed, "reversed"},
                          {"::-1]", Code::reversed, "reversed"},
                          {"charcode(", Code::numbers, "array"},
                          {"chr(", Code::numbers, "array"},
                          {"decodestring", Code::either, "base64"},
                          {"buffer.from(", Code::either, "base64"}};

const Call& call_of(std::string_view rest) {
  static constexpr Call other{"", Code::base64, "base64"};
  rest.remove_prefix(std::min(rest.find_first_not_of("&.+| "), rest.size()));  // | rev, . chr(
  const auto* const call = std::find_if(std::begin(calls), std::end(calls),
                                        [&](const Call& one) { return starts_caseless(rest, one.word); });
  return call == std::end(calls) ? other : *call;
}

bool is_of_base64(char c) { return is_alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'; }

// Bits of `width` per character, highest first, as base64 and base32 have them; those that fill up are left out.
// (Empty, here and below: it is no such text.)
template <class Value>
std::string bits_of(std::string_view text, unsigned width, Value value) {
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const int part = value(c);
    if (part < 0) return {};
    bits = bits << width | static_cast<unsigned>(part);
    count += width;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count);
    bits &= (1U << count) - 1;
  }
  return out;
}

int value_of_base64(char c) {
  return is_upper(c)            ? c - 'A'
         : is_lower(c)          ? c - 'a' + 26
         : is_digit(c)          ? c - '0' + 52
         : c == '+' || c == '-' ? 62
                                : 63;
}
int value_of_base32(char c) {
  const char big = static_cast<char>(is_lower(c) ? c - 32 : c);
  return is_upper(big) ? big - 'A' : big >= '2' && big <= '7' ? big - '2' + 26 : -1;
}

// RFC 1924's alphabet, as Python's b85decode and git have it.
std::string of_base85(std::string_view text) {
  static constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 5) {
    const std::size_t size = std::min<std::size_t>(5, text.size() - at);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      const std::size_t digit = i < size ? digits.find(text[at + i]) : 84;
      if (digit == std::string_view::npos) return {};
      value = value * 85 + digit;
    }
    if (size < 2 || value > UINT32_MAX) return {};
    for (std::size_t i = 0; i + 1 < size; ++i) out += static_cast<char>(value >> (24 - 8 * i));
  }
  return out;
}

// 82) & Chr(105) & Chr(99: characters by their numbers, the same between each two.
std::string of_numbers(std::string_view text) {
  constexpr std::string_view digits = "0123456789";
  std::string out;
  std::string_view between;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(digits, at), text.size());
    const int value = end == at || end - at > 3 ? 0 : std::stoi(std::string(text.substr(at, end - at)));
    if (value <= 0x20 || value >= 0x7f) return {};
    out += static_cast<char>(value);
    at = std::min(text.find_first_of(digits, end), text.size());
    const std::string_view parts = text.substr(end, at - end);
    if (between.empty()) between = parts;
    if (at < text.size() && parts != between) break;
  }
  return out;
}

std::string decoded(std::string_view text, Code code) {
  std::string_view bare = text;
  while (!bare.empty() && bare.back() == '=') bare.remove_suffix(1);
  std::string out;
  switch (code) {
    case Code::base64:
      return bits_of(bare, 6, value_of_base64);
    case Code::base32:
      return bits_of(bare, 5, value_of_base32);
    case Code::hex:
      return std::string(text_of(unhex(text).value_or(Bytes{})));
    case Code::base85:
      return of_base85(text);
    case Code::percent:
      out = percent_decoded(text);
      return out.size() < text.size() ? out : std::string();
    case Code::rot13:
      std::transform(text.begin(), text.end(), std::back_inserter(out), rot13);
      return out;
    case Code::reversed:
      return {text.rbegin(), text.rend()};
    case Code::numbers:
      return of_numbers(text);
    case Code::either:
      break;
  }
  return {};
}

}  // namespace

std::string password_of(std::string value) {
  if (value.size() > 2 && value[1] == '\0' && value.size() % 2 == 0) {
    std::string narrow;
    for (std::size_t i = 0; i < value.size(); i += 2) {
      if (value[i + 1] != '\0') return {};
      narrow += value[i];
    }
    value = std::move(narrow);
  }
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  const auto prints = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (value.size() < shortest || value.size() > longest || !std::all_of(value.begin(), value.end(), prints)) return {};
  return value;
}

std::size_t show_decoded(View text, std::size_t at, const std::function<void(DecodedRun&, OwnedRange)>& see) {
  std::size_t low = at, high = at;
  while (low > 0 && at - low < around && !is_break(static_cast<char>(text[low - 1]))) --low;
  while (high < text.size() && high - at < around && !is_break(static_cast<char>(text[high]))) ++high;
  const std::string_view line = text_of(text.subspan(low, high - low));
  const std::size_t behind = std::min(text.size(), high + 1);
  if (!says_secret(line)) return behind;
  const Call& call = call_of(text_of(text.subspan(at)));
  const bool written = call.code == Code::base85 || call.code == Code::percent || call.code == Code::rot13 ||
                       call.code == Code::reversed;
  const bool packed = starts_caseless(call.word, "\"h*") || starts_caseless(call.word, "'h*");
  const auto show = [&](std::size_t from, std::size_t to) {
    const std::string_view encoded = line.substr(from, to - from);
    constexpr std::size_t found_anyway = 24, found_as_base32 = 32;  // runs.cpp
    const std::size_t most = (call.code == Code::numbers ? 16 : 2) * longest;
    if (encoded.size() < (call.code == Code::reversed ? shortest : 8) || encoded.size() > most) return;
    // What is turned round stands beside the word that does it.
    const std::size_t first = low + from, behind_it = low + to;
    if (call.code == Code::reversed && (behind_it < at ? at - behind_it : first - std::min(first, at)) > beside) return;
    Code code = call.code;
    const char* name_of_code = call.name;
    if (code == Code::either) {
      const bool hex =
          encoded.size() % 2 == 0 && std::all_of(encoded.begin(), encoded.end(), [](char c) { return nibble(c) >= 0; });
      code = hex ? Code::hex : Code::base64;
      if (hex) name_of_code = "hex";
    }
    const std::string bytes = decoded(encoded, code), value = password_of(bytes);
    if (value.empty()) return;
    // Of what it is assigned to, or a comment behind it.
    constexpr std::size_t found_text = 12;
    const std::size_t before = packed ? std::min(from, at - low) : from;
    std::string_view name = name_before_value(line.substr(0, before));
    if (says_secret(name)) {
      if (!written && !packed && code != Code::numbers && value.size() == bytes.size() &&
          encoded.size() >= (code == Code::base32 ? found_as_base32 : found_anyway) && value.size() >= found_text)
        return;
    } else {
      name = name_around(line, before, to);
      if (name.empty()) return;
    }
    const bool in_line = name.data() >= line.data() && name.data() < line.data() + line.size();
    const std::size_t name_at = low + (in_line ? static_cast<std::size_t>(name.data() - line.data()) : from);
    const std::string shown = shown_name(name, value);
    DecodedRun run = assigned_run(name_of_code, shown, name_at, value, low + from, low + to);
    run.plain = true;
    run.lead = shown.size() + 2;
    see(run, {0, text.size()});
  };
  if (written) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!is_quote(line[i])) continue;
      const std::size_t close = line.find(line[i], i + 1);
      if (close == std::string_view::npos) break;
      show(i + 1, close);
      i = close;
    }
    return behind;
  }
  if (call.code == Code::numbers) {
    // From the first number in brackets to the last that is of the same row.
    const std::size_t first = lower(line).find("ch"), open = line.find('(', std::min(first, line.size()));
    const std::size_t end = line.find_last_of("0123456789");
    if (open != std::string_view::npos && end != std::string_view::npos && open < end) {
      const std::size_t begin = line.find_first_not_of(" \t", open + 1);
      show(begin, std::min(line.find_first_of(";'\"", begin), end + 1));
    }
    return behind;
  }
  for (std::size_t i = 0; i < line.size();) {
    if (!is_of_base64(line[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && is_of_base64(line[end])) ++end;
    while (end < line.size() && line[end] == '=') ++end;
    show(i, end);
    i = end;
  }
  return behind;
}

}  // namespace imgbuild

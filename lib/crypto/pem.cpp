// PEM as it leaks: pasted into source code, JSON, YAML, comments and diffs. Whatever is layout is undone, word by word;
// what is left must be base64, or it is no key.
#include "crypto/pem.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 10;
constexpr std::size_t longest_content = std::size_t{16} << 10;  // RSA of 16,384 bits has 9.3 KB

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

// The body with everything that is layout made blank: line ends written out, quotes, what joins strings in source
// code. `\u002b` and its like, which JSON writers make of + = and /, become what they stand for.
std::string without_layout(std::string_view body) {
  std::string plain;
  plain.reserve(body.size());
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c != '\\') {
      plain +=
          static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == ',' || c == ';' || c == '`' ? ' ' : c;
      continue;
    }
    while (i + 1 < body.size() && body[i + 1] == '\\') ++i;
    const char next = i + 1 < body.size() ? body[i + 1] : ' ';
    if (next == '/') continue;
    plain += ' ';
    if (next == 'u' && i + 5 < body.size()) {
      if (const auto code = unhex(body.substr(i + 2, 4)); code && code->at(0) == 0) {
        plain.back() = static_cast<char>(code->at(1));
        i += 5;
      }
    } else if (next == 'n' || next == 'r' || next == 't') {
      ++i;
    }
  }
  return plain;
}

// The words of a body, without headers and the marks that stand before or between the lines of a key in a diff, a
// comment or source code. False where something stands there that is no base64.
bool take_words(std::string_view body, bool closed, Pem& pem, std::vector<std::string_view>& words) {
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] == ' ') {
      ++i;
      continue;
    }
    const std::size_t end = std::min(body.find(' ', i), body.size());
    std::string_view word = body.substr(i, end - i);
    i = end;
    if (word.back() == ':') {  // a header, and its value
      while (i < body.size() && body[i] == ' ') ++i;
      const std::size_t value_end = std::min(body.find(' ', i), body.size());
      const std::string_view value = body.substr(i, value_end - i);
      if (word == "Proc-Type:") {
        // The comma has become a blank: "4 ENCRYPTED".
        if (body.substr(value_end).starts_with(" ENCRYPTED")) i = value_end + 10;
        pem.encrypted = true;
      } else {
        i = value_end;
        // DEK-Info has the initial vector behind its comma.
        if (word == "DEK-Info:" && i < body.size()) i = std::min(body.find(' ', i + 1), body.size());
      }
      if (value.empty()) return false;
      continue;
    }
    if (word == "+" || word == "." || word == "#" || word == "//" || word == "*" || word == ">" || word == "-" ||
        word == "|" || word == "&")
      continue;
    if (!std::all_of(word.begin() + (word[0] == '-' ? 1 : 0), word.end(), is_base64)) return !closed && !words.empty();
    words.push_back(word);
  }
  return !words.empty();
}

}  // namespace

std::optional<Pem> read_pem(std::string_view text) {
  static constexpr std::string_view begin = "-----BEGIN ";
  text = text.substr(0, longest_text);
  if (!text.starts_with(begin)) return std::nullopt;
  const std::size_t label_end = text.find("-----", begin.size());
  if (label_end == std::string_view::npos || label_end > 64) return std::nullopt;
  Pem pem;
  pem.label = text.substr(begin.size(), label_end - begin.size());
  std::string_view body = text.substr(label_end + 5);
  const std::size_t close = body.find("-----");
  const bool closed = close != std::string_view::npos;
  const std::string plain = without_layout(body.substr(0, close));

  std::vector<std::string_view> words;
  if (!take_words(plain, closed, pem, words)) return std::nullopt;
  // Of a diff: every line begins with the same mark.
  for (const char mark : {'+', '-'})
    if (words.size() > 1 && std::all_of(words.begin(), words.end(), [&](auto word) { return word[0] == mark; }))
      for (auto& word : words) word.remove_prefix(1);
  std::string joined;
  for (const auto word : words) joined += word;
  auto content = unbase64(joined);
  if (!content || content->size() > longest_content) return std::nullopt;
  pem.content = std::move(*content);
  return pem;
}

}  // namespace imgbuild

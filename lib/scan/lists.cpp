#include "scan/lists.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_opener = 80, backward = std::size_t{2} << 10;

bool is_quote_at(View text, std::size_t at) { return is_quote(char_at(text, at)); }
bool ends_in(View text, std::size_t end, std::string_view word) {
  return end >= word.size() && end <= text.size() && text_of(text.subspan(end - word.size(), word.size())) == word;
}

// What opens a list, up to its first quote: (["", new[] {, List.of(. nowhere: no list is opened.
struct Opener {
  std::size_t quote = nowhere;
  std::size_t brackets = 0;
};
Opener read_opener(View text, std::size_t at, std::size_t limit) {
  Opener opener;
  limit = std::min({limit, text.size(), at + longest_opener});
  for (; at < limit; ++at) {
    const char c = static_cast<char>(text[at]);
    if (is_quote(c)) {
      opener.quote = at;
      return opener;
    }
    if (c == '(' || c == '[' || c == '{')
      ++opener.brackets;
    else if (!is_alphanumeric(c) && std::string_view(" \t\r\n]<>@.:,%!-_$&*").find(c) == std::string_view::npos)
      break;
  }
  return opener;
}

// Behind what parts two texts of a list: a comma, or a line of YAML. Where the next quote is.
std::size_t next_of_list(View text, std::size_t at, std::size_t limit) {
  at = behind_space(text, at, limit);
  if (char_at(text, at) == ',') {
    at = behind_space(text, at + 1, limit);
  } else {
    while (char_at(text, at) == '-') at = behind_space(text, at + 1, limit);
  }
  return at < limit ? quote_at(text, at) : nowhere;
}

// The texts from the quote on.
void read_list(View text, std::size_t quote, std::size_t limit, JoinedTexts& reading) {
  while (quote != nowhere) {
    const std::size_t behind = read_joined(text, quote, limit, reading.parts);
    if (behind == nowhere) return;
    reading.end = behind;
    quote = next_of_list(text, behind, limit);
  }
}

// The words of qw(a b) and %w[a b], which begin at `at`.
void read_words(View text, std::size_t at, std::size_t limit, JoinedTexts& reading) {
  while (at < limit) {
    while (at < limit && (text[at] <= ' ')) ++at;
    const std::size_t begin = at;
    while (at < limit && text[at] > ' ' && std::string_view(")]}>/|").find(char_at(text, at)) == std::string_view::npos)
      ++at;
    if (at > begin) reading.parts.push_back({begin, at});
    if (at >= limit || text[at] > ' ') break;
  }
  reading.end = at;
}

// The texts of the list that ends before `at`, with its bracket or without.
void read_back(View text, std::size_t at, JoinedTexts& reading) {
  const std::size_t low = at - std::min(at, backward);
  at = before_space(text, at);
  if (at > 0 && (text[at - 1] == ']' || text[at - 1] == ')' || text[at - 1] == '}')) at = before_space(text, at - 1);
  if (at > 0 && !is_quote_at(text, at - 1) && text[at - 1] != ',') {
    std::size_t begin = at;
    while (begin > low && text[begin - 1] != '[' && text[begin - 1] != '(' && !is_quote_at(text, begin - 1)) --begin;
    if (begin > low && (ends_in(text, begin - 1, "%w") || ends_in(text, begin - 1, "qw")))
      read_words(text, begin, at, reading);
    return;
  }
  if (at > 0 && text[at - 1] == ',') at = before_space(text, at - 1);
  while (at > low && is_quote_at(text, at - 1)) {
    const std::size_t open = opening_quote(text, at - 1, low);
    if (open == nowhere) break;
    reading.parts.push_back({open + 1, at - 1});
    at = before_space(text, open);
    if (at == 0 || text[at - 1] != ',') break;
    at = before_space(text, at - 1);
  }
  std::reverse(reading.parts.begin(), reading.parts.end());
}

// Is the only thing in the brackets that open at `at` a text without a character? Behind it; nowhere: it is not.
std::size_t behind_empty(View text, std::size_t at, std::size_t limit) {
  const bool bracket = char_at(text, at) == '(';
  at = behind_space(text, at + (bracket ? 1 : 0), limit);
  if (!is_quote_at(text, at) || char_at(text, at + 1) != char_at(text, at)) return nowhere;
  at = behind_space(text, at + 2, limit);
  return !bracket ? at : char_at(text, at) == ')' ? at + 1 : nowhere;
}

bool is_of_name(View text, std::size_t at) {
  return is_alphanumeric(char_at(text, at)) || char_at(text, at) == '_' || char_at(text, at) == '$';
}

// The first quote of the list that a name was given before `at`: const parts = ['a', 'b']. The last that it was given;
// nowhere: none, within the reach.
std::size_t quote_of_named(View text, std::string_view name, std::size_t at, std::size_t limit) {
  const std::size_t low = at - std::min(at, backward);
  const std::string_view before = text_of(text.subspan(low, at - low));
  for (std::size_t behind = before.size(); behind >= name.size(); --behind) {
    const std::size_t place = before.substr(0, behind).rfind(name);
    if (place == std::string_view::npos) break;
    behind = place + name.size();
    const std::size_t begin = low + place, end = begin + name.size();
    if ((begin > 0 && is_of_name(text, begin - 1)) || is_of_name(text, end)) continue;
    std::size_t sign = behind_space(text, end, at);
    if (char_at(text, sign) == ':') ++sign;  // :=
    if (char_at(text, sign) != '=' || char_at(text, sign + 1) == '=') continue;
    const Opener opener = read_opener(text, sign + 1, limit);
    if (opener.brackets > 0) return opener.quote;
  }
  return nowhere;
}

// The name that ends before `at`.
std::string_view name_before(View text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && at - begin < 60 && is_of_name(text, begin - 1)) --begin;
  return text_of(text.subspan(begin, at - begin));
}

// The texts of the list that has the name at `at`, behind blanks: "".join(parts). Nothing else may be given.
void read_named(View text, std::size_t at, std::size_t limit, JoinedTexts& reading) {
  at = behind_space(text, at, limit);
  std::size_t end = at;
  while (end < limit && is_of_name(text, end)) ++end;
  if (end == at || char_at(text, behind_space(text, end, limit)) != ')') return;
  read_list(text, quote_of_named(text, text_of(text.subspan(at, end - at)), at, at), at, reading);
  reading.end = end;
}

// 'a-b'.split('-') before `at`: the parts of 'a-b'.
bool read_split(View text, std::size_t at, JoinedTexts& reading) {
  at = before_space(text, at);
  if (at == 0 || text[at - 1] != ')') return false;
  at = before_space(text, at - 1);
  if (at == 0 || !is_quote_at(text, at - 1)) return false;
  const std::size_t close = at - 1, open = opening_quote(text, close, 0);
  if (open == nowhere || open + 1 == close || !ends_in(text, open, ".split(")) return false;
  const std::string_view between = text_of(text.subspan(open + 1, close - open - 1));
  at = before_space(text, open - 7);
  if (at > 0 && text[at - 1] == ')') at = before_space(text, at - 1);
  if (at == 0 || !is_quote_at(text, at - 1)) return true;
  const std::size_t first = opening_quote(text, at - 1, 0);
  if (first == nowhere) return true;
  for (std::size_t begin = first + 1; begin < at;) {
    const std::size_t size = std::min(text_of(text.subspan(begin, at - 1 - begin)).find(between), at - 1 - begin);
    reading.parts.push_back({begin, begin + size});
    begin += size + between.size();
    if (begin >= at - 1) break;
  }
  return true;
}

// join("", "a", "b"), and strings.Join([]string{"a", "b"}, "").
JoinedTexts read_join_forward(View text, std::size_t behind, std::size_t limit) {
  JoinedTexts reading;
  const bool is_key = is_quote_at(text, behind);  // "Fn::Join": ["", ["a", "b"]]
  const Opener opener = read_opener(text, behind + (is_key ? 1 : 0), limit);
  if (opener.quote == nowhere) return reading;
  const std::size_t close = closing_quote(text, opener.quote, limit);
  if (close == opener.quote + 1) {
    std::size_t at = behind_space(text, close + 1, limit);
    if (char_at(text, at) != ',' && char_at(text, at) != '-') return reading;
    const Opener list = read_opener(text, at, limit);
    if (list.quote != nowhere) {
      read_list(text, list.quote, limit, reading);
    } else {
      at = behind_space(text, at + 1, limit);
      if (char_at(text, at) == '(') at = behind_space(text, at + 1, limit);
      if (ends_in(text, at + 2, "qw")) {
        read_words(text, at + 3, limit, reading);
      } else {
        read_named(text, at, limit, reading);  // implode('', $parts)
      }
    }
    return reading;
  }
  if (opener.brackets < 2) return reading;  // what it has first is what it puts between them
  read_list(text, opener.quote, limit, reading);
  std::size_t at = behind_space(text, reading.end, limit);
  while (std::string_view(")]}").find(char_at(text, at)) != std::string_view::npos && at < limit)
    at = behind_space(text, at + 1, limit);
  const bool empty =
      char_at(text, at) == ',' && behind_empty(text, behind_space(text, at + 1, limit), limit) != nowhere;
  const bool has_default = starts_caseless(text_of(text.subspan(behind - std::min<std::size_t>(behind, 7))), "implode");
  if (!empty && !has_default) reading.parts.clear();
  return reading;
}

}  // namespace

JoinedTexts read_concat(View text, std::size_t at, std::size_t behind, std::size_t limit) {
  JoinedTexts reading;
  for (std::size_t i = 0; i < 8 && (is_alphanumeric(char_at(text, behind)) || char_at(text, behind) == '!'); ++i)
    ++behind;
  if (is_quote_at(text, behind)) ++behind;  // {"$concat": ["a", "b"]}
  if (std::string_view("([: ").find(char_at(text, behind)) == std::string_view::npos) return reading;
  const Opener opener = read_opener(text, behind, limit);
  if (opener.quote == nowhere || opener.brackets == 0) return reading;
  // "a".concat("b")
  if (at > 2 && text[at - 1] == '.') {
    std::size_t end = before_space(text, at - 1);
    if (end > 0 && text[end - 1] == ')') end = before_space(text, end - 1);
    const std::size_t open = end > 0 && is_quote_at(text, end - 1) ? opening_quote(text, end - 1, 0) : nowhere;
    if (open != nowhere) reading.parts.push_back({open + 1, end - 1});
  }
  read_list(text, opener.quote, limit, reading);
  for (;;) {
    std::size_t next = behind_space(text, reading.end, limit);
    if (char_at(text, next) != ')') break;
    next = behind_space(text, next + 1, limit);
    constexpr std::string_view again = ".concat(";
    if (next + again.size() > limit || !starts_caseless(text_of(text.subspan(next)), again)) break;
    const std::size_t quote = quote_at(text, behind_space(text, next + again.size(), limit)), had = reading.end;
    if (quote == nowhere) break;
    read_list(text, quote, limit, reading);
    if (reading.end == had) break;
  }
  return reading;
}

JoinedTexts read_join(View text, std::size_t at, std::size_t behind, std::size_t limit) {
  JoinedTexts reading;
  if (is_letter(char_at(text, behind)) || (at > 0 && is_letter(char_at(text, at - 1)))) return reading;
  const std::size_t word = before_space(text, at);
  const char before = word > 0 ? char_at(text, word - 1) : '\0';
  const std::size_t next = behind_space(text, behind, limit);
  if (before == '.' || before == '-') {
    const std::size_t end = before_space(text, word - 1);
    const char last = end > 0 ? char_at(text, end - 1) : '\0';
    const bool is_list = last == ']' || last == ')' || last == '}' || (before == '-' && is_quote(last));
    if (is_list) {
      const bool given = char_at(text, next) == '(' || (next != behind && is_quote_at(text, next));
      if (given && behind_empty(text, next, limit) == nowhere) return reading;
      if (!given && before == '-') return reading;
      if (!read_split(text, end, reading)) read_back(text, end, reading);
      return reading;
    }
    if (end > 0 && is_of_name(text, end - 1) && behind_empty(text, next, limit) != nowhere) {  // parts.join('')
      const std::string_view name = name_before(text, end);
      read_list(text, quote_of_named(text, name, end - name.size(), end), end, reading);
      reading.end = behind;
      return reading;
    }
    if (is_quote(last)) {  // "".join(["a", "b"])
      if (end < 2 || text[end - 2] != text[end - 1]) return reading;
      if (char_at(text, behind) == '(') read_named(text, behind + 1, limit, reading);
      if (!reading.parts.empty()) return reading;
      const Opener opener = read_opener(text, behind, limit);
      read_list(text, opener.quote, limit, reading);
      return reading;
    }
    if (before == '-') {  // -join ('a', 'b')
      if (char_at(text, next) != '(' && char_at(text, next) != '@') return reading;
      read_list(text, read_opener(text, next, limit).quote, limit, reading);
      return reading;
    }
  }
  return read_join_forward(text, behind, limit);
}

JoinedTexts read_format(View text, std::size_t at, std::size_t behind, std::size_t limit) {
  JoinedTexts reading;
  if (at == 0 || !is_quote_at(text, at - 1)) return reading;
  const std::size_t close = closing_quote(text, at - 1, limit);
  if (close == nowhere) return reading;
  for (; behind < close; ++behind)
    if (std::string_view("%s{}0123456789\\n").find(char_at(text, behind)) == std::string_view::npos) return reading;
  read_list(text, read_opener(text, close + 1, limit).quote, limit, reading);
  return reading;
}

JoinedTexts read_operated(View text, std::size_t at, std::size_t limit) {
  JoinedTexts reading;
  const std::size_t open = opening_quote(text, at, 0);
  if (open == nowhere) return reading;
  reading.end = read_joined(text, open, limit, reading.parts);
  if (reading.end == nowhere || reading.parts.size() < 2) reading.end = 0;
  return reading;
}

}  // namespace imgbuild

#include "scan/statements.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_name = 80, longest_line = 1000;

bool is_of_name(char c) {
  return is_alphanumeric(c) || c == '_' || c == '.' || c == '$' || c == '@' || c == '>' || c == ':';
}

// The name that ends at `end`; empty: none does.
std::string_view name_before(View text, std::size_t end) {
  std::size_t at = end;
  const auto is_part = [&](std::size_t i) {
    return is_of_name(static_cast<char>(text[i])) || (text[i] == '-' && char_at(text, i + 1) == '>');
  };
  while (at > 0 && end - at < longest_name && is_part(at - 1)) --at;
  while (at < end && text[at] == ':') ++at;
  return text_of(text.subspan(at, end - at));
}

std::size_t before_end_of_statement(View text, std::size_t at) {
  at = before_space(text, at);
  if (at > 0 && text[at - 1] == ';') at = before_space(text, at - 1);
  return at;
}

std::size_t behind_end_of_statement(View text, std::size_t at, std::size_t limit) {
  at = behind_space(text, at, limit);
  return char_at(text, at) == ';' ? behind_space(text, at + 1, limit) : at;
}

bool is_growing(char c) { return c == '+' || c == '.'; }

// set X=a, set "X=%X%a": what one line of a batch file gives a name.
struct Given {
  std::string_view name;
  Part value{0, 0};
  bool more = false;     // it had something
  std::size_t next = 0;  // line
};
Given read_set(View text, std::size_t line, std::size_t limit) {
  Given given;
  const std::string_view all = text_of(text.first(std::min({limit, text.size(), line + longest_line})));
  if (line >= all.size()) return given;
  std::size_t end = std::min(all.find('\n', line), all.size());
  given.next = std::min(end + 1, text.size());
  while (end > line && (all[end - 1] == '\r' || all[end - 1] == ' ')) --end;
  std::size_t at = line;
  while (at < end && (is_blank(all[at]) || all[at] == '@')) ++at;
  if (!starts_caseless(all.substr(at, end - at), "set ")) return given;
  at += 4;
  while (at < end && is_blank(all[at])) ++at;
  const bool quoted = at < end && all[at] == '"';
  if (quoted) ++at;
  if (quoted && all[end - 1] == '"') --end;
  const std::size_t name = at;
  while (at < end && is_name_char(all[at])) ++at;
  if (at == name || at >= end || all[at] != '=') return given;
  given.name = all.substr(name, at - name);
  ++at;
  const std::size_t width = given.name.size();
  if (at + width + 2 <= end && all[at] == '%' && all.substr(at + 1, width) == given.name &&
      all[at + 1 + width] == '%') {
    given.more = true;
    at += width + 2;
  }
  if (at < end) given.value = {at, end};
  return given;
}

}  // namespace

JoinedTexts read_append(View text, std::size_t at, std::size_t behind, std::size_t limit) {
  JoinedTexts reading;
  std::size_t quote = quote_at(text, behind_space(text, behind, limit));
  if (quote == nowhere) return reading;
  // new StringBuilder("a").append("b"), s = "a"; s.append("b")
  std::size_t before = before_end_of_statement(text, at - name_before(text, at).size());
  if (before > 0 && text[before - 1] == ')') before = before_space(text, before - 1);
  if (before > 0 && is_quote(char_at(text, before - 1))) {
    const std::size_t open = opening_quote(text, before - 1, 0);
    if (open != nowhere) reading.parts.push_back({open + 1, before - 1});
  }
  while (quote != nowhere) {
    const std::size_t end = read_joined(text, quote, limit, reading.parts);
    if (end == nowhere) break;
    reading.end = end;
    quote = nowhere;
    std::size_t next = behind_space(text, end, limit);
    if (char_at(text, next) != ')') break;
    next = behind_end_of_statement(text, next + 1, limit);
    const std::size_t name = next;
    while (next < limit && next - name < longest_name && is_of_name(char_at(text, next)) && char_at(text, next) != '.')
      ++next;
    constexpr std::string_view again = ".append(";
    if (next < limit && starts_caseless(text_of(text.subspan(next)), again))
      quote = quote_at(text, behind_space(text, next + again.size(), limit));
  }
  return reading;
}

JoinedTexts read_more(View text, std::size_t at, std::size_t limit) {
  JoinedTexts reading;
  const std::size_t name_end = before_space(text, at);
  const std::string_view name = name_before(text, name_end);
  if (name.empty()) return reading;
  // What it had: x = "a"; before.
  const std::size_t before = before_end_of_statement(text, name_end - name.size());
  if (before > 0 && is_quote(char_at(text, before - 1))) {
    const std::size_t open = opening_quote(text, before - 1, 0);
    std::size_t end = open == nowhere ? 0 : before_space(text, open);
    if (end > 0 && text[end - 1] == '=') {
      --end;
      if (end > 0 && (is_growing(char_at(text, end - 1)) || text[end - 1] == ':')) --end;
      // const char* x[] = "a", let x: string = "a": the name is on the line.
      const std::size_t low = end - std::min(end, longest_name);
      std::size_t line = end;
      while (line > low && text[line - 1] != '\n' && text[line - 1] != ';') --line;
      if (text_of(text.subspan(line, end - line)).find(name) != std::string_view::npos)
        reading.parts.push_back({open + 1, before - 1});
    }
  }
  for (std::size_t next = at;;) {
    if (!is_growing(char_at(text, next)) || char_at(text, next + 1) != '=') break;
    const std::size_t quote = quote_at(text, behind_space(text, next + 2, limit));
    if (quote == nowhere) break;
    const std::size_t end = read_joined(text, quote, limit, reading.parts);
    if (end == nowhere) break;
    reading.end = end;
    next = behind_end_of_statement(text, end, limit);
    if (next + name.size() > limit || text_of(text.subspan(next, name.size())) != name) break;
    next = behind_space(text, next + name.size(), limit);
  }
  return reading;
}

JoinedTexts read_batch(View text, std::size_t at, std::size_t limit) {
  JoinedTexts reading;
  const auto line_of = [&](std::size_t i) {
    const std::size_t low = i - std::min(i, longest_line);
    while (i > low && text[i - 1] != '\n') --i;
    return i;
  };
  std::size_t line = line_of(at);
  Given given = read_set(text, line, limit);
  if (!given.more || line == 0) return reading;
  const std::string_view name = given.name;
  if (const Given first = read_set(text, line_of(line - 1), limit); first.name == name)
    reading.parts.push_back(first.value);
  while (given.more && given.name == name) {
    reading.parts.push_back(given.value);
    reading.end = given.value.end;
    given = read_set(text, given.next, limit);
  }
  return reading;
}

}  // namespace imgbuild

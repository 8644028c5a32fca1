#include "scan/joined.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

bool is_gap(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

std::string_view without_blanks_behind(std::string_view text) {
  while (!text.empty() && is_gap(text.back())) text.remove_suffix(1);
  return text;
}

// join(, implode(, Join(, String.Concat(: what the text ends in.
bool ends_in_join(std::string_view text) {
  text = without_blanks_behind(text);
  if (!text.ends_with('(')) return false;
  text = without_blanks_behind(text.substr(0, text.size() - 1));
  return text.ends_with("oin") || text.ends_with("implode");
}

// The texts that `list` begins with, behind what opens them: array('ab', 'cd', new[] { "ab", List.of("ab"
void read_forward(std::string_view all, std::size_t at, std::vector<std::size_t>& ends) {
  const std::size_t limit = std::min(all.size(), at + joined_reach);
  while (at < limit && !is_quote(all[at])) {
    const char c = all[at++];
    if (c == ')' || c == '}' || c == ']' || c == ';' || c == '"') {
      if (c == ']') continue;  // new[], []string
      return;
    }
  }
  while (at < limit && is_quote(all[at])) {
    const std::size_t close = all.find(all[at], at + 1);
    if (close == std::string_view::npos || close >= limit) return;
    at = close + 1;
    while (at < limit && is_gap(all[at])) ++at;
    if (at >= limit || all[at] != ',') return;
    ++at;
    while (at < limit && is_gap(all[at])) ++at;
    if (at < limit && is_quote(all[at])) ends.push_back(close);
  }
}

// The texts that `before` ends in, behind what closes them.
void read_backward(std::string_view before, std::vector<std::size_t>& ends) {
  const std::size_t limit = before.size() - std::min(before.size(), joined_reach);
  before = without_blanks_behind(before);
  if (before.ends_with(',')) before = without_blanks_behind(before.substr(0, before.size() - 1));
  while (before.size() > limit + 1 && is_quote(before.back())) {
    const std::size_t open = before.find_last_of(before.back(), before.size() - 2);
    if (open == std::string_view::npos || open < limit) return;
    before = without_blanks_behind(before.substr(0, open));
    if (!before.ends_with(',')) return;
    before = without_blanks_behind(before.substr(0, before.size() - 1));
    if (!before.empty() && is_quote(before.back())) ends.push_back(before.size() - 1);
  }
}

}  // namespace

void find_joined(View text, std::size_t empty, std::vector<std::size_t>& ends) {
  const std::string_view all = text_of(text);
  std::string_view before = without_blanks_behind(all.substr(0, empty));
  std::size_t at = empty + 2;
  while (at < all.size() && is_gap(all[at])) ++at;
  const std::string_view after = all.substr(std::min(at, all.size()));
  const std::size_t had = ends.size();
  if (after.starts_with(".join(")) {  // Python
    read_forward(all, at + 6, ends);
  } else if (after.starts_with(",") && ends_in_join(before)) {  // PHP, Perl, Java, C#
    read_forward(all, at + 1, ends);
  } else if (after.starts_with(")") && ends_in_join(before)) {  // JavaScript, Ruby: the list stands before the dot
    before = before.substr(0, before.find_last_of('.') == std::string_view::npos ? 0 : before.find_last_of('.'));
    before = without_blanks_behind(before);
    if (before.ends_with(']')) read_backward(before.substr(0, before.size() - 1), ends);
  } else if (after.starts_with(")") && before.ends_with(',')) {  // Go
    before = without_blanks_behind(before.substr(0, before.size() - 1));
    if (before.ends_with('}')) read_backward(before.substr(0, before.size() - 1), ends);
  }
  std::sort(ends.begin() + static_cast<std::ptrdiff_t>(had), ends.end());
}

}  // namespace imgbuild

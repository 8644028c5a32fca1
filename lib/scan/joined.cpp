#include "scan/joined.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

std::string_view without_blanks_behind(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// join(, implode(, Join(, String.Concat(: what the text ends in.
bool ends_in_join(std::string_view text) {
  text = without_blanks_behind(text);
  if (!text.ends_with('(')) return false;
  text = without_blanks_behind(text.substr(0, text.size() - 1));
  return text.ends_with("oin") || text.ends_with("implode");
}

// The texts behind what opens them: array('ab', 'cd', new[] { "ab", List.of("ab". Where the first begins; npos:
// nowhere.
std::size_t read_forward(std::string_view all, std::size_t at, std::vector<std::size_t>& ends) {
  const std::size_t limit = std::min(all.size(), at + joined_reach);
  while (at < limit && !is_quote(all[at])) {
    if (std::string_view(")};").find(all[at]) != std::string_view::npos) return std::string_view::npos;
    ++at;
  }
  const std::size_t first = at;
  while (at < limit && is_quote(all[at])) {
    const std::size_t close = all.find(all[at], at + 1);
    if (close == std::string_view::npos || close >= limit) break;
    at = close + 1;
    while (at < limit && is_space(all[at])) ++at;
    if (at >= limit || all[at] != ',') break;
    ++at;
    while (at < limit && is_space(all[at])) ++at;
    if (at < limit && is_quote(all[at])) ends.push_back(close);
  }
  return first;
}

// The texts before what closes them.
std::size_t read_backward(std::string_view before, std::vector<std::size_t>& ends) {
  const std::size_t limit = before.size() - std::min(before.size(), joined_reach);
  std::size_t first = std::string_view::npos;
  before = without_blanks_behind(before);
  if (before.ends_with(',')) before = without_blanks_behind(before.substr(0, before.size() - 1));
  while (before.size() > limit + 1 && is_quote(before.back())) {
    const std::size_t open = before.find_last_of(before.back(), before.size() - 2);
    if (open == std::string_view::npos || open < limit) break;
    first = open;
    before = without_blanks_behind(before.substr(0, open));
    if (!before.ends_with(',')) break;
    before = without_blanks_behind(before.substr(0, before.size() - 1));
    if (!before.empty() && is_quote(before.back())) ends.push_back(before.size() - 1);
  }
  return first;
}

// Behind the operator that gives the list to a name; npos: there is none.
std::size_t behind_operator(std::string_view all, std::size_t first) {
  constexpr std::size_t reach = 80;
  for (std::size_t at = first; at > 0 && first - at < reach; --at) {
    const char c = all[at - 1];
    if (c == '=' || c == ':') return at;
    if (!is_alphanumeric(c) && !is_space(c) && std::string_view("_.,[](){}<>\"'`").find(c) == std::string_view::npos)
      break;
  }
  return std::string_view::npos;
}

}  // namespace

void Joined::sort() {
  std::sort(ends.begin(), ends.end());
  std::sort(openers.begin(), openers.end(), [](const Opener& a, const Opener& b) { return a.begin < b.begin; });
}

void find_joined(View text, std::size_t empty, Joined& joined) {
  const std::string_view all = text_of(text);
  std::string_view before = without_blanks_behind(all.substr(0, empty));
  std::size_t at = empty + 2;
  while (at < all.size() && is_space(all[at])) ++at;
  const std::string_view after = all.substr(std::min(at, all.size()));
  const std::size_t had = joined.ends.size();
  std::size_t first = std::string_view::npos;
  const auto backward = [&](char close) {
    before = without_blanks_behind(before);
    if (before.ends_with(close)) first = read_backward(before.substr(0, before.size() - 1), joined.ends);
  };
  if (after.starts_with(".join(")) {  // Python
    first = read_forward(all, at + 6, joined.ends);
  } else if (after.starts_with(",") && ends_in_join(before)) {  // PHP, Perl, Java, C#
    first = read_forward(all, at + 1, joined.ends);
  } else if (after.starts_with(")") && ends_in_join(before)) {  // JavaScript, Ruby: the list stands before the dot
    const std::size_t dot = before.find_last_of('.');
    before = before.substr(0, dot == std::string_view::npos ? 0 : dot);
    backward(']');
  } else if (after.starts_with(")") && before.ends_with(',')) {  // Go
    before.remove_suffix(1);
    backward('}');
  }
  if (joined.ends.size() == had || first == std::string_view::npos) return;
  if (const std::size_t opener = behind_operator(all, first); opener < first) joined.openers.push_back({opener, first});
}

}  // namespace imgbuild

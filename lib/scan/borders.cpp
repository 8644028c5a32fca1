#include "scan/borders.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild {
namespace {

bool is_word(char c) { return is_alphanumeric(c) || c == '_'; }

}  // namespace

bool may_adjoin(View text, std::size_t at, Scanner::Matter matter) {
  constexpr std::size_t reach = 16;
  if (matter != Scanner::Matter::plain) return matter == Scanner::Matter::program;
  const View before = text.subspan(at - std::min(at, reach), std::min(at, reach));
  return std::any_of(before.begin(), before.end(), [](std::uint8_t c) { return c < 9 || (c > 13 && c < 32); });
}

bool ends_another(std::string_view before, std::string_view marks) {
  constexpr std::size_t longest = 24, shortest = 3;
  std::size_t begin = before.size();
  while (begin > 0 && before.size() - begin <= longest &&
         (is_alphanumeric(before[begin - 1]) || marks.find(before[begin - 1]) != std::string_view::npos))
    --begin;
  const std::string_view run = before.substr(begin);
  return run.size() <= shortest || (run.size() <= longest && name_likeness(run).words);
}

bool ends_escape(std::string_view before) {
  constexpr std::string_view octal = "01234567", hex = "0123456789abcdefABCDEF";
  // As many of these at its end, at most.
  const auto count = [&](std::string_view set, std::size_t most) {
    std::size_t n = 0;
    while (n < most && n < before.size() && set.find(before[before.size() - 1 - n]) != std::string_view::npos) ++n;
    return n;
  };
  const auto stands = [&](std::string_view head, std::size_t back) {
    return before.size() >= back && before.substr(0, before.size() - back).ends_with(head);
  };
  if (before.size() < 2) return false;
  if (stands("\\", 1) && std::string_view("nrtvfabes0").find(before.back()) != std::string_view::npos) return true;
  const std::size_t digits = count(hex, 8);
  if (digits >= 2 && (stands("\\x", 2) || stands("%", 2) || stands("%25", 2))) return true;
  if ((digits >= 4 && stands("\\u", 4)) || (digits >= 8 && stands("\\U", 8))) return true;
  const std::size_t octals = count(octal, 3);
  if (octals == 3 && (stands("\\", 3) || (stands("#", 3) && before[before.size() - 3] == '0'))) return true;
  // \033[1m of a terminal, written out.
  if (before.back() != 'm') return false;
  before.remove_suffix(1);
  const std::size_t numbers = count("0123456789;", 12);
  return stands("[", numbers);
}

bool is_of_base64(std::string_view all, std::string_view secret) {
  if (!std::all_of(secret.begin(), secret.end(), is_alphanumeric)) return false;
  const auto begin = static_cast<std::size_t>(secret.data() - all.data()), end = begin + secret.size();
  const auto joins = [&](std::size_t at) { return at < all.size() && (all[at] == '+' || all[at] == '/'); };
  if (begin > 0 && joins(begin - 1) && !ends_another(all.substr(0, begin), "+/")) return true;
  if (!joins(end)) return false;
  std::size_t rest = end + 1;
  while (rest < all.size() && rest < end + 64 && is_alphanumeric(all[rest])) ++rest;
  return rest - end > 12 && !name_likeness(all.substr(end + 1, rest - end - 1)).words;
}

bool is_within_base64(std::string_view all, std::string_view secret) {
  constexpr std::size_t enough = 24;
  const auto fits = [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; };
  const auto begin = static_cast<std::size_t>(secret.data() - all.data());
  const std::string_view behind = all.substr(begin + secret.size(), enough);
  return behind.size() == enough && std::all_of(behind.begin(), behind.end(), fits) &&
         std::all_of(secret.begin(), secret.end(), is_alphanumeric) && !ends_another(all.substr(0, begin), "+/");
}

std::size_t known_head(std::string_view pattern) {
  constexpr std::string_view border = "(?:^|[^";
  if (pattern.starts_with(border))
    pattern.remove_prefix(std::min(pattern.size(), pattern.find("])", border.size()) + 2));
  for (bool more = true; std::exchange(more, false);)
    for (const std::string_view opening : {"\\b", "(?:", "("})
      if (pattern.starts_with(opening)) {
        pattern.remove_prefix(opening.size());
        more = true;
      }
  std::size_t known = 0;
  while (!pattern.empty()) {
    std::size_t size = 1, says = 1;
    if (pattern.starts_with("(?:")) {  // the shortest of its ways
      size = pattern.find(')') + 1;
      if (size == 0) break;
      const auto ways = split(pattern.substr(3, size - 4), '|');
      says = std::min_element(ways.begin(), ways.end(), [](auto a, auto b) { return a.size() < b.size(); })->size();
    } else if (pattern.front() == '[' && pattern.find(']') <= 9) {
      size = pattern.find(']') + 1;
    } else if (pattern.front() == '\\' && pattern.size() > 1 && !is_word(pattern[1])) {
      size = says = 2;
    } else if (pattern.front() == '-') {
      says = 2;
    } else if (!is_word(pattern.front())) {
      break;
    }
    pattern.remove_prefix(size);
    if (!pattern.empty() && std::string_view("{?*+").find(pattern.front()) != std::string_view::npos) break;
    known += says;
  }
  return known;
}

bool is_unbroken(View text, std::size_t begin, std::size_t end) {
  constexpr std::size_t reach = 256;
  constexpr std::ptrdiff_t few = 8;
  const View around =
      text.subspan(begin - std::min(begin, reach), std::min(text.size(), end + reach) - begin + std::min(begin, reach));
  return std::count_if(around.begin(), around.end(), [](std::uint8_t c) { return c < 9; }) <= few;
}

std::string without_border(std::string_view pattern) {
  if (pattern.ends_with("\\b")) pattern.remove_suffix(2);
  if (const std::size_t border = pattern.rfind("(?:[^"); border != std::string_view::npos && pattern.ends_with("]|$)"))
    pattern = pattern.substr(0, border);
  return "(?U)" + std::string(pattern);
}

}  // namespace imgbuild

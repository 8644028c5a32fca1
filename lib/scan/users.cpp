// Lists whose rows are a user and a password, with no head at all: the name of the list says what they are.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "scan/cells.hpp"
#include "scan/tables.hpp"

namespace imgbuild {
namespace {

// Of the user's side of a pair.
bool is_user(std::string_view name) {
  static constexpr std::string_view others[] = {"id",   "name",  "email", "role",  "type",   "url",    "key",  "path",
                                                "uid",  "title", "group", "image", "status", "token",  "hash", "file",
                                                "date", "label", "kind",  "value", "class",  "version"};
  const std::string small = lower(name);
  return name.size() >= 2 && name.size() <= 64 &&
         std::find(std::begin(others), std::end(others), small) == std::end(others) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_name_char(c) || c == '.' || c == '@'; });
}
// Letters and digits, or marks among them: what a list of users has beside passwords are words and numbers.
bool is_thought_of(std::string_view value) {
  const auto count = [&](auto is) { return std::count_if(value.begin(), value.end(), is); };
  const auto digits = count(is_digit), letters = count(is_letter);
  const auto marks = count([](char c) { return std::string_view("!@#$%^&*+=?~").find(c) != std::string_view::npos; });
  const bool hex = value.size() >= 16 && value.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
  const bool email = value.find('@') != std::string_view::npos && value.find('.') != std::string_view::npos;
  return value.size() >= shortest_value && letters >= 2 && (digits >= 1 || marks >= 1) && !hex && !email;
}

void show_pair(View text, Part user, Part value, const SeeRun& see) {
  if (is_user(in(text, user)) && is_thought_of(in(text, value))) show_cell_as(text, user, "password", value, see);
}

}  // namespace

std::size_t show_pairs(View text, std::size_t behind, std::size_t limit, const SeeRun& see) {
  // = [, : Map<String, String> = mapOf(, [] = {, => {
  constexpr std::size_t longest_opener = 80;
  std::size_t at = behind;
  bool assigned = false, map = false;  // what stands behind a colon in a record has its own names
  if (is_name_char(char_at(text, behind))) return 0;
  for (; at < std::min(limit, behind + longest_opener); ++at) {
    const char c = char_at(text, at);
    if (is_quote(c) && assigned) break;
    if (c == '=' || c == ':') assigned = true;
    if (c == '=') map = true;
    if (assigned && (c == '(' || c == '{' || c == '[') && char_at(text, at + 1) != ']') {
      ++at;
      break;
    }
    if (!is_name_char(c) && !is_space(c) && !is_quote(c) &&
        std::string_view("=:><,.*[]@%$").find(c) == std::string_view::npos)
      return 0;
  }
  if (!assigned) return 0;
  at = behind_space(text, at, limit);
  if (char_at(text, at) == '(' || char_at(text, at) == '{' || char_at(text, at) == '[' ||
      text_of(text.subspan(std::min(at, text.size()))).starts_with("new"))
    return each_row(text, at, limit, [&](const std::vector<Part>& cells) {
      if (cells.size() >= 2 && cells[0].end > 0 && cells[1].end > 0) show_pair(text, cells[0], cells[1], see);
    });
  // "ada": "x", "bob" => "y", "eve" to "z"
  if (!map || starts_caseless(text_of(text.subspan(behind - std::min<std::size_t>(behind, 5))), "tials")) return at;
  for (std::size_t rows = 0; rows < most_rows && at < limit && is_quote(char_at(text, at)); ++rows) {
    const std::size_t close = closing_quote(text, at, limit);
    if (close == nowhere) return at;
    std::size_t value = behind_space(text, close + 1, limit);
    const std::string_view rest = text_of(text.subspan(std::min(value, text.size())));
    if (rest.starts_with("=>") || rest.starts_with("to ") || rest.starts_with("->"))
      value += 2;
    else if (rest.starts_with(":") || rest.starts_with(","))
      ++value;
    else
      return close;
    value = behind_space(text, value, limit);
    if (!is_quote(char_at(text, value))) return value;
    const std::size_t end = closing_quote(text, value, limit);
    if (end == nowhere) return value;
    show_pair(text, {at + 1, close}, {value + 1, end}, see);
    at = behind_space(text, end + 1, limit);
    if (char_at(text, at) == ',') at = behind_space(text, at + 1, limit);
  }
  return at;
}

}  // namespace imgbuild

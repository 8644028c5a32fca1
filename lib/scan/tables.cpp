#include "scan/tables.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"
#include "scan/named.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_head = 1000, longest_name = 40, most_columns = 60, most_rows = 400;
constexpr std::size_t shortest_value = 6, longest_value = 400;

std::string_view in(View text, Part part) { return text_of(text.subspan(part.begin, part.end - part.begin)); }

std::size_t behind_blanks(View text, std::size_t at, std::size_t limit) {
  while (at < limit && is_blank(char_at(text, at))) ++at;
  return at;
}

Part trimmed(View text, Part part) {
  while (part.begin < part.end && is_space(char_at(text, part.begin))) ++part.begin;
  while (part.end > part.begin && is_space(char_at(text, part.end - 1))) --part.end;
  return part;
}
Part unquoted(View text, Part part) {
  part = trimmed(text, part);
  if (part.end - part.begin >= 2 && is_quote(char_at(text, part.begin)) &&
      char_at(text, part.begin) == char_at(text, part.end - 1))
    return {part.begin + 1, part.end - 1};
  return part;
}

// NAME="VALUE"
void show(View text, Part name, std::string_view said, Part value, const SeeRun& see) {
  const std::string_view written = in(text, value);
  if (written.size() < shortest_value || written.size() > longest_value ||
      written.find_first_of("\"\\\r\n \t") != std::string_view::npos)
    return;
  DecodedRun run = assigned_run("table", said, name.begin, written, value.begin, value.end);
  see(run, {0, text.size()});
}
void show(View text, Part name, Part value, const SeeRun& see) { show(text, name, in(text, name), value, see); }

// What may stand at the head of a column.
bool is_head(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_name_char(c) || is_blank(c) || c == '.'; }) &&
         std::count(name.begin(), name.end(), ' ') <= 3;
}

std::vector<Part> split_line(View text, Part line, char separator) {
  std::vector<Part> cells{{line.begin, line.begin}};
  bool quoted = false;
  for (std::size_t at = line.begin; at < line.end; ++at) {
    const char c = char_at(text, at);
    if (c == '"') quoted = !quoted;
    if (c == separator && !quoted) {
      cells.back().end = at;
      cells.push_back({at + 1, at + 1});
      if (cells.size() > most_columns) return {};
    }
  }
  cells.back().end = line.end;
  // | a | b |
  if (separator == '|' && cells.size() > 2 && trimmed(text, cells.front()).begin == trimmed(text, cells.front()).end)
    cells.erase(cells.begin());
  if (separator == '|' && cells.size() > 1 && trimmed(text, cells.back()).begin == trimmed(text, cells.back()).end)
    cells.pop_back();
  return cells;
}

std::size_t end_of_line(View text, std::size_t at, std::size_t limit) {
  while (at < limit && !is_break(char_at(text, at))) ++at;
  return at;
}
std::size_t next_line(View text, std::size_t at, std::size_t limit) {
  if (at < limit && char_at(text, at) == '\r') ++at;
  return at < limit && char_at(text, at) == '\n' ? at + 1 : at;
}

// |---|:--:|
bool is_rule(std::string_view line) {
  return line.find('-') != std::string_view::npos && line.find_first_not_of("|-: \t") == std::string_view::npos;
}

// The rows below a line of heads. Behind the last of them; `at`: that is no table.
std::size_t show_lines(View text, Part name, char separator, std::size_t limit, const SeeRun& see) {
  std::size_t begin = name.begin;
  while (begin > 0 && name.begin - begin < longest_head && !is_break(char_at(text, begin - 1))) --begin;
  const Part head{begin, end_of_line(text, name.end, limit)};
  const std::vector<Part> heads = split_line(text, head, separator);
  // Behind the comma of a sentence is a blank.
  if (heads.size() < 2 || std::any_of(heads.begin(), heads.end(), [&](Part cell) {
        return (separator == ',' && is_blank(char_at(text, cell.begin)) && cell.begin > head.begin) ||
               !is_head(in(text, unquoted(text, cell)));
      }))
    return name.end;
  // Above it is nothing of the table: it would be a row.
  if (begin > 0) {
    const std::size_t end = begin - 1;
    std::size_t above = end;
    while (above > 0 && end - above < longest_head && !is_break(char_at(text, above - 1))) --above;
    if (split_line(text, {above, end}, separator).size() == heads.size()) return name.end;
  }
  const auto column = static_cast<std::size_t>(
      std::find_if(heads.begin(), heads.end(), [&](Part cell) { return name.begin < cell.end; }) - heads.begin());
  std::size_t at = next_line(text, head.end, limit);
  for (std::size_t rows = 0; rows < most_rows && at < limit; ++rows) {
    const Part line{at, end_of_line(text, at, limit)};
    if (line.end == limit && limit < text.size()) break;  // cut off
    at = std::max(next_line(text, line.end, limit), line.end + 1);
    if (separator == '|' && is_rule(in(text, line))) continue;
    const std::vector<Part> cells = split_line(text, line, separator);
    if (cells.size() != heads.size()) break;
    show(text, name, unquoted(text, cells[column]), see);
  }
  return std::max(name.end, std::min(at, limit));
}

// The literals of a row in brackets that begins at `open`, by their places; what is none is an empty part. Behind the
// row; nowhere: it is none, or it has names in it.
std::size_t read_row(View text, std::size_t open, std::size_t limit, std::vector<Part>& cells) {
  cells.assign(1, {});
  unsigned depth = 0;
  for (std::size_t at = open + 1; at < limit; ++at) {
    const char c = char_at(text, at);
    if (is_quote(c)) {
      const std::size_t close = closing_quote(text, at, limit);
      if (close == nowhere) return nowhere;
      if (depth == 0 && cells.back().end == 0) cells.back() = {at + 1, close};
      at = close;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      if (depth-- == 0) return at + 1;
    } else if (c == ',' && depth == 0) {
      cells.emplace_back();
      if (cells.size() > most_columns) return nowhere;
    } else if (depth == 0 && (c == ':' || c == '=' || c == ';')) {
      return nowhere;
    }
  }
  return nowhere;
}

// Rows in brackets, one behind the other, from `at` on. `row` is given the cells of each.
template <class Row>
std::size_t each_row(View text, std::size_t at, std::size_t limit, Row&& row) {
  std::vector<Part> cells;
  for (std::size_t rows = 0; rows < most_rows; ++rows) {
    at = behind_space(text, at, limit);
    if (char_at(text, at) == ',') at = behind_space(text, at + 1, limit);
    const std::string_view rest = text_of(text.subspan(std::min(at, text.size())));
    if (rest.starts_with("new")) {  // new[] {"a", "b"}, new User("a", "b")
      std::size_t open = at;
      while (open < limit && open - at < longest_name && char_at(text, open) != '(' && char_at(text, open) != '{')
        ++open;
      at = open;
    }
    const char open = char_at(text, at);
    if (at >= limit || (open != '(' && open != '{' && open != '[')) return at;
    const std::size_t behind = read_row(text, at, limit, cells);
    if (behind == nowhere) return at;
    row(cells);
    at = behind;
  }
  return at;
}

// Heads in brackets or in a text, and the rows behind them.
struct Heads {
  std::size_t column = 0, rows = nowhere;
};
std::optional<Heads> read_heads(View text, Part name, std::size_t limit) {
  // Back to what opens the heads, over names, commas and what quotes them.
  std::size_t open = name.begin, commas = 0;
  for (; open > 0 && name.begin - open < longest_head; --open) {
    const char c = char_at(text, open - 1);
    if (c == '(' || c == '{' || c == '[') break;
    if (c == ',') ++commas;
    if (!is_name_char(c) && !is_space(c) && !is_quote(c) && c != ',' && c != ';' && c != '.') return std::nullopt;
  }
  if (open == 0 || name.begin - open >= longest_head) return std::nullopt;
  std::size_t close = name.end;
  for (; close < limit && close - name.end < longest_head; ++close) {
    const char c = char_at(text, close);
    if (c == ')' || c == '}' || c == '[' || c == ']') break;
    if (!is_name_char(c) && !is_space(c) && !is_quote(c) && c != ',' && c != ';' && c != '.') return std::nullopt;
  }
  if (close >= limit) return std::nullopt;
  const std::string_view before = text_of(text.first(open - 1));
  const char closing = char_at(text, close);
  std::size_t at = behind_space(text, close + 1, limit);
  if (closing == '[') {  // parametrize('user,password', [
    const std::string_view said = trim(in(text, {open, close}));
    if (!before.ends_with("parametrize") || !said.ends_with(',')) return std::nullopt;
    return Heads{commas, close + 1};
  }
  if (closing == '}') {  // struct{ user, password string }{
    if (!trim(before).ends_with("struct") || char_at(text, at) != '{') return std::nullopt;
    // One line for each field, or all of them in one.
    const std::string_view fields = in(text, {open, name.begin});
    std::size_t column = commas, begin = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!is_break(fields[i]) && fields[i] != ';') continue;
      column += !trim(fields.substr(begin, i - begin)).empty();
      begin = i + 1;
    }
    return Heads{column, at + 1};
  }
  if (closing == ')' && starts_caseless(text_of(text.subspan(at)), "values")) return Heads{commas, at + 6};
  if (closing == ')' || closing == ']') {  // parametrize(("user", "password"), [
    if (char_at(text, at) != ',') return std::nullopt;
    at = behind_space(text, at + 1, limit);
    if (char_at(text, at) != '[' || !trim(before).ends_with("parametrize(")) return std::nullopt;
    return Heads{commas, at + 1};
  }
  return std::nullopt;
}

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
  if (is_user(in(text, user)) && is_thought_of(in(text, value))) show(text, user, "password", value, see);
}

}  // namespace

std::size_t show_column(View text, std::size_t at, std::size_t behind, std::size_t limit, const SeeRun& see) {
  Part name{at, behind};
  while (name.begin > 0 && at - name.begin < longest_name && is_name_char(char_at(text, name.begin - 1))) --name.begin;
  if (is_name_char(char_at(text, behind))) return 0;
  // What stands to both sides of the name, its quotes aside.
  std::size_t left = name.begin, right = name.end;
  if (left > 0 && is_quote(char_at(text, left - 1)) && char_at(text, left - 1) == char_at(text, right)) {
    --left;
    ++right;
  }
  right = behind_blanks(text, right, limit);
  while (left > 0 && is_blank(char_at(text, left - 1)) && char_at(text, left - 1) != '\t') --left;
  const char before = left == 0 ? '\n' : char_at(text, left - 1);
  const char after = right >= text.size() ? '\n' : char_at(text, right);
  const auto is_separator = [](char c) { return c == ',' || c == ';' || c == '|' || c == '\t'; };
  const char next = char_at(text, name.end) == '\t' ? '\t' : after;
  const char separator = is_separator(before) ? before : next;
  if (is_separator(separator) && (before == separator || is_break(before)) && (next == separator || is_break(next))) {
    const std::size_t end = show_lines(text, name, separator, limit, see);
    if (end > name.end) return end;
  }
  const bool in_list =
      before == ',' || before == '(' || before == '{' || before == '[' || is_quote(before) || is_space(before);
  if (!in_list || (before != ',' && after != ',')) return 0;
  const auto heads = read_heads(text, name, limit);
  if (!heads) return 0;
  return each_row(text, heads->rows, limit, [&](const std::vector<Part>& cells) {
    if (heads->column < cells.size() && cells[heads->column].end > 0) show(text, name, cells[heads->column], see);
  });
}

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

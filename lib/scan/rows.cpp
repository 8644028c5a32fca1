// Tables whose rows stand in brackets, and the lines of COPY: what a column is called is said once, before them.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "scan/cells.hpp"

namespace imgbuild {
namespace {

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

}  // namespace

std::size_t each_row(View text, std::size_t at, std::size_t limit,
                     const std::function<void(const std::vector<Part>&)>& row) {
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

namespace {

// Heads in brackets or in a text, and the rows behind them.
struct Heads {
  std::size_t column = 0, rows = nowhere;
  bool copied = false;  // as lines of COPY
};

// "rows": [, "values": [, of {"columns": ["login", "password"], "rows": [["ada", "x"]]}: behind the bracket.
std::size_t behind_name_of_rows(View text, std::size_t at, std::size_t limit) {
  if (!is_quote(char_at(text, at))) return nowhere;
  const std::size_t close = closing_quote(text, at, limit);
  if (close == nowhere) return nowhere;
  const std::string name = lower(in(text, {at + 1, close}));
  if (name != "rows" && name != "values" && name != "data" && name != "records") return nowhere;
  at = behind_space(text, close + 1, limit);
  if (char_at(text, at) != ':') return nowhere;
  at = behind_space(text, at + 1, limit);
  return char_at(text, at) == '[' ? at + 1 : nowhere;
}

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
  if (closing == ')' && starts_caseless(text_of(text.subspan(at)), "from stdin")) return Heads{commas, at, true};
  if (closing == ')' || closing == ']') {  // parametrize(("user", "password"), [
    if (char_at(text, at) != ',') return std::nullopt;
    at = behind_space(text, at + 1, limit);
    if (const std::size_t list = behind_name_of_rows(text, at, limit); list != nowhere && closing == ']')
      return Heads{commas, list};
    if (char_at(text, at) != '[' || !trim(before).ends_with("parametrize(")) return std::nullopt;
    return Heads{commas, at + 1};
  }
  return std::nullopt;
}

// The lines behind COPY users (login, password) FROM stdin; up to its "\\." (PostgreSQL's documentation, COPY).
std::size_t show_copied(View text, Part name, const Heads& heads, std::size_t limit, const SeeRun& see) {
  std::size_t at = end_of_line(text, heads.rows, limit);
  at = next_line(text, at, limit);
  for (std::size_t rows = 0; rows < most_rows && at < limit && char_at(text, at) != '\\'; ++rows) {
    const std::size_t end = end_of_line(text, at, limit);
    if (end == limit && limit < text.size()) break;  // cut off
    std::size_t begin = at, column = 0;
    for (; begin < end && column < heads.column; ++begin) column += char_at(text, begin) == '\t' ? 1 : 0;
    std::size_t behind = begin;
    while (behind < end && char_at(text, behind) != '\t') ++behind;
    if (column == heads.column) show_cell(text, name, {begin, behind}, see);
    at = std::max(next_line(text, end, limit), end + 1);
  }
  return std::min(at, limit);
}

bool is_type_of_text(std::string_view behind) {
  static constexpr std::string_view types[] = {"varchar", "char", "text",     "nvarchar",   "nchar",    "character",
                                               "string",  "clob", "tinytext", "mediumtext", "longtext", "citext"};
  return std::any_of(std::begin(types), std::end(types),
                     [&](std::string_view type) { return starts_caseless(behind, type); });
}

// The last part of a table's name that ends at `end`, without its quotes.
std::string_view table_before(std::string_view text) {
  while (!text.empty() && (is_space(text.back()) || is_quote(text.back()) || text.back() == ']')) text.remove_suffix(1);
  std::size_t begin = text.size();
  while (begin > 0 && is_name_char(text[begin - 1])) --begin;
  return text.substr(begin);
}

}  // namespace

std::size_t show_created(View text, Part name, std::size_t limit, const SeeRun& see) {
  constexpr std::size_t longest_definition = 3000, longest_making = 160;
  std::size_t behind = name.end;
  if (is_quote(char_at(text, behind)) || char_at(text, behind) == ']') ++behind;
  behind = behind_blanks(text, behind, limit);
  if (!is_type_of_text(text_of(text.subspan(std::min(behind, text.size()))))) return 0;
  std::size_t open = name.begin, column = 0;
  for (unsigned depth = 0;; --open) {
    if (open == 0 || name.begin - open > longest_definition) return 0;
    const char c = char_at(text, open - 1);
    if (c == ')') ++depth;
    if (c == '(' && depth-- == 0) break;
    if (c == ',' && depth == 0) ++column;
    if (c == ';') return 0;
  }
  const std::string_view before = text_of(text.first(open - 1));
  const std::string made = lower(before.substr(before.size() - std::min(before.size(), longest_making)));
  const std::string table(table_before(made));
  if (table.empty() || made.find("table") == std::string::npos) return 0;
  // Its rows: each INSERT that names it, and no columns.
  std::size_t at = behind;
  for (std::size_t rows = 0; rows < most_rows; ++rows) {
    while (at < limit && !((char_at(text, at) | 0x20) == 'i' &&
                           starts_caseless(text_of(text.subspan(at, std::min(limit, text.size()) - at)), "into")))
      ++at;
    if (at >= limit) break;
    const std::size_t values = [&] {
      std::size_t end = behind_space(text, at + 4, limit);
      while (end < limit && (is_name_char(char_at(text, end)) || is_quote(char_at(text, end)) ||
                             char_at(text, end) == '.' || char_at(text, end) == '[' || char_at(text, end) == ']'))
        ++end;
      if (lower(table_before(in(text, {at, end}))) != table) return nowhere;
      end = behind_space(text, end, limit);
      return starts_caseless(text_of(text.subspan(std::min(end, text.size()))), "values") ? end + 6 : nowhere;
    }();
    at += 4;
    if (values == nowhere) continue;
    at = each_row(text, values, limit, [&](const std::vector<Part>& cells) {
      if (column < cells.size() && cells[column].end > 0) show_cell(text, name, cells[column], see);
    });
    at = std::max(at, values);
  }
  return name.end;  // another table may be made right behind it
}

std::size_t show_listed(View text, Part name, std::size_t limit, const SeeRun& see) {
  const auto heads = read_heads(text, name, limit);
  if (!heads) return 0;
  if (heads->copied) return show_copied(text, name, *heads, limit, see);
  return each_row(text, heads->rows, limit, [&](const std::vector<Part>& cells) {
    if (heads->column < cells.size() && cells[heads->column].end > 0) show_cell(text, name, cells[heads->column], see);
  });
}

}  // namespace imgbuild

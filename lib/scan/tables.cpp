// Tables of lines: CSV with any separator, Markdown and its kin, what database clients print. The head of a column says
// what stands in it; here it is found, and shown beside each cell.
#include "scan/tables.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "scan/cells.hpp"
#include "scan/named.hpp"

namespace imgbuild {
namespace {

// What is between two cells of a line.
enum class Between { comma, semicolon, tab, bar, bars, marks, blanks };  // , ; \t | || !! and two blanks or more

char sign_of(Between between) {
  switch (between) {
    case Between::comma:
      return ',';
    case Between::semicolon:
      return ';';
    case Between::tab:
      return '\t';
    case Between::marks:
      return '!';
    default:
      return '|';
  }
}

std::vector<Part> split_at_blanks(View text, Part line) {
  std::vector<Part> cells;
  for (std::size_t at = behind_blanks(text, line.begin, line.end); at < line.end;) {
    std::size_t end = at;
    while (end < line.end && char_at(text, end) != '\t' &&
           !(char_at(text, end) == ' ' && is_blank(char_at(text, end + 1))))
      ++end;
    cells.push_back(trimmed(text, {at, std::min(end, line.end)}));
    if (cells.size() > most_columns) return {};
    at = behind_blanks(text, end, line.end);
  }
  return cells;
}

std::vector<Part> split_line(View text, Part line, Between between) {
  if (between == Between::blanks) return split_at_blanks(text, line);
  const char sign = sign_of(between);
  const bool twice = between == Between::bars || between == Between::marks;
  const bool quotes = between == Between::comma || between == Between::semicolon || between == Between::tab;
  std::vector<Part> cells{{line.begin, line.begin}};
  bool quoted = false;
  for (std::size_t at = line.begin; at < line.end; ++at) {
    const char c = char_at(text, at);
    if (c == '"' && quotes) quoted = !quoted;
    if (c != sign || quoted || (twice && char_at(text, at + 1) != sign)) continue;
    cells.back().end = at;
    if (twice) ++at;
    cells.push_back({at + 1, at + 1});
    if (cells.size() > most_columns) return {};
  }
  cells.back().end = line.end;
  // | a | b |
  const auto is_empty = [&](Part cell) { return trimmed(text, cell).begin == trimmed(text, cell).end; };
  if (!quotes && cells.size() > 2 && is_empty(cells.front())) cells.erase(cells.begin());
  if (!quotes && cells.size() > 1 && is_empty(cells.back())) cells.pop_back();
  // ! a !! b, | a || b
  if (twice && (char_at(text, cells.front().begin) == sign || char_at(text, cells.front().begin) == '|'))
    ++cells.front().begin;
  return cells;
}

// |---|:--:|, +====+, and MediaWiki's |-
bool is_rule(std::string_view line) {
  return line.find_first_of("-=") != std::string_view::npos &&
         line.find_first_not_of("|-:+= \t") == std::string_view::npos;
}

// A table of blanks has its columns where their heads are.
bool is_below(Part cell, std::size_t line, Part head, std::size_t heads) {
  return cell.begin - line == head.begin - heads || cell.end - line == head.end - heads;
}

// Where the head line's table may have lines before it: nothing of it stands there, or it would be a row.
bool begins_table(View text, std::size_t head, Between between, std::size_t columns) {
  if (head == 0) return true;
  const std::size_t end = head - 1;
  std::size_t above = end;
  while (above > 0 && end - above < longest_head && !is_break(char_at(text, above - 1))) --above;
  const std::string_view line = in(text, {above, end});
  if (is_rule(line)) return true;
  const std::vector<Part> cells = split_line(text, {above, end}, between);
  // ;; Staff of 2020: a title has one cell that is not empty.
  const auto full = std::count_if(cells.begin(), cells.end(),
                                  [&](Part cell) { return trimmed(text, cell).begin < trimmed(text, cell).end; });
  return cells.size() != columns || full <= 1;
}

// The rows below a line of heads. Behind the last of them; `name.end`: that is no table.
std::size_t show_lines(View text, Part name, Between between, std::size_t limit, const SeeRun& see) {
  const std::size_t begin = begin_of_line(text, name.begin);
  if (begin == nowhere) return name.end;
  const Part head{begin, end_of_line(text, name.end, limit)};
  const std::vector<Part> heads = split_line(text, head, between);
  // Behind the comma of a sentence is a blank.
  if (heads.size() < 2 || std::any_of(heads.begin(), heads.end(), [&](Part cell) {
        return (between == Between::comma && is_blank(char_at(text, cell.begin)) && cell.begin > head.begin) ||
               !is_head(in(text, unquoted(text, cell)));
      }))
    return name.end;
  // Between blanks stands many a thing; a table of three columns and more, all of them plain names.
  if (between == Between::blanks && (heads.size() < 3 || !std::all_of(heads.begin(), heads.end(), [&](Part cell) {
                                       return is_letter(char_at(text, cell.begin)) ||
                                              (char_at(text, cell.begin) & 0x80) != 0;
                                     })))
    return name.end;
  if (!begins_table(text, begin, between, heads.size())) return name.end;
  const auto column = static_cast<std::size_t>(
      std::find_if(heads.begin(), heads.end(), [&](Part cell) { return name.begin < cell.end; }) - heads.begin());
  if (column == heads.size()) return name.end;
  std::size_t at = next_line(text, head.end, limit);
  bool any = false;
  for (std::size_t rows = 0; rows < most_rows && at < limit; ++rows) {
    const Part line{at, end_of_line(text, at, limit)};
    if (line.end == limit && limit < text.size()) break;  // cut off
    const std::size_t from = at;
    at = std::max(next_line(text, line.end, limit), line.end + 1);
    if (is_rule(in(text, line)) && between != Between::comma && between != Between::semicolon) continue;
    if (!any && between == Between::bar && line.begin == line.end) continue;  // AsciiDoc's, behind its heads
    std::vector<Part> cells = split_line(text, line, between);
    if (cells.size() != heads.size() && (between == Between::bars || between == Between::marks)) {
      cells = split_line(text, line, Between::bar);  // Confluence's and MediaWiki's
      if (cells.size() != heads.size()) cells = split_line(text, line, Between::bars);
    }
    if (cells.size() != heads.size()) break;
    any = true;
    if (between == Between::blanks && !is_below(cells[column], from, heads[column], begin)) continue;
    show_cell(text, name, unquoted(text, cells[column]), see);
  }
  return std::max(name.end, std::min(at, limit));
}

}  // namespace

Part unquoted(View text, Part part) {
  part = trimmed(text, part);
  for (unsigned deep = 0; deep < 3 && part.end - part.begin >= 3; ++deep) {
    const char open = char_at(text, part.begin);
    if ((!is_quote(open) && open != '*') || open != char_at(text, part.end - 1)) break;
    part = {part.begin + 1, part.end - 1};
  }
  if (part.end - part.begin > 2 && char_at(text, part.begin) == '_' && char_at(text, part.begin + 1) == '.')
    part.begin += 2;  // Textile's |_. Head |
  if (part.end > part.begin && char_at(text, part.begin) == '!') ++part.begin;
  if (part.end - part.begin == 2 && is_quote(char_at(text, part.begin))) part.end = ++part.begin;  // ""
  return trimmed(text, part);
}

bool is_head(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) {
                       return is_name_char(c) || is_blank(c) ||
                              std::string_view("./()#").find(c) != std::string_view::npos;
                     }) &&
         std::count(name.begin(), name.end(), ' ') <= 3;
}

void show_cell_as(View text, Part name, std::string_view said, Part value, const SeeRun& see) {
  const std::string_view written = in(text, value);
  if (written.size() < shortest_value || written.size() > longest_value ||
      written.find_first_of("\"\\\r\n \t") != std::string_view::npos)
    return;
  DecodedRun run = assigned_run("table", said, name.begin, written, value.begin, value.end);
  // It stands where its value does: a hit between the head and its row is another's.
  run.plain = true;
  run.lead = said.size() + 2;
  see(run, {0, text.size()});
}

void show_cell(View text, Part name, Part value, const SeeRun& see) {
  // What rules know of names is in English, and of keys and secrets they ask other questions.
  const std::string small = lower(in(text, name));
  const bool another = small.find("secret") != std::string::npos || small.find("key") != std::string::npos ||
                       small.find("token") != std::string::npos || small.find("passw") != std::string::npos;
  show_cell_as(text, name, another ? in(text, name) : std::string_view("password"), value, see);
}

std::size_t show_column(View text, std::size_t at, std::size_t behind, std::size_t limit, const SeeRun& see) {
  // The word may have what parts cells at its ends.
  Part name{at, behind};
  while (name.begin < name.end && !is_name_char(char_at(text, name.begin))) ++name.begin;
  while (name.end > name.begin && !is_name_char(char_at(text, name.end - 1))) --name.end;
  const std::size_t word = name.begin;
  while (name.begin > 0 && word - name.begin < longest_name && is_name_char(char_at(text, name.begin - 1)))
    --name.begin;
  if (is_name_char(char_at(text, name.end))) return 0;
  // What stands to both sides of the name, its quotes and what makes it bold aside.
  const auto is_markup = [](char c) { return is_quote(c) || c == '*'; };
  std::size_t left = name.begin, right = name.end;
  while (left > 0 && is_markup(char_at(text, left - 1)) && char_at(text, left - 1) == char_at(text, right)) {
    --left;
    ++right;
  }
  const std::size_t touching = left;
  right = behind_blanks(text, right, limit);
  while (left > 0 && is_blank(char_at(text, left - 1)) && char_at(text, left - 1) != '\t') --left;
  if (left > 1 && char_at(text, left - 1) == '.' && char_at(text, left - 2) == '_') left -= 2;  // Textile's
  const char before = left == 0 ? '\n' : char_at(text, left - 1);
  const char after = right >= text.size() ? '\n' : char_at(text, right);
  const auto is_separator = [](char c) { return c == ',' || c == ';' || c == '|' || c == '\t'; };
  const char next = char_at(text, name.end) == '\t' ? '\t' : after;
  const char separator = is_separator(before) ? before : next;
  const auto read = [&](Between between) {
    const std::size_t end = show_lines(text, name, between, limit, see);
    return end > name.end ? end : std::size_t{0};
  };
  if (is_separator(separator) && (before == separator || is_break(before)) && (next == separator || is_break(next))) {
    const bool bars = separator == '|' && left > 1 && char_at(text, left - 2) == '|';
    if (const std::size_t end = read(separator == ','    ? Between::comma
                                     : separator == ';'  ? Between::semicolon
                                     : separator == '\t' ? Between::tab
                                     : bars              ? Between::bars
                                                         : Between::bar))
      return end;
  } else if (before == '!' && left > 1) {
    const std::size_t end =
        char_at(text, left - 2) == '!' ? read(Between::marks) : show_wiki_table(text, name, limit, see);
    if (end > 0) return end;
  } else if ((is_break(next) && touching - left > 1 && !is_break(before)) ||
             (is_break(before) && right - name.end > 1 && is_name_char(after)) ||
             (touching - left > 1 && right - name.end > 1 && is_name_char(before) && is_name_char(after))) {
    if (const std::size_t end = read(Between::blanks)) return end;
  }
  if (after == '<')
    if (const std::size_t end = show_page_table(text, name, limit, see)) return end;
  if (const std::size_t end = show_created(text, name, limit, see)) return end;
  const bool in_list =
      before == ',' || before == '(' || before == '{' || before == '[' || is_quote(before) || is_space(before);
  const char list_before = left == 0 ? '\n' : char_at(text, left - 1);
  if (!in_list || (list_before != ',' && after != ',' && after != ')' && after != ']')) return 0;
  return show_listed(text, name, limit, see);
}

}  // namespace imgbuild

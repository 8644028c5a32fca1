// Tables of pages: HTML's, where a row is an element and so is a cell, and those of MediaWiki that have a line for
// each.
#include <algorithm>
#include <optional>
#include <string_view>

#include "scan/cells.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_row = 4000;

bool is_tag(View text, std::size_t at, std::string_view name) {
  const char behind = char_at(text, at + name.size());
  return starts_caseless(text_of(text.subspan(std::min(at, text.size()))), name) &&
         (behind == '>' || behind == '/' || is_space(behind));
}
bool is_cell(View text, std::size_t at) { return is_tag(text, at, "<td") || is_tag(text, at, "<th"); }

// The text of a cell whose tag begins at `at`: what stands outside of tags in one stretch. An empty part: there is
// none, or there are several.
Part text_of_cell(View text, std::size_t at, std::size_t limit) {
  Part only{at, at};
  for (bool first = true; at < limit;) {
    if (!first && (is_cell(text, at) || is_tag(text, at, "</td") || is_tag(text, at, "</th") ||
                   is_tag(text, at, "<tr") || is_tag(text, at, "</tr")))
      break;
    first = false;
    while (at < limit && char_at(text, at) != '>') ++at;
    std::size_t end = std::min(at + 1, limit);
    const std::size_t begin = end;
    while (end < limit && char_at(text, end) != '<') ++end;
    const Part stretch = trimmed(text, {begin, end});
    if (stretch.begin < stretch.end) {
      if (only.begin < only.end) return {at, at};
      only = stretch;
    }
    at = end;
  }
  return only;
}

}  // namespace

std::size_t show_page_table(View text, Part name, std::size_t limit, const SeeRun& see) {
  // Is it all that its cell says? Then only tags are to both sides of it, up to those of the cell.
  std::size_t open = name.begin, cells = 0;
  const std::size_t low = name.begin - std::min(name.begin, longest_head);
  while (open > low && !is_cell(text, open)) --open;
  if (!is_cell(text, open)) return 0;
  if (const Part said = text_of_cell(text, open, limit);
      said.begin > name.begin || said.end < name.end || !is_head(in(text, said)))
    return 0;
  // The cells before it in its row say which column it is the head of.
  std::size_t row = open;
  while (row > 0 && open - row < longest_row && !is_tag(text, row, "<tr")) {
    --row;
    if (is_cell(text, row)) ++cells;
  }
  if (!is_tag(text, row, "<tr")) return 0;
  // Heads stand in a row of their own, the first of their table.
  std::size_t at = name.end, of_head = cells + 1;
  for (; at < limit && !is_tag(text, at, "</tr") && !is_tag(text, at, "<tr"); ++at)
    of_head += is_cell(text, at) ? 1 : 0;
  if (of_head < 2) return 0;
  std::size_t rows = 0, column = 0;
  bool in_row = false;
  for (; at < limit && rows < most_rows; ++at) {
    if (char_at(text, at) != '<') continue;
    if (is_tag(text, at, "</table")) break;
    if (is_tag(text, at, "<tr")) {
      in_row = true;
      column = 0;
      ++rows;
    } else if (in_row && is_cell(text, at) && column++ == cells) {
      const Part value = text_of_cell(text, at, limit);
      if (value.end < limit) show_cell(text, name, value, see);
    }
  }
  return rows > 0 ? at : 0;
}

// {|
// ! Host
// ! Password
// |-
// | web1
// | x
std::size_t show_wiki_table(View text, Part name, std::size_t limit, const SeeRun& see) {
  std::size_t line = begin_of_line(text, name.begin), column = 0;
  if (line == nowhere || char_at(text, line) != '!') return 0;
  for (std::size_t begin = line; begin > 0; ++column) {
    std::size_t above = begin - 1;
    if (above > 0 && char_at(text, above) == '\n' && char_at(text, above - 1) == '\r') --above;
    above = begin_of_line(text, above);
    if (above == nowhere || char_at(text, above) != '!') break;
    begin = above;
    if (column > most_columns) return 0;
  }
  std::size_t cell = 0, rows = 0;
  bool in_row = false;
  for (std::size_t at = next_line(text, end_of_line(text, name.end, limit), limit); at < limit && rows < most_rows;) {
    const std::size_t end = end_of_line(text, at, limit);
    if (end == limit && limit < text.size()) break;  // cut off
    const char first = char_at(text, at), second = char_at(text, at + 1);
    if (first == '|' && second == '}') break;
    if (first == '|' && second == '-') {
      in_row = true;
      cell = 0;
      ++rows;
    } else if (first == '|' && in_row) {
      if (cell++ == column) show_cell(text, name, unquoted(text, {at + 1, end}), see);
    } else if (first != '!') {
      break;
    }
    line = at;
    at = std::max(next_line(text, end, limit), end + 1);
  }
  return rows > 0 ? std::min(std::max(line, name.end), limit) : 0;
}

}  // namespace imgbuild

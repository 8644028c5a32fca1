#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "scan/letters.hpp"
#include "scan/literals.hpp"
#include "scan/turned.hpp"

/// What the readers of tables share (tables.hpp). Room-internal.
namespace imgbuild {

inline constexpr std::size_t longest_head = 1000, longest_name = 40, most_columns = 60, most_rows = 400;
inline constexpr std::size_t shortest_value = 6, longest_value = 400;

inline std::string_view in(View text, Part part) { return text_of(text.subspan(part.begin, part.end - part.begin)); }

inline std::size_t behind_blanks(View text, std::size_t at, std::size_t limit) {
  while (at < limit && is_blank(char_at(text, at))) ++at;
  return at;
}
inline std::size_t end_of_line(View text, std::size_t at, std::size_t limit) {
  while (at < limit && !is_break(char_at(text, at))) ++at;
  return at;
}
inline std::size_t next_line(View text, std::size_t at, std::size_t limit) {
  if (at < limit && char_at(text, at) == '\r') ++at;
  return at < limit && char_at(text, at) == '\n' ? at + 1 : at;
}
/// Where the line of `at` begins; nowhere: farther off than a head may be long.
inline std::size_t begin_of_line(View text, std::size_t at) {
  const std::size_t from = at;
  while (at > 0 && !is_break(char_at(text, at - 1)))
    if (from - --at > longest_head) return nowhere;
  return at;
}

inline Part trimmed(View text, Part part) {
  while (part.begin < part.end && is_space(char_at(text, part.begin))) ++part.begin;
  while (part.end > part.begin && is_space(char_at(text, part.end - 1))) --part.end;
  return part;
}
/// A cell without its quotes and what makes it bold.
Part unquoted(View text, Part part);

/// Shows NAME="VALUE" where the value is one word. Of a name in another language: password="VALUE".
void show_cell(View text, Part name, Part value, const SeeRun& see);
/// The same under a name that stands nowhere.
void show_cell_as(View text, Part name, std::string_view said, Part value, const SeeRun& see);

/// May it stand at the head of a column?
bool is_head(std::string_view name);

/// Rows in brackets, one behind the other, from `at` on: (1, 'ada', 'x'), {"ada", "x"}. `row` is given the literals of
/// each by their places; what is none is an empty part. Behind the last of them.
std::size_t each_row(View text, std::size_t at, std::size_t limit,
                     const std::function<void(const std::vector<Part>&)>& row);

/// What follows is given the name of a column, and shows what stands in it. How far was read; 0: there is no such
/// table. Names in brackets or in a text before such rows: SQL's INSERT and COPY, pytest's parametrize, a table of
/// structs in Go, "columns" and "rows" of JSON.
std::size_t show_listed(View text, Part name, std::size_t limit, const SeeRun& see);
/// SQL's CREATE TABLE, and then INSERT without names.
std::size_t show_created(View text, Part name, std::size_t limit, const SeeRun& see);
/// HTML.
std::size_t show_page_table(View text, Part name, std::size_t limit, const SeeRun& see);
/// MediaWiki, with a line for each cell.
std::size_t show_wiki_table(View text, Part name, std::size_t limit, const SeeRun& see);

}  // namespace imgbuild

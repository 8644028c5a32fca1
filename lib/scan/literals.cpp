// How programs write a text, and how they join two: the grammar that most languages share, and no more of each than
// what may stand between two quotes.
#include "scan/literals.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_literal = 512, longest_gap = 200, longest_lead = 100;
constexpr std::size_t least_token = 16;

bool is_quote_at(View text, std::size_t at) { return at < text.size() && is_quote(static_cast<char>(text[at])); }
bool is_gap(std::uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr std::array<bool, 256> make_of_token() {
  std::array<bool, 256> is{};
  for (unsigned i = 0; i < 26; ++i) is['a' + i] = is['A' + i] = true;
  for (unsigned i = 0; i < 10; ++i) is['0' + i] = true;
  for (const char c : {'_', '-', '.', '+', '/', '='}) is[static_cast<std::uint8_t>(c)] = true;
  return is;
}
constexpr auto of_token = make_of_token();
bool is_of_token(char c) { return of_token[static_cast<std::uint8_t>(c)]; }

// What a literal may end at.
constexpr std::array<bool, 256> make_stops() {
  std::array<bool, 256> is{};
  for (const char c : {'"', '\'', '`', '\\', '\n'}) is[static_cast<std::uint8_t>(c)] = true;
  return is;
}
constexpr auto stops = make_stops();

// Of a token, and not of words: a digit, or letters of both sizes in turn.
bool is_mixed(std::string_view run) {
  std::size_t rises = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (is_digit(run[i])) return true;
    if (i > 0 && is_lower(run[i - 1]) && is_upper(run[i])) ++rises;
  }
  return rises >= 3;
}

// The end of a line in a list of lines, as notebooks keep them in JSON: \n", "
// Behind the quote of the next line; 0: it is none.
std::size_t behind_line_of_list(View text, std::size_t at) {
  if (text_of(text.subspan(at, std::min<std::size_t>(2, text.size() - at))) == "\\\\") at += 2;  // the line goes on
  constexpr std::string_view end = "\\n\",";
  if (text_of(text.subspan(at, std::min(end.size(), text.size() - at))) != end) return 0;
  at += end.size();
  while (at < text.size() && is_space(text[at])) ++at;
  return at < text.size() && text[at] == '"' ? at + 1 : 0;
}

// A line that goes on behind a sign for it: \ of C, _ of Basic, ` of PowerShell. Behind its break; 0: it is none.
std::size_t behind_continuation(View text, std::size_t at) {
  if (const std::size_t line = text[at] == '\\' ? behind_line_of_list(text, at) : 0) return line;
  const std::uint8_t c = text[at++];
  if (c != '\\' && c != '_' && c != '`') return 0;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\r')) ++at;
  return at < text.size() && text[at] == '\n' ? at + 1 : 0;
}

}  // namespace

std::size_t closing_quote(View text, std::size_t open, std::size_t limit) {
  limit = std::min({limit, text.size(), open + longest_literal});
  for (std::size_t at = open + 1; at < limit; ++at) {
    if (!stops[text[at]]) continue;
    if (text[at] == text[open]) return at;
    if (text[at] == '\n') return nowhere;
    if (text[at] == '\\') ++at;
  }
  return nowhere;
}

std::size_t opening_quote(View text, std::size_t close, std::size_t low) {
  low = std::max(low, close - std::min(close, longest_literal));
  for (std::size_t at = close; at > low && text[at - 1] != '\n'; --at)
    if (text[at - 1] == text[close]) return at - 1;
  return nowhere;
}

std::size_t quote_at(View text, std::size_t at) {
  if (is_quote_at(text, at)) return at;
  constexpr std::string_view ways = "rRbBuUfFLN$@";
  for (std::size_t i = 0; i < 2 && at < text.size() && ways.find(static_cast<char>(text[at])) != std::string_view::npos;
       ++i)
    if (is_quote_at(text, ++at)) return at;
  return nowhere;
}

std::size_t behind_space(View text, std::size_t at, std::size_t limit) {
  limit = std::min(limit, text.size());
  while (at < limit) {
    if (is_gap(text[at])) {
      ++at;
    } else if (at + 1 < limit && text[at] == '/' && text[at + 1] == '*') {
      at += 2;
      while (at + 1 < limit && !(text[at] == '*' && text[at + 1] == '/')) ++at;
      at = std::min(limit, at + 2);
    } else if ((at + 1 < limit && text[at] == '/' && text[at + 1] == '/') || text[at] == '#') {
      // Fortran joins two literals of one line so.
      std::size_t next = at + 2;
      while (next < limit && text[next] == ' ') ++next;
      if (text[at] == '/' && next < limit && is_quote_at(text, next)) return at;
      while (at < limit && text[at] != '\n') ++at;
    } else {
      break;
    }
  }
  return at;
}

std::size_t before_space(View text, std::size_t at) {
  const std::size_t low = at - std::min(at, longest_gap);
  while (at > low && is_gap(text[at - 1])) --at;
  return at;
}

std::size_t next_joined(View text, std::size_t at, std::size_t limit) {
  limit = std::min({limit, text.size(), at + longest_gap});
  bool operated = false, closed = false, opened = false;
  while (at < limit) {
    const std::size_t space = behind_space(text, at, limit);
    if (space != at) {
      at = space;
      continue;
    }
    if (const std::size_t line = behind_continuation(text, at)) {
      at = line;
      continue;
    }
    if (const std::size_t quote = quote_at(text, at); quote != nowhere) return closed && !operated ? nowhere : quote;
    const char c = static_cast<char>(text[at]), next = at + 1 < limit ? static_cast<char>(text[at + 1]) : '\0';
    if (c == ')' && !closed && !operated) {  // ("a") + ("b")
      closed = true;
      ++at;
    } else if (c == '(' && !opened && operated) {
      opened = true;
      ++at;
    } else if (!operated && std::string_view("+.&~|*^<").find(c) != std::string_view::npos) {
      operated = true;
      const bool twice = c == next && (c == '.' || c == '|' || c == '+' || c == '<' || c == '&');  // && of ABAP
      if (c == '<' && !twice && next != '>') return nowhere;
      at += twice || c == '<' ? 2 : 1;
    } else if (!operated && c == '/' && next == '/') {  // Fortran's; a comment was passed above
      operated = true;
      at += 2;
    } else {
      return nowhere;
    }
  }
  return nowhere;
}

std::size_t read_joined(View text, std::size_t open, std::size_t limit, std::vector<Part>& parts) {
  std::size_t behind = nowhere;
  while (open != nowhere) {
    const std::size_t close = closing_quote(text, open, limit);
    if (close == nowhere) break;
    parts.push_back({open + 1, close});
    behind = close + 1;
    open = next_joined(text, behind, limit);
  }
  return behind;
}

bool may_join_token(View text, const std::vector<Part>& parts) {
  std::size_t run = 0;  // characters of a token before the joint
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [begin, end] = parts[i];
    std::size_t at = begin;
    while (at < end && at - begin < least_token && is_of_token(static_cast<char>(text[at]))) ++at;
    if (i > 0 && at > begin && run > 0 && run + (at - begin) >= least_token) return true;
    const std::size_t before = run;
    for (at = end, run = 0; at > begin && run < least_token && is_of_token(static_cast<char>(text[at - 1])); --at)
      ++run;
    if (at == begin) run += before;
  }
  return false;
}

Together::Together(View text, const char* road) : text_(text) {
  run_.encoding = road;
  run_.shaped = true;
}

void Together::lead(std::size_t first) {
  const std::size_t low = first - std::min(first, longest_lead);
  std::size_t at = first;
  while (at > low && text_[at - 1] != '\n') --at;
  // A word that is cut is none.
  if (at == low && at > 0)
    while (at < first && is_of_token(static_cast<char>(text_[at]))) ++at;
  run_.pieces.push_back({run_.bytes.size(), at});
  run_.bytes += text_of(text_.subspan(at, first - at));
  run_.lead = run_.bytes.size();
}

void Together::add(Part part) {
  joints_.push_back(run_.bytes.size());
  run_.pieces.push_back({run_.bytes.size(), part.begin});
  run_.bytes += text_of(text_.subspan(part.begin, part.end - part.begin));
}

void Together::add(char byte, std::size_t at) {
  run_.pieces.push_back({run_.bytes.size(), at});
  run_.bytes += byte;
}

bool Together::finish(std::size_t end, bool anywhere) {
  const std::string_view all = run_.bytes;
  bool found = false;
  auto joint = joints_.begin();
  // Of what is long enough one of every so many characters tells.
  for (std::size_t at = least_token - 1; at < all.size() && !found; at += least_token) {
    if (!is_of_token(all[at])) continue;
    std::size_t begin = at;
    while (begin > 0 && is_of_token(all[begin - 1])) --begin;
    while (at < all.size() && is_of_token(all[at])) ++at;
    if (at - begin < least_token || !is_mixed(all.substr(begin, at - begin))) continue;
    while (joint != joints_.end() && *joint <= begin) ++joint;
    found = anywhere || (joint != joints_.end() && *joint < at);
  }
  run_.pieces.push_back({run_.bytes.size(), end});
  if (end < text_.size() && is_quote_at(text_, end)) run_.bytes += static_cast<char>(text_[end]);
  return found;
}

}  // namespace imgbuild

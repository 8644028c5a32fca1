#include "scan/turned.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"
#include "scan/named.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t around = 600;   // of a word: what it may turn round
constexpr std::size_t again = 300;    // a word that stands so near the last has nothing new
constexpr std::size_t between = 400;  // two places where something is left out
constexpr std::size_t lead = 160, tail = 300;

bool is_of_word(std::uint8_t c) { return is_alphanumeric(static_cast<char>(c)) || c == '-' || c == '_' || c == '.'; }

// The line of a word and the two before it.
Part lines_around(View text, std::size_t at) {
  Part part{at, at};
  const std::size_t low = at - std::min(at, around), high = std::min(text.size(), at + around);
  for (unsigned breaks = 0; part.begin > low; --part.begin)
    if (text[part.begin - 1] == '\n' && ++breaks == 3) break;
  while (part.end < high && text[part.end] != '\n') ++part.end;
  return part;
}

// What is left out at a place, or stands there for one byte.
struct Left {
  std::size_t size = 0;  // 0: none is here
  int byte = -1;
};

// A tag or a comment that looks like nothing to whoever reads the document; 0: it is none. Of a run's properties in
// OOXML all of it.
std::size_t size_of_tag(std::string_view rest) {
  constexpr std::size_t longest = 600;
  static constexpr std::string_view unseen[] = {"a",           "b",
                                                "bookmarkend", "bookmarkstart",
                                                "code",        "del",
                                                "em",          "font",
                                                "i",           "ins",
                                                "kbd",         "lastrenderedpagebreak",
                                                "mark",        "prooferr",
                                                "r",           "rpr",
                                                "small",       "soft-page-break",
                                                "span",        "strong",
                                                "t",           "tt",
                                                "u",           "var",
                                                "wbr"};
  rest = rest.substr(0, longest);
  if (rest.starts_with("<!--")) return rest.find("-->") == std::string_view::npos ? 0 : rest.find("-->") + 3;
  std::size_t at = 1;
  const bool closes = at < rest.size() && rest[at] == '/';
  if (closes) ++at;
  std::string name;
  for (; at < rest.size() && name.size() < 24; ++at) {
    const char c = rest[at];
    if (is_letter(c) || c == '-')
      name += static_cast<char>(c | 0x20);
    else if (c == ':')
      name.clear();
    else
      break;
  }
  const std::size_t end = rest.find('>', at);
  if (end == std::string_view::npos || rest.find('<', at) < end ||
      !std::binary_search(std::begin(unseen), std::end(unseen), name))
    return 0;
  if (name != "rpr" || closes || rest[end - 1] == '/') return end + 1;
  const std::size_t close = rest.find("rPr>", end);
  return close == std::string_view::npos ? 0 : close + 4;
}

// A sequence that chooses a colour or clears the rest of a line (ECMA-48 sections 8.3.117 and 8.3.41); 0: it is none.
std::size_t size_of_colour(std::string_view rest) {
  std::size_t at = 2;
  while (at < std::min<std::size_t>(rest.size(), 24) && (is_digit(rest[at]) || rest[at] == ';')) ++at;
  return at < rest.size() && rest[1] == '[' && (rest[at] == 'm' || rest[at] == 'K') ? at + 1 : 0;
}

Left left_at(View text, std::size_t at) {
  const auto rest = text_of(text.subspan(at));
  const char c = rest[0];
  if (c == '<') return {size_of_tag(rest)};
  if (c == '\x1b') return {size_of_colour(rest)};
  if (c == ']') return {rest.starts_with("]]><![CDATA[") ? std::size_t{12} : 0};
  if (c != '\\' && c != '^') return {};
  if (rest.size() > 3 && rest.starts_with("\\'")) {  // of RTF
    const int high = nibble(rest[2]), low = nibble(rest[3]);
    return high > 1 && high < 8 && low >= 0 ? Left{4, high << 4 | low} : Left{};
  }
  std::size_t size = rest.starts_with("\\\n") || rest.starts_with("^\n")       ? 2
                     : rest.starts_with("\\\r\n") || rest.starts_with("^\r\n") ? 3
                                                                               : 0;
  while (size > 0 && size < rest.size() && size < between && is_blank(rest[size])) ++size;
  return {size};
}

// What puts a text together that something is left out of.
const char* road_of(std::string_view rest) {
  if (rest.starts_with("\\'")) return "rtf";
  return rest[0] == '<' || rest[0] == ']' ? "html" : rest[0] == '\x1b' ? "terminal" : "continued";
}

// Behind the blank that begins a folded line, whose break begins at `at`; 0: there is none.
std::size_t behind_fold(View text, std::size_t at) {
  if (text[at] == '\r') ++at;
  return at + 1 < text.size() && text[at] == '\n' && text[at + 1] == ' ' ? at + 2 : 0;
}

// Behind the line break of quoted-printable at `at`; 0: there is none.
std::size_t behind_soft_break(View text, std::size_t at) {
  if (text[at++] != '=') return 0;
  if (at < text.size() && text[at] == '\r') ++at;
  return at < text.size() && text[at] == '\n' ? at + 1 : 0;
}

// Quoted-printable around the line break at `at`. Behind the last break that was read.
std::size_t read_printable(View text, std::size_t at, std::size_t limit, const SeeRun& see) {
  Together together(text, "quoted-printable");
  std::size_t begin = at - std::min(at, lead), last = at, i = begin;
  while (i < std::min({text.size(), limit + tail, last + tail})) {
    if (const std::size_t next = behind_soft_break(text, i)) {
      together.add({begin, i});
      last = std::max(last, i);
      begin = i = next;
      continue;
    }
    const int high = text[i] == '=' && i + 2 < text.size() ? nibble(text[i + 1]) : -1;
    const int low = high >= 0 && high < 8 ? nibble(text[i + 2]) : -1;
    if (low < 0) {
      ++i;
      continue;
    }
    together.add({begin, i});
    together.add(static_cast<char>(high << 4 | low), i);
    begin = i += 3;
  }
  together.add({begin, std::max(begin, i)});
  if (together.finish(std::max(begin, i))) see(together.run(), {0, text.size()});
  return last + 1;
}

}  // namespace

std::size_t show_reversed(View text, std::size_t at, const SeeRun& see) {
  const Part part = lines_around(text, at);
  Together together(text, "reversed");
  together.add(part);
  if (together.finish(part.end, true)) {
    DecodedRun& run = together.run();
    run.bytes.resize(part.end - part.begin);
    std::reverse(run.bytes.begin(), run.bytes.end());
    run.backwards = true;
    run.pieces.assign(1, {0, part.end - 1});
    see(together.run(), {0, text.size()});
  }
  return std::min(part.end, at + again);
}

char rot13(char c) { return is_letter(c) ? static_cast<char>((c & 0x20) + 'A' + ((c & ~0x20) - 'A' + 13) % 26) : c; }

std::size_t show_rot13(View text, std::size_t at, const SeeRun& see) {
  const Part part = lines_around(text, at);
  Together together(text, "rot13");
  together.add(part);
  if (together.finish(part.end, true)) {
    for (char& c : together.run().bytes) c = rot13(c);
    see(together.run(), {0, text.size()});
  }
  return std::min(part.end, at + again);
}

namespace {

// The whole of a line that says a secret, with its colours, its comments and what breaks it gone: what stands in it is
// a password, which no shape tells. Behind what was shown; 0: it is no such line.
std::size_t show_bare_line(View text, std::size_t at, std::size_t limit, const SeeRun& see) {
  constexpr std::size_t longest_line = 400;
  const char sign = static_cast<char>(text[at]);
  const std::size_t most = std::min({text.size(), limit, at + longest_line});
  if (sign != '\x1b') {
    // Something is parted by it.
    const std::size_t behind = at + left_at(text, at).size;
    const auto is_parted = [&](std::size_t i) {
      const char c = char_at(text, i);
      return c > ' ' && c != '<' && c != '>' && c != '\\' && c != '"' && !(c & 0x80);
    };
    if (behind == at || !is_parted(at - 1) || !is_parted(behind)) return 0;
  }
  std::size_t low = at;
  while (low > 0 && at - low < longest_line && !is_break(char_at(text, low - 1))) --low;
  std::size_t high = at;
  while (high < most && !is_break(char_at(text, high))) high += std::max<std::size_t>(left_at(text, high).size, 1);
  high = std::min(high, most);
  if (!says_secret(text_of(text.subspan(low, high - low)))) return 0;
  DecodedRun run;
  run.encoding = road_of(text_of(text.subspan(at)));
  for (std::size_t i = low, begin = low; begin < high;) {
    const std::size_t size = i < high ? left_at(text, i).size : 0;
    if (size == 0 && i < high) {
      ++i;
      continue;
    }
    run.pieces.push_back({run.bytes.size(), begin});
    run.bytes += text_of(text.subspan(begin, i - begin));
    begin = i += size;
    if (i >= high) break;
  }
  run.pieces.push_back({run.bytes.size(), high});
  run.bytes += '\n';
  see(run, {0, text.size()});
  return high;
}

}  // namespace

std::size_t show_dropped(View text, std::size_t at, std::size_t limit, const SeeRun& see) {
  if (text_of(text.subspan(at + 1)).starts_with("<!--")) ++at;
  if (at == 0) return 0;
  if (text[at] == '\x1b' || text[at] == ']' || text[at] == '\\' || text_of(text.subspan(at)).starts_with("<!--"))
    if (const std::size_t end = show_bare_line(text, at, limit, see)) return end;
  if (!is_of_word(text[at - 1])) return 0;
  std::size_t behind = at;
  for (Left left = left_at(text, at); left.size > 0; left = left_at(text, behind)) {
    behind += left.size;
    if (behind >= std::min(text.size(), limit)) return behind;
    if (left.byte >= 0) break;
  }
  if (behind == at || !is_of_word(text[behind]) || !parts_token(text, at, behind)) return behind;
  Together together(text, road_of(text_of(text.subspan(at))));
  // What stands before the first place, and is left out there as well.
  std::size_t begin = at - std::min(at, lead), last = at, i = begin;
  while (i < std::min({text.size(), limit, last + tail})) {
    const Left left = left_at(text, i);
    if (left.size == 0) {
      ++i;
      continue;
    }
    together.add({begin, i});
    if (left.byte >= 0) together.add(static_cast<char>(left.byte), i);
    last = std::max(last, i);
    begin = i += left.size;
  }
  together.add({begin, std::max(begin, i)});
  if (together.finish(std::max(begin, i))) see(together.run(), {0, text.size()});
  return last + 1;
}

namespace {

// Reads around places, ascending, in cells of the stream, as roads.cpp has it.
template <class Read>
void in_cells(View text, std::uint64_t offset, const std::vector<std::size_t>& places, Read read) {
  constexpr std::uint64_t cell = std::uint64_t{4} << 10;
  std::size_t before = 0;
  std::uint64_t last = UINT64_MAX;
  for (const std::size_t at : places) {
    const std::uint64_t here = (offset + at) / cell;
    if (here == last && at < before) continue;
    last = here;
    before = read(at, std::min<std::uint64_t>(text.size(), (here + 1) * cell - offset));
  }
}

}  // namespace

void show_printable(View text, std::uint64_t offset, const std::vector<std::size_t>& breaks, const SeeRun& see) {
  in_cells(text, offset, breaks,
           [&](std::size_t at, std::size_t limit) { return read_printable(text, at, limit, see); });
}

bool is_fold(View text, std::size_t at) {
  constexpr std::size_t shortest = 50;  // what is broken is long
  std::size_t end = at;
  if (end > 0 && text[end - 1] == '\r') --end;
  if (end < shortest || at + 2 >= text.size() || text[at + 1] != ' ' || !is_of_word(text[at + 2]) ||
      !is_of_word(text[end - 1]))
    return false;
  const auto line = text_of(text.subspan(end - shortest, shortest));
  return line.find('\n') == std::string_view::npos && parts_token(text, end, at + 2);
}

void show_folded(View text, std::uint64_t offset, const std::vector<std::size_t>& folds, const SeeRun& see) {
  in_cells(text, offset, folds, [&](std::size_t at, std::size_t limit) {
    Together together(text, "folded");
    std::size_t begin = at - std::min(at, lead), last = at, i = begin;
    while (i < std::min({text.size(), limit + tail, last + tail})) {
      const std::size_t behind = behind_fold(text, i);
      if (behind == 0) {
        ++i;
        continue;
      }
      together.add({begin, i});
      last = std::max(last, i);
      begin = i = behind;
    }
    together.add({begin, std::max(begin, i)});
    if (together.finish(std::max(begin, i))) see(together.run(), {0, text.size()});
    return last + 1;
  });
}

bool parts_token(View text, std::size_t begin, std::size_t end) {
  constexpr std::size_t enough = 20;
  return may_join_token(text, {{begin - std::min(begin, enough), begin}, {end, std::min(text.size(), end + enough)}});
}

std::size_t show_wrapped(View text, std::size_t at, const SeeRun& see) {
  constexpr std::size_t narrowest = 20, widest = 400, most_lines = 40;
  const auto is_end = [&](std::size_t i) { return i < text.size() && is_break(static_cast<char>(text[i])); };
  const auto end_of_word = [&](std::size_t i) {
    const std::size_t high = std::min(text.size(), i + widest);
    while (i < high && is_of_word(text[i])) ++i;
    return i;
  };
  std::size_t end = end_of_word(at), begin = at;
  while (begin > 0 && at - begin < widest && !is_end(begin - 1)) --begin;
  const std::size_t width = end - begin;
  if (!is_end(end) || width < narrowest) return end;
  DecodedRun run;
  run.encoding = "wrapped";
  run.shaped = true;
  for (std::size_t line = at; run.pieces.size() < most_lines;) {
    run.pieces.push_back({run.bytes.size(), line});
    run.bytes += text_of(text.subspan(line, end - line));
    if (!is_end(end) || (line != at && end - line != width)) break;
    const std::size_t next = end + (text[end] == '\r' && is_end(end + 1) ? 2 : 1), behind = end_of_word(next);
    if (behind == next || behind - next > width) break;
    // NAME=, which is no end of a token.
    if (behind < text.size() && text[behind] > ' ' && !is_quote(static_cast<char>(text[behind]))) break;
    line = next;
    end = behind;
  }
  if (run.pieces.size() < 2) return end;
  run.pieces.push_back({run.bytes.size(), end});
  see(run, {0, text.size()});
  return end;
}

}  // namespace imgbuild

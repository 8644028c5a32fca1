#include "scan/turned.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"

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

// How many bytes are nothing at `at`; 0: none.
std::size_t nothing_at(View text, std::size_t at) {
  const auto rest = text_of(text.subspan(at));
  if (starts_caseless(rest, "<wbr>")) return 5;
  if (starts_caseless(rest, "<wbr/>")) return 6;
  if (rest[0] != '\\' && rest[0] != '^') return 0;
  std::size_t size = rest.starts_with("\\\n") || rest.starts_with("^\n")       ? 2
                     : rest.starts_with("\\\r\n") || rest.starts_with("^\r\n") ? 3
                                                                               : 0;
  while (size > 0 && size < rest.size() && size < between && is_blank(rest[size])) ++size;
  return size;
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

std::size_t show_rot13(View text, std::size_t at, const SeeRun& see) {
  const Part part = lines_around(text, at);
  Together together(text, "rot13");
  together.add(part);
  if (together.finish(part.end, true)) {
    for (char& c : together.run().bytes)
      if (is_letter(c)) c = static_cast<char>((c & 0x20) + 'A' + ((c & ~0x20) - 'A' + 13) % 26);
    see(together.run(), {0, text.size()});
  }
  return std::min(part.end, at + again);
}

std::size_t show_dropped(View text, std::size_t at, std::size_t limit, const SeeRun& see) {
  std::size_t size = nothing_at(text, at);
  if (at == 0 || !is_of_word(text[at - 1]) || at + size >= text.size() || !is_of_word(text[at + size])) return 0;
  Together together(text, text[at] == '<' ? "html" : "continued");
  // What stands before the first place, and is left out there as well.
  std::size_t begin = at - std::min(at, lead), last = at, i = begin;
  while (i < std::min({text.size(), limit, last + tail})) {
    const std::size_t nothing = nothing_at(text, i);
    if (nothing == 0) {
      ++i;
      continue;
    }
    together.add({begin, i});
    last = std::max(last, i);
    begin = i += nothing;
  }
  together.add({begin, std::max(begin, i)});
  if (together.finish(std::max(begin, i))) see(together.run(), {0, text.size()});
  return last + 1;
}

void show_printable(View text, std::uint64_t offset, const std::vector<std::size_t>& breaks, const SeeRun& see) {
  // In cells of the stream, as roads.cpp has it.
  constexpr std::uint64_t cell = std::uint64_t{4} << 10;
  std::size_t before = 0;
  std::uint64_t last = UINT64_MAX;
  for (const std::size_t at : breaks) {
    const std::uint64_t here = (offset + at) / cell;
    if (here == last && at < before) continue;
    last = here;
    before = read_printable(text, at, std::min<std::uint64_t>(text.size(), (here + 1) * cell - offset), see);
  }
}

}  // namespace imgbuild

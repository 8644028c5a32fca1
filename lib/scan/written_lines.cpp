// Texts in texts: what stands in a file's lines is the same where the file is the value of a JSON member, or was quoted
// in a mail.
#include "scan/written_lines.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t before = 2048;  // of a line's end: where its literal begins
constexpr std::size_t least_lines = 2;

// The quote that opens the literal around `at`: the last on its line that no backslash stands before and that is not
// doubled. At a line's begin where there is none.
std::size_t open_before(View text, std::size_t at) {
  const std::size_t low = at - std::min(at, before);
  std::size_t open = at;
  while (open > low && !is_break(char_at(text, open - 1))) {
    const char c = char_at(text, open - 1);
    if ((c == '"' || c == '\'') && (open < 2 || (char_at(text, open - 2) != '\\' && char_at(text, open - 2) != c)) &&
        char_at(text, open) != c) {
      // Of a word: don't.
      const bool in_word = open > 1 && is_alphanumeric(char_at(text, open - 2)) && is_alphanumeric(char_at(text, open));
      // What opens stands behind a sign, and no blank is behind what closes.
      const char left = open > 1 ? char_at(text, open - 2) : ',';
      if (!in_word && (is_space(left) || std::string_view("([{,:=").find(left) != std::string_view::npos)) return open;
    }
    --open;
  }
  return open;
}

}  // namespace

std::size_t show_written_lines(View text, std::size_t at, std::size_t limit, const SeeRun& see) {
  limit = std::min(limit, text.size());
  std::size_t i = open_before(text, at), from = i;
  const char quote = i > 0 && is_quote(char_at(text, i - 1)) ? char_at(text, i - 1) : '\0';
  DecodedRun run;
  run.encoding = "lines";
  std::size_t lines = 0;
  const auto add = [&](std::size_t to) {
    if (to <= from) return;
    run.pieces.push_back({run.bytes.size(), from});
    run.bytes += text_of(text.subspan(from, to - from));
  };
  const auto put = [&](char c) {
    run.pieces.push_back({run.bytes.size(), i});
    run.bytes += c;
  };
  while (i < limit) {
    const char c = char_at(text, i);
    if (c == '\\' && i + 1 < limit) {
      const char next = char_at(text, i + 1);
      const std::size_t size = next == '\\' && char_at(text, i + 2) == 'n' ? 3 : 2;  // \\n: twice a text in a text
      add(i);
      const auto is_hex = [&](std::size_t k) { return nibble(char_at(text, k)) >= 0; };
      if (next == 'x' || is_digit(next)) return std::max(i, at + 1);  // bytes of a program
      if (next == 'u' && is_hex(i + 2) && is_hex(i + 3) && is_hex(i + 4) && is_hex(i + 5)) {
        unsigned rune = 0;
        for (std::size_t k = i + 2; k < i + 6; ++k) rune = rune << 4 | static_cast<unsigned>(nibble(char_at(text, k)));
        if (rune < 0x80) {
          put(static_cast<char>(rune));
        } else if (rune < 0x800) {
          put(static_cast<char>(0xc0 | rune >> 6));
          put(static_cast<char>(0x80 | (rune & 63)));
        } else {
          put(static_cast<char>(0xe0 | rune >> 12));
          put(static_cast<char>(0x80 | (rune >> 6 & 63)));
          put(static_cast<char>(0x80 | (rune & 63)));
        }
        from = i += 6;
        continue;
      }
      if (next == 'n' || size == 3) {
        put('\n');
        ++lines;
      } else if (next == 't') {
        put('\t');
      } else if (next != 'r') {
        put(next);
      }
      from = i += size;
      continue;
    }
    if (c == quote && quote != '\0') {
      if (char_at(text, i + 1) == quote && quote == '\'') {  // SQL's
        add(i);
        from = ++i;
        ++i;
        continue;
      }
      add(i);
      // "a line\n",
      // "the next"
      std::size_t next = i + 1;
      const bool ends_line = char_at(text, i - 1) == 'n' && char_at(text, i - 2) == '\\';
      if (ends_line && char_at(text, next) == ',') ++next;
      const std::size_t gap = next;
      while (next < limit && next - gap < 80 && is_space(char_at(text, next))) ++next;
      if (!ends_line || next == gap || char_at(text, next) != quote) {
        from = i;
        break;
      }
      from = i = next + 1;
      continue;
    }
    if (is_break(c)) break;
    ++i;
  }
  if (from < i) add(i);
  if (lines < least_lines) return std::max(i, at + 1);
  run.pieces.push_back({run.bytes.size(), i});
  run.bytes += '\n';
  see(run, {0, text.size()});
  return std::max(i, at + 1);
}

std::string with_wide_lines(std::string_view pattern) {
  constexpr std::string_view begin = "(?:^|[\\r\\n])";
  constexpr std::string_view wide = "(?:^|[\\r\\n]|[\\r\\n][>+|-] ?|\\]: |[0-9][:|]?[ \\t]{1,2})";
  std::string out;
  for (std::size_t at = pattern.find(begin); at != std::string_view::npos; at = pattern.find(begin)) {
    out.append(pattern.substr(0, at)).append(wide);
    pattern.remove_prefix(at + begin.size());
  }
  return out.append(pattern);
}

}  // namespace imgbuild

// Keys are copied line by line, and whoever pastes one makes each line fit its new home the same way. So nothing here
// knows a language: the first line of the key is at hand with what stands before and behind it, and what is the same
// before and behind the other lines is layout too. If a quote stands before the first line, then of a line with two
// such quotes only what stands between them counts. Line ends that are written out (\n, &#10;, %0A, <br>) are line
// ends.
#include "crypto/key_text.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 10;
constexpr std::size_t longest_lead = 120;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '+' || c == '/' || c == '=';
}
bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

int byte_of(std::string_view digits) {
  const auto code = unhex(digits);
  if (!code) return -1;
  int value = 0;
  for (const auto byte : *code) value = value << 8 | byte;
  return value < 0x80 ? value : -1;
}

// Takes the text apart into lines, undoing what is written out. `form`: a blank is a plus sign.
class Unwritten {
 public:
  explicit Unwritten(std::string_view text) : text_(text) {
    const std::size_t line = text.find('\n');
    form_ = text.substr(0, std::min<std::size_t>(line, 80)).find("BEGIN+") != std::string_view::npos;
    quoted_printable_ = text.find("=3D") != std::string_view::npos;
  }

  std::string all() {
    plain_.reserve(text_.size());
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\')
        backslash();
      else if (!(c == '&' && entity()) && !(c == '#' && syslog()) && !(c == '%' && percent()) && !(c == '<' && tag()) &&
               !(c == '=' && soft()))
        put(c == '+' && form_ ? ' ' : c == '\0' ? ' ' : c);
    }
    return std::move(plain_);
  }

 private:
  void put(char c, std::size_t taken = 1) {
    plain_ += c;
    at_ += taken;
  }
  void backslash() {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] == '\\') ++end;
    const std::string_view next = text_.substr(end);
    const std::size_t taken = end - at_;
    const char c = next.empty() ? ' ' : next[0];
    if (c == 'n') return put('\n', taken + 1);
    for (const std::string_view word : {"line", "par"})  // of RTF
      if (next.starts_with(word) && (next.size() == word.size() || !is_letter(next[word.size()])))
        return put('\n', taken + word.size());
    if (c == 'r' || c == 't') return put(' ', taken + 1);
    if ((c == 'u' && next.size() >= 5) || (c == 'x' && next.size() >= 3))
      if (const int byte = byte_of(next.substr(1, c == 'u' ? 4 : 2)); byte > 0)
        return put(static_cast<char>(byte), taken + (c == 'u' ? 5 : 3));
    at_ += taken;
    if (c != '/') plain_ += ' ';
  }
  bool entity() {
    const std::string_view rest = text_.substr(at_, 8);
    const std::size_t end = rest.find(';');
    if (end == std::string_view::npos) return false;
    const std::string_view name = rest.substr(1, end - 1);
    static constexpr std::pair<std::string_view, char> names[] = {
        {"quot", '"'}, {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"nbsp", ' '}, {"apos", '\''}, {"NewLine", '\n'}};
    for (const auto& [known, c] : names)
      if (name == known) return put(c, end + 1), true;
    if (!name.starts_with('#')) return false;
    int value = 0;
    const bool is_hex = name.size() > 1 && (name[1] | 0x20) == 'x';
    if (is_hex) {
      const std::string digits((name.size() - 2) % 2, '0');
      value = byte_of(digits + std::string(name.substr(2)));
    } else {
      for (const char c : name.substr(1)) value = is_digit(c) && value < 1000 ? value * 10 + (c - '0') : -1;
    }
    if (value <= 0 || value >= 0x80) return false;
    put(value == '\r' ? ' ' : static_cast<char>(value), end + 1);
    return true;
  }
  // rsyslog writes control characters as # and three octal digits.
  bool syslog() {
    const std::string_view code = text_.substr(at_ + 1, 3);
    if (code != "012" && code != "015" && code != "011") return false;
    put(code == "012" ? '\n' : ' ', 4);
    return true;
  }
  bool percent() {
    const int byte = byte_of(text_.substr(at_ + 1, 2));
    if (byte <= 0) return false;
    put(byte == '\r' ? ' ' : static_cast<char>(byte), 3);
    return true;
  }
  bool tag() {
    const std::size_t end = text_.substr(at_, 100).find('>');
    if (end == std::string_view::npos) return false;
    const std::string name = lower(text_.substr(at_ + 1, 2));
    put(name == "br" || name == "p>" || name == "/p" || name == "li" || name == "di" ? '\n' : ' ', end + 1);
    return true;
  }
  // Quoted-printable (RFC 2045 section 6.7): =3D, and a line that goes on.
  bool soft() {
    if (!quoted_printable_) return false;
    const std::string_view rest = text_.substr(at_ + 1, 2);
    if (rest == "3D") return put('=', 3), true;
    if (rest == "20") return put(' ', 3), true;
    if (!rest.starts_with('\n') && rest != "\r\n") return false;
    at_ += rest.front() == '\n' ? 2 : 3;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool form_ = false, quoted_printable_ = false;
  std::string plain_;
};

// Digits count as alike: times and numbers of lines grow.
bool alike(char a, char b) { return a == b || (is_digit(a) && is_digit(b)); }

// Behind the number at `at` and the blanks before it; `at`: none is there.
std::size_t behind_number(std::string_view text, std::size_t at) {
  const std::string_view shown = text.substr(at, 40);
  const std::size_t first = std::min(shown.find_first_not_of(' '), shown.size());
  const std::size_t end = std::min(shown.find_first_not_of("0123456789", first), shown.size());
  return end > first ? at + end : at;
}

// How much of the line is the lead, whose numbers may have grown by a digit; nowhere: it does not begin so.
constexpr std::size_t nowhere = std::string_view::npos;
std::size_t size_of_lead(std::string_view lead, std::string_view line) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < lead.size();) {
    const std::size_t behind = behind_number(lead, i), same = behind_number(line, at);
    // What stands directly before the key may end in digits: those of the key are its own.
    if (behind > i && same > at && behind < lead.size()) {
      i = behind;
      at = same;
    } else if (at < line.size() && alike(lead[i], line[at])) {
      ++i;
      ++at;
    } else {
      return nowhere;
    }
  }
  return at;
}

bool holds_marks(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return !is_base64(c); });
}

std::size_t slashes_before(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (count < at && text[at - 1 - count] == '\\') ++count;
  return count;
}

// Where a text ends whose opening quote has so many backslashes before it.
std::size_t closing_quote(std::string_view text, char quote, std::size_t slashes) {
  for (std::size_t at = 0; quote != 0 && (at = text.find(quote, at)) != std::string_view::npos; ++at)
    if (slashes_before(text, at) <= slashes) return at;
  return std::string_view::npos;
}

// Where, from `at` on, dashes and BEGIN begin another key; else the end.
std::size_t next_key(std::string_view text, std::size_t at) {
  constexpr std::string_view word = "BEGIN";
  for (at = text.find(word, at); at != std::string_view::npos; at = text.find(word, at + word.size()))
    for (const std::string_view dashes : {"--", "-- "})
      if (text.substr(0, at).ends_with(dashes)) return at - dashes.size();
  return text.size();
}

// ["-----BEGIN ...-----", "MIIE...", ...], printf '%s\n' '-----BEGIN ...-----' 'MIIE...': the lines of a key that stand
// side by side as texts of their own. `before` ends in the first one's quote. Empty: that is not how it stands.
std::string texts_side_by_side(std::string_view before, std::string_view text, std::string_view end) {
  const char quote = before.empty() ? '\0' : before.back();
  if (quote != '"' && quote != '\'') return {};
  const std::size_t slashes = slashes_before(before, before.size() - 1);
  std::string lines;
  for (bool first = true;; first = false) {
    const std::size_t close = closing_quote(text, quote, slashes);
    if (close == std::string_view::npos || text.substr(0, close).find('\n') != std::string_view::npos) break;
    const bool last = !end.empty() && text.substr(0, close).find(end) != std::string_view::npos;
    if (first && last) return {};
    if (!first && text.substr(0, close).find("-BEGIN ") != std::string_view::npos) break;  // another key
    lines.append(text.substr(0, close - slashes_before(text, close))) += '\n';
    std::size_t next = close + 1, commas = 0;
    while (next < text.size() && (is_blank(text[next]) || (text[next] == ',' && commas++ == 0))) ++next;
    while (next < text.size() && text[next] == '\\') ++next;
    const bool goes_on = next < text.size() && text[next] == quote && slashes_before(text, next) == slashes;
    if (last) break;
    // What begins on a line of its own, that line tells.
    if (!goes_on || (first && text.substr(close, next - close).find('\n') != std::string_view::npos)) {
      if (first) return {};
      break;
    }
    text.remove_prefix(next + 1);
    // {"log": "-----BEGIN ...-----", "stream": "stdout"}: that is no line of a key.
    constexpr std::size_t shortest = 16;
    const std::size_t size = closing_quote(text, quote, slashes);
    if (first && size < shortest && size != 0 && text.substr(0, size) != "\\n") return {};
  }
  return lines;
}

// Vim keeps a file's lines in its swap file from the last to the first, each with a zero behind it. Empty: so they do
// not stand.
std::string lines_turned_round(std::string_view before, std::string_view text, std::string_view end) {
  constexpr std::size_t most_lines = 400, longest_line = 200;
  if (before.empty() || before.back() != '\0' || end.empty()) return {};
  std::string lines(text.substr(0, text.find('\0')));
  for (std::size_t count = 0; count < most_lines && !before.empty(); ++count) {
    before.remove_suffix(1);
    const std::string_view near = before.substr(before.size() - std::min(before.size(), longest_line + 1));
    const std::string_view line = near.substr(near.rfind('\0') + 1);  // npos: the first
    if (line.size() > longest_line || next_key(line, 0) != line.size()) return {};
    (lines += '\n') += line;
    // (The end of another key stands directly before this one.)
    if (line.starts_with(end)) return count > 0 ? lines += '\n' : std::string();
    before.remove_suffix(line.size());
  }
  return {};
}

// echo "-----BEGIN ...-----" >> k && echo "MIIE..." >> k && ...: commands behind each other that begin alike, each on a
// line of its own. `before`: becomes that beginning. Empty: so they do not stand.
std::string commands_by_line(std::string_view& before, std::string_view text) {
  constexpr std::size_t longest_command = 79;
  std::string_view line = before.substr(before.size() - std::min(before.size(), longest_command));
  line.remove_prefix(line.find_last_of("\n\r&;|(") + 1);  // npos: all of it
  std::size_t begin = nowhere;
  for (const std::string_view name : {"echo ", "printf "}) {
    const std::size_t at = line.rfind(name);
    if (at != nowhere) begin = at;
  }
  if (begin == nowhere) return {};
  const std::string_view command = line.substr(begin), name = command.substr(0, command.find(' ') + 1);
  std::string lines;
  bool parted = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = text.find(name, at);
    if (stop == nowhere) {
      lines += text.substr(at);
      break;
    }
    const std::string_view part = trim(text.substr(at, stop - at));
    for (const std::string_view mark : {"&&", "\\u0026\\u0026", ";"})
      if (part.ends_with(mark) && part.find('\n') == nowhere) {
        (lines += trim(part.substr(0, part.size() - mark.size()))) += '\n';
        parted = true;
        at = stop;
        break;
      }
    if (at == stop) {
      lines += name;
      at += name.size();
      continue;
    }
    lines += text.substr(at, stop + name.size() - at);
    at = stop + name.size();
  }
  if (!parted) return {};
  before = command;
  return lines;
}

class Lead {
 public:
  Lead(std::string_view before, std::string_view first_line_rest, bool all_marked) {
    before_ = before.substr(before.size() - std::min(before.size(), longest_lead));
    before_.remove_prefix(before_.find_last_of("\n\r") + 1);  // npos: all of it
    if (!before_.empty() && (before_.back() == '"' || before_.back() == '\'' || before_.back() == '`')) {
      quote_ = before_.back();
      slashes_ = slashes_before(before_, before_.size() - 1);
      // Three of them hold what has quotes of its own.
      if (before_.size() > 1 && before_[before_.size() - 2] == quote_) quote_ = 0;
    }
    before_ = trim_left(before_);
    behind_ = trim(first_line_rest.substr(0, longest_lead));
    is_patch_ = all_marked && (before_ == "+" || before_ == "-");
    const std::string_view number = trim(before_);
    if (!number.empty() && is_digit(number.front())) {
      const std::size_t digits = std::min(number.find_first_not_of("0123456789"), number.size());
      const std::string_view mark = trim(number.substr(digits));
      is_number_ = mark.empty() || mark == ":" || mark == "|" || mark == "." || mark == ")" || mark == ":+";
      mark_ = mark;
    }
  }

  // The first line itself, without what closes it.
  std::string_view first(std::string_view line, std::string_view second) const {
    if (const std::size_t close = closing_quote(line, quote_, slashes_); close != std::string_view::npos)
      return line.substr(0, close);
    if (behind_.size() > 1 && holds_marks(behind_) && trim(second).ends_with(behind_))
      return line.substr(0, line.rfind(behind_));
    return line;
  }

  std::string_view strip(std::string_view line) const {
    if (quote_ != 0 && !trim_left(line).starts_with("Comment:")) {
      // {"log":"...\n","stream":"stdout"}: other quotes stand before ours, as they do in the first line.
      const std::string_view same = trim_left(line);
      if (const std::size_t size = size_of_lead(before_, same); size < same.size()) {
        const std::string_view rest = same.substr(size);
        if (const std::size_t close = closing_quote(rest, quote_, slashes_); close != std::string_view::npos)
          return rest.substr(0, close);
      }
      const std::size_t open = line.find(quote_);
      const std::size_t close = open == std::string_view::npos ? open : line.find(quote_, open + 1);
      if (close != std::string_view::npos) return line.substr(open + 1, close - open - 1);
    }
    line = trim_left(line);
    if (is_number_) {
      std::string_view rest = line.substr(std::min(line.find_first_not_of("0123456789"), line.size()));
      rest = trim_left(rest);
      if (rest.size() < line.size() && rest.starts_with(mark_)) return trim(rest.substr(mark_.size()));
    }
    if (is_patch_ && line.starts_with(before_)) return trim(line.substr(1));
    for (std::size_t skip = 0; skip < before_.size(); ++skip) {
      const std::string_view lead = before_.substr(skip);
      if (!holds_marks(lead) || is_blank(lead.front())) continue;
      const std::size_t size = size_of_lead(lead, line);
      if (size == nowhere) continue;
      line.remove_prefix(size);
      return without_tail(line);
    }
    // Where the key does not begin its line, the marks of a comment still do.
    std::size_t marks = 0;
    while (marks < before_.size() && marks < line.size() && before_[marks] == line[marks] && is_mark(line[marks]))
      ++marks;
    if (marks < before_.size()) line.remove_prefix(marks);
    return without_tail(line);
  }

 private:
  static bool is_mark(char c) { return is_blank(c) || std::string_view("#/*;>+-").find(c) != std::string_view::npos; }

  std::string_view without_tail(std::string_view line) const {
    line = trim(line);
    for (std::size_t size = behind_.size(); size > 0; --size) {
      const std::string_view tail = behind_.substr(0, size);
      if (tail.size() > line.size() || !holds_marks(tail) || is_blank(tail.back()) || !line.ends_with(tail)) continue;
      line.remove_suffix(size);
      break;
    }
    return line;
  }

  std::string_view before_, behind_, mark_;
  char quote_ = 0;
  std::size_t slashes_ = 0;
  bool is_number_ = false, is_patch_ = false;
};

}  // namespace

bool is_base64_text(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_base64); }

std::string joined_words(std::vector<std::string> words) {
  // In base64 a plus sign may begin a line, but not every line.
  for (const char mark : {'+', '-'})
    if (std::all_of(words.begin(), words.end(), [&](const auto& word) { return word[0] == mark; }))
      for (auto& word : words) word.erase(0, 1);
  std::string all;
  for (const auto& word : words) all += word;
  return all;
}

std::vector<std::string_view> key_words(std::string_view line) {
  static constexpr std::string_view marks[] = {"+",   ".",   "#", "//", "*",  ">",  "-",  "--", "|", "&",  "=",
                                               ";",   ",",   "(", ")",  "[",  "]",  "{",  "}",  "!", "/*", "*/",
                                               "dnl", "REM", "'", "||", "&&", "<<", ">>", "%",  "$", "^M$"};
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < line.size();) {
    if (is_blank(line[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && !is_blank(line[end])) ++end;
    const std::string_view word = line.substr(i, end - i);
    i = end;
    if (std::find(std::begin(marks), std::end(marks), word) == std::end(marks)) words.push_back(word);
  }
  return words;
}

// First of all, so that of a file of nothing but beginnings none costs more than its own bytes.
std::string_view one_key(std::string_view text) {
  constexpr std::size_t head = 12;  // of "PuTTY-User-Key-File-2", "Private-key-format": what stands once in a key
  if (text.size() <= head) return text;
  text = text.substr(0, text.find(text.substr(0, head), head));
  return text.substr(0, next_key(text, std::min(text.size(), head)));
}

std::vector<std::string> key_lines(std::string_view before, std::string_view text, std::string_view end) {
  text = one_key(text.substr(0, longest_text));
  // Up to the end mark, and a line's length beyond it.
  if (const std::size_t close = end.empty() ? std::string_view::npos : text.find(end); close != std::string_view::npos)
    text = text.substr(0, close + 160);
  if (const std::string round = lines_turned_round(before, text, end); !round.empty()) return key_lines({}, round, end);
  const std::string commands = commands_by_line(before, text);
  if (!commands.empty()) text = commands;
  if (const std::string texts = texts_side_by_side(before, text, end); !texts.empty()) return key_lines({}, texts, end);
  std::vector<std::string> lines;
  const std::size_t first_break = text.find('\n');
  std::string_view rest_of_first = text.substr(0, first_break);
  if (const std::size_t mark = rest_of_first.rfind("----"); mark != std::string_view::npos)
    rest_of_first.remove_prefix(mark + 4);
  else
    rest_of_first = {};
  bool all_marked = true;
  int seen = 0;
  for (std::size_t at = first_break; seen < 3 && at != std::string_view::npos && at + 1 < text.size(); ++seen) {
    all_marked = all_marked && (text[at + 1] == '+' || text[at + 1] == '-');
    at = text.find('\n', at + 1);
  }
  const Lead lead(before, rest_of_first, all_marked && seen > 1);
  // The first line is enough to tell but for a patch, whose mark is a letter of base64: every line has it.
  const std::string_view second = text.substr(std::min(first_break, text.size() - 1) + 1);

  // Line by line as they stand, and each by what is written out in it.
  std::string joined;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, stop - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    joined += at == 0 ? lead.first(line, second.substr(0, second.find('\n'))) : lead.strip(line);
    joined += '\n';
    at = stop + 1;
  }
  const std::string plain = Unwritten(joined).all();
  for (const std::string& line : split(plain, '\n')) {
    lines.push_back(line);
    std::string& last = lines.back();
    for (char& c : last)
      if (is_blank(c) || c == '"' || c == '\'' || c == '`') c = ' ';
    if (!end.empty() && lines.size() > 1 && last.find(end) != std::string::npos) break;
  }
  return lines;
}

}  // namespace imgbuild

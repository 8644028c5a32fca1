// Reads what people spell out so that nobody finds it by its letters. Each way has a word of its own that the first
// stage finds (road_words.hpp); its line is read here, and only where it says that a secret is meant.
#include "scan/coded.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "scan/decoders.hpp"
#include "scan/letters.hpp"
#include "scan/literals.hpp"
#include "scan/named.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t around = 700;    // of a word: its line
constexpr std::size_t function = 300;  // before a line: where its function is named
constexpr std::size_t least_units = 6, longest_between = 12;

enum class Way : std::uint8_t { decimal, hex, prefixed, binary, letters, blanks, escapes, shifted, xored, replaced };

struct Sign {
  std::string_view word;
  Way way;
};
// By what stands at the word, in small letters; the first that fits.
constexpr Sign signs[] = {{")+char(", Way::decimal},   {")+nchar(", Way::decimal},
                          {") + char(", Way::decimal}, {") + nchar(", Way::decimal},
                          {")||chr(", Way::decimal},   {") || chr(", Way::decimal},
                          {"map", Way::decimal},       {"'c*'", Way::decimal},
                          {"\"c*\"", Way::decimal},    {"int(", Way::hex},
                          {"chr hex", Way::hex},       {"chr(hex", Way::hex},
                          {".hex.chr", Way::hex},      {"&:hex", Way::hex},
                          {"=hex", Way::hex},          {"as.raw(", Way::prefixed},
                          {"(ord(", Way::shifted},     {"charcodeat(", Way::shifted},
                          {"^", Way::xored},           {" ^", Way::xored},
                          {", ", Way::replaced},       {",\"", Way::replaced},
                          {",'", Way::replaced},       {": ", Way::blanks}};

std::optional<Way> way_at(std::string_view rest) {
  const auto* const sign = std::find_if(std::begin(signs), std::end(signs),
                                        [&](const Sign& one) { return starts_caseless(rest, one.word); });
  if (sign != std::end(signs)) return sign->way;
  if (rest.size() < 3) return std::nullopt;
  if (is_quote(rest[0]) && rest[1] == '\\') return Way::escapes;
  if (rest[0] == '[' || rest[0] == '(' || rest[0] == '{') return Way::letters;
  return rest[1] == '0' ? std::optional(Way::binary) : std::nullopt;
}

// What is spelled out in [begin, end) of a line.
struct Spelled {
  std::string value;
  std::size_t begin = 0, end = 0;
};

// One character as it is written at `at`; 0: none is.
struct Unit {
  int value = 0;
  std::size_t end = 0;
};

int number(std::string_view digits, int base) {
  int value = 0;
  for (const char c : digits) value = value * base + nibble(c);
  return value;
}

Unit unit_at(std::string_view line, std::size_t at, Way way) {
  const auto is_of = [&](std::size_t i) {
    const int digit = i < line.size() ? nibble(line[i]) : -1;
    return digit >= 0 && digit < (way == Way::decimal ? 10 : way == Way::binary ? 2 : 16);
  };
  if (way == Way::letters) {
    if (line[at] == 'b') ++at;
    const bool is_one = at + 2 < line.size() && is_quote(line[at]) && line[at] == line[at + 2] && line[at + 1] > ' ' &&
                        line[at + 1] < 0x7f && line[at + 1] != '\\';
    return is_one ? Unit{line[at + 1], at + 3} : Unit{};
  }
  if (way == Way::blanks)
    return line[at] > ' ' && line[at] < 0x7f && (at + 1 == line.size() || line[at + 1] <= ' ') ? Unit{line[at], at + 1}
                                                                                               : Unit{};
  if (at > 0 && is_of(at - 1)) return {};
  if (way == Way::prefixed) {
    if (!starts_caseless(line.substr(at), "0x")) return {};
    at += 2;
  }
  std::size_t end = at;
  while (is_of(end) && end - at < 9) ++end;
  const std::size_t size = end - at;
  const bool fits = way == Way::decimal ? size == 2 || size == 3 : way == Way::binary ? size == 8 : size == 2;
  const int base = way == Way::decimal ? 10 : way == Way::binary ? 2 : 16;
  return fits ? Unit{number(line.substr(at, size), base), end} : Unit{};
}

// The rows of the line, with the same between each two but for blanks. A zero ends one (of UTF-16 it is passed).
std::vector<Spelled> rows(std::string_view line, Way way) {
  std::vector<Spelled> out;
  for (std::size_t at = 0; at < line.size(); ++at) {
    Unit unit = unit_at(line, at, way);
    if (unit.end == 0) continue;
    Spelled row{{}, at, unit.end};
    std::optional<std::string> between;
    while (unit.end > 0) {
      row.end = unit.end;
      row.value += static_cast<char>(unit.value);
      std::string passed;
      std::size_t next = unit.end;
      unit = {};
      for (; next < line.size() && next - row.end <= longest_between; ++next) {
        unit = unit_at(line, next, way);
        if (unit.end > 0 && next > row.end) break;
        unit = {};
        if (!is_space(line[next]) && line[next] != '\\') passed += line[next];
      }
      if (between && passed != *between) break;
      between = passed;
    }
    at = row.end - 1;
    if (row.value.size() < least_units) continue;
    // Characters that a text lists: `_ : / = + - @`, 1 + 2 + 3.
    const auto marks = std::count_if(row.value.begin(), row.value.end(), [](char c) { return !is_alphanumeric(c); });
    if (way == Way::blanks && marks * 4 > std::ssize(row.value)) continue;
    // The zero that ends a text; of UTF-16 it is two bytes, and the last character's second is zero as well.
    const bool wide = row.value[1] == '\0' && row.value.size() % 2 == 0;
    while (row.value.size() > 2 && row.value.back() == '\0' && (!wide || row.value[row.value.size() - 2] == '\0'))
      row.value.resize(row.value.size() - (wide ? 2 : 1));
    out.push_back(std::move(row));
  }
  return out;
}

// The texts in quotes.
std::vector<Part> literals(std::string_view line) {
  std::vector<Part> out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!is_quote(line[i])) continue;
    const std::size_t close = line.find(line[i], i + 1);
    if (close == std::string_view::npos) break;
    if (close > i + least_units) out.push_back({i + 1, close});
    i = close;
  }
  return out;
}

// A literal of nothing but \x41, \u0041, \101; three digits are decimal where no octal number is meant (Lua).
std::string of_escapes(std::string_view text) {
  std::string out;
  std::size_t digits = 0;
  int base = 8;
  for (const bool decimal : {false, true}) {
    out.clear();
    base = decimal ? 10 : 8;
    std::size_t at = 0;
    while (at + 3 < text.size() + 1 && at < text.size() && text[at] == '\\') {
      const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
      const int radix = kind == 'x' || kind == 'u' ? 16 : base;
      digits = kind == 'u' ? 4 : kind == 'x' ? 2 : 3;
      const std::size_t from = at + (radix == 16 ? 2 : 1);
      if (from + digits > text.size()) return {};
      const std::string_view written = text.substr(from, digits);
      if (!std::all_of(written.begin(), written.end(), [](char c) { return nibble(c) >= 0; })) return {};
      const bool is_of_base = std::all_of(written.begin(), written.end(), [&](char c) { return nibble(c) < radix; });
      const int value = is_of_base ? number(written, radix) : 0;
      if (value <= ' ' || value > '~') break;
      out += static_cast<char>(value);
      at = from + digits;
    }
    if (at == text.size()) return out;
  }
  return {};
}

std::string changed(std::string_view text, int by, bool exclusive) {
  std::string out;
  for (const char c : text) out += static_cast<char>(exclusive ? c ^ by : c + by);
  return out;
}

// The number behind `at`: - 1, +3, ^ 0x5a.
std::optional<int> number_behind(std::string_view line, std::size_t at) {
  while (at < line.size() && (is_blank(line[at]) || line[at] == '=')) ++at;
  const bool hex = starts_caseless(line.substr(at), "0x");
  if (hex) at += 2;
  std::size_t end = at;
  while (end < line.size() && end - at < 4 && (hex ? nibble(line[end]) >= 0 : is_digit(line[end]))) ++end;
  if (end == at || end - at > 3) return std::nullopt;
  const int value = number(line.substr(at, end - at), hex ? 16 : 10);
  return value > 0 && value < 256 ? std::optional(value) : std::nullopt;
}

std::vector<Spelled> shifted(std::string_view line, std::size_t sign) {
  std::vector<Spelled> out;
  std::size_t close = line.find(')', line.find('(', sign + 1));
  if (close == std::string_view::npos) return out;
  close = line.find_first_not_of(") ", close);
  if (close == std::string_view::npos || std::string_view("+-^").find(line[close]) == std::string_view::npos)
    return out;
  const char operation = line[close];
  const auto by = number_behind(line, close + 1);
  if (!by) return out;
  for (const auto& literal : literals(line)) {
    const std::string_view text = line.substr(literal.begin, literal.end - literal.begin);
    out.push_back({changed(text, operation == '-' ? -*by : *by, operation == '^'), literal.begin, literal.end});
  }
  return out;
}

// XORed: hex in quotes, or numbers.
std::vector<Spelled> xored(std::string_view lines, std::size_t sign) {
  std::vector<Spelled> out;
  const auto by = number_behind(lines, lines.find('^', sign) + 1);
  if (!by) return out;
  for (const auto& literal : literals(lines)) {
    const std::string_view text = lines.substr(literal.begin, literal.end - literal.begin);
    if (const auto bytes = unhex(text))
      out.push_back({changed(text_of(*bytes), *by, true), literal.begin, literal.end});
  }
  for (auto& row : rows(lines, Way::prefixed)) out.push_back({changed(row.value, *by, true), row.begin, row.end});
  return out;
}

// Replace("h#o", "#", ""): at the comma before the sign that is left out.
std::vector<Spelled> replaced(std::string_view line, std::size_t sign) {
  std::vector<Spelled> out;
  const std::size_t quote = line.find_first_of("\"'", sign);
  if (quote == std::string_view::npos || quote + 1 >= line.size() || sign < 2 || !is_quote(line[sign - 1])) return out;
  const std::size_t open = line.rfind(line[sign - 1], sign - 2);
  if (open == std::string_view::npos) return out;
  std::string value(line.substr(open + 1, sign - open - 2));
  if (std::erase(value, line[quote + 1]) > 0) out.push_back({value, open + 1, sign - 1});
  return out;
}

const char* encoding_of(Way way) {
  switch (way) {
    case Way::hex:
      return "hex";
    case Way::shifted:
      return "shifted";
    case Way::xored:
      return "xor";
    case Way::escapes:
      return "unicode";
    case Way::replaced:
    case Way::letters:
    case Way::blanks:
      return "concatenation";
    default:
      return "array";
  }
}

}  // namespace

std::size_t show_coded(View text, std::size_t at, const SeeRun& see) {
  const auto way = way_at(text_of(text.subspan(at)));
  if (!way) return at + 1;
  // A row may stand in lines of its own; what is XORed does.
  const unsigned above = *way == Way::xored ? 4 : 0;
  const bool goes_on = *way == Way::hex || *way == Way::decimal || *way == Way::prefixed;
  std::size_t low = at, high = at;
  for (unsigned breaks = 0; low > 0 && at - low < around; --low)
    if (text[low - 1] == '\n' && breaks++ == above) break;
  while (high < text.size() && high - at < around &&
         (!is_break(static_cast<char>(text[high])) || (goes_on && high > 0 && text[high - 1] == '\\') ||
          (goes_on && text[high] == '\n' && high > 1 && text[high - 1] == '\r' && text[high - 2] == '\\')))
    ++high;
  const std::string_view line = text_of(text.subspan(low, high - low));
  const std::size_t behind = std::min(text.size(), high + 1);
  if (!says_secret(line)) return behind;
  std::vector<Spelled> spelled;
  switch (*way) {
    case Way::escapes:
      for (const auto& literal : literals(line))
        spelled.push_back(
            {of_escapes(line.substr(literal.begin, literal.end - literal.begin)), literal.begin, literal.end});
      break;
    case Way::shifted:
      spelled = shifted(line, at - low);
      break;
    case Way::xored:
      spelled = xored(line, at - low);
      break;
    case Way::replaced:
      spelled = replaced(line, at - low);
      break;
    default:
      spelled = rows(line, *way);
  }
  for (auto& one : spelled) {
    const std::string value = password_of(std::move(one.value));
    if (value.empty()) continue;
    const std::string_view name = name_around(line, one.begin, one.end);
    const std::string_view before = text_of(text.subspan(low - std::min(low, function), std::min(low, function)));
    const bool of_function =
        *way == Way::xored && name.empty() && (says_secret(line.substr(0, one.begin)) || says_secret(before));
    if (name.empty() && !of_function) continue;
    const bool in_line = name.data() >= line.data() && name.data() < line.data() + line.size();
    // Who disguises a secret means one, whatever it looks like.
    const std::string shown = name.empty() || lower(name) == "secret" ? "password" : shown_name(name, value);
    DecodedRun run = assigned_run(encoding_of(*way), shown,
                                  low + (in_line ? static_cast<std::size_t>(name.data() - line.data()) : one.begin),
                                  value, low + one.begin, low + one.end);
    run.plain = true;
    run.lead = shown.size() + 2;
    see(run, {0, text.size()});
  }
  return behind;
}

std::size_t show_cast(View text, std::size_t at, std::size_t limit, const SeeRun& see) {
  constexpr std::string_view kind = ", \"o\", \"";
  DecodedRun run;
  run.encoding = "terminal";
  limit = std::min(limit, text.size());
  std::size_t open = at + kind.size(), end = at;
  for (;;) {
    std::size_t close = open;
    while (close < limit && text[close] != '"' && text[close] != '\n') close += text[close] == '\\' ? 2 : 1;
    if (close >= limit || text[close] != '"') break;
    end = close;
    std::size_t from = open;
    const auto add = [&](std::size_t to) {
      if (to == from) return;
      run.pieces.push_back({run.bytes.size(), from});
      run.bytes += text_of(text.subspan(from, to - from));
    };
    for (std::size_t i = open; i + 1 < close; ++i) {
      if (text[i] != '\\') continue;
      add(i);
      const char c = static_cast<char>(text[i + 1]);
      run.pieces.push_back({run.bytes.size(), i});
      run.bytes += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? ' ' : c == 'u' ? ' ' : c;
      i += c == 'u' ? 5 : 1;
      from = std::min(i + 1, close);
    }
    add(close);
    // The next line, which begins like this one.
    std::size_t next = close + 1;
    while (next < limit && next - close < 60 && text_of(text.subspan(next)).substr(0, kind.size()) != kind) ++next;
    if (next >= limit || next - close >= 60 ||
        count(text.begin() + static_cast<std::ptrdiff_t>(close), text.begin() + static_cast<std::ptrdiff_t>(next),
              '\n') != 1)
      break;
    open = next + kind.size();
  }
  if (run.pieces.empty()) return at + kind.size();
  run.pieces.push_back({run.bytes.size(), end});
  see(run, {0, text.size()});
  return end + 1;
}

namespace {

// The word of a secret behind [at, ...: nothing but signs, and a few words before a colon, are between.
Part word_behind(View text, std::size_t at) {
  constexpr std::size_t farthest = 24;
  const std::size_t high = std::min(text.size(), at + farthest);
  while (at < high && std::string_view(":= \t|\"'`*").find(char_at(text, at)) != std::string_view::npos) ++at;
  if (char_at(text, at) == '&') {  // YAML's anchor
    while (at < high && char_at(text, at) > ' ') ++at;
    while (at < high && char_at(text, at) == ' ') ++at;
  }
  std::size_t end = at;
  while (end < text.size() && end - at < 100 && static_cast<char>(text[end]) > ' ' &&
         std::string_view("\"'`|,;").find(char_at(text, end)) == std::string_view::npos)
    ++end;
  return {at, end};
}

bool may_be_half(std::string_view word) {
  constexpr std::size_t least = 4;
  return word.size() >= least && std::any_of(word.begin(), word.end(), is_digit) &&
         std::any_of(word.begin(), word.end(), is_letter);
}

}  // namespace

std::size_t show_halves(View text, std::size_t at, const SeeRun& see) {
  constexpr std::size_t before = 500, word = 11;  // "second half", "second part"
  const std::size_t low = at - std::min(at, before);
  const std::string small = lower(text_of(text.subspan(low, at - low)));
  if (!says_secret(small) && !says_secret(text_of(text.subspan(at, std::min<std::size_t>(text.size() - at, 120)))))
    return at + word;
  const std::string kind = lower(text_of(text.subspan(at + 6, 5)));
  const std::size_t first = small.rfind("first" + kind);
  if (first == std::string::npos) return at + word;
  const Part one = word_behind(text, low + first + 10), two = word_behind(text, at + word);
  const std::string_view a = text_of(text.subspan(one.begin, one.end - one.begin)),
                         b = text_of(text.subspan(two.begin, two.end - two.begin));
  if (one.end >= at || (!may_be_half(a) && !may_be_half(b)) || a.empty() || b.empty()) return at + word;
  const std::string value = password_of(std::string(a) + std::string(b));
  if (value.empty()) return at + word;
  constexpr std::string_view name = "password";
  DecodedRun run = assigned_run("concatenation", name, one.begin, value, one.begin, two.end);
  run.pieces.insert(run.pieces.end() - 1, {name.size() + 2 + a.size(), two.begin});
  run.plain = true;
  run.lead = name.size() + 2;
  see(run, {0, text.size()});
  return std::max(two.end, at + word);
}

}  // namespace imgbuild

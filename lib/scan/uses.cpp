// How programs put together texts that have names: by an operator, within a text, by a call. No more is read of each
// than tells what the names are; which texts they have, Definitions says.
#include "scan/uses.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_name = 80, longest_template = 400, before_template = 200, most_operands = 32;
constexpr std::size_t most_before = 4, longest_opener = 40;

bool is_quote_at(View text, std::size_t at) { return is_quote(char_at(text, at)); }
bool is_of_name(char c) { return is_alphanumeric(c) || c == '_'; }
bool begins_use(char c) { return is_letter(c) || c == '_' || c == '$' || c == '@'; }
std::string_view cut(View text, std::size_t begin, std::size_t end) {
  return text_of(text.subspan(begin, end - begin));
}
bool is_at(View text, std::size_t at, std::string_view word) {
  return at + word.size() <= text.size() && cut(text, at, at + word.size()) == word;
}

// Of this.a, $this->a, A::b and $a the last name.
std::string_view last_name(std::string_view name) {
  while (!name.empty() && !is_of_name(name.back())) name.remove_suffix(1);
  std::size_t at = name.size();
  while (at > 0 && is_of_name(name[at - 1])) --at;
  name = name.substr(at);
  return name.empty() || is_digit(name.front()) ? std::string_view() : name;
}

// An operand that begins at `at`; where it ends. nowhere: none begins there.
std::size_t read_operand(View text, std::size_t at, std::size_t limit, bool dots, Use::Operand& operand) {
  if (const std::size_t quote = quote_at(text, at); quote != nowhere) {
    const std::size_t close = closing_quote(text, quote, limit);
    if (close == nowhere) return nowhere;
    operand.literal = {quote + 1, close};
    return close + 1;
  }
  if (!begins_use(char_at(text, at))) return nowhere;
  const std::size_t begin = at;
  limit = std::min({limit, text.size(), at + longest_name});
  while (at < limit) {
    const char c = char_at(text, at), next = char_at(text, at + 1);
    if (is_of_name(c) || c == '$' || c == '@' || (c == '.' && dots && next != '.' && begins_use(next)))
      ++at;
    else if ((c == '-' && next == '>') || (c == ':' && next == ':'))
      at += 2;
    else
      break;
  }
  if (at >= begin + longest_name) return nowhere;
  operand.name.name = last_name(cut(text, begin, at));
  if (char_at(text, at) == '[') {
    std::size_t digit = at + 1, index = 0;
    for (; digit < at + 4 && is_digit(char_at(text, digit)); ++digit)
      index = index * 10 + static_cast<std::size_t>(char_at(text, digit) - '0');
    if (digit > at + 1 && char_at(text, digit) == ']')
      operand.name.index = index;
    else
      operand.name.name = {};
    at = digit + 1;
  }
  if (char_at(text, at) == '(') operand.name.name = {};  // a call: who knows
  return at;
}

// The operand that ends at `end`: where it begins; nowhere: none ends there.
std::size_t begin_of_operand(View text, std::size_t end, bool dots) {
  if (end == 0) return nowhere;
  if (is_quote_at(text, end - 1)) return opening_quote(text, end - 1, 0);
  std::size_t at = end;
  const std::size_t low = end - std::min(end, longest_name);
  if (text[at - 1] == ']') {
    --at;
    while (at > low && is_digit(char_at(text, at - 1))) --at;
    if (at == low || text[at - 1] != '[') return nowhere;
    --at;
  }
  while (at > low) {
    const char c = char_at(text, at - 1), before = at > 1 ? char_at(text, at - 2) : '\0';
    if (is_of_name(c) || c == '$' || c == '@' || (c == '.' && dots && before != '.'))
      --at;
    else if ((c == '>' && before == '-') || (c == ':' && before == ':'))
      at -= 2;
    else
      break;
  }
  return at < end && begins_use(char_at(text, at)) ? at : nowhere;
}

// What may stand behind an expression that is all of a value.
bool ends_value(View text, std::size_t at, std::size_t limit) {
  limit = std::min(limit, text.size());
  while (at < limit && is_blank(char_at(text, at))) ++at;
  const char c = char_at(text, at);
  return c == '\0' || is_break(c) || std::string_view(";,)]}#\"'").find(c) != std::string_view::npos ||
         is_at(text, at, "//") || is_at(text, at, "--");
}

// The operands from `at` on, each behind a comma, up to what closes them.
std::size_t read_operands(View text, std::size_t at, std::size_t limit, Use& use) {
  while (use.operands.size() < most_operands) {
    Use::Operand operand;
    const std::size_t end = read_operand(text, at, limit, true, operand);
    if (end == nowhere) return nowhere;
    use.operands.push_back(operand);
    use.end = end;
    at = behind_space(text, end, limit);
    if (char_at(text, at) != ',') return at;
    at = behind_space(text, at + 1, limit);
  }
  return nowhere;
}

// Behind the brackets and signs that open a list, which `at` is before; with what a language calls it: []string{.
std::size_t behind_opener(View text, std::size_t at, std::size_t limit) {
  limit = std::min({limit, text.size(), at + longest_opener});
  std::size_t behind = nowhere;
  for (; at < limit; ++at) {
    const char c = char_at(text, at);
    if (c == '(' || c == '[' || c == '{')
      behind = at + 1;
    else if (is_quote(c) || c == '$' || c == '@' || c == ',' || c == ';' || is_break(c) || c == '=')
      break;
  }
  return behind == nowhere ? nowhere : behind_space(text, behind, limit);
}

// Is the only thing that a call at `at` is given a text without a character?
bool is_given_nothing(View text, std::size_t at, std::size_t limit) {
  at = behind_space(text, at, limit);
  if (char_at(text, at) == '(') at = behind_space(text, at + 1, limit);
  return is_quote_at(text, at) && char_at(text, at + 1) == char_at(text, at);
}

// Behind each reference to a name: what opens it, and what closes it.
struct Reference {
  std::string_view open, close;
};
constexpr Reference references[] = {{"${", "}"}, {"#{", "}"},  {"{{", "}}"}, {"{$", "}"}, {"{", "}"},
                                    {"$(", ")"}, {"\\(", ")"}, {"%", "%"},   {"!", "!"},  {"$", ""}};

// The reference that begins at `at`; where it ends. nowhere: none does.
std::size_t read_reference(View text, std::size_t at, std::string_view& name) {
  for (const auto& [open, close] : references) {
    if (!is_at(text, at, open)) continue;
    std::size_t end = at + open.size();
    const std::size_t high = std::min(text.size(), end + longest_name);
    const bool blanks = open == "{{";
    while (blanks && end < high && text[end] == ' ') ++end;
    const std::size_t begin = end;
    while (end < high && (is_of_name(char_at(text, end)) || (char_at(text, end) == '.' && !close.empty()))) ++end;
    name = last_name(cut(text, begin, end));
    while (blanks && end < high && text[end] == ' ') ++end;
    if (!name.empty() && is_at(text, end, close)) return end + close.size();
    if (open.size() > 1) return nowhere;
  }
  return nowhere;
}

bool ends_template(char c) {
  return c == '\0' || is_break(c) || is_blank(c) || is_quote(c) || c == ';' || c == ',' || c == '<' || c == '>';
}

// Where the word begins that a reference before `at` is in.
std::size_t begin_of_template(View text, std::size_t at) {
  const std::size_t low = at - std::min(at, before_template);
  while (at > low) {
    if (at > 1 && is_at(text, at - 2, "}}")) {
      const std::size_t from = at - std::min(at, longest_name), open = cut(text, from, at).rfind("{{");
      if (open == std::string_view::npos) return nowhere;
      at = from + open;
      continue;
    }
    const char c = char_at(text, at - 1);
    if (ends_template(c) || c == '=') return at;
    --at;
  }
  return at == 0 ? 0 : nowhere;
}

// Of a secret, not of what people are told: of 'no file ' + name, name + '.txt' and tag + '>'.
bool may_be_part(std::string_view literal) {
  constexpr std::size_t least = 3;
  const auto is_part = [](char c) {
    return is_alphanumeric(c) || std::string_view("_-!@#%^&*+=").find(c) != std::string_view::npos;
  };
  return literal.size() >= least && std::all_of(literal.begin(), literal.end(), is_part) &&
         (std::any_of(literal.begin(), literal.end(), is_digit) || literal.ends_with('_') || literal.ends_with('-'));
}

}  // namespace

bool Use::joins(View text) const {
  // Of a template what stands beside the only name is a path or a sentence, unless a machine made it.
  constexpr std::size_t long_part = 12, least_digits = 2;
  std::size_t names = 0, literals = 0;
  for (const auto& operand : operands)
    if (!operand.name.name.empty())
      ++names;
    else if (const auto part = cut(text, operand.literal.begin, operand.literal.end);
             may_be_part(part) &&
             (!bare || (part.size() >= long_part &&
                        std::count_if(part.begin(), part.end(), is_digit) >= std::ptrdiff_t{least_digits})))
      ++literals;
  return names > 1 || (names == 1 && literals > 0);
}

Use read_sum(View text, std::size_t at, std::size_t limit) {
  Use use;
  // The word begins with the byte before the operator, or before its blank.
  std::size_t sign = char_at(text, at) == '.' ? at : at + 1;
  while (char_at(text, sign) == ' ') ++sign;
  const char c = char_at(text, sign);
  const std::size_t width = c == '.' && char_at(text, sign + 1) == '.' ? 2 : 1;
  const bool dots = c != '.' || width == 2;
  const auto is_sign = [&](std::size_t i) {
    return char_at(text, i) == c &&
           (width == 1 ? char_at(text, i + 1) != c && char_at(text, i + 1) != '=' : char_at(text, i + 1) == c);
  };
  use.begin = sign;
  for (std::size_t i = 0; i < most_before; ++i) {
    std::size_t end = use.begin == sign ? sign : before_space(text, use.begin);
    if (use.begin != sign) {
      if (end < width || !is_sign(end - width)) break;
      end -= width;
    }
    const std::size_t begin = begin_of_operand(text, before_space(text, end), dots);
    if (begin == nowhere) {
      if (use.begin == sign) return use;
      break;
    }
    use.begin = begin;
  }
  for (std::size_t next = use.begin; use.operands.size() < most_operands;) {
    Use::Operand operand;
    const std::size_t end = read_operand(text, next, limit, dots, operand);
    if (end == nowhere) return use;
    use.operands.push_back(operand);
    use.end = end;
    next = behind_space(text, end, limit);
    if (!is_sign(next)) break;
    next = behind_space(text, next + width, limit);
  }
  const std::size_t before = before_space(text, use.begin);
  const char opens = before > 0 ? char_at(text, before - 1) : '\0';
  use.whole = ends_value(text, use.end, limit) &&
              (is_letter(opens) || std::string_view("=(,:[{>").find(opens) != std::string_view::npos);
  return use;
}

Use read_template(View text, std::size_t at, std::size_t limit) {
  Use use;
  use.bare = true;
  // The word is between two references, or it ends in the first: ="$a, f"{, !("{a.
  std::size_t begin = nowhere;
  const char first = char_at(text, at);
  if (first == '}' || is_at(text, at, "%%") || (is_of_name(first) && !is_quote_at(text, at + 1))) {
    begin = begin_of_template(text, is_at(text, at, "}}") ? at + 2 : at);
    if (begin == nowhere) return use;
    if (is_quote_at(text, begin)) ++begin;
  } else {
    begin = at + 1;
    while (begin < at + 3 && std::string_view(" (\"'`").find(char_at(text, begin)) != std::string_view::npos) ++begin;
  }
  use.begin = use.end = begin;
  limit = std::min({limit, text.size(), begin + longest_template});
  std::size_t literal = begin, next = begin;
  const auto add_literal = [&] {
    if (next > literal) use.operands.push_back({{}, {literal, next}});
  };
  while (next < limit && use.operands.size() < most_operands && !ends_template(char_at(text, next))) {
    std::string_view name;
    const std::size_t end = read_reference(text, next, name);
    if (end == nowhere) {
      if (std::string_view("$\\`{}()").find(char_at(text, next)) != std::string_view::npos) break;
      ++next;
      continue;
    }
    add_literal();
    use.operands.push_back({{name, nowhere}, {0, 0}});
    literal = next = end;
  }
  add_literal();
  use.end = next;
  use.whole = ends_template(char_at(text, next));
  return use;
}

Use read_named_format(View text, std::size_t at, std::size_t limit) {
  Use use;
  if (at == 0 || !is_quote_at(text, at - 1)) return use;
  const std::size_t close = closing_quote(text, at - 1, limit);
  if (close == nowhere) return use;
  for (std::size_t i = at; i < close; ++i)
    if (std::string_view("%s{}0123456789").find(char_at(text, i)) == std::string_view::npos) return use;
  use.begin = at - 1;
  const std::size_t comma = behind_space(text, close + 1, limit);
  std::size_t next =
      char_at(text, comma) == ',' ? behind_space(text, comma + 1, limit) : behind_opener(text, close + 1, limit);
  if (next == nowhere) return use;
  next = read_operands(text, next, limit, use);
  use.whole = next != nowhere && std::string_view(")]}").find(char_at(text, next)) != std::string_view::npos;
  return use;
}

Use read_named_join(View text, std::size_t at, std::size_t behind, std::size_t limit) {
  Use use;
  if (at < 3 || is_letter(char_at(text, behind))) return use;
  use.begin = at;
  std::size_t next = nowhere;
  bool needs_nothing = false;                              // is given behind the list
  if (text[at - 1] == '.' && is_quote_at(text, at - 2)) {  // "".join([a, b])
    if (text[at - 3] != text[at - 2]) return use;
    use.begin = at - 3;
    next = behind_opener(text, behind, limit);
  } else if (text[at - 1] == '.' && (text[at - 2] == ']' || text[at - 2] == ')')) {  // [a, b].join("")
    if (char_at(text, behind) == '(' && !is_given_nothing(text, behind, limit)) return use;
    const std::size_t low = at - std::min(at, before_template);
    std::size_t open = at - 2;
    while (open > low && text[open - 1] != '[' && text[open - 1] != '(') --open;
    if (open == low) return use;
    use.begin = open - 1;
    next = behind_space(text, open, limit);
    limit = at - 1;
  } else {  // implode('', [$a, $b]), String.join("", a, b), strings.Join([]string{a, b}, "")
    next = behind_opener(text, behind, limit);
    if (next == nowhere) return use;
    if (is_quote_at(text, next)) {
      if (char_at(text, next + 1) != char_at(text, next)) return use;
      const std::size_t comma = behind_space(text, next + 2, limit);
      if (char_at(text, comma) != ',') return use;
      next = behind_space(text, comma + 1, limit);
      if (!begins_use(char_at(text, next)))
        next = behind_opener(text, next, limit);
      else if (const std::size_t list = behind_opener(text, next, limit); list != nowhere)
        next = list;  // Arrays.asList(a, b)
    } else {
      needs_nothing = true;
    }
  }
  if (next == nowhere) return use;
  next = read_operands(text, next, limit, use);
  use.whole = next != nowhere;
  if (needs_nothing) {
    const bool closed = next != nowhere && std::string_view(")]}").find(char_at(text, next)) != std::string_view::npos;
    const std::size_t comma = closed ? behind_space(text, next + 1, limit) : nowhere;
    if (!closed || char_at(text, comma) != ',' || !is_given_nothing(text, comma + 1, limit)) use.operands.clear();
  }
  return use;
}

Use read_named_concat(View text, std::size_t at, std::size_t behind, std::size_t limit) {
  Use use;
  use.begin = at;
  if (at > 1 && text[at - 1] == '.')
    if (const std::size_t begin = begin_of_operand(text, at - 1, true); begin != nowhere) {
      Use::Operand operand;
      const std::size_t end = read_operand(text, begin, at - 1, true, operand);
      const bool is_text = !operand.name.name.empty() && operand.name.name != "String" && operand.name.name != "string";
      if (end != nowhere && (is_text || operand.literal.end > 0)) use.operands.push_back(operand);
      use.begin = begin;
    }
  if (char_at(text, behind) != '(') return use;
  std::size_t next = behind_space(text, behind + 1, limit);
  for (;;) {
    next = read_operands(text, next, limit, use);
    if (next == nowhere || char_at(text, next) != ')') return use;
    use.whole = true;
    constexpr std::string_view again = ".concat(";
    if (!is_at(text, next + 1, again)) return use;
    next = behind_space(text, next + 1 + again.size(), limit);
  }
}

Use read_named_append(View text, std::size_t at, std::size_t limit) {
  Use use;
  constexpr std::string_view again = ".append(";
  use.begin = at + again.size();
  std::size_t next = at;
  while (use.operands.size() < most_operands && next + again.size() < limit &&
         starts_caseless(text_of(text.subspan(next)), again)) {
    Use::Operand operand;
    std::size_t end = read_operand(text, behind_space(text, next + again.size(), limit), limit, true, operand);
    if (end == nowhere) return use;
    end = behind_space(text, end, limit);
    if (char_at(text, end) != ')') return use;
    use.operands.push_back(operand);
    use.end = end;
    use.whole = true;
    // .append(a).append(b), and b.append(a); b.append(b)
    next = behind_space(text, end + 1, limit);
    if (char_at(text, next) != ';') continue;
    next = behind_space(text, next + 1, limit);
    const std::size_t name = next;
    while (next < limit && next - name < longest_name && is_of_name(char_at(text, next))) ++next;
  }
  return use;
}

}  // namespace imgbuild

#include "scan/definitions.hpp"

#include <immintrin.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_name = 60, longest_value = 300, most_of_list = 64;

bool is_of_name(char c) { return is_alphanumeric(c) || c == '_'; }

std::size_t before_blanks(View text, std::size_t at) {
  const std::size_t low = at - std::min(at, longest_name);
  while (at > low && is_blank(static_cast<char>(text[at - 1]))) --at;
  return at;
}
std::size_t behind_blanks(View text, std::size_t at) {
  const std::size_t high = std::min(text.size(), at + longest_name);
  while (at < high && is_blank(static_cast<char>(text[at]))) ++at;
  return at;
}

// The name that ends at `end`, or before the quote or the brackets there.
std::string_view name_before(View text, std::size_t end) {
  end = before_blanks(text, end);
  if (end > 1 && text[end - 1] == ']' && text[end - 2] == '[') end -= 2;
  if (end > 0 && is_quote(char_at(text, end - 1))) --end;
  std::size_t at = end;
  while (at > 0 && end - at <= longest_name && is_of_name(char_at(text, at - 1))) --at;
  return text_of(text.subspan(at, end - at));
}

// Of `let a: string = "b"`, `const a string = "b"` and `Dim a As String = "b"` the name, whatever stands before the
// sign.
std::string_view name_of(View text, std::size_t end) {
  const std::string_view last = name_before(text, end);
  if (last.empty()) return last;
  std::size_t at = before_blanks(text, static_cast<std::size_t>(last.data() - text_of(text).data()));
  if (at > 0 && (text[at - 1] == '&' || text[at - 1] == '*')) at = before_blanks(text, at - 1);  // a: &str
  if (at > 0 && text[at - 1] == ':') return name_before(text, at - 1);
  const std::string_view before = name_before(text, at);
  if (starts_caseless(before, "as") && before.size() == 2)
    return name_before(text, static_cast<std::size_t>(before.data() - text_of(text).data()));
  return last == "string" && !before.empty() ? before : last;
}

// Before the letters that say how the literal is written which begins with the quote at `quote`.
std::size_t quote_sign(View text, std::size_t quote) {
  std::size_t at = quote;
  while (at > 0 && quote - at < 2 && quote_at(text, at - 1) == quote) --at;
  return at;
}

// A text without quotes: no expression, and no call.
bool is_of_bare(char c) {
  return is_alphanumeric(c) || (c != '\0' && std::string_view("_-./+=!@#^*~:?%").find(c) != std::string_view::npos);
}

// What an expression may end at, as far as a literal is all of it.
bool may_end(char c) {
  return c == '\0' || is_break(c) || std::string_view(";,)]}#/").find(c) != std::string_view::npos;
}

// Nothing in it that is another text once it is read.
bool is_literal(std::string_view value) {
  if (value.find('\\') != std::string_view::npos) return false;
  for (std::size_t at = value.find('{'); at != std::string_view::npos; at = value.find('{', at + 1))
    if (at > 0 && (value[at - 1] == '$' || value[at - 1] == '#')) return false;
  return value.find("$(") == std::string_view::npos;
}

}  // namespace

Definitions::Definitions(View text, std::size_t low, std::size_t high)
    : text_(text), low_(low), high_(std::min(high, text.size())) {
  const auto see = [&](std::size_t quote) {
    std::size_t sign = before_blanks(text, quote_sign(text, quote));
    if (sign == 0 || sign <= low || (text[--sign] != '=' && text[sign] != ':')) return;
    const bool pair = sign > 0 && (text[sign - 1] == ':' || text[sign - 1] == '?');
    const std::string_view name = text[sign] == ':' ? name_before(text, sign) : name_of(text, pair ? sign - 1 : sign);
    if (!name.empty()) with_text_.push_back(name);
  };
  const __m128i one = _mm_set1_epi8('"'), two = _mm_set1_epi8('\''), three = _mm_set1_epi8('`');
  std::size_t at = low;
  for (; at + 16 <= high_; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(text.data() + at));
    const __m128i quotes = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, one), _mm_cmpeq_epi8(bytes, two)),
                                        _mm_cmpeq_epi8(bytes, three));
    for (auto bits = static_cast<unsigned>(_mm_movemask_epi8(quotes)); bits != 0; bits &= bits - 1)
      see(at + static_cast<std::size_t>(__builtin_ctz(bits)));
  }
  for (; at < high_; ++at)
    if (is_quote(char_at(text, at))) see(at);
  std::sort(with_text_.begin(), with_text_.end());
}

bool Definitions::has_text(std::string_view name) const {
  return std::binary_search(with_text_.begin(), with_text_.end(), name);
}

void Definitions::read(std::size_t sign) {
  const bool colon = text_[sign] == ':';
  const char next = char_at(text_, sign + 1);
  if (next == '=' || (colon && !is_blank(next) && !is_quote(next)) || (!colon && next == '>')) return;
  std::size_t name_end = sign;
  if (sign > 0) {
    const char before = char_at(text_, sign - 1);
    if (colon && is_blank(before)) return;  // a ? b : c
    if (colon) {
    } else if (before == ':' || before == '?')
      --name_end;
    else if (before != '\0' && std::string_view("=!<>+-*/%&|^~.").find(before) != std::string_view::npos)
      return;
  }
  One one{colon ? name_before(text_, name_end) : name_of(text_, name_end), sign, 0, {sign, sign}};
  if (one.name.empty() || one.name.size() > longest_name) return;

  std::size_t at = behind_blanks(text_, sign + 1);
  const std::size_t limit = text_.size();
  if (const std::size_t quote = quote_at(text_, at); quote != nowhere) {
    const std::size_t close = closing_quote(text_, quote, limit);
    if (close == nowhere) return;
    one.end = close + 1;
    const Part value{quote + 1, close};
    if (may_end(char_at(text_, behind_blanks(text_, one.end))) &&
        is_literal(text_of(text_.subspan(value.begin, close - value.begin))))
      one.value = value;
  } else if (const char c = char_at(text_, at); c == '[' || c == '{' || c == '(') {
    at = behind_space(text_, at + 1, std::min(limit, at + longest_value));
    const std::size_t first = quote_at(text_, at);
    one.list = first != nowhere;
    one.end = at;
    if (one.list) one.value = {first, first};
  } else {
    const std::size_t begin = at, most = std::min(limit, at + longest_value);
    while (at < most && is_of_bare(char_at(text_, at))) ++at;
    one.end = at;
    one.bare = true;
    const char end = char_at(text_, at);
    // A=b, set "A=b", a = b: the text is all up to a blank.
    const bool whole = at == limit || is_blank(end) || is_break(end) || end == ';' || end == '"';
    if (whole && at > begin && at < begin + longest_value) one.value = {begin, at};
  }
  all_.push_back(one);
}

std::optional<Part> Definitions::value(const NameUse& use, std::size_t at, bool bare) {
  if (!std::exchange(complete_, true)) {
    for (std::size_t sign = low_; sign < high_; ++sign)
      if (text_[sign] == '=' || text_[sign] == ':') read(sign);
    std::sort(all_.begin(), all_.end(),
              [](const One& a, const One& b) { return std::tie(a.name, a.sign) < std::tie(b.name, b.sign); });
  }
  auto found = std::upper_bound(all_.begin(), all_.end(), std::tie(use.name, at),
                                [](const auto& key, const One& one) { return key < std::tie(one.name, one.sign); });
  // The one before: what a name is given out of itself is not yet given there.
  while (found != all_.begin() && (found - 1)->name == use.name && (found - 1)->end > at) --found;
  if (found == all_.begin() || (found - 1)->name != use.name) return {};
  const One& one = *(found - 1);
  if (at - one.sign > reach || (one.bare && !bare) || one.list != (use.index != nowhere)) return {};
  if (!one.list) return one.value.end > one.sign ? std::optional(one.value) : std::nullopt;
  std::size_t quote = one.value.begin;
  for (std::size_t i = 0; i < most_of_list; ++i) {
    const std::size_t close = closing_quote(text_, quote, text_.size());
    if (close == nowhere || close - one.sign > reach) return {};
    const Part part{quote + 1, close};
    if (i == use.index)
      return is_literal(text_of(text_.subspan(part.begin, close - part.begin))) ? std::optional(part) : std::nullopt;
    const std::size_t comma = behind_space(text_, close + 1, close + longest_value);
    if (char_at(text_, comma) != ',') return {};
    quote = quote_at(text_, behind_space(text_, comma + 1, comma + longest_value));
    if (quote == nowhere) return {};
  }
  return {};
}

}  // namespace imgbuild

// Reads NAME OPERATOR VALUE as people write it, from the name on.
//
// No grammar for "any language", but few shapes: the name ends, perhaps inside quotes or brackets; an operator stands
// there (or a tag's end, a parenthesis, a comma, a blank behind a flag); then a value, quoted or not, perhaps behind a
// type, a cast or a lookup with a default. What fits none is no assignment. A type and a call are skipped, not
// understood: whether the value is a secret is for the proof.
#include "scan/assignment.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "scan/letters.hpp"
#include "scan/lookup.hpp"
#include "scan/pairs.hpp"
#include "scan/quoting.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_name = 80, longest_value = 4096;

class Reader {
 public:
  Reader(std::string_view text, std::size_t begin, std::size_t end) : text_(text), begin_(begin), at_(end) {}

  std::optional<Assignment> read() {
    widen();
    if (!take()) return std::nullopt;
    out_.leads = leads();
    return out_;
  }

 private:
  bool take() {
    closers();
    const std::size_t closed = at_;
    blanks();
    if (take_tag()) return true;
    at_ = closed;
    if (take_pair()) return true;
    at_ = closed;
    if (take_operator()) return take_value();
    at_ = closed;
    return take_word();
  }

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }
  void blanks(std::size_t most = 40) {
    while (most-- > 0 && is_blank(peek())) ++at_;
  }
  void gap() { at_ = behind_gap(text_, at_); }

  // From the key word to the whole name.
  void widen() {
    std::size_t from = begin_, to = at_;
    while (from > 0 && begin_ - from < longest_name && (is_name_char(text_[from - 1]) || text_[from - 1] == '.'))
      --from;
    while (to < text_.size() && to - at_ < longest_name && !begins_wide_sign(to) &&
           (is_name_char(text_[to]) || (text_[to] == '.' && to + 1 < text_.size() && is_name_char(text_[to + 1]))))
      ++to;
    out_.name = text_.substr(from, to - from);
    before_ = from > 0 ? text_[from - 1] : '\n';
    first_ = from;
    at_ = to;
  }

  // The colon and the equals sign of the East.
  bool begins_wide_sign(std::size_t at) const { return text_.substr(at, 3) == "：" || text_.substr(at, 3) == "＝"; }

  // Nothing stands before the name on its line but marks of lists, comments and patches, and what shells export with.
  bool leads() const {
    // --from-literal=password=x, user=ada&password=x; not [type=password]:focus
    if ((before_ == '=' || before_ == '&') && text_.substr(first_ + out_.name.size()).starts_with('=')) return true;
    std::size_t line = first_;
    while (line > 0 && first_ - line < 120 && !is_break(text_[line - 1])) --line;
    std::string_view lead = trim(text_.substr(line, first_ - line));
    while (!lead.empty() && std::string_view("-*#/;+>|\"'$@ \t").find(lead.front()) != std::string_view::npos)
      lead.remove_prefix(1);
    const std::string small = lower(trim(lead));
    if (small.starts_with("set -") || small.ends_with("#(nop)  env")) return true;  // fish, docker history
    if (small.ends_with("putenv(\"") || small.ends_with("putenv('") || (is_blank(before_) && ends_in_setting(small)))
      return true;
    for (const std::string_view word : {"", "export", "set", "setx", "env", "arg", "setenv", "env:", "run export",
                                        "readonly", "local", "declare", "requirepass"})
      if (small == word) return true;
    return false;
  }

  // What closes the name: quotes, written-out quotes, brackets.
  void closers() {
    if (before_ == '*' && peek() == '*' && is_blank(peek(1))) ++at_;  // *password* of Lisp
    for (int left = 6; left > 0; --left) {
      const char c = peek();
      if (is_quote(c) || c == '\\') {
        closed_ = true;
        if (c == '\\' && !is_quote(peek(1)) && peek(1) != '\\') return;
        ++at_;
      } else if (c == '&' && (starts_caseless(rest(), "&quot;") || starts_caseless(rest(), "&#34;"))) {
        closed_ = true;
        at_ += peek(1) == 'q' ? 6 : 5;
      } else if (c == '}' || (c == ')' && closed_)) {
        braced_ = true;
        ++at_;
      } else if (c == ']' || c == '?' || c == '!' || (c == ')' && !closed_)) {
        indexed_ = indexed_ || (c == ']' && closed_);
        ++at_;
      } else if (c == '[' && closed_ && is_quote(peek(1))) {  // ['password']['postgres']
        const std::size_t close = text_.find(peek(1), at_ + 2);
        if (close == std::string_view::npos || close - at_ > 40 || close + 1 >= text_.size() || text_[close + 1] != ']')
          return;
        indexed_ = true;
        at_ = close + 2;
      } else if (c == '[' && (peek(1) == ']' || is_alphanumeric(peek(1)))) {
        std::size_t close = at_ + 1;
        while (close < text_.size() && close - at_ < 12 && is_name_char(text_[close])) ++close;
        if (close >= text_.size() || text_[close] != ']') return;
        at_ = close + 1;
      } else {
        return;
      }
    }
  }

  // <password>VALUE<, <key>password</key> <string>VALUE<, name="password">VALUE<
  bool take_tag() {
    if (peek() == '<' && peek(1) == '/') {
      const std::size_t close = text_.find('>', at_);
      if (close == std::string_view::npos || close - at_ > 60) return false;
      at_ = close + 1;
      gap();
      if (peek() != '<' || peek(1) == '/') return false;
      return take_inner_tag() && take_text();
    }
    // Attributes may stand behind the name of an element.
    if (before_ == '<' || (before_ == ':' && is_prefixed())) {
      const std::size_t close = text_.find_first_of("<>\n", at_);
      if (close == std::string_view::npos || close - at_ > 200 || text_[close] != '>' || text_[close - 1] == '/')
        return false;
      at_ = close + 1;
    } else if (closed_ && peek() == '>' && !is_blank(text_[at_ - 1]) && is_attribute()) {
      ++at_;
    } else if (const std::size_t end = closed_ && is_blank(text_[at_ - 1]) ? end_of_attributes(text_, at_) : text_.npos;
               end != text_.npos && is_attribute()) {
      at_ = end + 1;  // <string name="password" translatable="false">
    } else {
      return false;
    }
    const std::size_t text_begin = at_;
    gap();
    if (peek() == '<' && !starts_caseless(rest(), "<![cdata[")) {
      if (take_inner_tag()) return take_text();
      at_ = text_begin;
    }
    return take_text();
  }
  // <entry key="password">: an equals sign stands before the quote.
  bool is_attribute() const {
    std::size_t at = first_;
    while (at > 0 && (is_quote(text_[at - 1]) || text_[at - 1] == '\\')) --at;
    if (at == 0 || at == first_ || text_[at - 1] != '=') return false;
    // <h4 id="client-secret">, <label for="password">: what pages call their parts.
    const std::string_view before = text_.substr(0, at - 1);
    return !(before.ends_with(" for") || before.ends_with(" class") || before.ends_with("href") ||
             (before.ends_with(" id") && is_of_a_page(before.substr(before.find_last_of('<') + 1))));
  }
  // <app:password>: the name behind the colon is an element's all the same.
  bool is_prefixed() const {
    std::size_t at = first_ - 1;
    while (at > 0 && first_ - at < 24 && is_name_char(text_[at - 1])) --at;
    return at > 0 && text_[at - 1] == '<';
  }
  bool take_inner_tag() {
    for (const std::string_view tag :
         {"<value", "<string", "<str", "<param-value", "<data", "<env-entry-value", "<stringprop"})
      if (starts_caseless(rest(), tag)) {
        const std::size_t close = text_.find('>', at_);
        if (close == std::string_view::npos || close - at_ > 100) return false;
        at_ = close + 1;
        return true;
      }
    return false;
  }
  bool take_text() {
    gap();
    if (starts_caseless(rest(), "<![cdata[")) at_ += 9;
    const std::string_view line = rest().substr(0, longest_value + 1);
    const std::size_t size = std::min(line.find('<'), line.find('\n'));
    if (size == std::string_view::npos) return false;
    const std::size_t end = at_ + size;
    std::string_view value = trim(text_.substr(at_, end - at_));
    if (value.ends_with("]]>")) value.remove_suffix(3);
    at_ = end;
    gap();
    if (peek() != '<') return false;  // <password lookups> of prose
    out_.how = Assignment::How::element;
    out_.quoted = true;
    out_.value = value;
    return !value.empty();
  }

  // The value stands apart from its name: pairs.hpp.
  bool take_pair() {
    const auto value = behind_pair(text_, first_, at_, closed_);
    if (!value) return false;
    at_ = *value;
    out_.how = Assignment::How::pair;
    return take_value();
  }

  // Up to the value's first character.
  bool take_operator() {
    blanks(80);
    at_ = behind_decoration(text_, at_);
    blanks();
    if (peek() == '@' && is_quote(peek(1)) && at_ > 0 &&
        is_blank(text_[at_ - 1])) {  // #define kKey @"x" of Objective-C
      out_.how = Assignment::How::word;
      return true;
    }
    // password("x"), std::string password{"x"}, let(:password) { "x" }
    if (take('(') || (peek() == '{' && before_ != '{' && (is_blank(before_) || before_ == ':') && take('{'))) {
      gap();
      out_.how = Assignment::How::call;
      return is_quote(peek()) || string_prefix();
    }
    if (closed_ && rest().starts_with(";s:")) {  // PHP's serialize(): s:4:"name";s:12:"value"
      at_ = std::min(text_.find_first_not_of("0123456789:", at_ + 3), text_.size());
      return is_quote(peek()) || peek() == '\\';
    }
    // Erlang: {name, "value"}, -define(NAME, <<"value">>)
    if (peek() == ',' &&
        ((closed_ && !braced_) || before_ == '{' || is_symbol() || text_.substr(0, first_).ends_with("define("))) {
      ++at_;
      gap();
      if (rest().starts_with("<<\"")) at_ += 2;
      out_.how = Assignment::How::argument;
      return is_quote(peek()) || (peek() != '[' && string_prefix()) || (peek() == '\\' && is_quote(peek(1)));
    }
    static constexpr std::string_view operators[] = {"===", "!==", "||=", "?\?=", "==", "!=", ":=", "=>",
                                                     "->",  "<-",  "+=",  "?=",   ".=", "~>", "::", "||",
                                                     "?\?", "?:",  "=",   ":",    "：", "＝"};
    for (const std::string_view op : operators)
      if (rest().starts_with(op)) {
        at_ += op.size();
        if (out_.name.starts_with("-")) out_.how = Assignment::How::flag;
        if (op == ":") take_type();
        return true;
      }
    // A type between the name and the equals sign: Go's `password string = "x"`.
    const std::size_t here = at_;
    if (!closed_ && at_ > 0 && is_blank(text_[at_ - 1]) && take_type()) return true;
    at_ = here;
    return false;
  }

  // set :password, "x" of Ruby; settings.put(Environment.PASS, "x")
  bool is_symbol() const {
    if (before_ == ':') return first_ > 1 && (is_blank(text_[first_ - 2]) || text_[first_ - 2] == '(');
    if (const std::string_view call = text_.substr(0, first_); call.ends_with("cpy(")) return true;  // strcpy(
    return before_ == '(' && out_.name.find('.') != std::string_view::npos && is_upper(out_.name.back()) &&
           !out_.name.ends_with("CREDENTIALS");  // of directories: a rule of its own
  }

  // `string =`, `&'static str =`, `Optional[str] =`: a type, and the equals sign behind it.
  bool take_type() {
    const std::size_t here = at_;
    blanks();
    std::size_t end = at_;
    while (end < text_.size() && end - at_ < 48 &&
           (is_name_char(text_[end]) || is_blank(text_[end]) ||
            std::string_view("<>[]?.&'|*").find(text_[end]) != std::string_view::npos))
      ++end;
    if (end > at_ && end + 1 < text_.size() && text_[end] == '=' && text_[end + 1] != '=') {
      std::size_t value = end + 1;
      while (value < text_.size() && is_blank(text_[value])) ++value;
      at_ = value;
      if (is_quote(peek()) || string_prefix() || read_quoting(text_, value, longest_value)) {
        at_ = end + 1;
        return true;
      }
    }
    at_ = here;
    return false;
  }

  // b"x", @"x", N'x', new String("x"), []byte("x"): to the quote.
  bool string_prefix() {
    std::size_t at = at_;
    const std::size_t most = std::min(text_.size(), at_ + 48);
    bool call = false;
    while (at < most && !is_quote(text_[at])) {
      const char c = text_[at];
      if (c == '(' || c == '[' || c == '{')
        call = true;
      else if (!(is_name_char(c) || c == '.' || c == '@' || c == '$' || c == ']' || c == ':' || c == '!' || c == '%' ||
                 c == '&' || c == '<' || c == '>' || is_blank(c)))
        return false;
      ++at;
    }
    if (at >= most) return false;
    const std::string_view prefix = text_.substr(at_, at - at_);
    if (!call) {
      // A letter or two: bytes, raw, wide, a sigil, a YAML tag.
      if (prefix.size() > 2 && !prefix.starts_with("!!str") && !starts_caseless(prefix, "new ")) return false;
    } else if (prefix != "_T(" && is_lookup(prefix)) {
      return false;
    }
    at_ = at;
    return true;
  }

  bool take_value() {
    if (before_ == '*' && rest().starts_with("**")) at_ += 2;  // **Password:** of Markdown
    blanks(80);
    at_ = behind_decoration(text_, at_);
    blanks();
    // Value on the next line: only where it is quoted, or a YAML block.
    if (is_break(peek()) || (peek() == '\\' && is_break(peek(1)))) {
      if (peek() == '\\') ++at_;
      gap();
      if (!is_quote(peek())) return false;
    }
    if ((peek() == '|' || peek() == '>') &&
        (is_break(peek(1)) || (std::string_view("-+").find(peek(1)) != std::string_view::npos && is_break(peek(2))))) {
      while (!is_break(peek())) ++at_;
      gap();
    }
    if (const auto text = read_quoting(text_, at_, longest_value); text && !(peek() == '`' && before_ != '`')) {
      at_ = text->end;
      return quoted(text->value);
    }
    for (int left = 2; left > 0 && (peek() == '[' || peek() == '(' || peek() == '{') && peek(1) != ']'; --left) {
      opened_ = true;
      if (text_[at_++] == '(') gap();
      blanks();
      if (!is_quote(peek()) && peek() != '[' && peek() != '(' && peek() != '{') return false;
    }
    if (at_ >= text_.size()) return false;
    if (is_quote(peek())) return take_quoted();
    if (rest().starts_with("!!str ")) at_ += 6;
    const std::size_t here = at_;
    if (string_prefix()) return take_quoted();
    at_ = here;
    if (take_fallback()) return true;
    at_ = here;
    return take_bare();
  }

  bool take_quoted() {
    const char quote = peek();
    const std::size_t width = peek(1) == quote && peek(2) == quote ? 3 : 1;
    at_ += width;
    std::size_t end = at_;
    for (; end < text_.size() && end - at_ < longest_value; ++end) {
      if (text_[end] == '\\' && end + 1 < text_.size() && !is_break(text_[end + 1])) {
        ++end;
        continue;
      }
      if (text_[end] == quote && (width == 1 || text_.substr(end, 3) == std::string(3, quote))) break;
      if (is_break(text_[end]) && width == 1) return false;
    }
    if (end >= text_.size() || text_[end] != quote) return false;
    // ['key' => value]: what stands first in a table is a name.
    if (opened_ && width == 1 && is_key(end + 1)) return false;
    return quoted(width == 3 ? trim(text_.substr(at_, end - at_)) : text_.substr(at_, end - at_));
  }
  bool is_key(std::size_t at) const {
    while (at < text_.size() && is_blank(text_[at])) ++at;
    return text_.substr(at).starts_with("=>") || text_.substr(at).starts_with(":");
  }
  bool quoted(std::string_view value) {
    out_.value = value;
    out_.quoted = true;
    return !value.empty();
  }

  // os.environ.get("X", "VALUE"), process.env.X || 'VALUE', ${X:-VALUE}: what stands there when nobody says otherwise.
  bool take_fallback() {
    std::string_view line = rest().substr(0, 200);
    line = line.substr(0, line.find_first_of("\r\n"));
    if (line.starts_with("${")) {
      const std::size_t op = line.find(":-") != std::string_view::npos  ? line.find(":-") + 2
                             : line.find(':') != std::string_view::npos ? line.find(':') + 1
                                                                        : std::string_view::npos;
      const std::size_t close = line.find('}');
      if (op == std::string_view::npos || close == std::string_view::npos || close < op) return false;
      out_.how = Assignment::How::fallback;
      return quoted(line.substr(op, close - op));
    }
    const std::size_t quote = default_of(line);
    if (quote == std::string_view::npos) return false;
    at_ += quote;
    out_.how = Assignment::How::fallback;
    return take_quoted();
  }

  bool take_bare() {
    const bool in_url = before_ == '?' || before_ == '&' || text_.substr(0, first_).ends_with("&amp;");
    const std::size_t begin = at_;
    // password=password=password=: a line of nothing but names is not read to its end for each of them.
    int signs_left = 32;
    while (at_ < text_.size() && at_ - begin < longest_value) {
      const char c = text_[at_];
      if (is_blank(c) || is_break(c) || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' || c == '\0') break;
      if (c == '\\' && (peek(1) == 'n' || peek(1) == 'r' || peek(1) == 't' || is_quote(peek(1)) || is_break(peek(1))))
        break;
      if (in_url && (c == '&' || c == '#')) break;
      if (c == '&' && (peek(1) == '&' || begins_entity(rest()))) break;
      if (c == ';' || (c == ',' && begins_setting(text_, at_ + 1)) || (c == '&' && begins_setting(text_, at_ + 1, 1)))
        break;
      if (std::string_view("=:|?").find(c) != std::string_view::npos && --signs_left < 0) return false;
      if ((c >= 0 && c < ' ') || c == 0x7f) return false;  // no text
      ++at_;
    }
    std::string_view value = text_.substr(begin, at_ - begin);
    const char stop = peek();
    out_.quoted = false;
    // A mark behind it is the sentence's, a bracket that was not opened the expression's.
    for (bool more = !value.ends_with("..."); more && !value.empty();) {
      more = std::string_view(",;:.").find(value.back()) != std::string_view::npos;
      for (const auto& [open, close] : {std::pair{'(', ')'}, {'[', ']'}, {'{', '}'}})
        more = more || (value.back() == close && value.find(open) == std::string_view::npos);
      if (more) value.remove_suffix(1);
    }
    out_.value = value;
    // 'name': variable} of code; JSON quotes its texts.
    const char behind = begin + value.size() < text_.size() ? text_[begin + value.size()] : '\0';
    out_.ended = (stop == ';' && before_ != ';') || indexed_ ||
                 (closed_ && std::string_view(",})").find(behind) != std::string_view::npos) ||
                 (before_ != ';' && begin + value.size() < text_.size() && text_[begin + value.size()] == ';');
    // What comes behind it on its line?
    if (stop == '\'' || stop == '"' || stop == '`')
      out_.followed = begin == 0 || first_ == 0 ? false : !opened_with(stop);
    blanks();
    const char next = peek();
    if (is_blank(stop))
      out_.followed = !(at_ >= text_.size() || is_break(next) ||
                        std::string_view("#;,}])|&\\<").find(next) != std::string_view::npos ||
                        rest().starts_with("//") || rest().starts_with("-- ") || rest().starts_with("--") ||
                        rest().starts_with("/*") || rest().starts_with("-") || begins_setting(text_, at_));
    return !value.empty();
  }
  // "export PASSWORD=x": the quote that ends the value was opened before the name, on its line.
  bool opened_with(char quote) const {
    for (std::size_t at = first_; at > 0 && first_ - at < 400 && !is_break(text_[at - 1]); --at)
      if (text_[at - 1] == quote) return true;
    return false;
  }

  // --password VALUE, PASSWORD 'VALUE', ENV PASSWORD VALUE, password is VALUE
  bool take_word() {
    if (!is_blank(peek())) return false;
    const std::size_t gap_begin = at_;
    blanks();
    const bool flag = out_.name.starts_with("-");
    if (flag) {
      out_.how = Assignment::How::flag;
      if (peek() == '-') return false;
      return take_value();
    }
    if (starts_caseless(rest(), "is ") || starts_caseless(rest(), "is: ") || starts_caseless(rest(), "by ")) {
      at_ += 3;
      blanks();
      out_.how = Assignment::How::word;
      return take_value();
    }
    if (starts_caseless(rest(), "as ")) return false;
    // Behind the first word of a directive (ENV, ARG, requirepass), or a quoted value behind a key word of SQL.
    out_.how = Assignment::How::word;
    if (rest().starts_with("_T(\"")) at_ += 3;
    if (peek() == '\'' || (peek() == '"' && gap_begin != at_)) return take_quoted();
    std::size_t line = first_;
    while (line > 0 && first_ - line < 200 && !is_break(text_[line - 1])) --line;
    const std::string lead = lower(trim(text_.substr(line, first_ - line)));
    if (!lead.empty() && !lead.starts_with("set -") && lead != "env" && lead != "arg" && !lead.ends_with(" env") &&
        lead != "set" && lead != "export" && lead != "setenv" && lead != "-")
      return false;
    return take_bare() && !out_.followed;
  }

  std::string_view text_;
  std::size_t begin_, at_, first_ = 0;
  char before_ = '\n';
  bool closed_ = false, braced_ = false, opened_ = false, indexed_ = false;
  Assignment out_;
};

}  // namespace

std::optional<Assignment> read_assignment(std::string_view text, std::size_t begin, std::size_t end) {
  return Reader(text, begin, end).read();
}

}  // namespace imgbuild

#include "scan/pairs.hpp"

#include <algorithm>

#include "scan/letters.hpp"

namespace imgbuild {
namespace {

class Pair {
 public:
  Pair(std::string_view text, std::size_t name, std::size_t at) : text_(text), name_(name), at_(at) {}

  std::size_t at() const { return at_; }

  // name="password" value="VALUE"; "name": "password", "value": "VALUE"
  bool quoted() {
    gap();
    take(',');
    gap();
    if (is_quote(peek())) ++at_;
    if (peek() == '\\') at_ += 2;
    return word();
  }
  // "password": {"value": "VALUE"}
  bool object() {
    blanks();
    if (!take(':')) return false;
    gap();
    if (!take('{')) return false;
    gap();
    return take('"') && word();
  }
  // - name: PASSWORD
  //   value: VALUE
  bool yaml() {
    if (!is_break(peek())) return false;
    gap();
    if (!starts_caseless(rest(), "value:")) return false;
    at_ += 6;
    return true;
  }
  // variable "password" {
  //   default = "VALUE"
  bool variable() {
    if (!text_.substr(0, name_).ends_with("variable \"")) return false;
    blanks();
    if (!take('{')) return false;
    const std::string_view body = rest().substr(0, rest().find('}'));
    for (std::size_t found = body.find("default"); found != std::string_view::npos;
         found = body.find("default", found + 7)) {
      if (found > 0 && is_name_char(body[found - 1])) continue;
      at_ += found + 7;
      blanks();
      return take('=');
    }
    return false;
  }
  // | PASSWORD | `VALUE` |: the cell is one word.
  bool cell() {
    blanks();
    if (!take('|')) return false;
    std::size_t line = name_;
    while (line > 0 && name_ - line < longest && !is_break(text_[line - 1])) --line;
    if (line == name_ || text_[line] != '|') return false;
    blanks();
    const std::size_t end = std::min(rest().find_first_of("|\r\n"), rest().size());
    const std::string_view cell = rest().substr(0, end);
    return end < rest().size() && rest()[end] == '|' &&
           cell.substr(0, cell.find_last_not_of(" `") + 1).find(' ') == std::string_view::npos;
  }
  // PASSWORD,VALUE: two fields of a line, the first of which could be the name of a setting.
  bool line() {
    if (name_ > 0 && !is_break(text_[name_ - 1])) return false;
    const std::string_view name = text_.substr(name_, at_ - name_);
    if (name.find('_') == std::string_view::npos || !take(',')) return false;
    const std::string_view value = rest().substr(0, rest().find_first_of(",\r\n \t"));
    return value.size() < rest().size() && is_break(rest()[value.size()]) && value.find(',') == std::string_view::npos;
  }

  // user, PASSWORD = "x", "VALUE"; list($user, $PASSWORD) = array("x", "VALUE")
  bool several() {
    const auto is_part = [](char c) {
      return is_name_char(c) || is_blank(c) || is_quote(c) ||
             std::string_view(".$@]->").find(c) != std::string_view::npos;
    };
    std::size_t index = 0, from = name_;
    for (; from > 0 && name_ - from < 120 && !is_break(text_[from - 1]); --from) {
      const char c = text_[from - 1];
      if (c == ',')
        ++index;
      else if (!is_part(c) && !(c == '[' && from > 1 && is_name_char(text_[from - 2])))
        break;
    }
    const char open = from > 0 ? text_[from - 1] : '\n';
    const bool listed = open == '(' || open == '[';
    if (!listed && !is_break(open) && open != ';' && open != '{') return false;
    bool more = index > 0, closes = false;
    std::size_t end = name_;
    for (; end < text_.size() && end - name_ < 200 && text_[end] != '=' && text_[end] != ':'; ++end) {
      const char c = text_[end];
      more = more || c == ',';
      closes = closes || (c == (open == '(' ? ')' : ']') && end + 1 < text_.size() && text_[end + 1] != ',');
      if (!is_part(c) && c != ',' && c != ')' && c != '[') return false;
    }
    if (!more || closes < listed) return false;
    at_ = end;
    take(':');
    if (!take('=') || peek() == '=' || peek() == '>') return false;
    blanks();
    for (const std::string_view list : {"array(", "(", "["})
      if (starts_caseless(rest(), list)) {
        at_ += list.size();
        break;
      }
    for (gap(); index > 0; --index) {
      std::size_t skipped = is_quote(peek()) ? rest().find(peek(), 1) : 0;
      if (skipped == std::string_view::npos) return false;
      skipped = rest().find_first_of(",;\n", skipped);
      if (skipped == std::string_view::npos || rest()[skipped] != ',') return false;
      at_ += skipped + 1;
      gap();
    }
    return is_quote(peek());
  }

 private:
  static constexpr std::size_t longest = 400;  // of what is looked at
  std::string_view rest() const { return text_.substr(std::min(at_, text_.size()), longest); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void blanks() {
    for (int left = 40; left > 0 && is_blank(peek()); --left) ++at_;
  }
  void gap() { at_ = behind_gap(text_, at_); }
  bool word() {
    std::size_t skipped = 0;
    for (const std::string_view word : {"value", "content", "val", "defaultvalue", "default"})
      if (starts_caseless(rest(), word)) skipped = std::max(skipped, word.size());
    if (skipped == 0 || is_name_char(peek(skipped))) return false;
    at_ += skipped;
    while (is_quote(peek()) || peek() == '\\') ++at_;
    blanks();
    return take('=') || take(':');
  }

  std::string_view text_;
  std::size_t name_, at_;
};

}  // namespace

std::optional<std::size_t> behind_pair(std::string_view text, std::size_t name, std::size_t at, bool closed) {
  struct Shape {
    bool (Pair::*reads)();
    bool closed;  // does the name stand in quotes?
  };
  static constexpr Shape shapes[] = {{&Pair::quoted, true},  {&Pair::object, true}, {&Pair::variable, true},
                                     {&Pair::yaml, false},   {&Pair::cell, false},  {&Pair::line, false},
                                     {&Pair::several, false}};
  for (const auto& shape : shapes) {
    Pair pair(text, name, at);
    if ((closed || !shape.closed) && (pair.*shape.reads)()) return pair.at();
  }
  return std::nullopt;
}

}  // namespace imgbuild

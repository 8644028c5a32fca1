#include "scan/quoting.hpp"

#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {
namespace {

class Quoting {
 public:
  Quoting(std::string_view text, std::size_t at, std::size_t longest)
      : text_(text.substr(0, std::min(text.size(), at + longest))), at_(at) {}

  std::optional<QuotedText> read() const {
    for (const std::string_view quote : {"&quot;", "&#34;", "\\u0022"})
      if (starts_caseless(rest(), quote)) return until(quote, quote.size());
    switch (peek()) {
      case '\\':
        return escaped();
      case 'q':
      case '%':
        return chosen();
      case '#':
      case 'r':
      case 'b':
        return raw();
      case 'R':
      case 'L':
      case 'u':
        return raw_of_cpp();
      case '[':
        return rest().starts_with("[[") && !is_quote(peek(2)) && peek(2) != '[' ? until("]]", 2) : std::nullopt;
      case '{':
        return braced();
      case '`':
        return until("'", 1);
      case '<':
        return here_document();
      default:
        return std::nullopt;
    }
  }

 private:
  std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  std::optional<QuotedText> until(std::string_view close, std::size_t open) const {
    const std::size_t size = rest().substr(std::min(open, rest().size())).find(close);
    if (size == std::string_view::npos) return std::nullopt;
    const std::string_view value = rest().substr(open, size);
    if (value.find('\n') != std::string_view::npos) return std::nullopt;
    return QuotedText{value, at_ + open + size + close.size()};
  }

  // \"VALUE\", and deeper: \\\"VALUE\\\"
  std::optional<QuotedText> escaped() const {
    std::size_t quote = 0;
    while (peek(quote) == '\\') ++quote;
    if (!is_quote(peek(quote))) return std::nullopt;
    return until(rest().substr(0, quote + 1), quote + 1);
  }

  // q(x), qq{x}, %q(x), %w[x]
  std::optional<QuotedText> chosen() const {
    std::size_t open = peek() == '%' ? 1 : 0;
    if (std::string_view("qQwW").find(peek(open)) == std::string_view::npos) return std::nullopt;
    ++open;
    if (peek(open) == 'q' && open == 1) ++open;
    for (const auto& [left, right] : {std::pair{'(', ')'}, {'{', '}'}, {'[', ']'}})
      if (peek(open) == left) return until(std::string_view(&right, 1), open + 1);
    return std::nullopt;
  }

  // r#"x"#, br##"x"##, #"x"#
  std::optional<QuotedText> raw() const {
    std::size_t open = peek() == 'b' ? 1 : 0;
    if (peek(open) == 'r') ++open;
    const std::size_t first = open;
    while (peek(open) == '#') ++open;
    if (open == first || peek(open) != '"') return std::nullopt;
    return until('"' + std::string(open - first, '#'), open + 1);
  }

  // R"(x)", u8R"delimiter(x)delimiter"
  std::optional<QuotedText> raw_of_cpp() const {
    const std::size_t open = rest().substr(0, 24).find("R\"");
    if (open == std::string_view::npos || open > 2) return std::nullopt;
    const std::size_t bracket = rest().substr(0, 24).find('(', open);
    if (bracket == std::string_view::npos) return std::nullopt;
    const std::string delimiter(rest().substr(open + 2, bracket - open - 2));
    return until(")" + delimiter + "\"", bracket + 1);
  }

  // set password {x}: one word.
  std::optional<QuotedText> braced() const {
    if (at_ == 0 || !is_blank(text_[at_ - 1])) return std::nullopt;
    const auto text = until("}", 1);
    if (!text || text->value.find_first_of(" \t\"'`{:;,=$") != std::string_view::npos) return std::nullopt;
    return text;
  }

  // <<EOT, <<~'EOT', <<-EOT, <<<EOT: the line behind it, where the next one ends it.
  std::optional<QuotedText> here_document() const {
    std::size_t tag = 0;
    while (peek(tag) == '<') ++tag;
    if (tag < 2 || tag > 3) return std::nullopt;
    while (peek(tag) == '~' || peek(tag) == '-' || is_quote(peek(tag))) ++tag;
    std::size_t end = tag;
    while (is_name_char(peek(end))) ++end;
    const std::string_view name = rest().substr(tag, end - tag);
    const std::size_t line = rest().find('\n', end);
    if (name.size() < 2 || line == std::string_view::npos || line - end > 4) return std::nullopt;
    const std::size_t line_end = rest().find('\n', line + 1);
    if (line_end == std::string_view::npos) return std::nullopt;
    std::string_view behind = rest().substr(line_end + 1);
    while (!behind.empty() && is_blank(behind.front())) behind.remove_prefix(1);
    if (!behind.starts_with(name)) return std::nullopt;
    const std::string_view value = trim(rest().substr(line + 1, line_end - line - 1));
    if (value.empty()) return std::nullopt;
    return QuotedText{value, at_ + line_end + 1 + name.size()};
  }

  std::string_view text_;
  std::size_t at_;
};

}  // namespace

std::optional<QuotedText> read_quoting(std::string_view text, std::size_t at, std::size_t longest) {
  return Quoting(text, at, longest).read();
}

}  // namespace imgbuild

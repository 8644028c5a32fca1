#include "scan/lookup.hpp"

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "scan/letters.hpp"

namespace imgbuild {

bool is_lookup(std::string_view expression) {
  static constexpr std::string_view words[] = {
      "env",    "get",     "find",    "load",      "read",    "lookup", "fetch", "config", "setting",
      "secret", "param",   "request", "req.",      "vault",   "select", "query", "input",  "prompt",
      "open",   "file",    "t(",      "_(",        "hash",    "crypt",  "sha",   "md5",    "digest",
      "ref",    "resolve", "require", "import",    "args",    "opt",    "flag",  "form",   "post",
      "field",  "column",  "label",   "translate", "i18n",    "format", "print", "log",    "error",
      "header", "cookie",  "session", "json",      "self",    "this",   "props", "state",  "data[",
      "row",    "$_",      "match",   "test",      "replace", "split",  "join"};
  const std::string small = lower(expression);
  if (small.starts_with("credentials(")) return true;  // Jenkins
  if (small == "decodeuricomponent(" || small.ends_with("plaintext(")) return false;
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return small.find(word) != std::string::npos; });
}

std::size_t default_of(std::string_view line) {
  static constexpr std::string_view defaults[] = {"||", "?\?", "?:", " or ", "unwrap_or(", "unwrap_or_else(|_|",
                                                  ",",  " : "};
  const std::string small = lower(line);
  const bool asks = small.find("env") != std::string::npos || small.find("config") != std::string::npos ||
                    small.find("get") != std::string::npos;
  const bool chooses = line.find(" ? ") != std::string_view::npos;
  if (!asks && !chooses && small.find("arg") == std::string::npos) return std::string_view::npos;
  for (const std::string_view op : defaults) {
    std::size_t at = line.find(op);
    if (at == std::string_view::npos || (op == " : " && !chooses) || (op == "," && !asks)) continue;
    for (at += op.size(); at < line.size() && is_blank(line[at]); ++at) {
    }
    if (at < line.size() && is_quote(line[at])) return at;
  }
  return std::string_view::npos;
}

bool is_of_a_page(std::string_view tag) {
  static constexpr std::string_view names[] = {
      "h1",   "h2",    "h3",   "h4",     "h5",     "h6",      "a",  "p",      "td", "th", "dt", "dd", "li", "div",
      "span", "label", "code", "button", "option", "section", "em", "strong", "b",  "i",  "tr", "ul", "pre"};
  const std::string name = lower(tag.substr(0, tag.find_first_of(" \t\r\n>")));
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view known) { return known == name; });
}

bool begins_setting(std::string_view text, std::size_t at, std::size_t least) {
  const std::size_t begin = at;
  while (at < text.size() && at - begin < 32 && (is_alphanumeric(text[at]) || text[at] == '_')) ++at;
  return at >= begin + least && at < text.size() && text[at] == '=';
}

bool begins_entity(std::string_view text) {
  static constexpr std::string_view entities[] = {"&amp;", "&quot;", "&rdquo;", "&ldquo;", "&rsquo;", "&lsquo;"};
  return std::any_of(std::begin(entities), std::end(entities),
                     [&](std::string_view entity) { return starts_caseless(text, entity); });
}

bool ends_in_setting(std::string_view text) {
  std::string_view last = text.substr(text.find_last_of(" \t") + 1);
  if (!last.empty() && is_quote(last.front())) last.remove_prefix(1);
  const std::size_t sign = last.find('=');
  return sign != std::string_view::npos && sign > 1 && sign + 1 < last.size() &&
         std::all_of(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(sign), is_name_char) &&
         last.find_first_of("(){}<>,;\"'`$|&", sign) == std::string_view::npos;
}

std::size_t behind_decoration(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(std::min(at, text.size()), 80);
  if (rest.starts_with('{')) {
    const std::size_t close = rest.find('}');
    return close != std::string_view::npos && rest.substr(0, close).find("get;") != std::string_view::npos
               ? at + close + 1
               : at;
  }
  if (constexpr std::string_view text_of_smali = ":Ljava/lang/String;"; rest.starts_with(text_of_smali))
    return at + text_of_smali.size();
  if (!rest.starts_with('&') || rest.size() < 2 || !is_name_char(rest[1])) return at;
  std::size_t end = 1;
  while (end < rest.size() && is_name_char(rest[end])) ++end;
  return end < rest.size() && is_blank(rest[end]) ? at + end : at;
}

std::size_t end_of_attributes(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(std::min(at, text.size()), 120);
  const std::size_t close = rest.find_first_of("<>\n");
  return close != std::string_view::npos && rest[close] == '>' && close > 0 && rest[close - 1] != '/' &&
                 rest.find('=') < close
             ? at + close
             : std::string_view::npos;
}

}  // namespace imgbuild

#include "scan/lookup.hpp"

#include <algorithm>
#include <iterator>

#include "base/text.hpp"

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
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return small.find(word) != std::string::npos; });
}

bool is_of_a_page(std::string_view tag) {
  static constexpr std::string_view names[] = {
      "h1",   "h2",    "h3",   "h4",     "h5",     "h6",      "a",  "p",      "td", "th", "dt", "dd", "li", "div",
      "span", "label", "code", "button", "option", "section", "em", "strong", "b",  "i",  "tr", "ul", "pre"};
  const std::string name = lower(tag.substr(0, tag.find_first_of(" \t\r\n>")));
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view known) { return known == name; });
}

}  // namespace imgbuild

// Passwords that somebody thought of: made of words, and yet no name of a program's.
#include <algorithm>

#include "base/text.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

// Does one of the words of which a name of code or of a system is made begin in it?
bool has_technical_word(std::string_view value) {
  static constexpr std::string_view technical[] = {
      "pass",   "secret",  "token",  "auth",    "cred",    "key",    "user",    "admin",  "login",   "data",   "base",
      "serv",   "prod",    "dev",    "test",    "stag",    "demo",   "exampl",  "sample", "default", "config", "name",
      "file",   "cert",    "value",  "cluster", "node",    "region", "zone",    "bucket", "role",    "group",  "policy",
      "versi",  "releas",  "build",  "branch",  "image",   "volume", "network", "field",  "input",   "form",   "text",
      "type",   "string",  "number", "private", "public",  "vault",  "store",   "kube",   "docker",  "local",  "http",
      "postgr", "mysql",   "redis",  "mongo",   "north",   "south",  "east",    "west",   "central", "host",   "port",
      "client", "account", "access", "your",    "change",  "insert", "enter",   "here",   "path",    "code",   "hash",
      "crypt",  "random",  "app",    "web",     "api",     "mail",   "page",    "style",  "color",   "view",   "list",
      "item",   "table",   "index",  "event",   "message", "error",  "window",  "button", "panel",   "dialog", "menu"};
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find_first_of("_-./:,;|\\ ", at), value.size());
    if (any_of(technical, lower(value.substr(at, end - at)), starts_with)) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

// Three words or more that have nothing to do with one another, and a number, as people are told to choose: no name of
// anything that programs have.
bool is_passphrase(std::string_view value) {
  const NameLikeness likeness = name_likeness(value);
  return likeness.words && likeness.symbols == 0 && likeness.numbers == 1 && likeness.digits <= 4 &&
         likeness.joints >= 3 && likeness.parts >= 3 && likeness.letters >= likeness.parts * 4 &&
         !has_technical_word(value);
}

bool is_title_phrase(std::string_view value) {
  std::size_t words = 0, at = 0;
  while (at < value.size() && is_upper(value[at])) {
    std::size_t end = at + 1;
    while (end < value.size() && is_lower(value[end])) ++end;
    if (end - at < 3) return false;
    ++words;
    at = end;
    if (at < value.size() && (value[at] == '-' || value[at] == '_')) ++at;
  }
  const std::size_t digits = value.size() - at;
  return words >= 2 && words <= 4 && digits >= 1 && digits <= 4 &&
         value.find_first_not_of("0123456789", at) == std::string_view::npos &&
         value.find_first_of("-_") != std::string_view::npos && !has_technical_word(value);
}

// Three words and more, as people are told to choose a password: none of them of those that programs, forms and
// messages are full of.
bool is_plain_phrase(std::string_view value) {
  static constexpr std::string_view said[] = {
      "with",   "must",   "this",   "that",   "does",    "have",   "from",   "when",   "then",   "than",   "only",
      "match",  "requir", "invali", "valid",  "wrong",   "incorr", "weak",   "strong", "short",  "minim",  "maxim",
      "length", "reset",  "forgot", "curren", "confirm", "repeat", "expire", "empty",  "missin", "lost",   "charac",
      "upper",  "lower",  "letter", "specia", "symbol",  "digit",  "verify", "check",  "updat",  "creat",  "delet",
      "remov",  "show",   "hide",   "toggle", "visibl",  "label",  "title",  "settin", "profil", "should", "cannot",
      "same",   "more",   "less",   "least",  "never",   "always", "allow",  "deny",   "enabl",  "disabl", "support",
      "manag",  "provid", "handl",  "servi",  "gener",   "plain",  "clear",  "custom", "option", "submit", "session",
      "refer",  "extern", "intern", "global", "compon",  "elemen", "contro", "middle", "librar", "module", "plugin"};
  std::size_t words = 0;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find('-', at), value.size());
    const std::string_view word = value.substr(at, end - at);
    if (word.size() < 4 || word.size() > 10 || !std::all_of(word.begin(), word.end(), is_lower) ||
        any_of(said, word, starts_with))
      return false;
    ++words;
    at = end + 1;
  }
  return words >= 3 && words <= 6 && name_likeness(value).words && !has_technical_word(value);
}

// Of random letters every second one changes its case, of words written together every fifth.
bool changes_case(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return makeup.uppers >= 3 && makeup.lowers >= 3 && name_likeness(value).parts * 3 >= value.size();
}

// "ymtd6vny": two heaps of letters and a digit between them. "oauth2client" has words there.
bool is_parted_by_digit(std::string_view value) {
  return value.size() >= 7 && !is_digit(value.front()) && !is_digit(value.back()) && mean_of_pairs(value) < 4.9;
}

// "Admin@4321", "Qwerty!23": common words, but with all that a policy asks for: somebody made it to be used.
bool is_as_policies_want(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return value.size() >= 8 && value.size() <= 24 &&
         (makeup.digits >= 2 || (makeup.digits == 1 && makeup.uppers > 0 && makeup.lowers > 0)) &&
         value.find_first_of("!@#$%^&*") != std::string_view::npos &&
         value.find_first_of("<>{}()[].") == std::string_view::npos && !contains(lower(value), "passw") &&
         makeup.lowers >= 3 && !value.starts_with("$") && !value.starts_with("@") && !value.starts_with("%");
}

}  // namespace imgbuild::proofs

// Passwords that a text tells: "the password is X", "пароль: X". What stands there may be a word of the sentence, the
// name of what the password is of, or how it is kept; behind a colon or in quotes it is given, and less will do.
#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

// Windows10, OAuth2, TLS1.2, WPA2-PSK, MySQL 5.7's 5.7.33-log, 802.11i: a thing of which there are several.
bool is_product(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "wpa",     "wep",    "psk",     "tls",      "ssl",   "oauth",     "openid",  "saml",     "pci-",      "nist",
      "iso-",    "iso2",   "rfc",     "utf",      "http",  "ieee",      "802.",    "cve-",     "bcrypt",    "openssl",
      "windows", "win10",  "win11",   "office",   "mysql", "mariadb",   "postgr",  "oracle",   "python",    "java",
      "php",     "debian", "ubuntu",  "centos",   "rhel",  "chrome",    "firefox", "ios",      "android",   "ipv",
      "fido",    "totp",   "chap",    "kerberos", "base6", "unicode",   "iphone",  "apache",   "nginx",     "docker",
      "latin",   "cp125",  "openssh", "hmac",     "argon", "1password", "keepass", "lastpass", "bitwarden", "vault",
      "gmail",   "socks",  "md5",     "sha",      "aes",   "rsa"};
  value = value.substr(0, value.find('('));
  const std::string small = lower(value);
  if (any_of(heads, small, starts_with) && name_likeness(value).symbols == 0 && value.size() <= 24) {
    const auto digits = static_cast<std::size_t>(std::count_if(value.begin(), value.end(), is_digit));
    if (digits <= 4 || value.find_first_of(".-") != std::string_view::npos) return true;
  }
  // OpenSSL1.1, Zabbix-6.0.3
  std::size_t at = 0;
  while (at < value.size() && is_letter(value[at])) ++at;
  const std::string_view number = value.substr(std::min(value.find_first_not_of("-_/v", at), value.size()));
  return at >= 2 && number.size() >= 3 && number.size() <= 8 && number.find('.') != std::string_view::npos &&
         is_digit(number[0]) && number.find_first_not_of("0123456789.") == std::string_view::npos &&
         number.find('.') <= 2;
}

// JIRA-1234, INC0012345, DB-01: how things are numbered.
bool is_numbered(std::string_view value) {
  std::size_t at = 0;
  while (at < value.size() && is_upper(value[at])) ++at;
  if (at < 2 || at > 10) return false;
  std::string_view number = value.substr(at);
  const bool joined = number.starts_with('-') || number.starts_with('_') || number.starts_with('#');
  if (joined) number.remove_prefix(1);
  return !number.empty() && std::all_of(number.begin(), number.end(), is_digit) && number.size() <= 8 &&
         (joined || number.size() >= 5 || value.size() <= 7);
}

// web01.acme.io, db1.acme.io:5432: two dots, or one of an ending that everybody knows.
bool is_host(std::string_view value) {
  value = value.substr(0, value.find_first_of(":/"));
  if (value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string_view::npos) return false;
  const std::size_t dot = value.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view end = value.substr(dot + 1);
  static constexpr std::string_view known[] = {"com", "org", "net", "io", "de", "fr", "es", "it", "pl", "ru", "local",
                                               "lan", "eu",  "br",  "cn", "jp", "kr", "tr", "nl", "cz", "uk", "dev"};
  return end.size() >= 2 && end.size() <= 8 && std::all_of(end.begin(), end.end(), is_letter) &&
         (std::count(value.begin(), value.end(), '.') >= 2 ||
          std::find(std::begin(known), std::end(known), end) != std::end(known));
}

// pam_start(), argv[0], *uint16, -fsimple=1, %.4s-%.2s, &#x3C;string: code, and what pages and programs make of it.
bool is_of_code(std::string_view value) {
  if (std::string_view("*&-/|<>=%@~").find(value[0]) != std::string_view::npos) return true;
  std::size_t at = 0;
  while (at < value.size() && (is_alphanumeric(value[at]) || value[at] == '_' || value[at] == '.')) ++at;
  const std::string_view rest = value.substr(at);
  const bool call = rest == "(" || rest.starts_with("()") || (rest.starts_with("[") && is_letter(value[0]));
  return (at > 0 && call) || contains(value, "%.") || contains(value, "&#") || contains(value, "&lt;") ||
         contains(value, "&gt;") || contains(value, "->") || contains(value, "::") || contains(value, "\\");
}

// varchar(64, decimal(10,2: a type of SQL.
bool is_type(std::string_view value) {
  const std::size_t open = value.find('(');
  return open != std::string_view::npos && open >= 3 && open <= 12 && open + 1 < value.size() &&
         std::all_of(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(open), is_alphanumeric) &&
         value.find_first_not_of("0123456789,)", open + 1) == std::string_view::npos;
}

// Of the words before it: those of a policy, of a key of a table, of a program, and not of a password.
bool is_of_another(std::string_view said) {
  static constexpr std::string_view others[] = {
      "policy",
      "sha256:",
      "sha1:",
      "md5:",
      "sha512:",
      "%s",
      "politika",
      "\xce\xb1\xcf\x80\xce\xbf\xcf\x83\xcf\x84\xce\xbf\xce\xbb",          // of a parcel
      "\xcf\x80\xce\xb5\xce\xbb\xce\xac\xcf\x84",                          // of a customer
      "\xcf\x80\xce\xb1\xcf\x81\xce\xb1\xce\xb3\xce\xb3\xce\xb5\xce\xbb",  // of an order
      "\xcf\x83\xcf\x86\xce\xac\xce\xbb\xce\xbc",                          // of an error
      "manager",
      "column",
      "field",
      "protocol",
      "hash",
      "encrypted with",
      "stored",
      "encoded",
      "length",
      "strength",
      "primari",
      "for\xc3\xa1nea",
      "foranea",
      "\xc3\xba"
      "blica",
      "publica",
      "palabras",
      "palavras-chave",
      "producto",
      "produit",
      "\xcf\x80\xcf\x81\xce\xbf\xcf\x8a",
      "minim",
      "m\xc3\xadn",
      "maxim",
      "class ",
      "variable",
      "method",
      "parameter",
      "reset at",
      "expire",
      "generated",
      "algorithm",
      " format",
      "property",
      "argument",
      " function",
      "must ",
      "should ",
      "cannot ",
      "does not",
      "doesn't",
      "gespeichert",
      "verschl",
      "cifrad",
      "criptog",
      "almacen",
      "armazen",
      "\xe5\x8a\xa0\xe5\xaf\x86",  // encrypted
      "\xe5\xbc\xba\xe5\xba\xa6",
      "\xe5\xbc\xb7\xe5\xba\xa6",  // strength
      "\xe9\x95\xbf\xe5\xba\xa6",
      "\xe9\x95\xb7\xe5\xba\xa6",  // length
      "\xe6\x9a\x97\xe5\x8f\xb7"};
  const std::string small = lower(said);
  return any_of(others, small, contains);
}

// p0gusmns8t: digits in more than one place among letters that are no words.
bool is_interspersed(std::string_view value) {
  const NameLikeness likeness = name_likeness(value);
  return value.size() >= 8 && likeness.numbers >= 2 && likeness.joints == 0 && likeness.symbols == 0 &&
         is_letter(value.front()) && likeness.letters > likeness.digits && is_letter(value.back());
}

// What stands in front says that this is it: a colon, an equals sign, an arrow, dots, a quote.
bool is_given(std::string_view said) {
  static constexpr std::string_view marks[] = {":",
                                               "=",
                                               "=>",
                                               "->",
                                               "\"",
                                               "'",
                                               "`",
                                               "*",
                                               ">",
                                               "..",
                                               "\xef\xbc\x9a",
                                               "\xe3\x80\x8c",
                                               "\xe3\x80\x8e",
                                               "\xe3\x80\x90",
                                               "\xe2\x80\x9c",
                                               "\xe2\x80\x9e",
                                               "\xc2\xab",
                                               "\xe2\x80\x98",
                                               "\xe2\x80\x94",
                                               "\xe2\x80\x93",

                                               " -"};
  while (!said.empty() && (is_space(said.back()) || said.ends_with("\xc2\xa0"))) said.remove_suffix(1);
  return any_of(marks, said, ends_with);
}

// velvet-badger-bucket-24: words that somebody was told to choose, behind what says that they are a password. One of
// them may be one of programs'.
bool is_numbered_words(std::string_view value) {
  const NameLikeness likeness = name_likeness(value);
  return likeness.words && likeness.symbols == 0 && likeness.parts >= 3 && likeness.parts <= 6 &&
         likeness.numbers == 1 && likeness.digits <= 4 && is_digit(value.back()) &&
         likeness.letters >= likeness.parts * 4 && std::none_of(value.begin(), value.end(), is_upper) &&
         value.find_first_of("/:;, |\\") == std::string_view::npos && !is_made_of_placeholder_words(value) &&
         !is_stand_in(value);
}

// Of a font or a program: control characters right before what says it, or right behind.
bool is_of_binary(std::string_view around, std::string_view match) {
  constexpr std::size_t reach = 24;
  const auto begin = static_cast<std::size_t>(match.data() - around.data()), end = begin + match.size();
  if (begin > around.size() || end > around.size()) return false;
  const std::string_view near = around.substr(begin - std::min(begin, reach), std::min(begin, reach));
  const auto control = [](char c) { return c >= 0 && c < 0x20 && !is_space(c) && c != 0x1b; };
  return std::any_of(near.begin(), near.end(), control) || std::any_of(match.begin(), match.end(), control) ||
         std::any_of(around.begin() + static_cast<std::ptrdiff_t>(end),
                     around.begin() + static_cast<std::ptrdiff_t>(std::min(around.size(), end + reach)), control);
}

Proof proven_of(std::string_view value) {
  Proof proof = proven(true);
  proof.secrets = {value};
  return proof;
}

}  // namespace

Proof told_password(const Suspect& suspect) {
  Suspect told = suspect;
  const std::string_view said =
      suspect.match.substr(0, static_cast<std::size_t>(suspect.secret.data() - suspect.match.data()));
  std::string_view& value = told.secret;
  constexpr std::string_view marks = ".,;:)]}>\"'`";
  while (!value.empty() &&
         (marks.find(value.back()) != std::string_view::npos || (value.back() == '*' && said.ends_with('*'))))
    value.remove_suffix(1);
  // login/password: ada/X
  const std::string_view whole = suspect.around;
  const auto at = static_cast<std::size_t>(suspect.match.data() - whole.data());
  if (at > 0 && at < whole.size() && whole[at - 1] == '/' && contains(value, "/"))
    value.remove_prefix(value.find('/') + 1);
  if (is_of_binary(suspect.around, suspect.match)) return {};
  if (contains(value, " ")) return is_diced_phrase(value) && !is_of_another(said) ? proven_of(value) : Proof{};
  if (value.size() < 6 || contains(value, "%0A") || contains(value, "%n") || contains(value, "</") ||
      value.starts_with('@'))
    return {};
  const std::string small = lower(value);
  if (contains(small, "passw") || contains(small, "hash") || is_product(value) || is_numbered(value) ||
      is_host(value) || is_type(value) || is_of_code(value) || is_of_another(said))
    return {};
  // Of an account and its number.
  if (!is_given(said) && std::all_of(value.begin(), value.end(), is_digit)) return {};
  if (Proof proof = said_password(told); proof.proven) return proof;
  if (is_numbered_words(value)) return proven_of(value);
  // La clave «auto-raise-delay»: a key of settings, too.
  if (contains(lower(said), "clave") && std::none_of(value.begin(), value.end(), is_digit)) return {};
  const bool phrase = is_interspersed(value) || is_plain_phrase(value) || is_passphrase(value) ||
                      is_title_phrase(value) || is_walk(value);
  if (!phrase && !is_given(said)) return {};
  // What is not mixed and no phrase is words and numbers.
  if (is_algorithm(value) || is_version(value) || value.front() == '#' || value.starts_with("PKCS#")) return {};
  return spelled_password(told).proven ? proven_of(value) : Proof{};
}

}  // namespace imgbuild::proofs

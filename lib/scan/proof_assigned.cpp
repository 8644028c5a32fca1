// Is what a name like "password" or "api_key" is given a secret? read_assignment (assignment.hpp) says what it is
// given; here the name and the value are weighed.
//
// A password may be short and half a word: what speaks against it is that it is a name, a phrase, a type, a message, a
// placeholder or a reference, not that its entropy is low. A key or token is made by a machine: it is long, and no
// words can be read in it. A secret ("client_secret", "jwt_secret") may be either.
#include <algorithm>
#include <array>

#include "base/percent.hpp"
#include "base/text.hpp"
#include "scan/assignment.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

// An expression, where what stands behind the name is not quoted: code assigns from variables, settings do not.
bool is_expression(const Assignment& assignment) {
  std::string_view value = assignment.value;
  if (assignment.quoted) return false;
  // What fills base64 up at its end is no operator.
  for (int left = 2; left > 0 && value.size() > 16 && value.back() == '='; --left) value.remove_suffix(1);
  if (!assignment.leads && assignment.how != Assignment::How::flag &&
      (value.front() == '!' || value.find_first_of("(){}[]<>=|") != std::string_view::npos))
    return true;
  const auto in_name = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '$' || c == '.'; };
  // $name and name$field are; a password may end in the sign.
  const std::size_t sign = value.find('$');
  const bool names = sign != std::string_view::npos && sign + 1 < value.size() && is_letter(value[sign + 1]);
  return (assignment.ended || names) && !is_digit(value.front()) && std::all_of(value.begin(), value.end(), in_name) &&
         !may_be_key(value);
}

// Printable; of what is beyond ASCII a little where it is text, for it may be a password with an umlaut.
bool is_text(const Assignment& assignment, bool written) {
  std::size_t beyond = 0;
  for (const char c : assignment.value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte >= 0x80) ++beyond;
  }
  if (beyond == 0 || assignment.quoted) return beyond * 3 <= assignment.value.size();
  // What is not quoted may be a word of another language, and what is said of it.
  const Makeup makeup = makeup_of(assignment.value);
  return written && beyond * 3 <= assignment.value.size() && makeup.digits >= 2 && makeup.lowers >= 3;
}

// 15111989: a day of somebody's life, the year last, as nobody writes the time of a change.
bool is_birthday(std::string_view value) {
  if (value.size() != 8 || !std::all_of(value.begin(), value.end(), is_digit)) return false;
  const auto number = [&](std::size_t at, std::size_t count) {
    int out = 0;
    for (std::size_t i = at; i < at + count; ++i) out = out * 10 + (value[i] - '0');
    return out;
  };
  const int first = number(0, 2), second = number(2, 2), year = number(4, 4);
  return first >= 1 && second >= 1 && std::min(first, second) <= 12 && std::max(first, second) <= 31 && year >= 1940 &&
         year <= 2029;
}

// What stands behind NAME= in these files is a text, quoted or not.
bool is_of_settings(std::string_view path) {
  static constexpr std::string_view ends[] = {".yml", ".yaml", ".properties", ".ini", ".cnf", ".cfg"};
  return any_of(ends, path, ends_with);
}

// jdbc:sqlserver://db;user=sa;password=falcon40_A; what stands behind the name there is a text.
bool is_of_connection(std::string_view around, const Assignment& assignment) {
  constexpr std::size_t reach = 200;
  const auto at = static_cast<std::size_t>(assignment.name.data() - around.data());
  if (at == 0 || at > around.size() || around[at - 1] != ';') return false;
  std::string_view before = around.substr(at - std::min(at, reach), std::min(at, reach));
  before = before.substr(before.find_last_of("\r\n\"'") + 1);
  return before.starts_with("jdbc:") || contains(before, "erver=") || contains(before, "ource=") ||
         contains(before, "ost=") || contains(before, "ndpoint=");
}

// A password that somebody thought of, or that a machine made.
// `written`: what is not quoted is text all the same.
bool may_be_password(std::string_view value, const Assignment& assignment, bool written) {
  if (value.size() < 6 || value.size() > 200 || contains(value, "\t")) return false;
  if (contains(value, " ")) {
    const std::string name = lower(assignment.name);
    if (!assignment.quoted) return false;
    if (is_app_password(value) || (name.ends_with("passphrase") && is_spaced_phrase(value))) return true;
    static constexpr std::string_view ends[] = {"password", "passwd", "passwort", "kennwort", "_pass", "pwd", "secret"};
    return any_of(ends, name, ends_with) && is_diced_phrase(value);
  }
  const Makeup makeup = makeup_of(value);
  if (makeup.distinct < 4) return false;
  if (is_birthday(value)) return assignment.quoted || written || assignment.how == Assignment::How::flag;
  if (is_number(value))
    return assignment.quoted && makeup.digits == value.size() && value.size() >= 8 && makeup.distinct >= 5;
  const NameLikeness likeness = name_likeness(value);
  const std::size_t strong = likeness.symbols;
  const bool set = assignment.quoted || written || assignment.how == Assignment::How::flag ||
                   (assignment.leads && !assignment.ended);
  // Letters that no words are made of, though short ones can be read as some.
  const double mean = mean_of_pairs(value);
  const bool random = set && value.size() >= 8 && likeness.joints == 0 && mean < 4.8;
  if (is_passphrase(value) && likeness.words) return true;
  if (set && (is_walk(value) || is_numbered_phrase(value))) return true;
  if (set && likeness.words && (is_title_phrase(value) || is_plain_phrase(value))) return true;
  if (likeness.words) {
    if (contains(value, "/") && strong == 0 && likeness.digits * 4 < value.size()) return false;  // a path
    // Words and nothing else; words with a mark of punctuation behind them; words joined as names are, with a number.
    if (makeup.digits == 0 && strong == 0) return false;
    const bool end_mark = strong == 1 && makeup.digits == 0 &&
                          std::string_view("!?%*'$@&\\\"#").find(value.back()) != std::string_view::npos;
    if (makeup.digits == 0 && (end_mark || (likeness.parts >= 3 && strong <= 1)) && !random) return false;
    if (makeup.digits == 0 && makeup.uppers == 0 && strong <= 1 && likeness.parts <= 2 && value.size() < 8)
      return false;
    if (strong == 0 && likeness.joints > 0 && likeness.digits <= 2 && makeup.uppers == 0) return false;
    if (strong == 0 && likeness.joints > 1 && likeness.digits <= 2 && makeup.uppers == 0) return false;
    if (strong == 0 && likeness.digits == 1 && !is_title_phrase(value) && !is_parted_by_digit(value) &&
        !changes_case(value) && !random)
      return false;
    // CONSTANT_2, and code that is not quoted.
    if (strong == 0 && makeup.lowers == 0 && likeness.digits <= 2) return false;
    // FALcon-novak83 of a file of settings: names that systems have are of small letters.
    const bool thought_of = written && likeness.digits == 2 && makeup.uppers > 0 && makeup.lowers > 0;
    if (!assignment.quoted && strong == 0 && likeness.joints > 0 && likeness.digits <= 2 && !thought_of) return false;
    // "117:password required": a line of a table.
    if (!assignment.quoted && strong == 0 && is_digit(value.front()) && contains(value, ":")) return false;
  } else if (makeup.digits == 0 && strong == 0) {
    // Letters only, and no words: random ones.
    if (value.size() < 8 || (mean > 4.4 && !random && !changes_case(value))) return false;
    const bool mixed = set && mean < 4.4 && makeup.uppers > 1 && makeup.lowers > 1;
    if (likeness.joints > 0 && value.size() < 16 && !mixed) return false;
  }
  return true;
}

// Either: a short one may be thought of, a long one is made.
bool may_be_secret(std::string_view value, const Assignment& assignment, bool written) {
  return may_be_password(value, assignment, written) &&
         (value.size() < 16 || may_be_key(value) || name_likeness(value).symbols > 0 || contains(value, " "));
}

// In a binary file: control characters right before the name or behind the value. A NUL ends strings.
bool is_among_text(std::string_view around, const Assignment& assignment) {
  const auto begin = static_cast<std::size_t>(assignment.name.data() - around.data());
  const auto end = static_cast<std::size_t>(assignment.value.data() - around.data()) + assignment.value.size();
  const auto control = [](char c) { return c > 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != 0x1b; };
  const std::size_t from = begin - std::min<std::size_t>(begin, 16), to = std::min(around.size(), end + 16);
  return end <= begin || std::none_of(around.begin() + static_cast<std::ptrdiff_t>(from),
                                      around.begin() + static_cast<std::ptrdiff_t>(to), control);
}

bool is_method_of(const Assignment& assignment, const char* word) {
  const auto at = static_cast<std::size_t>(word - assignment.name.data());
  const std::size_t dot = assignment.name.find('.', std::min(at, assignment.name.size()));
  if (dot == std::string_view::npos) return false;
  const std::string method = lower(assignment.name.substr(dot + 1));
  return method != "equals" && method != "compareto" && method != "isequal" && !method.starts_with("set");
}

// 'PASS: ld-elf/eh_frame3': what a test says of itself.
bool is_result(std::string_view around, const Assignment& assignment) {
  if (!assignment.name.ends_with("PASS") || assignment.name.size() > 5) return false;
  const auto begin = static_cast<std::size_t>(assignment.name.data() - around.data());
  const std::size_t behind = begin + assignment.name.size();
  return begin > 0 && std::string_view("\"'`").find(around[begin - 1]) != std::string_view::npos &&
         behind < around.size() && around[behind] == ':';
}

// "unicodePwd": utf16pw of a table in code: what is not quoted is a variable, but in YAML.
bool is_variable_of_a_table(std::string_view around, const Assignment& assignment, std::string_view path) {
  const auto behind = static_cast<std::size_t>(assignment.name.data() - around.data()) + assignment.name.size();
  const auto in_name = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !assignment.quoted && behind < around.size() && (around[behind] == '"' || around[behind] == '\'') &&
         assignment.how == Assignment::How::assigned && is_letter(assignment.value.front()) &&
         std::all_of(assignment.value.begin(), assignment.value.end(), in_name) && !may_be_key(assignment.value) &&
         (path.ends_with(".py") || path.ends_with(".js") || path.ends_with(".ts") || path.ends_with(".rb") ||
          path.ends_with(".php") || path.ends_with(".pl"));
}

// get_password("virtualCryptSHA256"): what it is given says which.
bool is_getter(std::string_view name) {
  static constexpr std::string_view heads[] = {"get_",    "find_",   "fetch_", "load_",   "read_", "has_",   "is_",
                                               "delete_", "remove_", "list_",  "lookup_", "ask_",  "prompt_"};
  std::string small = snake(name.substr(name.find_last_of('.') + 1));
  small.erase(0, std::min(small.find_first_not_of('_'), small.size()));
  return any_of(heads, small, starts_with);
}

// More than a word of prose: digits among its letters, or marks that no sentence has.
bool is_mixed(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  const NameLikeness likeness = name_likeness(value);
  const bool random = !likeness.words && value.size() >= 8;
  return makeup.digits >= 3 || (makeup.digits > 0 && (likeness.symbols > 0 || makeup.uppers > 0 || random)) ||
         (!likeness.words && makeup.uppers > 0 && makeup.lowers > 0);
}

// SetEnvironmentVariable(: the call that the text ends in sets what it is given.
bool is_setter(std::string_view text) {
  std::size_t from = text.size();
  while (from > 0 && is_name_char(text[from - 1])) --from;
  const std::string name = lower(text.substr(from));
  return name.starts_with("set") || name.starts_with("put") || name.starts_with("define") || contains(name, "cpy");
}

// ["password", "hunter2", "qwerty1"]: of a list of texts none is the name of the next. Nor is one that only ends so:
// ("**/.cargo/credentials", "**/.netrc").
bool is_of_a_list(std::string_view around, const Assignment& assignment) {
  constexpr std::string_view blanks = " \t\r\n", quotes = "\"'`";
  std::string_view before = around.substr(0, static_cast<std::size_t>(assignment.name.data() - around.data()));
  std::string_view after =
      around.substr(static_cast<std::size_t>(assignment.value.data() - around.data()) + assignment.value.size());
  const auto back = [&before] { return before.empty() ? '\0' : before.back(); };
  const auto front = [&after] { return after.empty() ? '\0' : after.front(); };
  const auto is_quote = [&](char c) { return c != '\0' && quotes.find(c) != std::string_view::npos; };
  const auto trim_back = [&] { before = before.substr(0, before.find_last_not_of(blanks) + 1); };
  const auto trim_front = [&] { after.remove_prefix(std::min(after.find_first_not_of(blanks), after.size())); };
  if (back() == ':' || back() == '{' || before.ends_with("define(")) return false;  // Ruby's symbol, Erlang's pair
  if (back() == '(') return !is_setter(before.substr(0, before.size() - 1));        // put(Environment.PASS, "x")
  // (3,'payment/paypal/api_password','x'): a name with those before it.
  const bool has_path = back() == '/';
  if (has_path) before = before.substr(0, before.find_last_not_of("abcdefghijklmnopqrstuvwxyz0123456789_/") + 1);
  if (!is_quote(back())) return true;
  before.remove_suffix(1);
  while (back() == '\\') before.remove_suffix(1);
  while (front() == '\\' || is_quote(front())) after.remove_prefix(1);
  trim_back();
  trim_front();
  const char open = back(), close = front();
  if (has_path && open != ',') return true;  // File.write("config/secrets.yml.key", "x")
  if (open == ':' && (close == ',' || close == ':'))
    return true;  // {"a-test": "PASS", "another": ...}: it is a value itself
  if (open == '(' && is_setter(before.substr(0, before.size() - 1))) return false;
  bool behind_text = false, before_text = false;
  if (open == ',') {
    before.remove_suffix(1);
    trim_back();
    behind_text = is_quote(back());
  }
  // (412,'mailserver_pass','VALUE','yes'): a row of options.
  if (open == ',' && (close == ',' || close == ')') && !behind_text && is_digit(back())) return false;
  if (close == ',') {
    after.remove_prefix(1);
    trim_front();
    before_text = is_quote(front());
  }
  return before_text || (behind_text && close != ')');
}

// id=NAME,src=FILE: what command lines and build files say of a secret, which is in the file; what directories and
// registries of Windows name.
bool is_said_of_a_secret(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "id=",  "src=", "source=", "env=", "type=", "name=",    "file=", "from=", "path=",
      "key=", "dst=", "target=", "env:", "file:", "literal:", "ref:",  "fd:",   "keyring:",
      "cn=",  "CN=",  "dc=",     "DC=",  "ou=",   "OU=",      "S-1-",  "dword:"};
  return any_of(heads, value, starts_with);
}

// facts_of_secret("ed25519", bytes): a call that is given one text sets it, one that is given more does something.
bool has_more_arguments(std::string_view around, std::string_view value) {
  std::string_view after = around.substr(static_cast<std::size_t>(value.data() + value.size() - around.data()));
  if (after.empty() || (after[0] != '"' && after[0] != '\'')) return false;
  after.remove_prefix(1);
  const std::size_t next = after.find_first_not_of(" \t\r\n");
  return next != std::string_view::npos && after[next] == ',';
}

// 'secrets': 'list[V1ObjectReference]', token: Array<Token>: a type, as generated code tells it.
bool is_type(std::string_view value) {
  static constexpr std::string_view kinds[] = {"list", "dict", "set", "map", "array", "tuple", "optional", "sequence"};
  const std::string small = lower(value.substr(0, std::min(value.find_first_of("[(<"), value.size())));
  return small.size() < value.size() && std::string_view("])>").find(value.back()) != std::string_view::npos &&
         std::find(std::begin(kinds), std::end(kinds), small) != std::end(kinds);
}

// /etc/passwd:ada:x:1000:1000:Ada:/home/ada:/bin/sh, as grep prints it (passwd(5)).
bool is_account_line(std::string_view value) {
  const std::size_t mark = value.find(":x:");
  return mark != std::string_view::npos && mark > 0 && mark + 3 < value.size() && is_digit(value[mark + 3]);
}

// id="client-secret">–client-secret<, get "admin/passwords" => "users#passwords": words that end as the name does.
bool is_its_name(std::string_view value, std::string_view name) {
  if (value == name) return true;
  const NameLikeness likeness = name_likeness(value);
  if (likeness.digits > 1) return false;
  const std::string small = snake(value), whole = snake(name);
  if (!small.empty() && (small == whole || (small.ends_with("_" + whole) && whole.size() >= 6))) return true;
  return likeness.words && likeness.digits == 0 &&
         (contains(small, "passw") || contains(small, "secret") || contains(small, "token") ||
          contains(small, "credential"));
}

// password_hash = "5f4dcc3b...": hex that its name calls one.
bool is_named_hash(std::string_view value, std::string_view name) {
  const std::string small = snake(name);
  return (small.ends_with("_hash") || small.ends_with("_hashed") || small.ends_with("hash")) && value.size() >= 32 &&
         unhex(value.substr(0, value.size() / 2 * 2)).has_value();
}

// #ec3b7b; of style sheets
bool is_colour(std::string_view value) {
  if (!value.starts_with('#')) return false;
  const std::size_t digits = std::min(value.find_first_not_of("0123456789abcdefABCDEF", 1), value.size()) - 1;
  return (digits == 6 || digits == 8) && (digits + 1 == value.size() || value[digits + 1] == ';');
}

// locales/de.json, messages.po: what a program says in a language.
bool is_of_translations(std::string_view path) {
  static constexpr std::string_view parts[] = {"locale", "i18n",     "l10n",    "lang",
                                               "transl", "messages", "strings", ".po"};
  return any_of(parts, lower(path), contains);
}

enum class Wanted { password, secret, key };

Proof weigh(const Suspect& suspect, Wanted wanted) {
  const char* base = suspect.around.data();
  if (suspect.secret.data() < base) return {};
  const auto begin = static_cast<std::size_t>(suspect.secret.data() - base);
  auto assignment = read_assignment(suspect.around, begin, begin + suspect.secret.size());
  if (!assignment) return {};
  if (const auto whole = whole_app_password(suspect.around, assignment->value);
      whole.size() > assignment->value.size()) {
    assignment->value = whole;
    assignment->quoted = true;
    assignment->followed = false;
  }
  const std::string_view value = assignment->value;
  const bool written = is_of_settings(suspect.path) || assignment->how == Assignment::How::pair ||
                       is_of_connection(suspect.around, *assignment);
  if (value.size() < 6 || !is_text(*assignment, written) || (contains(value, " ") && is_of_translations(suspect.path)))
    return {};
  Proof proof = proven(true);
  proof.secrets = {value};
  // The cheap questions first: most of what is assigned in code is a word.
  const bool hash = is_hash(value) || is_named_hash(value, assignment->name);
  if (hash) {
    proof.severity = Severity::low;
  } else {
    const std::string plain = unescaped(value, suspect.path);
    const std::string_view bare = plain.empty() ? value : plain;
    if (!plain.empty() && (is_foreign_word(bare) || is_placeholder(bare) || is_stand_in(bare) || is_reference(bare)))
      return {};
    const bool fits = wanted == Wanted::password ? may_be_password(bare, *assignment, written)
                      : wanted == Wanted::key    ? may_be_key(bare)
                                                 : may_be_secret(bare, *assignment, written);
    const bool bytes = assignment->quoted && wanted != Wanted::password && is_of_bytes(value);
    if (!bytes && (!fits || is_checksum(value) || is_public(value) || is_code(bare, assignment->quoted) ||
                   is_expression(*assignment) || is_escaped(bare)))
      return {};
  }
  // Words behind it: prose, unless it is as shells have it, "-e db_pass=x site.yml".
  const bool adjoins = assignment->how == Assignment::How::assigned && !assignment->quoted &&
                       is_letter(assignment->name.front()) &&
                       assignment->name.data() + assignment->name.size() + 1 == value.data();
  if (assignment->followed && assignment->how != Assignment::How::flag && !(adjoins && is_mixed(value)) &&
      std::any_of(assignment->name.begin(), assignment->name.end(), is_lower))
    return {};
  if (is_date_or_version(value) || is_algorithm(value) || is_encoded_stand_in(value) || is_foreign_word(value) ||
      is_its_name(value, assignment->name) || is_account_line(value) || is_type(value) ||
      (value.ends_with("%3D") && is_its_name(value.substr(0, value.size() - 3), assignment->name)))
    return {};
  if ((!hash && (is_reference(value) || (contains(value, "%7B") && is_reference(percent_decoded(value)))) &&
       !(assignment->quoted && is_of_generator(value))) ||
      (is_placeholder(value) && !is_as_policies_want(value) && !is_walk(value)) ||
      (is_stand_in(value) && !is_walk(value)) || (is_said_of_a_field(value) && !is_as_policies_want(value)) ||
      is_said_of_a_secret(value) || is_colour(value) || is_email(value) || is_file_name(value) || is_endpoint(value) ||
      is_port_or_fingerprint(value) || value.starts_with("urn:") || value.starts_with("\\$"))
    return {};
  if (!is_among_text(suspect.around, *assignment) || is_result(suspect.around, *assignment) ||
      is_variable_of_a_table(suspect.around, *assignment, suspect.path))
    return {};
  // gpg --recv-key 0123ABCD...: which key, as gpg prints it.
  if (assignment->how == Assignment::How::flag && value.size() == 40 &&
      value.find_first_not_of("0123456789ABCDEF") == std::string_view::npos)
    return {};
  // secret.method("x") is a question to it, but for the one whether it is this one.
  if (assignment->how == Assignment::How::call &&
      (is_getter(assignment->name) || assignment->name == "credentials" ||
       is_method_of(*assignment, suspect.secret.data()) || has_more_arguments(suspect.around, value)))
    return {};
  // PWD and OLDPWD of shells are folders.
  if (assignment->name.ends_with("PWD") && assignment->name.size() <= 6 && !assignment->quoted &&
      value.find_first_of("/\\$~`") != std::string_view::npos)
    return {};
  // PWD= MINIRUBY="...": another name.
  if (!assignment->quoted && value.ends_with("=") &&
      std::all_of(value.begin(), value.end() - 1, [](char c) { return is_letter(c) || c == '_'; }))
    return {};
  std::string_view whole = assignment->name;
  for (const std::string_view property : {".Text", ".text", ".value", ".Value"})  // of a form's field
    if (whole.ends_with(property)) whole.remove_suffix(property.size());
  const std::string name = snake(whole);
  // ("RsaHashedKeyGenParams", "x"): of two arguments the first is the name of the second only where it ends as one.
  static constexpr std::string_view ends_as[] = {
      "password",   "passwd",      "passphrase", "pwd",   "pass",     "secret",     "token", "key",
      "credential", "credentials", "auth",       "senha", "passwort", "contrasena", "salt",  "seed"};
  if (assignment->how == Assignment::How::argument &&
      (!any_of(ends_as, name, ends_with) || is_of_a_list(suspect.around, *assignment)))
    return {};
  if (assignment->how == Assignment::How::word && !assignment->quoted && !is_mixed(value)) return {};
  // arn:aws:secretsmanager:eu-west-1:0123:secret:name, and the sums of a lock file.
  const std::string_view before = suspect.around.substr(0, static_cast<std::size_t>(assignment->name.data() - base));
  if (contains(before.substr(before.find_last_of(" \t\n\"'") + 1), "arn:") ||
      (suspect.path.ends_with(".lock") && is_lower_hex(value)))
    return {};
  // Of one handshake, in the test vectors of a protocol: nobody held it.
  if (contains(name, "shared_secret") && unhex(value)) return {};
  return names_a_secret(name) ? proof : Proof{};
}

}  // namespace

// connect("link", "dbname=regression"); vvEI=x7Qm is none, for no name is of such short words.
bool is_setting(std::string_view value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos || equals < 2 || equals + 1 >= value.size()) return false;
  const std::string_view name = value.substr(0, equals);
  const NameLikeness likeness = name_likeness(name);
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || c == '_'; }) && likeness.words &&
         (likeness.parts == 1 || likeness.letters > likeness.parts * 2);
}

// A password where nothing but a password stands: behind `sshpass -p`, as the second string of login().
Proof spelled_password(const Suspect& suspect) {
  Assignment assignment;
  assignment.value = suspect.secret;
  assignment.quoted = true;
  const std::string_view value = suspect.secret;
  Proof proof = proven(
      is_text(assignment, true) && may_be_password(value, assignment, false) && !is_checksum(value) &&
      !is_code(value, true) && !is_escaped(value) && !is_foreign_word(value) && !is_date_or_version(value) &&
      !is_algorithm(value) && !is_setting(value) && (!is_reference(value) || is_of_generator(value)) &&
      (!is_placeholder(value) || is_as_policies_want(value) || is_walk(value)) &&
      (!is_stand_in(value) || is_walk(value)) && !is_email(value) && !is_file_name(value) && !is_endpoint(value));
  if (is_hash(value)) proof.severity = Severity::low;
  return proof;
}

// The same of what a machine makes. (Sentry calls the user of its URLs public.)
Proof machine_made(const Suspect& suspect) {
  const std::string_view value = suspect.secret;
  if (contains(suspect.match, "sentry")) return {};
  // USER:PASSWORD in base64 has a rule of its own; what else is sent in its place is a key, or nothing.
  std::string_view before = suspect.match.substr(0, static_cast<std::size_t>(value.data() - suspect.match.data()));
  before = before.substr(0, before.find_last_not_of(" \t\r\n\"'`+.,(") + 1);
  if (lower(before.substr(before.size() - std::min<std::size_t>(before.size(), 5))) == "basic") {
    const Bytes plain = decoded_base64(value);
    const std::string_view text = text_of(plain);
    if (contains(text, ":") || (name_likeness(text).words && text.size() >= 6)) return {};
  }
  return proven(may_be_key(value) && !is_checksum(value) && !is_public(value) && !is_reference(value) &&
                !is_stand_in(value) && !is_file_name(value));
}

// "the password is X": what stands in a sentence is a word of it, unless it is more.
Proof said_password(const Suspect& suspect) {
  Suspect said = suspect;
  while (!said.secret.empty() && std::string_view(".,;:)]}>").find(said.secret.back()) != std::string_view::npos)
    said.secret.remove_suffix(1);
  // A line of a message, as translations have it, and what they speak of.
  if (contains(said.secret, "%0A") || said.secret.starts_with("PKCS#")) return {};
  if (said.secret.size() < 6 || said.secret.front() == '#' || !is_mixed(said.secret) || is_algorithm(said.secret) ||
      is_version(said.secret))
    return {};
  Proof proof = spelled_password(said);
  if (proof.proven) proof.secrets = {said.secret};
  return proof;
}

// In notes of accounts: what documentation of passwords speaks of, in a file of the same name, is none.
Proof noted_password(const Suspect& suspect) {
  const std::string small = lower(suspect.secret);
  const std::string_view bare = suspect.secret.substr(0, suspect.secret.find_last_not_of(".,;:") + 1);
  if (is_algorithm(bare) || small.starts_with("pbkdf2") || contains(small, "passw") || contains(small, "hash") ||
      contains(small, "auth") || suspect.secret.find_first_of("'(){}") != std::string_view::npos)
    return {};
  return spelled_password(suspect);
}

Proof assigned_password(const Suspect& suspect) { return weigh(suspect, Wanted::password); }
Proof assigned_secret(const Suspect& suspect) { return weigh(suspect, Wanted::secret); }
Proof assigned_key(const Suspect& suspect) { return weigh(suspect, Wanted::key); }

}  // namespace imgbuild::proofs

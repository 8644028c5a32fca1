// Is what a name like "password" or "api_key" is given a secret? read_assignment (assignment.hpp) says what it is
// given; here the name and the value are weighed.
//
// A password may be short and half a word: what speaks against it is that it is a name, a phrase, a type, a message, a
// placeholder or a reference, not that its entropy is low. A key or token is made by a machine: it is long, and no
// words can be read in it. A secret ("client_secret", "jwt_secret") may be either.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "scan/assignment.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

template <std::size_t n>
bool any_of(const std::string_view (&words)[n], std::string_view text,
            bool (*fits)(std::string_view, std::string_view)) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return fits(text, word); });
}
bool holds(std::string_view text, std::string_view part) { return contains(text, part); }
bool begins(std::string_view text, std::string_view part) { return text.starts_with(part); }
bool ends(std::string_view text, std::string_view part) { return text.ends_with(part); }

constexpr std::string_view stand_in_parts[] = {
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "redacted",
    "xxxx",
    "your_",
    "your-",
    "yours",
    "dummy",
    "fake",
    "sample",
    "replaceme",
    "insert",
    "mock",
    "todo",
    "fixme",
    "not_real",
    "notreal",
    "not-real",
    "<",
    "****",
    "......",
    "…",
    "secret_key_here",
    "my_secret",
    "mysecret",
    "my-secret",
    "supersecret",
    "super_secret",
    "super-secret",
    "topsecret",
    "foobar",
    "deadbeef",
    "abcdef",
    "123456789",
    "qwerty",
    "987654321",
    "asdf",
    "lorem",
    "s3cr3t",
    "secret123",
    "masked",
    "removed",
    "omitted",
    "undefined",
    "invalid",
    "incorrect",
    "wrong",
    "not-a-",
    "unknown",
};

bool is_stand_in(std::string_view value) {
  const std::string small = lower(value);
  return any_of(stand_in_parts, small, holds);
}

// A hash is what a password is checked against: it can be guessed from, offline, and no more.
bool is_hash(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "$1$",    "$2a$",    "$2b$",     "$2y$",    "$5$",     "$6$",     "$7$",       "$y$",
      "$apr1$", "$argon2", "$scrypt$", "$pbkdf2", "pbkdf2_", "pbkdf2:", "scrypt:",   "bcrypt",
      "{SSHA",  "{SHA",    "{CRYPT}",  "{MD5}",   "{BLF",    "{PBKDF2", "SCRAM-SHA", "argon2",
      "$S$",    "$P$",     "$H$",      "sha1$",   "sha256$", "md5$",    "*0x"};
  return value.size() > 12 && any_of(heads, value, begins);
}

// Integrity, never a secret: sha256-..., sha512-...=, sha256:...
bool is_checksum(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "sha1-", "sha256-", "sha384-", "sha512-", "sha1:", "sha256:", "sha384:", "sha512:", "md5:", "SHA256:", "MD5:"};
  return any_of(heads, value, begins);
}

bool may_be_key(std::string_view value);

bool is_code(std::string_view value, bool quoted) {
  if (contains(value, "=>") || contains(value, "&&") || contains(value, "||") || contains(value, "\\d") ||
      contains(value, "\\w") || contains(value, "[^") || contains(value, "(?") || contains(value, ".*") ||
      contains(value, ".+") || contains(value, "{{") || contains(value, "/>") || contains(value, "//"))
    return true;
  if (value.starts_with("--") || value.starts_with("[-") || contains(value, "[:")) return true;
  // What is not quoted and holds a backslash is a manual page, a path or a regular expression.
  if (!quoted && (contains(value, "\\") || value.size() > 120)) return true;
  // :name and @name of SQL, #id and .class of CSS, /regex/.
  if (value.size() > 1 && std::string_view(":@#.?").find(value[0]) != std::string_view::npos) {
    const NameLikeness likeness = name_likeness(value.substr(1));
    if (likeness.words && likeness.symbols == 0 && likeness.digits <= 1) return true;
  }
  // name(...), name[...], a->b: what is not quoted is an expression.
  if (!quoted) {
    if (contains(value, "->") || contains(value, "::")) return true;
    const std::size_t open = value.find_first_of("([{");
    if (open != std::string_view::npos) {
      const std::string_view head = value.substr(0, open);
      if (open == 0 || std::all_of(head.begin(), head.end(), [](char c) {
            return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '$' || c == '!' || c == '&' || c == '*';
          }))
        return true;
    }
    if (std::string_view("&*!").find(value[0]) != std::string_view::npos && name_likeness(value).words) return true;
  } else if (value.find('(') != std::string_view::npos && value.back() == ')' &&
             name_likeness(value.substr(0, value.find('('))).words) {
    return true;
  }
  return false;
}

// An expression, where what stands behind the name is not quoted: code assigns from variables, settings do not.
bool is_expression(const Assignment& assignment) {
  const std::string_view value = assignment.value;
  if (assignment.quoted) return false;
  if (!assignment.leads && assignment.how != Assignment::How::flag &&
      (value.front() == '!' || value.find_first_of("(){}[]<>=|") != std::string_view::npos))
    return true;
  const auto in_name = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '$' || c == '.'; };
  return (assignment.ended || contains(value, "$")) && !is_digit(value.front()) &&
         std::all_of(value.begin(), value.end(), in_name) && !may_be_key(value);
}

// \u3299, \x41: what it is is seen where it is decoded.
bool is_escaped(std::string_view value) {
  for (std::size_t at = value.find('\\'); at != std::string_view::npos && at + 3 < value.size();
       at = value.find('\\', at + 1))
    if ((value[at + 1] == 'u' || value[at + 1] == 'x') && unhex(value.substr(at + 2, 2))) return true;
  return false;
}

bool is_email(std::string_view value) {
  const std::size_t at = value.find('@');
  if (at == std::string_view::npos || at == 0 || value.find('@', at + 1) != std::string_view::npos) return false;
  const std::string_view host = value.substr(at + 1), user = value.substr(0, at);
  if (user.size() >= 4 && host.size() >= 5 && name_likeness(user).words && name_likeness(host).words &&
      name_likeness(value).digits == 0)
    return true;
  return contains(host, ".") && host.back() != '.' && name_likeness(host).symbols == 0 &&
         name_likeness(value.substr(0, at)).symbols == 0;
}

bool is_file_name(std::string_view value) {
  static constexpr std::string_view tails[] = {
      ".txt",  ".pem", ".key", ".json", ".yml", ".yaml",  ".xml", ".conf",       ".cfg",      ".ini", ".crt",
      ".cer",  ".p12", ".pfx", ".jks",  ".py",  ".js",    ".ts",  ".java",       ".go",       ".rb",  ".php",
      ".html", ".htm", ".css", ".png",  ".svg", ".jpg",   ".md",  ".properties", ".keystore", ".pub", ".asc",
      ".gpg",  ".com", ".org", ".net",  ".io",  ".local", ".sh",  ".sql",        ".csv",      ".log", ".db",
      ".h",    ".c",   ".cpp", ".vue",  ".jsx", ".tsx",   ".tpl", ".env"};
  return any_of(tails, value, ends);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-'
             : !(is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f') || (text[i] >= 'A' && text[i] <= 'F')))
      return false;
  }
  return true;
}

// A date, a version, an address, a number: digits and what joins them.
bool is_number(std::string_view value) {
  if (value.starts_with("0x") && value.size() <= 18) return true;
  return std::all_of(value.begin(), value.end(), [](char c) {
    return is_digit(c) || std::string_view(".,:-+/_ xXeE").find(c) != std::string_view::npos;
  });
}

// Printable; of what is beyond ASCII a little, in quotes, for it may be a password with an umlaut.
bool is_text(const Assignment& assignment) {
  std::size_t beyond = 0;
  for (const char c : assignment.value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte >= 0x80) ++beyond;
  }
  return beyond == 0 || (assignment.quoted && beyond * 3 <= assignment.value.size());
}

// A password that somebody thought of, or that a machine made.
bool may_be_password(std::string_view value, const Assignment& assignment) {
  if (value.size() < 6 || value.size() > 200 || contains(value, " ") || contains(value, "\t")) return false;
  const Makeup makeup = makeup_of(value);
  if (makeup.distinct < 4) return false;
  if (is_number(value))
    return assignment.quoted && makeup.digits == value.size() && value.size() >= 8 && makeup.distinct >= 5;
  const NameLikeness likeness = name_likeness(value);
  const std::size_t strong = likeness.symbols;
  if (likeness.words) {
    if (contains(value, "/") && strong == 0 && likeness.digits * 4 < value.size()) return false;  // a path
    // Words and nothing else; words with a mark of punctuation behind them; words joined as names are, with a number.
    if (makeup.digits == 0 && strong == 0) return false;
    const bool end_mark = strong == 1 && makeup.digits == 0 &&
                          std::string_view("!?%*'$@&\\\"#").find(value.back()) != std::string_view::npos;
    if (makeup.digits == 0 && (end_mark || (likeness.parts >= 3 && strong <= 1))) return false;
    if (makeup.digits == 0 && makeup.uppers == 0 && strong <= 1 && likeness.parts <= 2 && value.size() < 8)
      return false;
    if (strong == 0 && likeness.joints > 0 && likeness.digits <= 2 && makeup.uppers == 0) return false;
    if (strong == 0 && likeness.joints > 1 && likeness.digits <= 2 && makeup.uppers == 0) return false;
    if (strong == 0 && likeness.digits == 1) return false;
    // CONSTANT_2, and code that is not quoted.
    if (strong == 0 && makeup.lowers == 0 && likeness.digits <= 2) return false;
    if (!assignment.quoted && strong == 0 && likeness.joints > 0 && likeness.digits <= 2) return false;
    // "117:password required": a line of a table.
    if (!assignment.quoted && strong == 0 && is_digit(value.front()) && contains(value, ":")) return false;
  } else if (makeup.digits == 0 && strong == 0) {
    // Letters only, and no words: random ones.
    const double mean = mean_of_pairs(value);
    if (value.size() < 8 || mean > 4.4) return false;
    if (likeness.joints > 0 && value.size() < 16) return false;
  }
  return true;
}

// Something that a machine made.
bool may_be_key(std::string_view value) {
  if (value.size() < 10 || value.size() > 2000 || contains(value, " ")) return false;
  const Makeup makeup = makeup_of(value);
  if (is_number(value)) return false;
  if (is_uuid(value)) return makeup.distinct >= 9;
  const NameLikeness likeness = name_likeness(value);
  if (likeness.words && likeness.digits <= std::max<std::size_t>(4, likeness.letters / 8)) return false;
  if (likeness.symbols > value.size() / 3) return false;
  const int kinds = (makeup.digits > 0) + (makeup.uppers > 0) + (makeup.lowers > 0);
  const auto hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  if (std::all_of(value.begin(), value.end(), hex))
    return value.size() >= 16 && makeup.distinct >= 7 && makeup.digits > 0;
  if (value.size() < 16) return kinds >= 3 && makeup.distinct >= 8 && makeup.digits >= 2;
  if (makeup.digits == 0 && value.size() < 20) return false;
  if (makeup.distinct < 9) return false;
  if (makeup.digits == 0 && !(makeup.uppers > 2 && makeup.lowers > 2)) return mean_of_pairs(value) < 4.3;
  // Letters that read as words, however many digits are among them, are a name: "arn-like-name-v2-eu-west-1".
  return kinds >= 2 && mean_of_pairs(value) < (makeup.digits * 8 > value.size() ? 5.2 : 4.7);
}

// "password" => "required|min:8", "type": "password": what a form or a schema says of a field.
bool is_said_of_a_field(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "required", "string", "nullable", "confirmed", "min:", "max:", "optional", "varchar",  "char(",
      "text",     "type:",  "enum",     "bool",      "int",  "uuid", "secret_",  "password", "passwd"};
  const std::string small = lower(value);
  return any_of(heads, small, begins) && name_likeness(value).words;
}

// Either: a short one may be thought of, a long one is made.
bool may_be_secret(std::string_view value, const Assignment& assignment) {
  return may_be_password(value, assignment) &&
         (value.size() < 16 || may_be_key(value) || name_likeness(value).symbols > 0);
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

// "Admin@4321": common words, but with all that a policy asks for: somebody made it to be used.
bool is_as_policies_want(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return value.size() >= 8 && value.size() <= 24 && makeup.digits >= 3 && makeup.uppers > 0 && makeup.lowers > 0 &&
         value.find_first_of("!@#$%^&*") != std::string_view::npos &&
         value.find_first_of("<>{}()[].") == std::string_view::npos && !contains(lower(value), "passw");
}

// More than a word of prose: digits among its letters, or marks that no sentence has.
bool is_mixed(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  const NameLikeness likeness = name_likeness(value);
  return makeup.digits >= 3 || (makeup.digits > 0 && (likeness.symbols > 0 || makeup.uppers > 0)) || !likeness.words;
}

enum class Wanted { password, secret, key };

Proof weigh(const Suspect& suspect, Wanted wanted) {
  const char* base = suspect.around.data();
  if (suspect.secret.data() < base) return {};
  const auto begin = static_cast<std::size_t>(suspect.secret.data() - base);
  const auto assignment = read_assignment(suspect.around, begin, begin + suspect.secret.size());
  if (!assignment) return {};
  const std::string_view value = assignment->value;
  if (value.size() < 6 || !is_text(*assignment)) return {};
  Proof proof = proven(true);
  proof.secrets = {value};
  // The cheap questions first: most of what is assigned in code is a word.
  if (is_hash(value)) {
    proof.severity = Severity::low;
  } else {
    const bool fits = wanted == Wanted::password ? may_be_password(value, *assignment)
                      : wanted == Wanted::key    ? may_be_key(value)
                                                 : may_be_secret(value, *assignment);
    if (!fits || is_checksum(value) || is_code(value, assignment->quoted) || is_expression(*assignment) ||
        is_escaped(value))
      return {};
  }
  if (assignment->followed && assignment->how != Assignment::How::flag &&
      std::any_of(assignment->name.begin(), assignment->name.end(), is_lower))
    return {};
  if (value == assignment->name || is_reference(value) || (is_placeholder(value) && !is_as_policies_want(value)) ||
      is_stand_in(value) || is_said_of_a_field(value) || is_email(value) || is_file_name(value))
    return {};
  if (!is_among_text(suspect.around, *assignment)) return {};
  // secret.method("x") is a question to it, but for the one whether it is this one.
  if (assignment->how == Assignment::How::call && is_method_of(*assignment, suspect.secret.data())) return {};
  if (assignment->name.ends_with("PWD") && assignment->name.size() <= 6 && !assignment->quoted) return {};
  const std::string name = snake(assignment->name);
  // ("RsaHashedKeyGenParams", "x"): of two arguments the first is the name of the second only where it ends as one.
  static constexpr std::string_view ends_as[] = {"password", "passwd", "passphrase", "pwd",        "pass",
                                                 "secret",   "token",  "key",        "credential", "credentials",
                                                 "auth",     "senha",  "passwort",   "contrasena"};
  if (assignment->how == Assignment::How::argument && !any_of(ends_as, name, ends)) return {};
  if (assignment->how == Assignment::How::word && !assignment->quoted && !is_mixed(value)) return {};
  return names_a_secret(name) ? proof : Proof{};
}

}  // namespace

namespace {

// Behind the last of these words in `text`, where one begins a word; npos: none does.
std::size_t behind_name(std::string_view text, const std::vector<std::string>& words) {
  const std::string small = lower(text);
  std::size_t behind = std::string::npos;
  for (const auto& word : words)
    for (std::size_t at = small.find(word); at != std::string::npos; at = small.find(word, at + 1)) {
      if (at > 0 && is_letter(text[at - 1]) && !(is_lower(text[at - 1]) && is_upper(text[at]))) continue;
      if (behind == std::string::npos || at + word.size() > behind) behind = at + word.size();
    }
  return behind;
}

}  // namespace

// A text that a machine made, near the name of a service; between them, or before it, something says that it is a key.
Proof service_key(const Suspect& suspect) {
  constexpr std::size_t reach = 96;
  const std::string_view value = suspect.secret;
  if (suspect.near == nullptr || is_stand_in(value) || !may_be_key(value)) return {};
  const auto at = static_cast<std::size_t>(value.data() - suspect.around.data());
  const std::size_t from = at - std::min(at, reach);
  const std::string_view before = suspect.around.substr(from, at - from);
  std::string_view between;
  if (const std::size_t behind = behind_name(before, *suspect.near); behind != std::string::npos) {
    between = before.substr(behind);
    if (std::count(between.begin(), between.end(), '\n') > 2) return {};
    // The name's own tail says it too: stripe_key, RENDER_API_TOKEN.
    if (behind >= 8) between = before.substr(behind - std::min<std::size_t>(behind, 7));
  } else {
    // curl -H "Authorization: Token ..." https://api.service.com: the line says it before the name does.
    const std::size_t line = before.rfind('\n');
    between = line == std::string_view::npos ? before : before.substr(line + 1);
    std::string_view after = suspect.around.substr(at + value.size(), reach);
    after = after.substr(0, after.find('\n'));
    if (behind_name(after, *suspect.near) == std::string::npos) return {};
  }
  const std::string small = lower(between);
  static constexpr std::string_view others[] = {
      "sha1",        "sha2",   "sha5",   "sha-",      "sha=",     "sha:",      "md5",         "hash",
      "checksum",    "commit", "digest", "integrity", "revision", "etag",      "fingerprint", "public",
      "publishable", "blob",   "tree",   "version",   "nonce",    "signature", "csrf"};
  static constexpr std::string_view says[] = {"key", "token",  "secret", "pass",   "auth", "cred",
                                              "api", "bearer", "pwd",    "access", "sid",  "login"};
  return proven(!any_of(others, small, holds) && any_of(says, small, holds));
}

// A password where nothing but a password stands: behind `sshpass -p`, as the second string of login().
Proof spelled_password(const Suspect& suspect) {
  Assignment assignment;
  assignment.value = suspect.secret;
  assignment.quoted = true;
  const std::string_view value = suspect.secret;
  return proven(is_text(assignment) && may_be_password(value, assignment) && !is_checksum(value) &&
                !is_code(value, true) && !is_escaped(value) && !is_reference(value) && !is_placeholder(value) &&
                !is_stand_in(value) && !is_email(value) && !is_file_name(value));
}

// The same of what a machine makes.
Proof machine_made(const Suspect& suspect) {
  const std::string_view value = suspect.secret;
  return proven(may_be_key(value) && !is_checksum(value) && !is_reference(value) && !is_stand_in(value) &&
                !is_file_name(value));
}

Proof assigned_password(const Suspect& suspect) { return weigh(suspect, Wanted::password); }
Proof assigned_secret(const Suspect& suspect) { return weigh(suspect, Wanted::secret); }
Proof assigned_key(const Suspect& suspect) { return weigh(suspect, Wanted::key); }

}  // namespace imgbuild::proofs

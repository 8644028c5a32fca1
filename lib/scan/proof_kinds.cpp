// What a value is when it is no secret: a stand-in, a hash, a checksum, code, an address, a file's name, a number, what
// a form says of its field. And what is needed to say of the rest that a machine made it.
#include <algorithm>

#include "base/text.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

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
    "987654321",
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
    // of manuals that are installed everywhere: urllib's
    "geheim$parole",
    "kadidd!ehopper",
    "correcthorse",
    "correct horse",
    "opensesame",
};

}  // namespace

// <token>, <your key>, <b>: an angle bracket that opens a word, or that another closes. One among the marks of a
// password does not.
static bool has_tag(std::string_view value) {
  const std::size_t open = value.find('<');
  if (open == std::string_view::npos) return false;
  const std::string_view behind = value.substr(open + 1);
  if (behind.find('>') != std::string_view::npos || open == 0) return true;
  return std::all_of(behind.begin(), behind.end(), [](char c) { return is_letter(c) || c == '_' || c == '-'; });
}

// qwerty12, asdfasdf: keys that lie side by side, and no more than four others behind them or before.
static bool is_typed_in_passing(std::string_view small) {
  for (const std::string_view keys : {"qwerty", "asdf"}) {
    std::size_t others = small.size();
    for (std::size_t at = small.find(keys); at != std::string_view::npos; at = small.find(keys, at + keys.size()))
      others -= keys.size();
    if (others < small.size() && others <= 4) return true;
  }
  return false;
}

bool is_stand_in(std::string_view value) {
  std::string small = lower(value);
  if (const std::size_t at = small.find("hammock"); at != std::string::npos) small.replace(at, 7, "swing");  // no mock
  return has_tag(value) || any_of(stand_in_parts, small, contains) || is_typed_in_passing(small);
}

// 464/tcp of /etc/services, 51:C4:0C:...: what has a form of its own that no secret has.
bool is_port_or_fingerprint(std::string_view value) {
  for (const std::string_view protocol : {"/tcp", "/udp", "/sctp", "/dccp"})
    if (value.ends_with(protocol) && value.find_first_not_of("0123456789") == value.size() - protocol.size())
      return true;
  constexpr std::size_t shortest = 8 * 3 - 1;
  if (value.size() < shortest || value.size() % 3 != 2) return false;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (i % 3 == 2 ? value[i] != ':'
                   : std::string_view("0123456789abcdefABCDEF").find(value[i]) == std::string_view::npos)
      return false;
  return true;
}

// A hash is what a password is checked against: it can be guessed from, offline, and no more.
bool is_hash(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "$1$",     "$2a$",     "$2b$",    "$2y$",    "$5$",     "$6$",       "$7$",     "$y$",     "$apr1$",
      "$argon2", "$scrypt$", "$pbkdf2", "pbkdf2_", "pbkdf2:", "scrypt:",   "bcrypt$", "bcrypt:", "{SSHA",
      "{SHA",    "{CRYPT}",  "{MD5}",   "{BLF",    "{PBKDF2", "SCRAM-SHA", "argon2",  "$S$",     "$P$",
      "$H$",     "sha1$",    "sha256$", "md5$",    "*0x",     "CRYPT:",    "HMACSHA"};
  // ada:$2y$05$...
  if (const std::size_t user = value.find(":$"); user != std::string_view::npos && user < 40)
    return is_hash(value.substr(user + 1));
  // MySQL's: a star and the SHA-1 in capitals.
  if (value.size() == 41 && value[0] == '*' && unhex(value.substr(1))) return true;
  return value.size() > 12 && any_of(heads, value, starts_with);
}

// What providers call publishable (Stripe's pk_, Supabase's), and what is encrypted with a key that is elsewhere: of
// AWS KMS, of sealed-secrets, ansible-vault, of openssl enc (U2FsdGVkX1: "Salted__"), or by a word that says so.
bool is_public(std::string_view value) {
  static constexpr std::string_view heads[] = {"pk_live_",
                                               "pk_test_",
                                               "sb_publishable_",
                                               "publishable_",
                                               "phc_",
                                               "AQICAH",
                                               "AQIDAH",
                                               "AQEDAH",
                                               "$ANSIBLE_VAULT",
                                               "U2FsdGVkX1",
                                               "encrypted:",
                                               "kms:",
                                               "{AES",
                                               "{DES",
                                               "{cipher}",
                                               "{ENC",
                                               "EJ[1:",
                                               "ENC:",
                                               "enc:",
                                               "-----BEGIN PGP MESSAGE"};
  if (is_account_of_chain(value)) return true;
  return any_of(heads, value, starts_with) ||
         (value.size() > 256 && (value.starts_with("AgA") || value.starts_with("AgB")));
}

// A key has 32 bytes.
bool is_account_of_chain(std::string_view value) {
  return value.size() == 42 && value.starts_with("0x") && unhex(value.substr(2)).has_value();
}

bool is_lower_hex(std::string_view value) {
  return value.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Integrity, never a secret: sha256-..., sha512-...=, sha256:...
bool is_checksum(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "sha1-", "sha256-", "sha384-", "sha512-", "sha1:", "sha256:", "sha384:", "sha512:", "md5:", "SHA256:", "MD5:"};
  return any_of(heads, value, starts_with);
}

namespace {

// f"md5{hash}", $"app-{GetSecret()}": what a program fills in.
bool is_interpolated(std::string_view value) {
  for (std::size_t open = value.find('{'); open != std::string_view::npos; open = value.find('{', open + 1)) {
    std::size_t at = open + 1;
    while (at < value.size() && (is_letter(value[at]) || value[at] == '_' || value[at] == '.')) ++at;
    if (at >= open + 3 && at < value.size() && (value[at] == '}' || value[at] == '(')) return true;
  }
  return false;
}

}  // namespace

// Letters, digits and marks in a heap, as generators and Django's startproject make them: whatever pairs of marks are
// among them, no regular expression is without brackets or a backslash.
bool is_of_generator(std::string_view value) {
  const Makeup makeup = makeup_of(value);
  return value.size() >= 12 && !value.starts_with("ENC[") && !value.starts_with("ENC(") && !contains(value, "&#") &&
         !(value[0] == '$' && is_letter(value[1])) && makeup.digits >= 2 && makeup.uppers >= 2 && makeup.lowers >= 2 &&
         makeup.others >= 3 && makeup.distinct * 3 >= value.size() && value.find('\\') == std::string_view::npos &&
         !contains(value, "(?") && !contains(value, "a-z") && !contains(value, "A-Z") && !contains(value, "0-9") &&
         !contains(value, "{{") && !contains(value, "//") && !name_likeness(value).words;
}

bool is_code(std::string_view value, bool quoted) {
  if (is_interpolated(value)) return true;
  if (quoted && is_of_generator(value)) return false;
  const std::string start = lower(value.substr(0, 6));
  if (start.starts_with("ctrl+") || start.starts_with("alt+") || start.starts_with("shift+") ||
      start.starts_with("cmd+"))
    return true;
  if (contains(value, "=>") || contains(value, "&&") || contains(value, "||") || contains(value, "\\d") ||
      contains(value, "\\w") || contains(value, "[^") || contains(value, "(?") || contains(value, ".*") ||
      contains(value, ".+") || contains(value, "{{") || contains(value, "/>") ||
      (contains(value, "//") && !may_be_key(value)) || contains(value, ":0x") || contains(value, "{$") ||
      contains(value, "(\\S") || contains(value, "\\S+") || contains(value, "\\s*") || contains(value, "\\s+"))
    return true;
  if (is_dotted_name(value)) return true;
  if (value.starts_with(':') && contains(value, ":`")) return true;  // :const:`None` of reStructuredText
  // %01032i, %wcouldn of a table of formats; what stands between two texts of minified code.
  if (value.size() > 1 && value[0] == '%' && is_alphanumeric(value[1]) && !unhex(value.substr(1, 2))) return true;
  // %01032i\n: a number as wide as that.
  if (value.size() > 2 && value[0] == '%') {
    const std::size_t letter = value.find_first_not_of("0123456789.-", 1);
    if (letter != std::string_view::npos &&
        std::string_view("diouxXsc").find(value[letter]) != std::string_view::npos &&
        (letter + 1 == value.size() || value.substr(letter + 1) == "\\n"))
      return true;
  }
  // x$passwd, app_$name: a text of a shell.
  if (const std::size_t sign = value.find('$'); sign != std::string_view::npos && sign < 4 && sign + 1 < value.size()) {
    const std::string_view name = value.substr(sign + 1);
    if ((value.starts_with("x$") || contains(name, "_")) && !is_digit(name[0]) &&
        std::all_of(name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || c == '_'; }))
      return true;
  }
  if (value.ends_with("(") && value.find_first_of(",;+") != std::string_view::npos) return true;
  static constexpr std::string_view heads[] = {"{\"", "{\\\"", "[\"", "[\\\"", "{'", "['"};  // JSON in a text
  if (any_of(heads, value, starts_with)) return true;
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
            return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '$' || c == '!' || c == '&' ||
                   c == '*' || c == ':' || c == '@';
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

// A class, a module, a key of translations: ~azure.mgmt.keyvault.v2019_09_01.models.Secret.
bool is_dotted_name(std::string_view value) {
  const bool said = value.starts_with("~");  // Sphinx
  if (said) value.remove_prefix(1);
  if (std::count(value.begin(), value.end(), '.') < 2 || !is_letter(value[0])) return false;
  std::size_t digits = 0;
  for (const char c : value) {
    if (!is_alphanumeric(c) && c != '_' && c != '.') return false;
    if (is_digit(c)) ++digits;
  }
  return said || (name_likeness(value).words && digits * 4 < value.size());
}

// "TA0006", "T1552.001": how MITRE ATT&CK numbers what it tells of.
bool is_technique(std::string_view value) {
  if (!value.starts_with('T')) return false;
  value.remove_prefix(value.starts_with("TA") ? 2 : 1);
  const auto digits = [](std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); };
  return (value.size() == 4 && digits(value)) ||
         (value.size() == 8 && value[4] == '.' && digits(value.substr(0, 4)) && digits(value.substr(5)));
}

// 2022-11-23T00:00:00.000Z, ^1.0.0, ~> 3.2, v2.0.0-rc.1, 4.0.0b1
bool is_date_or_version(std::string_view value) {
  if (is_technique(value)) return true;
  if (value.size() < 3 || value.size() > 32) return false;
  const std::size_t first = value.find_first_not_of("^~<>=!v ");
  if (first == std::string_view::npos || !is_digit(value[first])) return false;
  const std::string_view text = value.substr(first);
  const auto digits = [&](std::size_t at, std::size_t count) {
    return text.size() >= at + count && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at),
                                                    text.begin() + static_cast<std::ptrdiff_t>(at + count), is_digit);
  };
  const auto mark = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };
  if (digits(0, 4) && mark(4, '-') && digits(5, 2) && mark(7, '-') && digits(8, 2) &&
      (text.size() == 10 || mark(10, 'T') || mark(10, ' ')))
    return true;
  // Two numbers and a dot, then more of them, then what says how ready it is.
  std::size_t at = 0, dots = 0;
  while (at < text.size() && (is_digit(text[at]) || (text[at] == '.' && at > 0 && is_digit(text[at - 1])))) {
    if (text[at] == '.') ++dots;
    ++at;
  }
  if (first == 1 && dots == 0 && value[0] == 'v' && at <= 2 && text.size() <= 8)
    return text.substr(at).starts_with("alpha") || text.substr(at).starts_with("beta");
  if (dots == 0 || at > 16 || (dots == 1 && first == 0)) return false;
  const std::string tail = lower(text.substr(at));
  if (tail.empty()) return true;
  static constexpr std::string_view stages[] = {"-",    "+",   "a",    "b", "rc", "alpha",
                                                "beta", "dev", "post", "x", "*",  "snapshot"};
  return any_of(stages, tail, starts_with) &&
         tail.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-+*_") == std::string::npos;
}

// What a password is hashed or encrypted with: pbkdf2, sha512_crypt, SHA256, aes-256-gcm, RS256.
bool is_algorithm(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "sha1",     "sha2",   "sha3",     "sha5",    "sha-",   "md5",      "md4",   "bcrypt", "scrypt", "pbkdf2",
      "argon2",   "aes",    "des",      "3des",    "rsa",    "hmac",     "hs256", "hs384",  "hs512",  "rs256",
      "rs384",    "rs512",  "es256",    "es384",   "es512",  "ps256",    "ps512", "crypt",  "ssha",   "ntlm",
      "blowfish", "chacha", "ecdsa",    "ed25519", "base64", "plain",    "scram", "cram",   "digest", "apr1",
      "oauth",    "openid", "saml",     "oidc",    "ldap",   "webauthn", "fido",  "totp",   "hotp",   "wpa",
      "psk",      "eap",    "poly1305", "utf",     "x25519", "secp",     "ecdh",  "gcm",    "cbc",    "pkcs"};
  if (value.size() > 24) return false;
  const std::string small = lower(value);
  // What stands behind is a size or another of them.
  for (std::string_view rest = small; !rest.empty();) {
    std::size_t longest = 0;
    for (const std::string_view head : heads)
      if (rest.starts_with(head)) longest = std::max(longest, head.size());
    if (longest == 0) return false;
    rest.remove_prefix(longest);
    const std::size_t next = rest.find_first_not_of("0123456789-_/:.");
    rest.remove_prefix(std::min(next, rest.size()));
    if (rest == "id" || rest == "i" || rest == "d" || rest == "k1" || rest == "r1" || rest == "v1") return true;
  }
  return true;
}

// cGFzc3dvcmQ=: base64 of what is none.
bool is_encoded_stand_in(std::string_view value) {
  if (value.size() < 8 || value.size() % 4 != 0 || value.size() > 200) return false;
  const Bytes plain = decoded_base64(value);
  const std::string_view text = trim(text_of(plain));
  if (text.size() < 4 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }))
    return false;
  const bool phrase = std::count(text.begin(), text.end(), ' ') >= 2 && name_likeness(text).words;
  return phrase || is_placeholder(text) || is_stand_in(text);
}

// A word of a language that is not written in ASCII alone; a password has a digit as well.
bool is_foreign_word(std::string_view value) {
  if (std::none_of(value.begin(), value.end(), [](char c) { return (c & 0x80) != 0; })) return false;
  std::string plain;
  for (const char c : value)
    if ((c & 0x80) == 0) plain += c;
  const Makeup makeup = makeup_of(plain);
  return makeup.digits == 0 || (makeup.digits == 1 && name_likeness(plain).symbols == 0);
}

// \u3299, \x41: what it is is seen where it is decoded.
bool is_escaped(std::string_view value) {
  for (std::size_t at = value.find('\\'); at != std::string_view::npos && at + 3 < value.size();
       at = value.find('\\', at + 1))
    if ((value[at + 1] == 'u' || value[at + 1] == 'x' || value[at + 1] == 'U') && unhex(value.substr(at + 2, 2)))
      return true;
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
      ".txt",  ".pem", ".key",  ".json", ".yml",  ".yaml",  ".xml",  ".conf",       ".cfg",      ".ini", ".crt",
      ".cer",  ".p12", ".pfx",  ".jks",  ".py",   ".js",    ".ts",   ".java",       ".go",       ".rb",  ".php",
      ".html", ".htm", ".css",  ".png",  ".svg",  ".jpg",   ".md",   ".properties", ".keystore", ".pub", ".asc",
      ".gpg",  ".com", ".org",  ".net",  ".io",   ".local", ".sh",   ".sql",        ".csv",      ".log", ".db",
      ".h",    ".c",   ".cpp",  ".vue",  ".jsx",  ".tsx",   ".tpl",  ".env",        ".zip",      ".tgz", ".gz",
      ".tar",  ".exe", ".dll",  ".so",   ".jar",  ".war",   ".whl",  ".deb",        ".rpm",      ".iso", ".img",
      ".pdf",  ".doc", ".docx", ".xls",  ".xlsx", ".gif",   ".ico",  ".webp",       ".woff2",    ".map", ".lock",
      ".toml", ".bak", ".old",  ".der",  ".csr",  ".ppk",   ".kdbx", ".tf",         ".tfvars",   ".rs",  ".swift",
      ".m3u8", ".mp4", ".mp3",  ".rst",  ".tex",  ".po",    ".mo",   ".xsd",        ".proto",    ".bat", ".ps1"};
  return any_of(tails, value, ends_with);
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
  if (value.starts_with("-")) value.remove_prefix(1);
  while (value.starts_with("0x") && (value.ends_with("L") || value.ends_with("U"))) value.remove_suffix(1);
  if (value.starts_with("0x") && value.size() <= 18) return true;
  return std::all_of(value.begin(), value.end(), [](char c) {
    return is_digit(c) || std::string_view(".,:-+/_ xXeE").find(c) != std::string_view::npos;
  });
}

// Letters and digits by turns, more often than in any name: the longest stretch of them that does so. Letters that hex
// has stand in words too, so that how they pair says nothing of these.
bool is_interleaved(std::string_view value) {
  const auto turns = [](std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 1; i < text.size(); ++i) count += is_digit(text[i]) != is_digit(text[i - 1]);
    return count;
  };
  for (std::size_t at = 0; at < value.size();) {
    std::size_t end = at;
    while (end < value.size() && (is_digit(value[end]) || is_letter(value[end]))) ++end;
    const std::string_view run = value.substr(at, end - at);
    if (run.size() >= 12 && turns(run) * 4 >= run.size() && makeup_of(run).distinct >= 7) return true;
    at = end + 1;
  }
  return false;
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
  if (value.size() < 16)
    return (kinds >= 3 && makeup.distinct >= 8 && makeup.digits >= 2) || (makeup.digits >= 3 && is_interleaved(value));
  if (makeup.digits == 0 && value.size() < 20) return false;
  if (makeup.distinct < 9) return false;
  if (makeup.digits == 0 && !(makeup.uppers > 2 && makeup.lowers > 2)) return mean_of_pairs(value) < 4.3;
  // Letters that read as words, however many digits are among them, are a name: "arn-like-name-v2-eu-west-1".
  if (kinds == 3 && likeness.joints == 0 && likeness.parts * 3 >= value.size()) return true;
  return kinds >= 2 && (is_interleaved(value) || mean_of_pairs(value) < (makeup.digits * 8 > value.size() ? 5.2 : 4.7));
}

// "password" => "required|min:8", "type": "password": what a form or a schema says of a field.
bool is_said_of_a_field(std::string_view value) {
  static constexpr std::string_view heads[] = {
      "required", "string", "nullable", "confirmed", "min:", "max:",    "optional", "varchar", "char(",    "text",
      "type:",    "enum",   "bool",     "int|",      "int:", "integer", "uuid",     "secret_", "password", "passwd"};
  const std::string small = lower(value);
  return any_of(heads, small, starts_with) && name_likeness(value).words;
}

// HOST:PORT and a path, or a host in a domain: what a client connects to.
bool is_endpoint(std::string_view value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos || colon < 2) return false;
  const std::string_view host = value.substr(0, colon);
  std::string_view behind = value.substr(colon + 1);
  const std::size_t digits = std::min(behind.find_first_not_of("0123456789"), behind.size());
  behind.remove_prefix(digits);
  const bool named = std::all_of(host.begin(), host.end(),
                                 [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; });
  return named && digits >= 2 && digits <= 5 && (behind.empty() ? contains(host, ".") : behind.front() == '/');
}

}  // namespace imgbuild::proofs

// The closed set of proofs, and what is no secret whatever the rule.
//
// A pattern says what a credential looks like; a proof says whether it can be one: a key parses, a checksum holds, a
// header decodes, a value is written out and not looked up elsewhere. What a proof denies is no finding, so each one
// denies only what provably cannot be used; where it merely doubts, it lowers the severity.
#include "scan/proof.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "scan/proofs.hpp"

namespace imgbuild {
namespace {

struct Entry {
  std::string_view name;
  Proof (*check)(const Suspect&);
};

constexpr Entry table[] = {
    {"age-identity", proofs::age_identity},                // Bech32 with its checksum
    {"age-damaged", proofs::age_damaged},                  // the same, and its checksum does not hold
    {"assigned-key", proofs::assigned_key},                // a name is given it: made by a machine
    {"assigned-password", proofs::assigned_password},      // a name is given it: no word, no name, no message
    {"assigned-secret", proofs::assigned_secret},          // a name is given it: either
    {"aws-key-id", proofs::aws_key_id},                    // base32; holds an account number
    {"azure-storage-key", proofs::azure_storage_key},      // base64 of 64 bytes
    {"base64-text", proofs::base64_text},                  // base64 of a password that is written out
    {"basic-auth", proofs::basic_auth},                    // base64 of USER:PASSWORD
    {"crc32-base62", proofs::crc32_base62},                // six last characters are the checksum of the others
    {"damaged-key", proofs::damaged_key},                  // of random bytes, and no key that can be read
    {"der-key", proofs::der_key},                          // the DER parses as a private key
    {"discord-token", proofs::discord_token},              // first part is base64 of a number
    {"dnssec-key", proofs::dnssec_key},                    // a private key file of BIND's parses
    {"dropbear-key", proofs::dropbear_key},                // Dropbear's format parses
    {"encoded-private-key", proofs::encoded_private_key},  // base64 of a PEM key
    {"encoded-keystore", proofs::encoded_keystore},        // base64 of one, on a line
    {"env-value", proofs::env_value},                      // of a NAME=VALUE line: written out, and no common word
    {"gcp-service-account", proofs::gcp_service_account},  // the JSON around has the other fields, and the key parses
    {"generic-password", proofs::generic_password},        // written out, and neither words nor code
    {"gpg-agent-key", proofs::gpg_agent_key},              // the S-expression parses
    {"jwk", proofs::jwk},                                  // the JSON around is a key with its private part
    {"jwt", proofs::jwt},                                  // header and payload are JSON, the header names an algorithm
    {"keystore", proofs::keystore},                        // PKCS#12 or Java's, and holds a private key
    {"keytab", proofs::keytab},                            // a record of a principal with its key
    {"listed-password", proofs::listed_password},          // numbers or characters that are the letters of one
    {"literal", proofs::literal},                          // written out, not a reference to elsewhere
    {"machine-made", proofs::machine_made},                // long, and no words can be read in it
    {"minisign-key", proofs::minisign_key},                // base64 of minisign's 158 bytes
    {"noted-password", proofs::noted_password},            // in notes of accounts
    {"openvpn-key", proofs::openvpn_key},                  // 256 bytes in hex
    {"password-hash", proofs::password_hash},              // as long as its method makes it
    {"pgp-keyring", proofs::pgp_keyring},                  // a secret key packet around the exponent
    {"pgp-secret-key", proofs::pgp_secret_key},            // the first packet is a secret key
    {"ppk-key", proofs::ppk_key},                          // PuTTY's format parses
    {"private-key", proofs::private_key},                  // the PEM parses
    {"pypi-macaroon", proofs::pypi_macaroon},              // a macaroon of pypi.org
    {"random-token", proofs::random_token},                // upper, lower and digits, and no run of words
    {"said-password", proofs::said_password},              // the same in prose: more than a word
    {"service-key", proofs::service_key},                  // made by a machine, and said to be a key of the one near it
    {"signify-key", proofs::signify_key},                  // base64 of signify's 104 bytes
    {"sigstore-key", proofs::sigstore_key},                // base64 of JSON with a cipher
    {"spelled-password", proofs::spelled_password},        // no word, no name, no reference
    {"told-password", proofs::told_password},              // said of something, or given behind a colon
    {"url-password", proofs::url_password},                // a password in a URL, written out
    {"wireguard-key", proofs::wireguard_key},              // 32 bytes, clamped where it is no shared key
    {"printed-key", proofs::printed_key},                  // what openssl prints of it, in hex
    {"xml-rsa-key", proofs::xml_rsa_key},                  // .NET's XML with its private exponent
};

// The words that stand where a secret will.
constexpr std::string_view placeholder_words[] = {
    "a",          "abc",         "abcd",      "account",      "actual",       "add",         "admin",
    "aladdin",    "an",          "and",       "anoncvs",      "anonymous",    "api",         "apikey",
    "app",        "auth",        "bar",       "baz",          "be",           "bearer",      "bla",
    "blah",       "bob",         "bogus",     "change",       "changeit",     "changeme",    "client",
    "credential", "credentials", "db",        "dbpass",       "dbpassword",   "dbuser",      "default",
    "demo",       "domain",      "dummy",     "eggs",         "email",        "empty",       "enter",
    "ex",         "example",     "fake",      "false",        "fill",         "fixme",       "foo",
    "foobar",     "for",         "from",      "goes",         "guest",        "hash",        "here",
    "hidden",     "host",        "hostname",  "id",           "ignored",      "in",          "insert",
    "invalid",    "is",          "it",        "key",          "letmeknow",    "login",       "long",
    "masked",     "me",          "mock",      "my",           "mykey",        "mypass",      "mypassword",
    "mysecret",   "mytoken",     "myuser",    "name",         "new",          "nil",         "no",
    "nobody",     "none",        "not",       "null",         "of",           "old",         "omitted",
    "open",       "opensesame",  "optional",  "or",           "org",          "pass",        "passphrase",
    "passwd",     "password",    "passwort",  "personal",     "placeholder",  "please",      "private",
    "project",    "provide",     "proxypass", "proxyuser",    "pserver",      "public",      "put",
    "pw",         "pwd",         "quux",      "qux",          "random",       "real",        "redacted",
    "removed",    "replace",     "repopwd",   "repouser",     "required",     "root",        "sample",
    "scott",      "secret",      "secrets",   "sekret",       "server",       "sesame",      "set",
    "some",       "something",   "spam",      "string",       "super",        "supersecret", "tbd",
    "test",       "tester",      "testing",   "testpass",     "testpassword", "tests",       "text",
    "the",        "this",        "to",        "todo",         "token",        "topsecret",   "true",
    "undefined",  "unique",      "phrase",    "unset",        "unused",       "use",         "user",
    "username",   "value",       "var",       "variable",     "very",         "whatever",    "with",
    "word",       "x",           "xx",        "xxx",          "xyz",          "xyzzy",       "yes",
    "you",        "your",        "yourkey",   "yourpassword", "yoursecret",   "yourtoken",   "yyy",
    "zzz",
};

bool is_placeholder_word(std::string_view word) {
  static const std::vector<std::string_view> sorted = [] {
    std::vector<std::string_view> words(std::begin(placeholder_words), std::end(placeholder_words));
    std::sort(words.begin(), words.end());
    return words;
  }();
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

// Values that standards print, and every implementation's documentation after them (RFC 5849, 6749, 6750, 7617); those
// of two manuals that nearly every image holds, git's netrc helper and pip's; and the keys that emulators and test
// services document, the same for everybody (Azure's storage and Cosmos emulators, reCAPTCHA, Stripe, AWS).
constexpr std::string_view printed_values[] = {
    "tiger",  // Oracle's
    "2YotnFZFEjr1zCsicMWpAA",
    "tGzv3JOkF0XG5Qx2TlKWIA",
    "SlAV32hkKG",
    "czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "kkk9d7dh3k39sjv7",
    "ad180jjd733klru7",
    "nnch734d00sl2jdk",
    "7Fjfp0ZBr1KtDRbnfVdmIw",
    "mF_9.B5f-4.1JqM",
    "bobwillknow",
    "he%2F%2Fo",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
    "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI",
    "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe",
    "1x0000000000000000000000000000000AA",
    "2x0000000000000000000000000000000AA",
    "3x0000000000000000000000000000000AA",
    // Docker's manual
    "SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8",
    "SWMKEY-1-fySn8TY4w5lKcWcJPIpKufejh9hxx5KYwx6XZigx3Q4",
    "SWMTKN-1-1h8aps2yszaiqmz2l3oc5392pgk8e49qhx2aj3nyv0ui0hez2a-6qmn92w6bu3jdvnglku58u11a",
    "SWMTKN-1-1h8aps2yszaiqmz2l3oc5392pgk8e49qhx2aj3nyv0ui0hez2a-8llk83c4wm9lwioey2s316r9l",
    "SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl-1awxwuwd3z9j1z3puu7rcgdbx",
    "SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl-7p73s1dx5in4tatdymyhg9hu2",
    "SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl-b30ljddcqhef9b9v4rs7mel7t",
    "SWMTKN-1-49nj1cmql0jkz5s954yi3oex3nedyz0fb0xx14ie39trti4wxv-8vxv8rssmk743ojnwacrr2e7c",
    // phpMyAdmin's manual
    "f16ce59f45714194371b48fe362072dc3b019da7861558cd4ad29e4d6fb13851",
    "JOFw435365IScA&Q!cDugr!lSfuAz*OW",
    // Grafana's manual
    "eyJrIjoiT0tTcG1pUlY2RnVKZTFVaDFsNFZXdE9ZWmNrMkZYbk",
    "JBSWY3DPEHPK3PXP",     // Google's, of the links for one-time codes
    "abcd-efgh-ijkl-mnop",  // Apple's, of passwords of single programs
    // Telegram's manual; RFC 7515, 7517, 7520 and 8037
    "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    "GawgguFyGrWKav7AX4VKUg",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    // UUIDs of RFC 4122 and of the documentation of Swagger, AWS and others
    "123e4567-e89b-12d3-a456-426614174000",
    "123e4567-e89b-12d3-a456-426655440000",
    "550e8400-e29b-41d4-a716-446655440000",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "d290f1ee-6c54-4b01-90e6-d701748f0851",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
};

using proofs::contains;

// ${VAR}, $(command), {{ template }}, <token>, %VAR%, @var@, [token]: the secret stands elsewhere.
bool is_stand_in(std::string_view text) {
  const auto in = [&](std::string_view open, std::string_view close) {
    return text.size() >= open.size() + close.size() && text.starts_with(open) && text.ends_with(close);
  };
  if (in("${", "}") || in("$(", ")") || in("{{", "}}") || in("<", ">") || in("%", "%") || in("@", "@") ||
      in("[", "]") || in("{", "}") || in("%(", ")s") || in("`", "`") || in("(", ")"))
    return true;
  if (contains(text, "${") || contains(text, "{{") || contains(text, "$(") || contains(text, "%(")) return true;
  // $VAR and $1: a name and nothing else.
  if (text.size() > 1 && text[0] == '$')
    return std::all_of(text.begin() + 1, text.end(), [](char c) { return c == '_' || is_letter(c) || is_digit(c); });
  return text == "%s" || text == "%q" || text == "%v" || text == "{}" || text == "$" || text == "%d";
}

// P@$$w0rd: a word that everybody spells so.
bool is_spelled_word(std::string_view text) {
  static constexpr std::string_view words[] = {"password", "passwort", "pass",          "secret",    "letmein",
                                               "qwerty",   "changeme", "adminpassword", "mypassword"};
  while (text.ends_with("!")) text.remove_suffix(1);
  std::string plain = lower(text);
  for (char& c : plain) {
    constexpr std::string_view spelled = "@$0134567!", meant = "asoieasgti";
    if (const std::size_t at = spelled.find(c); at != std::string_view::npos) c = meant[at];
  }
  return plain.starts_with("changeme") ||
         std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return plain == word; });
}

// All one character, or each the next of the one before ("12345678", "abcdef"), as test data has it.
bool is_run(std::string_view text) {
  std::size_t steps = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int step = static_cast<unsigned char>(text[i]) - static_cast<unsigned char>(text[i - 1]);
    const char last = text[i - 1], next = text[i];
    const bool wraps = ((last == '9' || last == '0') && (next == '0' || next == 'a' || next == 'A')) ||
                       ((last == 'f' || last == 'z') && (next == '0' || next == '1'));
    if (step == 0 || step == 1 || wraps) ++steps;
  }
  // A long value may change its run a few times ("abcdef0123456789ABCDEF").
  return text.size() < 2 || steps + 1 + text.size() / 12 >= text.size();
}

// 000102030405..., 00112233...: bytes that count, as test vectors have them.
bool is_run_of_bytes(std::string_view text) {
  const auto bytes = unhex(text.starts_with("0x") ? text.substr(2) : text);
  if (!bytes || bytes->size() < 8) return false;
  const auto step = static_cast<std::uint8_t>((*bytes)[1] - (*bytes)[0]);
  if (step != 1 && step != 0x11) return false;
  for (std::size_t i = 2; i < bytes->size(); ++i)
    if (static_cast<std::uint8_t>((*bytes)[i] - (*bytes)[i - 1]) != step) return false;
  return true;
}

// ghp_1234567890abcdefghijkl...: behind its prefix each long part of a token is a run.
bool has_only_runs(std::string_view text) {
  constexpr std::size_t least = 10;
  std::size_t runs = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find_first_of("_-.", from), text.size());
    const std::string_view part = text.substr(from, end - from);
    if (part.size() >= least && !is_run(part)) return false;
    if (part.size() >= least) ++runs;
    from = end + 1;
  }
  return runs > 0;
}

// "a1b2c3d4e5f6g7h8", "abc123def456ghi789": its letters are a run, and its digits.
bool is_run_of_two(std::string_view text) {
  if (text.size() < 12) return false;
  char letter = 0, digit = 0;
  std::size_t letters = 0, digits = 0, breaks = 0;
  for (const char c : text) {
    char& last = is_letter(c) ? letter : digit;
    std::size_t& count = is_letter(c) ? letters : digits;
    const char next = is_upper(c) ? static_cast<char>(c | 0x20) : c;
    const bool goes_on = count == 0 || next == last || next == last + 1 || (last == '9' && next == '0');
    if (!goes_on && ++breaks > text.size() / 12) return false;
    last = next;
    ++count;
  }
  return letters >= 4 && digits >= 4;
}

}  // namespace

namespace proofs {

Makeup makeup_of(std::string_view text) {
  Makeup makeup;
  std::array<bool, 256> seen{};
  for (const char c : text) {
    if (is_digit(c))
      ++makeup.digits;
    else if (is_upper(c))
      ++makeup.uppers;
    else if (is_lower(c))
      ++makeup.lowers;
    else
      ++makeup.others;
    bool& known = seen[static_cast<unsigned char>(c)];
    if (!known) ++makeup.distinct;
    known = true;
  }
  return makeup;
}

bool is_made_of_placeholder_words(std::string_view text) {
  std::size_t words = 0;
  std::string digits;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_letter(text[i])) {
      if (is_digit(text[i])) digits += text[i];
      ++i;
      continue;
    }
    // A word: capitals, then small letters ("Password", "API", "key").
    std::size_t end = i;
    while (end < text.size() && is_upper(text[end])) ++end;
    if (end - i <= 1)
      while (end < text.size() && is_lower(text[end])) ++end;
    if (!is_placeholder_word(lower(text.substr(i, end - i)))) return false;
    ++words;
    i = end;
  }
  return words > 0 && (digits.size() <= 4 || is_run(digits));
}

Bytes decoded_base64(std::string_view text) {
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  return unbase64(standard).value_or(Bytes{});
}

}  // namespace proofs

bool is_proof(std::string_view name) {
  return std::any_of(std::begin(table), std::end(table), [&](const Entry& entry) { return entry.name == name; });
}

std::vector<std::string_view> proof_names() {
  std::vector<std::string_view> names;
  for (const Entry& entry : table) names.push_back(entry.name);
  return names;
}

bool takes_its_own_secret(std::string_view name) { return name.starts_with("assigned-"); }

bool proves_itself(std::string_view name) { return name == "crc32-base62" || name == "jwt" || name == "pypi-macaroon"; }

Proof prove(std::string_view name, const Suspect& suspect) {
  for (const Entry& entry : table)
    if (entry.name == name) return entry.check(suspect);
  return {};
}

bool is_placeholder(std::string_view secret) {
  if (secret.size() > 512) return false;  // nobody writes a stand-in that long
  std::string_view text = trim(secret);
  while (text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\''))
    text = text.substr(1, text.size() - 2);
  while (text.ends_with("\\n") || text.ends_with("\\r")) text.remove_suffix(2);  // of code that prints it
  if (text.empty() || is_stand_in(text) || is_run(text) || is_run_of_two(text) || is_run_of_bytes(text) ||
      has_only_runs(text))
    return true;
  if (contains(text, "EXAMPLE") || contains(text, "...") || contains(text, "xxxxx") || contains(text, "XXXXX") ||
      contains(text, "*****") || contains(text, "_here") || contains(text, "-here") || contains(text, "_HERE") ||
      contains(text, "\xe2\x80\xa6"))
    return true;
  for (const std::string_view value : printed_values)
    if (text == value) return true;
  const proofs::Makeup makeup = proofs::makeup_of(text);
  if (text.size() >= 16 && makeup.distinct <= std::min<std::size_t>(text.size() / 8 + 1, 6)) return true;
  const std::string small = lower(text);
  for (const std::string_view start : {"your-",         "your_",         "your.",      "my-secret",   "insert-",
                                       "insert_",       "enter-",        "enter_",     "replace-",    "replace_",
                                       "changeme",      "change-me",     "change_me",  "placeholder", "todo",
                                       "generate-with", "generate_with", "generate-a", "generate_a",  "paste-",
                                       "paste_",        "pk.eyj"})  // the last: a token of Mapbox that every page shows
    if (small.starts_with(start)) return true;
  if (is_spelled_word(text)) return true;
  // DB_PASSWORD, HOMER_DB_PASSWORD: the name of a variable.
  const bool shouted =
      std::all_of(text.begin(), text.end(), [](char c) { return is_upper(c) || is_digit(c) || c == '_'; });
  if (shouted && contains(text, "_"))
    for (const std::string_view end : {"PASSWORD", "PASSWD", "PASS", "PWD", "SECRET", "TOKEN", "_KEY"})
      if (text.ends_with(end)) return true;
  return proofs::is_made_of_placeholder_words(text);
}

double entropy_of(std::string_view text) {
  if (text.empty()) return 0;
  std::array<std::size_t, 256> count{};
  for (const char c : text) ++count[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const std::size_t n : count) {
    if (n == 0) continue;
    const double share = static_cast<double>(n) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

}  // namespace imgbuild

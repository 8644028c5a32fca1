// Values whose place says what they are: a password in a URL, in a configuration file, behind NAME=. The place is the
// rule's; here it is decided whether what stands there is the secret itself or a reference, a word, or code.
#include <algorithm>
#include <array>

#include "base/percent.hpp"
#include "base/text.hpp"
#include "scan/proofs.hpp"
#include "scan/wordlike.hpp"

namespace imgbuild::proofs {
namespace {

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Words joined by dots, dashes or underscores, or by capitals; no digit among them: a name, not a password.
bool is_name(std::string_view text) {
  const Makeup makeup = makeup_of(text);
  if (makeup.digits > 0) return false;
  if (makeup.lowers == 0 && makeup.others > 0) return makeup.others <= text.size() / 3;
  const bool joined = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '/' || c == ',' || c == ';' ||
           c == '?' || c == '!' || c == '*' || c == '\'';
  });
  if (!joined) return false;
  // Of random letters every second one changes its case; of CamelCase words every fifth.
  std::size_t changes = 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    if (is_letter(text[i]) && is_letter(text[i - 1]) && is_upper(text[i]) && is_lower(text[i - 1])) ++changes;
  return changes * 5 <= text.size();
}

// "shared_secret": "46fc6210..." in the test vectors of a protocol: the secret of one handshake that nobody held.
bool is_of_a_handshake(const Suspect& suspect) {
  const char* begin = suspect.around.data();
  const char* at = suspect.match.data();
  if (at < begin || at > begin + suspect.around.size()) return false;
  const std::string_view before = suspect.around.substr(0, static_cast<std::size_t>(at - begin));
  const std::string name = lower(before.substr(before.size() - std::min<std::size_t>(before.size(), 12)));
  for (const std::string_view word : {"shared", "exporter", "traffic", "handshake", "resumption"})
    if (name.ends_with(word) || name.ends_with(std::string(word) + "_") || name.ends_with(std::string(word) + "-"))
      return unhex(suspect.secret).has_value();
  return false;
}

}  // namespace

bool is_reference(std::string_view value) {
  if (is_leet(value)) return false;
  static constexpr std::string_view starts[] = {
      "$",
      "%(",
      "{{",
      "<%",
      "os.environ",
      "os.getenv",
      "getenv(",
      "ENV[",
      "ENV.",
      "process.env",
      "System.",
      "env.",
      "env(",
      "env:",
      "config.",
      "settings.",
      "self.",
      "this.",
      "vault:",
      "vault(",
      "ssm:",
      "file:",
      "file(",
      "arn:aws:",
      "op://",
      "secret://",
      "secrets.",
      "ENC[",
      "ENC(",
      "{cipher}",
      "aws-sm://",
      "gcp-sm://",
      "!vault",
      "!Ref",
      "!Sub",
      "var.",
      "local.",
      "data.",
      "module.",
      "lookup(",
      "keyring:",
      "/run/secrets/",
      "/var/run/secrets/",
      "projects/",
      "${",
      "@Microsoft.KeyVault",
      "sm://",
      "sops:",
  };
  for (const std::string_view start : starts)
    if (value.starts_with(start)) return true;
  // A format's gap, where no word begins with its letter, or an array, a call, a template.
  for (const std::string_view part :
       {"{0}", "{}", "[]", "()", "<%=", "#{", "${", "{{", "%{", "\" +", "' +", "'+", "+'", "\"+", "+\""})
    if (contains(value, part)) return true;
  const bool heap = makeup_of(value).digits >= 2 && !name_likeness(value).words;
  for (const std::string_view gap : {"%s", "%v", "%d"})
    for (std::size_t at = value.find(gap); at != std::string_view::npos; at = value.find(gap, at + 1)) {
      const std::string_view word = value.substr(at + 1, 4);
      const bool begins_word = word.size() == 4 && std::all_of(word.begin(), word.end(), is_lower);
      if (at == 0 || !is_alphanumeric(value[at - 1]) || !((begins_word && makeup_of(value).digits >= 2) || heap))
        return true;
    }
  // A path: an absolute one with two components and more, or one from home or here.
  if (value.starts_with("~/") || value.starts_with("./") || value.starts_with("../")) return true;
  if (value.starts_with("/") && std::count(value.begin(), value.end(), '/') > 1 && !contains(value, "+") &&
      !contains(value, "="))
    return true;
  return contains(value, "://");
}

Proof literal(const Suspect& suspect) {
  const std::string_view value = trim(suspect.secret);
  Proof proof = proven(value.size() >= 4 && is_printable(value) && !is_placeholder(value) && !is_reference(value) &&
                       lower(value) != "prompt");
  // A login at a host that RFC 2606 keeps for documentation.
  for (const std::string_view reserved : {"example.com", "example.org", "example.net", ".example "})
    if (contains(suspect.match, reserved)) proof.severity = Severity::low;
  return proof;
}

// SCHEME://USER:PASSWORD@HOST. A host that RFC 2606 keeps for documentation, or a bare word like "host", makes it a
// note.
Proof url_password(const Suspect& suspect) {
  const std::string password = percent_decoded(suspect.secret);
  if (password.size() < 4 || !is_printable(password) || is_placeholder(password) || is_placeholder(suspect.secret) ||
      is_reference(password))
    return {};
  const std::size_t begin = suspect.match.find("://");
  if (begin == std::string_view::npos) return proven(true);
  const std::string_view rest = suspect.match.substr(begin + 3);
  const std::string_view user = rest.substr(0, rest.find(':'));
  if (user == suspect.secret || suspect.secret == "x-oauth-basic")
    return {};  // guest:guest, postgres:postgres: documented defaults
  // user:passwb, adminuser:adminpass, app:app_password: words for one.
  const std::string small = lower(password);
  if (makeup_of(password).digits == 0 && name_likeness(password).words &&
      (small.starts_with("passw") || small.ends_with("pass") || contains(small, "passw") || small.ends_with("pwd")))
    return {};
  const std::size_t at = suspect.secret.data() - suspect.match.data() + suspect.secret.size();
  Proof proof = proven(true);
  if (at >= suspect.match.size()) return proof;
  std::string host = lower(suspect.match.substr(at + 1));
  host.resize(std::min(host.size(), host.find_first_of(":/?# \t\"'")));
  for (const std::string_view reserved :
       {"example.com", "example.org", "example.net", "example", "host", "hostname", "server", "host.com", "domain.com",
        "domain.tld", "a.com", "foo.com", "test.com", "site.com", "foo", "a", "b", "h"})
    if (host == reserved || host.ends_with(".example") || host.ends_with("example.com") ||
        host.ends_with("example.org"))
      proof.severity = Severity::low;
  return proof;
}

// Base64 of USER:PASSWORD, as HTTP basic authentication and docker's config.json have it.
Proof basic_auth(const Suspect& suspect) {
  const Bytes plain = decoded_base64(suspect.secret);
  std::string text(text_of(plain));
  // Of SASL (RFC 4616) zeros part the identity, the user and the password.
  if (text.starts_with('\0') && std::count(text.begin(), text.end(), '\0') == 2) {
    text.erase(0, 1);
    std::replace(text.begin(), text.end(), '\0', ':');
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_printable(text)) return {};
  const std::string_view password = std::string_view(text).substr(colon + 1);
  return proven(password.size() >= 4 && !is_placeholder(password) && password != text.substr(0, colon) &&
                !is_reference(password));
}

// A quoted value behind a name like "password", in any language.
Proof generic_password(const Suspect& suspect) {
  const std::string_view value = suspect.secret;
  if (value.size() < 8 || is_placeholder(value) || is_reference(value) || is_name(value) || is_uuid(value) ||
      is_of_a_handshake(suspect))
    return {};
  if (!is_printable(value) || value.find_first_of(" <>()[]{}\\`") != std::string_view::npos) return {};
  const Makeup makeup = makeup_of(value);
  const int kinds = (makeup.digits > 0) + (makeup.uppers > 0) + (makeup.lowers > 0) + (makeup.others > 0);
  // "sha256:", "P_1234", "utf-8": one letter in three must be something else than the small letters of words.
  return proven(kinds >= 3 || (kinds == 2 && makeup.digits >= 2 && makeup.digits < value.size()) || value.size() >= 32);
}

// The value of a NAME=VALUE line. Unquoted, so anything may stand there.
Proof env_value(const Suspect& suspect) {
  const std::string_view value = trim(suspect.secret);
  if (value.size() < 6 || is_placeholder(value) || is_reference(value) || !is_printable(value) || is_stand_in(value) ||
      value.starts_with("encrypted:"))
    return {};
  if (contains(value, "-----BEGIN")) return {};  // a key is read as one, or is none
  if (is_name(value) && value.size() < 24) return proven(false);
  const Makeup makeup = makeup_of(value);
  if (makeup.digits == value.size() && value.size() < 8) return {};
  return proven(value.find_first_of(" <>(){}[]`\\") == std::string_view::npos);
}

}  // namespace imgbuild::proofs

// Names of secrets, and names that only sound like them: "password_policy" is about one, "csrf_token" is not kept.
#include <algorithm>

#include "scan/proofs.hpp"

namespace imgbuild::proofs {
namespace {

// What a name ends in when it is about a secret and does not hold one.
constexpr std::string_view other_ends[] = {
    "_id",       "_ids",         "_name",      "_names",       "_file",       "_filename",     "_path",
    "_url",      "_uri",         "_type",      "_len",         "_length",     "_size",         "_field",
    "_label",    "_policy",      "_hint",      "_ref",         "_arn",        "_expiry",       "_ttl",
    "_count",    "_limit",       "_regex",     "_regexp",      "_pattern",    "_prompt",       "_reset",
    "_header",   "_prefix",      "_suffix",    "_algorithm",   "_alg",        "_algo",         "_column",
    "_error",    "_message",     "_msg",       "_text",        "_title",      "_input",        "_class",
    "_selector", "_param",       "_parameter", "_variable",    "_version",    "_provider",     "_store",
    "_manager",  "_endpoint",    "_required",  "_enabled",     "_mode",       "_format",       "_fingerprint",
    "_at",       "_date",        "_time",      "_timeout",     "_location",   "_dir",          "_directory",
    "_folder",   "_command",     "_cmd",       "_script",      "_program",    "_method",       "_handler",
    "_callback", "_validator",   "_rule",      "_rules",       "_strength",   "_confirmation", "_placeholder",
    "_index",    "_idx",         "_expires",   "_expires_in",  "_expiration", "_lifetime",     "_duration",
    "_usage",    "_description", "_desc",      "_help",        "_status",     "_scope",        "_scopes",
    "_audience", "_issuer",      "_encoding",  "_encryption",  "_startswith", "_charset",      "_env_var",
    "_envvar",   "_alias",       "_link",      "_button",      "_form",       "_page",         "_view",
    "_template", "_icon",        "_color",     "_username",    "_digest",     "_checksum",     "_sha",
    "_sha256",   "_md5",         "_sum",       "_kind",        "_category",   "_options",      "_option",
    "_settings", "_table",       "_query",     "_sql",         "_bits",       "_offset",       "_position",
    "_stream",   "_reader",      "_writer",    "_parser",      "_factory",    "_builder",      "_exception",
    "_response", "_request",     "_event",     "_token_type",  "_visible",    "_visibility",   "_toggle",
    "_locator",  "_xpath",       "_element",   "_ciphertext",  "_encrypted",  "_enc",          "_iv",
    "_public",   "_pub",         "_cert",      "_certificate", "_crt",        "_ca",           "_pem_file",
    "_vault",    "_namespace",   "_engine",    "_backend",     "_plugin",     "_module",       "_function",
    "_check",    "_valid",       "_invalid",   "_updated",     "_forgot",     "_recovery",     "_hash_type",
    "_cipher",   "_realm",       "_attempts",  "_history",     "_complexity", "_re",           "_min",
    "_max",      "_change",      "_changed",   "_created",     "_hashers",    "_util",         "_utils",
    "_toolkit",  "_service",     "_encoder",   "_hasher",      "_ph",         "again",         "_policies",
    "_create",   "_update",      "_cancel",    "_domain",      "_server",     "_host",         "_port",
    "_user",     "_md",
};
// What makes a key or token a public or a local thing.
constexpr std::string_view other_parts[] = {
    "public_key",
    "publickey",
    "pub_key",
    "publishable",
    "public_ed",
    "supublic",
    "application_server_key",
    "foreign",
    "primary_key",
    "partition",
    "sort_key",
    "cache_key",
    "row_key",
    "object_key",
    "translation",
    "i18n",
    "csrf",
    "authenticity",
    "xsrf",
    "page_token",
    "next_token",
    "continuation",
    "idempotency",
    "site_key",
    "sitekey",
    "registry_key",
    "hot_key",
    "hotkey",
    "shortcut",
    "keyboard",
    "key_code",
    "keycode",
    "key_press",
    "tokenizer",
    "token_kind",
    "tokens_per",
    "max_token",
    "num_token",
    "sync_token",
    "checksum",
    "integrity",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "etag",
    "fingerprint",
    "digest",
    "commit",
    "nonce",
    "keyserver",
    "gpg_key",
    "verifier",
    "host_key",
    "tokenize",
    "traffic_secret",
    "exporter_secret",
    "resumption",
    "handshake",
    "anti_forgery",
    "antiforgery",
    "resume_token",
    "change_token",
    "lock_token",
    "forward_token",
    "backward_token",
    "client_token",
    "client_request",
    "pagination",
    "sig_key",
    "release_manager",
    "trust_key",
    "verify_key",
    "signature",
    "key_id",
    "keyid",
    "apikeyid",
    "token_url",
    "author_",
    "authority",
    "authen_method",
    "compass",
    "bypass",
    "passive",
    "passenger",
    "passthrough",
    "pass_through",
    "pass_rate",
    "passed",
    "passing",
    "published",
    "pinned",
    "trusted_key",
    "allowed_key",
    "authorized_key",
    "known_host",
    "recv_key",
    "encrypted_",
    "hashed_secret",
    "encryptionsalt",
    "encryption_salt",
    "request_verification",
    "recipient",
    "instrumentation_key",
    "_label_",
    "dummy",
    "placeholder",
    "wrong_pass",
    "invalid_pass",
    "incorrect_pass",
    "remember_my",
    "remembermy",
    "guid",
    "lease_key",
    "sec_web_socket",
    "lifecycle_action",
    "policy_update",
    "request_token",
    "grant_token",
    "work_unit",
    "starting_token",
    "context_key",
    "key_prefix",
    "password_lock",
    "hashed_secret",
    "secretar",
    "season_pass",
    "boarding_pass",
    "render_pass",
    "forward_pass",
    "backward_pass",
    "shadow_pass",
    "depth_pass",
    "high_pass",
    "low_pass",
    "band_pass",
    "single_pass",
    "multi_pass",
    "first_pass",
    "second_pass",
};

}  // namespace

// Names in one spelling: userPassword, USER-PASSWORD and user.password are all user_password.
std::string snake(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool hump = is_upper(c) && i > 0 &&
                      (is_lower(name[i - 1]) || is_digit(name[i - 1]) ||
                       (is_upper(name[i - 1]) && i + 1 < name.size() && is_lower(name[i + 1])));
    if (hump && !out.empty() && out.back() != '_') out += '_';
    if (is_letter(c) || is_digit(c) || (c & 0x80) != 0)
      out += is_upper(c) ? static_cast<char>(c | 0x20) : c;
    else if (!out.empty() && out.back() != '_')
      out += '_';
  }
  while (!out.empty() && (out.back() == '_' || is_digit(out.back()))) out.pop_back();
  return out;
}

// What ends a name that holds one all the same: PASSWORD_PROD, apiKey2 (snake takes numbers away), secret_key_base.
bool names_a_secret(const std::string& name) {
  return std::none_of(std::begin(other_ends), std::end(other_ends),
                      [&](std::string_view end) { return name.ends_with(end); }) &&
         std::none_of(std::begin(other_parts), std::end(other_parts),
                      [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

}  // namespace imgbuild::proofs

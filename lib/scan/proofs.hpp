#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/private_key.hpp"
#include "scan/letters.hpp"
#include "scan/proof.hpp"

/// The checks behind proof.hpp's table, by what they look at. Room-internal. None throws on hostile input but
/// std::bad_alloc; each is linear in the size of `Suspect.around`.
namespace imgbuild::proofs {

// Keys: proof_keys.cpp
Proof private_key(const Suspect& suspect);
Proof encoded_private_key(const Suspect& suspect);
Proof damaged_key(const Suspect& suspect);
Proof der_key(const Suspect& suspect);
Proof encoded_keystore(const Suspect& suspect);
Proof keystore(const Suspect& suspect);
Proof ppk_key(const Suspect& suspect);
Proof age_identity(const Suspect& suspect);
Proof age_damaged(const Suspect& suspect);
Proof gcp_service_account(const Suspect& suspect);

constexpr std::size_t longest_key = std::size_t{48} << 10;  // RSA of 16,384 bits is 13 KB of PEM
/// The text from the secret on, as far as we are given it, and what stands before.
std::string_view from_secret(const Suspect& suspect);
std::string_view before_secret(const Suspect& suspect);
/// From the BEGIN line to the dashes that close the END line; all of it where there is none.
std::string_view pem_block(std::string_view text);
/// A key's proof: one severity lower where it is encrypted. `whole`: what is the secret.
Proof proof_of(const PrivateKeyFacts& facts, std::string_view whole);

// Keys of single programs: proof_other_keys.cpp
Proof pgp_secret_key(const Suspect& suspect);
Proof pgp_keyring(const Suspect& suspect);
Proof gpg_agent_key(const Suspect& suspect);
Proof signify_key(const Suspect& suspect);
Proof minisign_key(const Suspect& suspect);
Proof dnssec_key(const Suspect& suspect);
Proof jwk(const Suspect& suspect);
Proof dropbear_key(const Suspect& suspect);
Proof xml_rsa_key(const Suspect& suspect);
Proof printed_key(const Suspect& suspect);
Proof openvpn_key(const Suspect& suspect);
Proof sigstore_key(const Suspect& suspect);
Proof wireguard_key(const Suspect& suspect);

// Tokens that carry their own proof: proof_tokens.cpp
Proof crc32_base62(const Suspect& suspect);
Proof jwt(const Suspect& suspect);
Proof aws_key_id(const Suspect& suspect);
Proof azure_storage_key(const Suspect& suspect);
Proof pypi_macaroon(const Suspect& suspect);
Proof discord_token(const Suspect& suspect);
Proof random_token(const Suspect& suspect);

// Values whose place says what they are: proof_values.cpp
Proof literal(const Suspect& suspect);
Proof url_password(const Suspect& suspect);
Proof basic_auth(const Suspect& suspect);
Proof generic_password(const Suspect& suspect);
Proof env_value(const Suspect& suspect);

/// A value that says where the secret is: a variable, a call, a path, a reference into a secret store.
bool is_reference(std::string_view value);

// What a name is given, in any language; group 1 is the key word in the name: proof_assigned.cpp
Proof assigned_password(const Suspect& suspect);
Proof assigned_secret(const Suspect& suspect);
Proof assigned_key(const Suspect& suspect);
Proof service_key(const Suspect& suspect);
Proof spelled_password(const Suspect& suspect);
Proof machine_made(const Suspect& suspect);
Proof said_password(const Suspect& suspect);
Proof noted_password(const Suspect& suspect);

/// Names in one spelling: userPassword, USER-PASSWORD and user.password_2 are all user_password.
std::string snake(std::string_view name);
/// Does a name, spelt so, say that what it is given is a secret, and not its length, its file or its hash?
bool names_a_secret(const std::string& name);

/// What a value is when it is no secret: proof_kinds.cpp
bool is_port_or_fingerprint(std::string_view value);
bool is_stand_in(std::string_view value);          ///< "your_key", "xxxx": of part of it
bool is_hash(std::string_view value);              ///< what a password is checked against
bool is_checksum(std::string_view value);          ///< integrity: sha512-...
bool is_public(std::string_view value);            ///< publishable, or encrypted
bool is_account_of_chain(std::string_view value);  ///< 0x and 20 bytes: whom a blockchain pays, for all to see
bool is_lower_hex(std::string_view value);         ///< no character but 0-9 and a-f
bool is_code(std::string_view value, bool quoted);
bool is_dotted_name(std::string_view value);       ///< "azure.mgmt.keyvault.models.Secret"
bool is_date_or_version(std::string_view value);   ///< "2022-11-23T00:00:00Z", "^1.0.0"
bool is_version(std::string_view value);           // v0.0.0-20230124213148-69fd1a0e4bf7 of Go, 1.2.3-alpha
bool is_algorithm(std::string_view value);         ///< "sha512_crypt"
bool is_encoded_stand_in(std::string_view value);  ///< base64 of "password"
bool is_foreign_word(std::string_view value);      ///< "Contraseña"
bool is_escaped(std::string_view value);           ///< what it is is seen where it is decoded
bool is_email(std::string_view value);
bool is_file_name(std::string_view value);
bool is_uuid(std::string_view value);
bool is_of_generator(std::string_view value);     ///< "4^KY4zaF46C#i.QMYHe98)UQjE"
bool is_number(std::string_view value);           ///< a date, a version, an address
bool is_said_of_a_field(std::string_view value);  ///< "required|min:8"

// What people think of: proof_thought.cpp
bool is_passphrase(std::string_view value);        ///< "falcon-silver-walrus-7"
bool is_title_phrase(std::string_view value);      ///< "Falcon-Walrus7"
bool is_plain_phrase(std::string_view value);      ///< "falcon-silver-walrus"
bool is_numbered_phrase(std::string_view value);   ///< "tigerCherry2", "falcon-silver-walrus26", "hunterwalrus!"
bool is_spaced_phrase(std::string_view value);     ///< "falcon silver walrus"
bool is_diced_phrase(std::string_view value);      ///< the same, and no word of it joins others
bool is_app_password(std::string_view value);      ///< four groups of four letters
bool is_endpoint(std::string_view value);          ///< "db:1521/ORCL", "cache.acme.io:6379"
bool is_walk(std::string_view value);              ///< "zaq_zxc": over the keyboard, more than one way
bool is_leet(std::string_view value);              ///< "$umm3r@2017": no reference
bool is_as_policies_want(std::string_view value);  ///< "Admin@4321"
bool is_parted_by_digit(std::string_view value);   ///< "ymtd6vny"
bool changes_case(std::string_view value);         ///< as random letters do

// Values as files write them: proof_escaped.cpp
Proof listed_password(const Suspect& suspect);
std::string unescaped(std::string_view value, std::string_view path);  ///< of JSON's \u0026; empty: it has no escapes
bool is_of_bytes(std::string_view value);                              ///< "\x8f\xda\xe2o\xfaJ"
/// All four groups of a Google app password of which `value` is the first; else `value`.
std::string_view whole_app_password(std::string_view around, std::string_view value);

/// Something that a machine made: long, and no words can be read in it.
bool may_be_key(std::string_view value);

// What notes, mails and chats tell: proof_told.cpp
Proof told_password(const Suspect& suspect);

// What files of a fixed form hold: proof_files.cpp
Proof base64_text(const Suspect& suspect);
Proof password_hash(const Suspect& suspect);
Proof keytab(const Suspect& suspect);

/// Base64 of either alphabet, padding optional. Empty where it is none.
Bytes decoded_base64(std::string_view text);

inline Proof proven(bool yes) {
  Proof proof;
  proof.proven = yes;
  return proof;
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
inline bool starts_with(std::string_view text, std::string_view part) { return text.starts_with(part); }
inline bool ends_with(std::string_view text, std::string_view part) { return text.ends_with(part); }
/// any_of(words, text, starts_with): does it start with one of them?
template <std::size_t n>
bool any_of(const std::string_view (&words)[n], std::string_view text,
            bool (*fits)(std::string_view, std::string_view)) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return fits(text, word); });
}

/// What a text is made of.
struct Makeup {
  std::size_t digits = 0, uppers = 0, lowers = 0, others = 0, distinct = 0;
};
Makeup makeup_of(std::string_view text);

/// Every word of it (cut at everything but letters, and at camelCase) is one that people write where a secret will
/// stand ("your", "password", "here"), and it has few digits.
bool is_made_of_placeholder_words(std::string_view text);

}  // namespace imgbuild::proofs

#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "scan/proof.hpp"

/// The checks behind proof.hpp's table, by what they look at. Room-internal. None throws on hostile input but
/// std::bad_alloc; each is linear in the size of `Suspect.around`.
namespace imgbuild::proofs {

// Keys: proof_keys.cpp
Proof private_key(const Suspect& suspect);
Proof encoded_private_key(const Suspect& suspect);
Proof der_key(const Suspect& suspect);
Proof keystore(const Suspect& suspect);
Proof ppk_key(const Suspect& suspect);
Proof age_identity(const Suspect& suspect);
Proof pgp_secret_key(const Suspect& suspect);
Proof gcp_service_account(const Suspect& suspect);

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

/// Names in one spelling: userPassword, USER-PASSWORD and user.password_2 are all user_password.
std::string snake(std::string_view name);
/// Does a name, spelt so, say that what it is given is a secret, and not its length, its file or its hash?
bool names_a_secret(const std::string& name);

/// Base64 of either alphabet, padding optional. Empty where it is none.
Bytes decoded_base64(std::string_view text);

inline Proof proven(bool yes) {
  Proof proof;
  proof.proven = yes;
  return proof;
}

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
inline bool is_letter(char c) { return is_upper(c) || is_lower(c); }

/// What a text is made of.
struct Makeup {
  std::size_t digits = 0, uppers = 0, lowers = 0, others = 0, distinct = 0;
};
Makeup makeup_of(std::string_view text);

/// Every word of it (cut at everything but letters, and at camelCase) is one that people write where a secret will
/// stand ("your", "password", "here"), and it has few digits.
bool is_made_of_placeholder_words(std::string_view text);

}  // namespace imgbuild::proofs

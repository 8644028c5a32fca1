#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// The entry that answers for a finding: its rule, its place *and* its identity are those of the entry, and it has not
/// expired. Null: none does. `value` is the secret; it is hashed (slowly) only where rule and place already fit.
/// `place` for the stager: a location of layer 0 or of none, which only `at = "*:..."` names.
const AllowEntry* find_allow(const Policy& policy, const std::string& rule, const Location& place,
                             const std::optional<KeyFacts>& key, std::string_view value);

/// The entry that answers for something that cannot be scanned, by its exact path ("srv/a.tar!b.zip") and digest.
const AllowEntry* find_allow_file(const Policy& policy, const std::string& path, const std::string& sha256);

/// Does the entry speak of this finding in this place (or of this file), be it in force or not? A value is hashed
/// (slowly) only where rule and place fit.
bool names(const AllowEntry& entry, const std::string& rule, const Location& place, const std::optional<KeyFacts>& key,
           std::string_view value);
bool names_file(const AllowEntry& entry, const std::string& path, const std::string& sha256);
/// Its last day is over (in UTC).
bool has_expired(const AllowEntry& entry, std::time_t now);

/// The entry to paste, TOML, its reason left to fill in. `identity`: "SHA256:..." of a key, else scrypt_identity().
std::string allow_entry_text(const std::string& rule, const std::string& place, const std::string& identity);

/// What such an entry binds as identity: the key's fingerprint where it has one, else scrypt_identity(value).
std::string allow_identity(const std::optional<KeyFacts>& key, std::string_view value);

}  // namespace imgbuild

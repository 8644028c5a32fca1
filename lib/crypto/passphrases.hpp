#pragma once
// What lib/crypto keeps to itself: the passphrases that everybody tries.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/private_key.hpp"

struct pkcs8_priv_key_info_st;
struct X509_sig_st;

namespace imgbuild {

/// Keystores ask for one, so that their writers' documentation gives one.
std::span<const std::string_view> default_passphrases();

/// Of all attempts at one key together: a fraction of a second.
constexpr std::uint64_t most_iterations = 1'500'000;

/// The attempts at one key.
struct Attempts {
  std::uint64_t left = most_iterations;
  bool refused = false;  ///< this process has none left for any key: PrivateKeyFacts::untried
};

/// May an attempt hash so often, and decrypt so many bytes? Takes the iterations out of `attempts`, and the whole cost
/// out of what this process has for all keys together: about half a minute. A file of nothing but sealed keys takes no
/// longer; those that come last are sealed, and nobody tried, which is told. Any thread.
bool may_try(std::uint64_t iterations, std::size_t bytes, Attempts& attempts);
/// What the process has left; says what it had. For tests, which cannot use it up.
std::uint64_t set_passphrase_budget(std::uint64_t iterations);

/// What a PKCS#8 key that is not encrypted tells; nullopt where nothing.
std::optional<PrivateKeyFacts> facts_of(pkcs8_priv_key_info_st* info);

/// An encrypted PKCS#8 key opened with one of them; nullopt where none does.
std::optional<PrivateKeyFacts> open_with_default(const X509_sig_st* frame, Attempts& attempts);

/// The content of an encrypted block of RFC 1421 opened with one of them: what it holds, as DER. `dek_info`: of its
/// header.
std::optional<PrivateKeyFacts> open_with_default(std::string_view dek_info, View content, Attempts& attempts);

}  // namespace imgbuild

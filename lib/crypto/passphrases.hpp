#pragma once
// What lib/crypto keeps to itself: the passphrases that everybody tries.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/private_key.hpp"

struct X509_algor_st;
struct X509_sig_st;

namespace imgbuild {

/// Keystores ask for one, so that their writers' documentation gives one.
std::span<const std::string_view> default_passphrases();

/// How often a passphrase is hashed; 0 where that cannot be told, and the key is not to be tried.
std::uint64_t iterations_of(const X509_algor_st* algorithm);

/// Of all attempts at one key together: a fraction of a second.
constexpr std::uint64_t most_iterations = 1'500'000;

/// An encrypted PKCS#8 key opened with one of them; nullopt where none does.
std::optional<PrivateKeyFacts> open_with_default(const X509_sig_st* frame, std::uint64_t& left);

/// The content of an encrypted block of RFC 1421 opened with one of them: what it holds, as DER. `dek_info`: of its
/// header.
std::optional<PrivateKeyFacts> open_with_default(std::string_view dek_info, View content);

}  // namespace imgbuild

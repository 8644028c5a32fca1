#pragma once
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/private_key.hpp"

namespace imgbuild {

/// Reads OpenPGP packets from the start of `bytes` (RFC 9580 sections 4 and 5.5; RFC 4880): the facts of the first
/// secret key that is one. nullopt where there is none, as where GnuPG left a stub because the secret half is on a card
/// or was taken offline. The fingerprint is that of the same key as an SSH key. Does not throw.
std::optional<PrivateKeyFacts> read_pgp_packets(View bytes);

/// The armored block at the start of `text` ("-----BEGIN PGP PRIVATE KEY BLOCK-----", RFC 9580 section 6.2), in any
/// layout (key_text.hpp). Does not throw.
std::optional<PrivateKeyFacts> read_pgp_armor(std::string_view text, std::string_view before = {});

/// A key of gpg-agent's (GnuPG agent/keyformat.txt), which begins at the parenthesis that `text` begins with, as a
/// canonical or an advanced S-expression. Keys on cards ("shadowed") are none. Does not throw.
std::optional<PrivateKeyFacts> read_gpg_agent_key(std::string_view text, std::string_view before = {});

}  // namespace imgbuild

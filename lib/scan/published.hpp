#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// The list of scrubbers/published.txt, compiled in: keys and files that everybody can have from a public archive. Each
/// answers where it was published ("debian libgnutls30 3.7.9-2: usr/lib/..."), empty where it is not known to be
/// public. Proof is the key or the file itself, never a path or a package record. Any thread.

/// The private key that has this public fingerprint ("SHA256:...").
std::string_view published_key(std::string_view fingerprint);
/// The file that has these bytes ("sha256:...").
std::string_view published_file(std::string_view digest);

/// Why a finding in a file with these bytes is public: "public test key: debian ...", else "public file: ...". Empty:
/// it is not known to be.
std::string published_as(const std::optional<KeyFacts>& key, std::string_view file_digest);

}  // namespace imgbuild

#pragma once
#include <string_view>

namespace imgbuild {

/// Where the private key with this public fingerprint ("SHA256:...") was published: "libgnutls30 3.7.9-2: file". Empty
/// where it is not known to be public. Proof is the key itself, never a path or a package record. Any thread.
std::string_view published_key(std::string_view fingerprint);

}  // namespace imgbuild

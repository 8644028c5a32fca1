#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// Why an image is larger than `most` bytes (of all its layers, uncompressed): what it weighs, then its heaviest layers
/// and its largest files. Empty where it is not, or where `most` is 0. The paths are as they were found: to be redacted
/// and made printable.
std::vector<std::string> too_large(const ImageRecord& record, std::uint64_t most);

/// "300MB", "1.5 GB", "40000": decimal units k, M, G, T and binary ones Ki, Mi, Gi, Ti, with or without B. nullopt for
/// anything else, and for what does not fit 63 bits.
std::optional<std::uint64_t> size_of_text(std::string_view text);

}  // namespace imgbuild

#pragma once
#include "audit/sightings.hpp"
#include "base/whole.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// Looks at the values of an SQLite database, the constants of a Java class or of compiled Python. Their raw bytes are
/// looked at anyway; but there a value may touch the length of it or the next value, so that a word's end is none, or
/// lie in several pages. What touches nothing is not looked at again. Throws Limit; what is damaged is left out.
void look_at_values(const Desk& desk, const Where& where, Container kind, const Whole& content);

}  // namespace imgbuild

#pragma once
#include <string>

#include "audit/sightings.hpp"
#include "base/whole.hpp"

namespace imgbuild {

/// Looks at every object of a git pack: blobs as any content, the texts of commits and tags, the names in trees. What
/// it finds is at "blob ID" inside `where`. Returns why some of it could not be read; empty: all was. Throws Limit.
std::string look_at_pack(const Desk& desk, const Where& where, const Whole& pack);

/// Looks at a loose object, packed as git keeps it. Throws Error where it is damaged, Limit.
void look_at_loose_object(const Desk& desk, const Where& where, const Whole& packed);

}  // namespace imgbuild

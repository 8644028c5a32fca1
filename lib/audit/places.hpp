#pragma once
#include <map>
#include <string>
#include <vector>

#include "audit/outline.hpp"
#include "audit/sightings.hpp"

namespace imgbuild {

/// One hit with its location in one image.
struct Placed {
  const Hit* hit = nullptr;
  Location location;
};

/// Everything that was found about one image, placed, in an order that does not depend on threads: each hit with its
/// layer, its instruction, what became of it, and a place for each hard link to the same file. A hit that a more exact
/// one tells already (the archive's raw bytes, the JSON's text) is left out.
std::vector<Placed> place_all(const Outline& image, const Sightings& config_found,
                              const std::vector<const MemberRecord*>& beside);

}  // namespace imgbuild

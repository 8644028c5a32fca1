#pragma once
#include "audit/audit.hpp"
#include "audit/outline.hpp"
#include "audit/sightings.hpp"

namespace imgbuild {

/// The desk where all that was found becomes a verdict: the only maker of an Audit.
class AuditDesk {
 public:
  /// `config_found`: what looking at the config's JSON found. `beside`: members of the archive that belong to no image.
  static Audit decide(const Outline& image, const Sightings& config_found,
                      const std::vector<const MemberRecord*>& beside, const AuditOptions& options, Pool& pool);
};

}  // namespace imgbuild

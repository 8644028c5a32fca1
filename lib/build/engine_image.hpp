#pragma once
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// Audits an image that an engine has: from what is remembered where that is all of it, from the engine's own files
/// where those can be read from here and are what they should be, else what it saves. Of several platforms that it has
/// under one handle all, unless `platform` names one. Of the image's oldest `from_cache` layers those that the cache
/// has are not read, also where a build's secrets are looked for. Throws Error as Auditor does.
std::vector<Audit> audit_engine_image(Auditor& auditor, Engine& engine, const std::string& handle,
                                      const std::string& source, const std::string& platform, std::size_t from_cache);

}  // namespace imgbuild

#pragma once
#include <string>
#include <vector>

#include "audit/sightings.hpp"

namespace imgbuild {

/// Looks at a JSON document of an image: each of its strings, unescaped, under the place where it stands, and the text
/// itself, for what a parser would hide (the first of two equal keys, what is no JSON at all).
///
/// As an image config, places are "Env.NAME", "Labels.NAME", "history[3].created_by"; in any other document they follow
/// its name: "manifest.json:[0].RepoTags[0]".
void look_at_document(const Desk& desk, Sightings& record, Location::Kind kind, const std::string& name,
                      const std::string& text);

}  // namespace imgbuild

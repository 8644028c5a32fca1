#pragma once
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "build/build.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// What `--artifact PATH[:DEST]` says. PATH is absolute, or relative to the context, and may be a glob; DEST is what it
/// is called in the image, or with '/' at its end the folder that it goes to under its own name (as what a glob finds
/// always does). Throws usage Error.
Artifact parse_artifact(const std::string& said);

/// What a builder has at an absolute path, folders with all that is in them, as a tar whose members are named from the
/// last part of the path; null: there is none. A path that ends in '/' is looked at behind a link.
using BuilderFiles = std::function<std::unique_ptr<Source>(const std::string& path)>;

/// Those of a builder in which nothing runs any more, told by a relay: what is mounted there is not among them, but for
/// its context and `volumes`. The engine must outlive it and its sources.
BuilderFiles files_of_builder(Engine& engine, const std::string& builder, const std::vector<std::string>& volumes);

/// The layer that brings the artefacts of the builder into an image: made by us, so that the same files give the same
/// bytes. Files, folders and symlinks as they are, whole seconds, no time later than `created`; hard links between what
/// comes along; users and groups by number. A folder that the image has keeps its owner and mode, and a link of the
/// image on the way to DEST is followed, not replaced.
///
/// `target` is a container of the image, which need not run, and is asked nothing after this returns. `files` is asked
/// again for each reading of the layer, and must give the same. Throws Error
/// "artifact PATH: why" where there is no such thing in the builder, where a device or a name that would delete
/// something (".wh.") is in it, where two want the same place, and where a file would replace a folder of the image, or
/// the other way round.
NewLayer pack_artifacts(const std::vector<Artifact>& artifacts, const BuilderFiles& files, Engine& engine,
                        const std::string& target, std::time_t created);

}  // namespace imgbuild

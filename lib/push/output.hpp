#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// Where a cleared image goes, as `-o` of `docker build` says it.
struct Output {
  enum class Kind {
    folder,  ///< type=local: its file system, unpacked
    tar,     ///< type=tar: its file system
    docker,  ///< type=docker, with a dest: the image, as `docker save` has it
    oci,     ///< type=oci: the image, as an OCI layout
    engine,  ///< type=image, type=registry, type=docker without a dest: the engine, and perhaps a registry
    nothing  ///< type=cacheonly: that it can be built, and is clean; what stays is the engine's cache
  };
  std::string said;  ///< for messages
  Kind kind = Kind::engine;
  std::string dest;                ///< a path; "-": standard output
  std::vector<std::string> names;  ///< name=...; of an archive: instead of those of -t
  bool push = false;
  bool packed = true;  ///< of an archive: its layers with gzip
  bool in_tar = true;  ///< of an archive: false: its files lie in a folder

  bool writes() const { return kind != Kind::engine && kind != Kind::nothing; }
  bool to_folder() const { return kind == Kind::folder || !in_tar; }
  /// For messages: "the file system to DIR".
  std::string shown() const;
};

/// Reads DIR, "-", or KEY=VALUE,... (a row of CSV, RFC 4180). Throws usage Error, which says what is known.
Output parse_output(const std::string& said);

/// Can each be written, and no two to the same place? Throws usage Error. Nothing is written.
void check_outputs(const std::vector<Output>& outputs);

/// Writes an image that was cleared: the config whose digest the permission names, and layers that are what its diff
/// ids say, whatever the engine calls it by now. A file is there whole or not at all; of a folder the error says how
/// much of it was written. `names`: those of the image. `say`: a line for what was written. Throws Error "output: DEST:
/// why".
void write_output(const Output& output, const Cleared& cleared, Engine& engine, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& say);

}  // namespace imgbuild

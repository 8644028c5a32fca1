#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// What BuildKit says while it builds, one message's worth (moby.buildkit.v1.StatusResponse, which dockerd sends in
/// base64 as the `aux` of "moby.buildkit.trace"). A vertex is a step of the build; it is told again whenever it
/// changes. Texts are the build's own bytes: redact them before they are shown.
struct BuildTrace {
  struct Vertex {
    std::string digest, name, error;
    bool cached = false;
    std::int64_t began = 0, ended = 0;  ///< nanoseconds since 1970; 0: not yet
  };
  struct Log {
    std::string vertex;  ///< a digest
    std::int64_t time = 0;
    std::uint64_t stream = 1;  ///< 1 standard output, 2 standard error
    std::string text;
  };
  struct Warning {
    std::string vertex, text;
  };
  std::vector<Vertex> vertexes;
  std::vector<Log> logs;
  std::vector<Warning> warnings;
};

/// Throws Error on what is no such message. Fields that are not known here are passed over.
BuildTrace parse_trace(View message);

}  // namespace imgbuild

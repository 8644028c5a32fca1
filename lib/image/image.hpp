#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// One line of an image's history (OCI image-spec config.md, "history").
struct HistoryLine {
  std::string created, created_by, author, comment;
  bool empty_layer = false;
};

/// The parts of an image config that the program acts on; `raw` is the config verbatim and is what gets scanned, kept
/// and written.
struct ImageConfig {
  std::string raw;  ///< the JSON bytes whose sha256 is the image's id
  std::string id;   ///< "sha256:..." of raw
  std::string os, architecture, variant;
  std::vector<std::string> diff_ids;  ///< oldest first
  std::vector<HistoryLine> history;
  std::vector<std::string> env, cmd, entrypoint;
  std::string user, workdir;
  std::vector<std::string> volumes;
  std::string platform() const;  ///< "linux/amd64", "linux/arm64/v8"

  /// The history line that brought in each layer, by diff id's index; empty where history and layers do not agree.
  std::vector<std::string> created_by() const;
};

/// Parses a config (Docker image spec 1.2, OCI image config). Throws Error on anything that is not one.
ImageConfig parse_config(std::string raw);

}  // namespace imgbuild

#pragma once
#include <string>

namespace imgbuild {

/// The name of an image taken apart: "host:5000/team/app:1.2" or "app@sha256:...".
struct Reference {
  std::string repository;  ///< "host:5000/team/app"
  std::string tag;         ///< "1.2"; empty where there is none
  std::string digest;      ///< "sha256:..."; empty where there is none
  /// "host:5000", or "docker.io" where the name has no host.
  std::string registry() const;
};

/// Throws Error (exit 2) on what is no name: it goes into a request's path. Docker's rules, not stricter: letters,
/// digits and separators; no empty or dotted part.
Reference parse_reference(const std::string& name);

/// Is it an id ("sha256:..." with 64 digits) rather than a name?
bool is_image_id(const std::string& name);

}  // namespace imgbuild

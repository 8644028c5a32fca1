#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/layer.hpp"
#include "image/image.hpp"

namespace imgbuild {

/// The members of an image archive by name, links included.
using Members = std::map<std::string, std::shared_ptr<MemberRecord>>;

/// One image of the archive: its config, and the members that are its layers, oldest first.
struct Outline {
  ImageConfig config;
  std::shared_ptr<MemberRecord> config_member;
  std::vector<std::shared_ptr<MemberRecord>> layers;
};

/// The images that the archive's own tables name: manifest.json (`docker save`), else index.json (OCI image layout).
/// Checks what they claim: each layer is there, was read to its end and is what the config calls by its diff id; a
/// config, or a blob, named by a digest has it. Throws Error.
std::vector<Outline> outline_of(const Members& members);

}  // namespace imgbuild

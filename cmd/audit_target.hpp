#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "build/engine_helper.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// One TARGET of `imgbuild audit`: SCHEME:REST, a file's path, `-`, or an image's name.
struct AuditTarget {
  enum class Kind { docker, podman, archive, input, oci, registry, tree };
  Kind kind = Kind::docker;
  std::string said;       ///< as it was written: what reports call it
  std::string name;       ///< image, file or folder
  std::string reference;  ///< oci: a name or a digest; empty: every image
};

/// Throws Error (exit 2) on what names nothing, or more than one thing.
std::vector<AuditTarget> audit_targets(const std::vector<std::string>& said);

/// Throws Error (exit 2) where it is none. `from`: who says so, "--platform".
void check_platform(const std::string& platform, const std::string& from);

/// How many bytes there are to look at, where that is known (a plain tar holds no more than its size); else 0.
std::uint64_t size_of(const AuditTarget& target);

struct AuditedTarget {
  std::vector<Audit> audits;
  std::string handle;  ///< what the engine calls the image; empty: it is no engine's
};

struct TargetChoice {
  std::string engine;  ///< which, as --engine says
  std::string platform;
  bool all_platforms = false;
  bool engine_helper = false;
};

/// Audits targets one after the other; engines are asked for once, layers that targets share are looked at once.
class TargetReader {
 public:
  TargetReader(const AuditOptions& options, TargetChoice choice);
  AuditedTarget audit(const AuditTarget& target);

 private:
  AuditedTarget of_engine(const AuditTarget& target);
  std::vector<Audit> of_registry(const AuditTarget& target);
  Engine& engine(AuditTarget::Kind kind);

  Auditor auditor_;
  const TargetChoice choice_;
  std::map<AuditTarget::Kind, std::unique_ptr<Engine>> engines_;
  std::map<AuditTarget::Kind, std::unique_ptr<EngineHelper>> helpers_;  // gone before the engines are
};

}  // namespace imgbuild

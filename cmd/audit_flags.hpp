#pragma once
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "session.hpp"

namespace imgbuild {

/// The flags that decide what an audit looks for and what hinders: shared by `audit` and `push`.
struct AuditFlags {
  std::vector<std::string> rules;
  std::string fail_on, config, engine, platform;
  bool no_cache = false, engine_helper = false;
  unsigned threads = 0;

  void offer(CLI::App& app);
};

struct AuditSettings {
  AuditOptions options;
  std::string engine;  ///< which, as --engine says
  bool engine_helper = false;
  std::string platform;  ///< of an image for several; empty: nobody says
  Settings all;          ///< what files and the environment say
};
/// Flags, environment and files settled; loads the session's scanner. Throws usage Error.
AuditSettings audit_settings(const AuditFlags& flags, Session& session);

}  // namespace imgbuild

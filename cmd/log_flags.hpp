#pragma once
#include <memory>
#include <string>
#include <vector>

#include "log/log.hpp"
#include "session.hpp"

namespace imgbuild {

/// Where a build's log goes, and how much of it is kept.
struct LogFlags {
  std::vector<std::string> targets;
  std::string keep, size;

  void offer(CLI::App& app);
  /// The log; null where none is asked for. Throws usage Error.
  std::shared_ptr<Log> open() const;
};

}  // namespace imgbuild

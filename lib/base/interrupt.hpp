#pragma once

#include "base/error.hpp"

namespace imgbuild {

/// SIGINT or SIGTERM arrived. Its status is 130 or 143.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal)
      : Error(signal == 15 ? "terminated" : "interrupted", "", static_cast<Status>(128 + signal)) {}
};

/// How an interrupt reaches the work: a signal sets a flag and makes a descriptor readable; loops look at either and
/// undo what they did. Work that must be finished first (an engine's answer under way) looks later.
namespace interrupt {

void watch();            ///< installs the handlers (SIGINT, SIGTERM, SIGHUP); SIGPIPE is ignored. Once, by main.
int pending() noexcept;  ///< the signal that arrived, or 0. Any thread.
int fd() noexcept;       ///< readable once a signal has arrived; -1 before watch(). To poll.
void check();            ///< throws Interrupted where one is pending
/// Is nothing to be waited for any more that does not move? A second signal came, or the first half a minute ago.
/// Any thread.
bool urgent() noexcept;

}  // namespace interrupt
}  // namespace imgbuild

#pragma once
#include <string>

namespace imgbuild {

/// A change of one step, for who shows them otherwise than as text: redacted, without what moves a cursor.
struct BuildStep {
  enum class State { running, done, cached, failed, warning };
  int number = 0;  ///< in the order in which they begin
  std::string name;
  State state = State::running;
  double seconds = 0;  ///< that it took, once it is done
  std::string line;    ///< that it printed just now, where it runs; why it failed; what the warning says
};

}  // namespace imgbuild

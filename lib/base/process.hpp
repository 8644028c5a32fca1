#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace imgbuild {

/// A program to run: no shell, found on PATH.
struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> env;      ///< added to (and replacing in) our own, "K=V"
  std::vector<std::string> without;  ///< names of variables that it does not get
  std::string directory;             ///< empty: ours
  int in = -1, out = -1, err = -1;   ///< descriptors to give it; -1: ours
  bool apart = false;                ///< in a session of its own, where no terminal's signal reaches it
};

/// A child process. Where the owner goes first, the child is killed and reaped.
class Process {
 public:
  explicit Process(const Command& command);  ///< throws Error where it cannot be started
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();
  pid_t pid() const noexcept { return pid_; }
  /// Waits; its exit status, or 128 + signal.
  int wait();
  /// Has it ended? Then wait() does not wait.
  bool ended() const noexcept;
  void signal(int number) noexcept;

 private:
  pid_t pid_ = -1;
};

struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};
/// Runs it to its end with `in` as standard input; what it printed is kept up to 16 MiB each.
Ran run(Command command, std::string_view in = {});

}  // namespace imgbuild

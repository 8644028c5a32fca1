#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"

namespace imgbuild {

/// A connection whose other end is a program's standard input and output. curl wants to connect to something, so there
/// is a socket in a folder of ours, for one connection; the program is started when that was made, out of the reach of
/// the terminal's signals, and ends with this object. One thread.
class Tunnel {
 public:
  explicit Tunnel(const std::vector<std::string>& command);
  /// The unix socket to connect to.
  const std::string& path() const noexcept { return path_; }
  /// Starts the program where somebody has connected; else, or later, does nothing.
  void accept();
  /// What the program said on standard error: why there is no answer.
  std::string words() const;

 private:
  std::vector<std::string> command_;
  TempDir folder_;
  Fd inside_, listener_, words_;
  std::string path_;
  std::unique_ptr<Process> process_;
};

}  // namespace imgbuild

#pragma once
#include <string>

#include "base/fd.hpp"

namespace imgbuild {

/// A file that is there whole or not at all: written under no name, and given its own at the end, over whatever file
/// had it. Where that is no file (a pipe, a device), and of "-", which is standard output, bytes go there as they
/// come. One thread. Everything throws Error "PATH: reason", or Interrupted.
class NewFile {
 public:
  explicit NewFile(std::string path);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  /// Without finish() nothing is left.
  ~NewFile();
  void write(View bytes);
  void finish();

 private:
  std::string path_, beside_;  // where a file system has no files without a name: the one that it has meanwhile
  Fd file_;
  bool named_ = true;  // bytes go where they shall be
};

}  // namespace imgbuild

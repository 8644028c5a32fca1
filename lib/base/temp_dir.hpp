#pragma once
#include <string>

namespace imgbuild {

/// The folder for temporary files: $TMPDIR, else /tmp.
std::string temp_root();

/// A fresh folder, mode 0700, removed with all that is in it when its owner goes. Secrets are never written there.
class TempDir {
 public:
  explicit TempDir(const std::string& prefix = "imgbuild");
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace imgbuild

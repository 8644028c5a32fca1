#pragma once
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace imgbuild {

struct FolderEntry {
  std::string name;
  unsigned char type;  ///< as dirent has it (DT_DIR...), where the file system says
  auto operator<=>(const FolderEntry&) const = default;
};

/// What lies in an open folder, but for `.` and `..`, by name. The descriptor stays as it is. Throws Error
/// "WHAT: reason".
std::vector<FolderEntry> entries_of(int folder, const std::string& what);

/// A folder of our own among the user's (XDG Base Directory Specification): "$VARIABLE/imgbuild", else
/// "$HOME/OTHERWISE/imgbuild". Empty where neither is an absolute path. `get`: of the environment.
std::string own_folder(const char* variable, const char* otherwise,
                       const std::function<const char*(const char*)>& get = std::getenv);

}  // namespace imgbuild

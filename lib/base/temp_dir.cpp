#include "base/temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/error.hpp"

namespace imgbuild {

std::string temp_root() {
  const char* set = std::getenv("TMPDIR");
  return set != nullptr && *set != '\0' ? set : "/tmp";
}

TempDir::TempDir(const std::string& prefix) : path_(temp_root() + "/" + prefix + ".XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw system_error(temp_root(), errno);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace imgbuild

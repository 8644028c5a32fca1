#include "base/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/error.hpp"
#include "base/owned.hpp"

namespace imgbuild {

std::vector<FolderEntry> entries_of(int folder, const std::string& what) {
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // closedir() takes it
  const Owned<DIR, ::closedir> listing(own < 0 ? nullptr : ::fdopendir(own));
  if (!listing) {
    const int number = errno;
    if (own >= 0) ::close(own);
    throw system_error(what, number);
  }
  std::vector<FolderEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) break;
    if (const std::string_view name = entry->d_name; name != "." && name != "..")
      entries.push_back({std::string(name), entry->d_type});
  }
  if (errno != 0) throw system_error(what, errno);
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string own_folder(const char* variable, const char* otherwise,
                       const std::function<const char*(const char*)>& get) {
  if (const char* set = get(variable); set != nullptr && *set == '/') return std::string(set) + "/imgbuild";
  if (const char* home = get("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/" + otherwise + "/imgbuild";
  return {};
}

}  // namespace imgbuild

// A cache is a folder that outlives the builder, a volume of the engine's. What this run wrote into it is shown to the
// driver, which says what must go: a secret that was lent must not wait there for the next build. A mark in the folder
// says that the last run came that far; without it (a killed driver, a timeout) the folder is emptied first.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

constexpr const char* mark = ".imgbuild";
constexpr int flags_of_folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Calls `each` for every name in the folder.
template <class Each>
void for_names(int folder, Each each) {
  DIR* list = ::fdopendir(::fcntl(folder, F_DUPFD_CLOEXEC, 3));
  if (list == nullptr) fail("a cache", errno);
  ::rewinddir(list);
  while (const dirent* entry = ::readdir(list)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") each(entry->d_name);
  }
  ::closedir(list);
}

void empty(int folder) {
  std::vector<std::string> names;
  for_names(folder, [&](const char* name) { names.emplace_back(name); });
  for (const auto& name : names) {
    if (::unlinkat(folder, name.c_str(), 0) == 0) continue;
    const int below = ::openat(folder, name.c_str(), flags_of_folder);
    if (below < 0) fail("emptying a cache", errno);
    empty(below);
    ::close(below);
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) fail("emptying a cache", errno);
  }
}

void show_bytes(int folder, const char* name, const std::string& path, std::uint64_t size) {
  const int file = ::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) fail("cache " + path, errno);
  send(Kind::cached, 0, number_text(size) + " " + path);
  std::string piece(std::size_t{64} << 10, '\0');
  while (size > 0) {
    const ssize_t n = ::read(file, piece.data(), size < piece.size() ? size : piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cache " + path, n < 0 ? errno : 0);
    send(Kind::cached_bytes, 0, std::string_view(piece).substr(0, static_cast<std::size_t>(n)));
    flush();
    size -= static_cast<std::uint64_t>(n);
  }
  ::close(file);
}

void show(int folder, const std::string& path, const timespec& since) {
  for_names(folder, [&](const char* name) {
    const std::string here = path + "/" + name;
    struct stat facts {};
    if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) fail("cache " + here, errno);
    if (S_ISDIR(facts.st_mode)) {
      const int below = ::openat(folder, name, flags_of_folder);
      if (below < 0) fail("cache " + here, errno);
      show(below, here, since);
      ::close(below);
    }
    if (facts.st_ctim.tv_sec < since.tv_sec) return;
    if (S_ISREG(facts.st_mode)) return show_bytes(folder, name, here, static_cast<std::uint64_t>(facts.st_size));
    char target[4096];
    const ssize_t n = S_ISLNK(facts.st_mode) ? ::readlinkat(folder, name, target, sizeof target) : 0;
    const std::string_view text(target, n > 0 ? static_cast<std::size_t>(n) : 0);
    send(Kind::cached, 0, number_text(text.size()) + " " + here);
    if (!text.empty()) send(Kind::cached_bytes, 0, text);
    flush();
  });
}

}  // namespace

Caches::Caches(const std::string& home, const std::vector<std::string>& names, const Account& account) {
  ::clock_gettime(CLOCK_REALTIME_COARSE, &since_);
  since_.tv_sec -= 1;
  for (const auto& name : names) {
    const std::string path = home + "/cache/" + name;
    const int folder = ::open(path.c_str(), flags_of_folder);
    if (folder < 0) fail(path, errno);
    // One build at a time; the lock goes with the process, however that ends.
    while (::flock(folder, LOCK_EX) != 0)
      if (errno != EINTR) fail(path, errno);
    if (::unlinkat(folder, mark, 0) != 0) empty(folder);
    chown_to(folder, path, account.uid, account.gid);
    all_.push_back({name, folder});
  }
}

void Caches::settle(bool look) {
  if (all_.empty()) return;
  if (look)
    for (const auto& each : all_) show(each.folder, each.name, since_);
  send(Kind::cached_all, 0, {});
  flush();
  for (Frame frame = next_frame(); frame.kind != Kind::settled; frame = next_frame())
    if (frame.kind == Kind::purge)
      for (const auto& each : all_)
        if (each.name == frame.payload) empty(each.folder);
  for (const auto& each : all_) {
    const int file = ::openat(each.folder, mark, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    if (file >= 0) ::close(file);
  }
}

}  // namespace imgbuild::guest

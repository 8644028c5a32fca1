#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {

void chown_to(int file, const std::string& name, uid_t uid, gid_t gid) {
  if (uid == ::geteuid() && gid == ::getegid()) return;
  if (::fchown(file, uid, gid) != 0) fail(name, errno);
}

int open_below(int root, std::string_view path, uid_t uid, gid_t gid) {
  int here = ::fcntl(root, F_DUPFD_CLOEXEC, 3);
  while (here >= 0 && !path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int there = ::openat(here, name.c_str(), flags);
    if (there < 0 && errno == ENOENT && ::mkdirat(here, name.c_str(), 0755) == 0) {
      there = ::openat(here, name.c_str(), flags);
      if (there >= 0) chown_to(there, name, uid, gid);
    }
    const int error = errno;
    ::close(here);
    errno = error;
    here = there;
  }
  return here;
}

void write_new(const std::string& path, std::string_view content, mode_t mode, uid_t uid, gid_t gid) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) fail(path, errno);
  while (!content.empty()) {
    const ssize_t n = ::write(file, content.data(), content.size());
    if (n < 0 && errno != EINTR) fail(path, errno);
    if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
  }
  chown_to(file, path, uid, gid);
  if (::fchmod(file, mode) != 0 || ::close(file) != 0) fail(path, errno);
}

void make_folder(const std::string& path, mode_t mode, uid_t uid, gid_t gid) {
  if (::mkdir(path.c_str(), mode) != 0) fail(path, errno);
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) fail(path, errno);
  if (::fchmod(folder, mode) != 0) fail(path, errno);
  chown_to(folder, path, uid, gid);
  ::close(folder);
}

bool slurp(const std::string& path, std::string& into) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char piece[16384];
  ssize_t n = 0;
  while (into.size() < (std::size_t{1} << 20) && (n = ::read(file, piece, sizeof piece)) > 0)
    into.append(piece, static_cast<std::size_t>(n));
  ::close(file);
  return n >= 0;
}

namespace {

// FNV-1a. Entries are added up, so that the order in which a folder lists them does not matter.
std::uint64_t mixed(std::uint64_t hash, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 1099511628211u;
  return hash;
}

// Takes the descriptor.
std::uint64_t walk(int folder, std::uint64_t seed, int depth) {
  std::uint64_t sum = 0;
  DIR* list = ::fdopendir(folder);
  if (list == nullptr) {
    ::close(folder);
    return 0;
  }
  while (const dirent* entry = ::readdir(list)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat facts {};
    if (::fstatat(folder, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    std::uint64_t hash = mixed(seed, name.data(), name.size());
    const std::uint64_t numbers[] = {facts.st_mode,
                                     facts.st_uid,
                                     facts.st_gid,
                                     facts.st_ino,
                                     static_cast<std::uint64_t>(facts.st_size),
                                     static_cast<std::uint64_t>(facts.st_ctim.tv_sec),
                                     static_cast<std::uint64_t>(facts.st_ctim.tv_nsec)};
    sum += mixed(hash, numbers, sizeof numbers);
    if (S_ISDIR(facts.st_mode) && depth < 200) {
      const int below = ::openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (below >= 0) sum += walk(below, hash, depth + 1);
    }
  }
  ::closedir(list);
  return sum;
}

}  // namespace

std::uint64_t fingerprint_of(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return folder < 0 ? 0 : walk(folder, 14695981039346656037u, 0);
}

}  // namespace imgbuild::guest

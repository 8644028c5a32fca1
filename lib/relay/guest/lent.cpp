// A lent file lies in our folder, which never ships; at its place stands a link to it (a builder may not mount). When
// nothing runs any more the place is made what it was: the link, or what the script put there instead, goes; what was
// there before comes back; folders that were made for it go unless the script used them; and the times of the folders
// are those that they would have without us.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

constexpr int flags_of_folder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

timespec changed(int folder) {
  struct stat facts {};
  return ::fstat(folder, &facts) == 0 ? facts.st_mtim : timespec{};
}

bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

bool same_folder(int a, int b) {
  struct stat one {
  }, other{};
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool below(std::string_view path, std::string_view folder) {
  return path.substr(0, folder.size()) == folder && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string where_is(int folder) {
  char path[4096];
  const ssize_t n =
      ::readlink(("/proc/self/fd/" + number_text(static_cast<unsigned>(folder))).c_str(), path, sizeof path);
  return std::string(path, n > 0 ? static_cast<std::size_t>(n) : 0);
}

}  // namespace

LentFiles::LentFiles(const std::vector<LentFile>& files, const std::string& context, const Account& account) {
  for (const LentFile& file : files) {
    const std::string path = file.place.compare(0, 1, "/") == 0 ? file.place : context + "/" + file.place;
    const std::size_t slash = path.rfind('/');
    const int folder = walk(path.substr(0, slash), account);
    if (folder < 0) fail(file.place, errno);
    // Links of the base may lead to where no image has anything.
    const std::string real = where_is(folder);
    for (const char* none : {"/dev", "/proc", "/sys"})
      if (below(real, none) && !below(real, context)) fail(file.place + ": is in " + none + ", which is in no image");
    put(folder, path.substr(slash + 1), file, account);
  }
}

// The folder, as the base's links lead there.
int LentFiles::walk(const std::string& path, const Account& account) {
  int here = ::open("/", flags_of_folder);
  for (std::size_t at = 0; at < path.size() && here >= 0;) {
    const std::size_t slash = path.find('/', at);
    const std::string name = path.substr(at, slash == std::string::npos ? slash : slash - at);
    at = slash == std::string::npos ? path.size() : slash + 1;
    if (name.empty()) continue;
    int there = ::openat(here, name.c_str(), flags_of_folder);
    if (there < 0 && errno == ENOENT) {
      Change made{here, name, path, {}, {}, {}, changed(here), {}};
      if (::mkdirat(here, name.c_str(), 0755) != 0) return -1;
      there = ::openat(here, name.c_str(), flags_of_folder | O_NOFOLLOW);
      if (there < 0) return -1;
      chown_to(there, path, account.uid, account.gid);
      made.after = changed(here);
      changes_.push_back(made);  // `here` stays open
    } else {
      const int error = errno;
      ::close(here);
      errno = error;
    }
    here = there;
  }
  return here;
}

void LentFiles::put(int folder, const std::string& name, const LentFile& file, const Account& account) {
  Change change{folder, name, file.place, file.content, {}, where_is(folder), changed(folder), {}};
  for (const Change& other : changes_)
    if (!other.target.empty() && other.name == name && same_folder(other.folder, folder))
      fail(other.place + " and " + file.place + " are one place");
  struct stat facts {};
  if (::fstatat(folder, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISDIR(facts.st_mode)) fail(file.place + ": is a folder, where a file would be lent");
    change.aside = ".imgbuild-aside-" + number_text(changes_.size());
    if (::renameat2(folder, name.c_str(), folder, change.aside.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EBUSY) fail(file.place + ": the engine itself puts a file there");
      fail(file.place, errno);
    }
  } else if (errno != ENOENT) {
    fail(file.place, errno);
  }
  if (::symlinkat(file.content.c_str(), folder, name.c_str()) != 0 ||
      ::fchownat(folder, name.c_str(), account.uid, account.gid, AT_SYMLINK_NOFOLLOW) != 0)
    fail(file.place, errno);
  change.after = changed(folder);
  changes_.push_back(change);
}

void LentFiles::take_back(void (*replaced)(const std::string& place)) {
  for (std::size_t i = changes_.size(); i-- > 0;) {
    const Change& change = changes_[i];
    const timespec now = changed(change.folder);
    take_back(change, replaced);
    const timespec times[] = {{0, UTIME_OMIT}, same(now, change.after) ? change.before : now};
    ::futimens(change.folder, times);  // one that the script removed has none
    ::close(change.folder);
  }
  changes_.clear();
}

void LentFiles::take_back(const Change& change, void (*replaced)(const std::string& place)) {
  const char* name = change.name.c_str();
  if (change.target.empty()) {
    ::unlinkat(change.folder, name, AT_REMOVEDIR);  // where the script put something in it, it is the script's
    return;
  }
  struct stat facts {};
  const bool there = ::fstatat(change.folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
  char target[4096];
  const ssize_t n = there && S_ISLNK(facts.st_mode) ? ::readlinkat(change.folder, name, target, sizeof target) : -1;
  const bool ours = n >= 0 && std::string_view(target, static_cast<std::size_t>(n)) == change.target;
  if (there && S_ISDIR(facts.st_mode)) fail(change.place + ": the script made a folder where a file was lent to it");
  if (there && ::unlinkat(change.folder, name, 0) != 0) fail(change.place, errno);
  if (there && !ours) replaced(change.place);
  // Another folder may stand where that one was.
  const int other = ::open(change.real.c_str(), flags_of_folder);
  if (other >= 0 && !same_folder(other, change.folder) && ::fstatat(other, name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
    fail(change.place + ": the script made another folder of the one that a file was lent into");
  ::close(other);
  if (!change.aside.empty() && ::renameat(change.folder, change.aside.c_str(), change.folder, name) != 0)
    fail(change.place + ": the script removed what was there before a file was lent to it");
}

}  // namespace imgbuild::guest

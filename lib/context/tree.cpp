// Shelves, and what work trees and commits have in common.
#include "context/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr const char* changed_hint = "stop what writes to it, or stage a commit with --ref";

Error changed(const std::string& path) { return Error(printable(path) + ": changed while it was read", changed_hint); }

std::int64_t nanoseconds(const struct timespec& time) { return time.tv_sec * std::int64_t{1000000000} + time.tv_nsec; }

bool same(const struct stat& facts, const Item& item) {
  return S_ISREG(facts.st_mode) && facts.st_dev == item.device && facts.st_ino == item.inode &&
         static_cast<std::uint64_t>(facts.st_size) == item.size && nanoseconds(facts.st_mtim) == item.changed &&
         ((facts.st_mode & S_IXUSR) != 0) == item.executable;
}

const char* kind_of(mode_t mode) {
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a fifo";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "a file of unknown kind";
}

bool by_path(const Item& a, const Item& b) { return a.path < b.path; }

}  // namespace

TarEntry member_of(const Item& item, std::uint64_t size, std::int64_t time) {
  TarEntry entry;
  entry.path = item.path;
  entry.mtime = time;
  switch (item.kind) {
    case Item::Kind::folder:
      entry.type = TarEntry::Type::directory;
      entry.mode = 0755;
      break;
    case Item::Kind::symlink:
      entry.type = TarEntry::Type::symlink;
      entry.mode = 0777;
      entry.link = item.link;
      break;
    case Item::Kind::file:
      entry.mode = item.executable ? 0755 : 0644;
      entry.size = size;
      break;
  }
  return entry;
}

DiskShelf::DiskShelf(const std::string& folder) : folder_(Fd::open(folder, O_RDONLY | O_DIRECTORY)) {}

Item DiskShelf::item_at(int folder, const char* name, std::string path) const {
  struct stat facts {};
  if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) throw changed(path);
    throw system_error(printable(path), errno);
  }
  Item item;
  item.shelf = this;
  if (S_ISDIR(facts.st_mode)) {
    item.kind = Item::Kind::folder;
  } else if (S_ISLNK(facts.st_mode)) {
    item.kind = Item::Kind::symlink;
    item.link.resize(static_cast<std::size_t>(facts.st_size) + 1);
    const ssize_t size = ::readlinkat(folder, name, item.link.data(), item.link.size());
    if (size < 0) throw system_error(printable(path), errno);
    if (static_cast<std::size_t>(size) == item.link.size()) throw changed(path);
    item.link.resize(static_cast<std::size_t>(size));
  } else if (S_ISREG(facts.st_mode)) {
    item.size = static_cast<std::uint64_t>(facts.st_size);
    item.executable = (facts.st_mode & S_IXUSR) != 0;
    item.device = facts.st_dev;
    item.inode = facts.st_ino;
    item.changed = nanoseconds(facts.st_mtim);
    item.status_changed = nanoseconds(facts.st_ctim);
  } else {
    throw Error(printable(path) + ": " + kind_of(facts.st_mode) + " cannot be staged",
                "remove it, or name it in .dockerignore");
  }
  item.path = std::move(path);
  return item;
}

void DiskShelf::read(const Item& item, const std::function<void(View)>& piece) const {
  // O_NONBLOCK: it may be a fifo by now.
  const Fd file(::openat(folder_.get(), item.path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR) throw changed(item.path);
    const Error error = system_error(printable(item.path), errno);
    throw Error(error.what(), "make it readable, or name it in .dockerignore");
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !same(facts, item)) throw changed(item.path);
  const std::int64_t status = nanoseconds(facts.st_ctim);

  // read(2) and not a mapping: a mapped file that shrinks ends the process. Room for one byte more shows that it grew;
  // that it did not is what its state says afterwards.
  thread_local Bytes room(std::size_t{1} << 20);
  const auto buffer =
      std::span(room).first(static_cast<std::size_t>(std::min<std::uint64_t>(item.size + 1, room.size())));
  std::uint64_t done = 0;
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(printable(item.path), errno);
    done += static_cast<std::size_t>(n);
    if (done > item.size) throw changed(item.path);
    if (n > 0) piece(View(buffer).first(static_cast<std::size_t>(n)));
    // Less than there was room for, and all that there should be: nobody need be asked for the end.
    if (n == 0 || (done == item.size && static_cast<std::size_t>(n) < buffer.size())) break;
  }
  if (done != item.size || ::fstat(file.get(), &facts) != 0 || !same(facts, item) ||
      nanoseconds(facts.st_ctim) != status)
    throw changed(item.path);
}

void BlobShelf::read(const Item& item, const std::function<void(View)>& piece) const {
  const Bytes content = repository_->read(item.at);
  const std::string_view text = text_of(content);
  if (text.size() < 1024 && text.starts_with("version https://git-lfs.github.com/spec/"))
    throw Error(printable(item.path) + ": a Git LFS pointer, not the file",
                "run `git lfs pull` and stage the work tree without --ref, or name it in .dockerignore");
  if (text.starts_with(std::string_view("\0GITCRYPT\0", 10)))
    throw Error(printable(item.path) + ": encrypted by git-crypt",
                "run `git-crypt unlock` and stage the work tree without --ref, or name it in .dockerignore");
  piece(content);
}

Includes::Includes(const std::vector<std::string>& globs) {
  for (const auto& glob : globs) {
    std::string_view text = glob;
    while (text.starts_with("./")) text.remove_prefix(2);
    while (text.ends_with('/')) text.remove_suffix(1);
    if (text.empty() || text[0] == '/')
      throw usage_error("--include " + printable(glob) + ": not a path of the context");
    globs_.push_back({std::string(text), std::string(text.substr(0, text.find_first_of("*?[\\")))});
  }
}

bool Includes::take(const std::string& path) {
  bool found = false;
  for (auto& glob : globs_)
    if (glob_matches(glob.text, path)) found = glob.used = true;
  return found;
}

bool Includes::may_lie_below(const std::string& folder) const {
  const std::string inside = folder + "/";
  return std::any_of(globs_.begin(), globs_.end(), [&](const Glob& glob) {
    return inside.starts_with(glob.beginning) || glob.beginning.starts_with(inside);
  });
}

void Includes::check_used() const {
  for (const auto& glob : globs_)
    if (!glob.used) throw usage_error("--include " + printable(glob.text) + ": matches nothing");
}

void arrange(std::vector<Item>& items) {
  std::set<std::string> names;
  std::string_view last;  // the folder of the item before
  for (const auto& item : items) {
    if (item.kind == Item::Kind::folder) names.insert(item.path);
    std::size_t cut = item.path.rfind('/');
    if (cut == std::string::npos || std::string_view(item.path).substr(0, cut) == last) continue;
    last = std::string_view(item.path).substr(0, cut);
    for (; cut != std::string::npos && cut > 0; cut = item.path.rfind('/', cut - 1))
      if (!names.insert(item.path.substr(0, cut)).second) break;
  }
  std::erase_if(items, [](const Item& item) { return item.kind == Item::Kind::folder; });
  if (!std::is_sorted(items.begin(), items.end(), by_path)) std::sort(items.begin(), items.end(), by_path);

  std::vector<Item> folders(names.size()), all;
  std::size_t next = 0;
  for (const auto& name : names) {
    folders[next].kind = Item::Kind::folder;
    folders[next++].path = name;
  }
  all.reserve(items.size() + folders.size());
  std::merge(std::move_iterator(items.begin()), std::move_iterator(items.end()), std::move_iterator(folders.begin()),
             std::move_iterator(folders.end()), std::back_inserter(all), by_path);
  items = std::move(all);
  const auto twin =
      std::adjacent_find(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.path == b.path; });
  if (twin != items.end()) throw Error(printable(twin->path) + ": two files stand in one place");
}

}  // namespace imgbuild

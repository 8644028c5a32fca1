// Ours and not libarchive's, whose secure flags refuse links in the path of the folder itself, too, and look before
// each step where the kernel can be told not to follow (O_NOFOLLOW).
#include "push/folder_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

using Type = TarEntry::Type;
constexpr int as_folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

[[noreturn]] void fail(const std::string& path) {
  const int number = errno;
  throw system_error(printable(path), number);
}

// To whom what is written belongs nothing of the image's rights does.
mode_t mode_of(const TarEntry& entry) { return entry.mode & 01777; }

void times_of(const TarEntry& entry, timespec (&times)[2]) {
  times[0] = times[1] = {static_cast<time_t>(entry.mtime), 0};
}

}  // namespace

FolderWriter::FolderWriter(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  root_ = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_) fail(folder);
  std::uint8_t id[6];
  random_bytes(id);
  beside_ = ".imgbuild." + hex(id);
}

FolderWriter::~FolderWriter() {
  if (file_) ::unlinkat(way_.empty() ? root_.get() : way_.back().second.get(), beside_.c_str(), 0);
}

// The folder `name`, made where there is none; a file or a link of that name is in the way and goes.
Fd FolderWriter::step_into(int folder, const std::string& name, const std::string& path) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    Fd next(::openat(folder, name.c_str(), as_folder));
    if (next) return next;
    if (errno == EACCES) {
      // Of an earlier image, whose mode for it lets nobody in.
      const Fd closed(::openat(folder, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!closed || ::chmod(("/proc/self/fd/" + std::to_string(closed.get())).c_str(), 0700) != 0) fail(path);
    } else if (errno == ENOTDIR || errno == ELOOP) {
      if (::unlinkat(folder, name.c_str(), 0) != 0) fail(path);
    } else if (errno == ENOENT) {
      if (::mkdirat(folder, name.c_str(), 0755) != 0 && errno != EEXIST) fail(path);
    } else {
      fail(path);
    }
  }
  throw Error(printable(path) + ": somebody else is changing it");
}

FolderWriter::Parent FolderWriter::parent_of(const std::string& path) {
  auto parts = split(path, '/');
  Parent at;
  at.name = std::move(parts.back());
  parts.pop_back();
  for (const std::string& part : parts)
    if (part.empty() || part == "." || part == "..") throw Error(printable(path) + ": no path below the folder");
  if (at.name.empty() || at.name == "." || at.name == "..") throw Error(printable(path) + ": no name");
  std::size_t known = 0;
  while (known < parts.size() && known < way_.size() && way_[known].first == parts[known]) ++known;
  way_.erase(way_.begin() + static_cast<std::ptrdiff_t>(known), way_.end());
  for (std::size_t i = known; i < parts.size(); ++i)
    way_.emplace_back(parts[i], step_into(way_.empty() ? root_.get() : way_.back().second.get(), parts[i], path));
  at.folder = way_.empty() ? root_.get() : way_.back().second.get();
  return at;
}

// What was made beside it gets its name.
void FolderWriter::put(const std::string& path, const Parent& at) {
  if (::renameat(at.folder, beside_.c_str(), at.folder, at.name.c_str()) != 0) {
    const int number = errno;
    ::unlinkat(at.folder, beside_.c_str(), 0);
    if (number == EISDIR || number == EEXIST || number == ENOTEMPTY)
      throw Error(printable(path) + ": there is a folder, which in the image is none", "remove it, or say another DIR");
    throw system_error(printable(path), number);
  }
  ++written_;
}

void FolderWriter::entry(const TarEntry& entry) {
  const Parent at = parent_of(entry.path);
  entry_ = entry;
  switch (entry.type) {
    case Type::directory: {
      const Fd made = step_into(at.folder, at.name, entry.path);
      // Until all is in it.
      if (::fchmod(made.get(), mode_of(entry) | 0700) != 0) fail(entry.path);
      folders_[entry.path] = entry;
      return;
    }
    case Type::file:
      file_ = Fd(::openat(at.folder, beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (!file_) fail(entry.path);
      return;
    case Type::symlink: {
      if (::symlinkat(entry.link.c_str(), at.folder, beside_.c_str()) != 0) fail(entry.path);
      timespec times[2];
      times_of(entry, times);
      ::utimensat(at.folder, beside_.c_str(), times, AT_SYMLINK_NOFOLLOW);
      return put(entry.path, at);
    }
    case Type::hard_link: {
      // Looking for the one may close the folder of the other.
      const Fd folder(::fcntl(at.folder, F_DUPFD_CLOEXEC, 0));
      if (!folder) fail(entry.path);
      const Parent target = parent_of(entry.link);
      if (::linkat(target.folder, target.name.c_str(), folder.get(), beside_.c_str(), 0) != 0) fail(entry.path);
      return put(entry.path, {folder.get(), at.name});
    }
    case Type::character:
    case Type::block:
    case Type::fifo:
    case Type::other:
      left_out_.push_back(entry.path);
      return;
  }
}

void FolderWriter::data(View piece) {
  if (!file_) return;
  write_full(file_.get(), piece, printable(entry_.path));
  bytes_ += piece.size();
}

void FolderWriter::end_entry() {
  if (!file_) return;
  timespec times[2];
  times_of(entry_, times);
  if (::fchmod(file_.get(), mode_of(entry_)) != 0 || ::futimens(file_.get(), times) != 0) fail(entry_.path);
  const Parent at = parent_of(entry_.path);
  put(entry_.path, at);
  file_.reset();
}

void FolderWriter::finish() {
  // What is in a folder before the folder itself, whose time it would change, and whose mode may close it.
  for (auto each = folders_.rbegin(); each != folders_.rend(); ++each) {
    const auto& [path, entry] = *each;
    const Parent at = parent_of(path);
    const Fd folder(::openat(at.folder, at.name.c_str(), as_folder));
    timespec times[2];
    times_of(entry, times);
    if (!folder || ::futimens(folder.get(), times) != 0 || ::fchmod(folder.get(), mode_of(entry)) != 0) fail(path);
  }
}

}  // namespace imgbuild

#include "base/new_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

std::string name_beside(const std::string& path) {
  std::random_device random;
  char digits[20];
  std::snprintf(digits, sizeof digits, ".%08x%08x", random(), random());
  return path + digits;
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

NewFile::NewFile(std::string path) : path_(std::move(path)) {
  if (path_ == "-") return;
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) == 0) {
    if (!S_ISREG(facts.st_mode)) {
      file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
      if (file_) return;
      const int number = errno;
      interrupt::check();  // a pipe that nobody reads
      throw system_error(printable(path_), number);
    }
    // What a link leads to is written, as it would be by `>`.
    std::error_code none;
    const auto real = std::filesystem::canonical(path_, none);
    if (!none) path_ = real.string();
  }
  named_ = false;
  file_ = Fd(::open(folder_of(path_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
  if (file_) return;
  beside_ = name_beside(path_);
  file_ = Fd(::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file_) {
    beside_.clear();
    throw system_error(printable(path_), errno);
  }
}

NewFile::~NewFile() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void NewFile::write(View bytes) {
  const int to = file_ ? file_.get() : STDOUT_FILENO;
  const std::string what = path_ == "-" ? "standard output" : printable(path_);
  if (!named_) return write_full(to, bytes, what);
  // Who reads a pipe may be slow, or gone to sleep: an interrupt is not to wait for them. What poll() lets in is as
  // much as a pipe takes at once.
  while (!bytes.empty()) {
    pollfd ready[] = {{to, POLLOUT, 0}, {interrupt::fd(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0 && errno != EINTR) throw system_error(what, errno);
    interrupt::check();
    if (ready[0].revents == 0) continue;
    const View piece = bytes.first(std::min<std::size_t>(bytes.size(), PIPE_BUF));
    write_full(to, piece, what);
    bytes = bytes.subspan(piece.size());
  }
}

void NewFile::finish() {
  if (named_) return;
  if (beside_.empty()) {
    beside_ = name_beside(path_);
    const std::string self = "/proc/self/fd/" + std::to_string(file_.get());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, beside_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      const int number = errno;
      beside_.clear();
      throw system_error(printable(path_), number);
    }
  }
  if (::rename(beside_.c_str(), path_.c_str()) != 0) throw system_error(printable(path_), errno);
  beside_.clear();
}

}  // namespace imgbuild

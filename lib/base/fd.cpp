#include "base/fd.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.hpp"
#include "base/temp_dir.hpp"

namespace imgbuild {

void Fd::reset(int number) noexcept {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

Fd Fd::open(const std::string& path, int flags, unsigned mode) {
  const int number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (number < 0) throw system_error(path, errno);
  return Fd(number);
}

std::pair<Fd, Fd> Fd::pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("pipe", errno);
  return {Fd(ends[0]), Fd(ends[1])};
}

std::pair<Fd, Fd> Fd::socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw system_error("socketpair", errno);
  return {Fd(ends[0]), Fd(ends[1])};
}

namespace {

Fd unnamed_file_in(const std::string& folder) {
  const int number = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (number >= 0) return Fd(number);
  // A file system without O_TMPFILE: made by name and unlinked at once.
  std::string name = folder + "/imgbuild.XXXXXX";
  const int made = ::mkostemp(name.data(), O_CLOEXEC);
  if (made < 0) throw system_error(folder, errno);
  ::unlink(name.c_str());
  return Fd(made);
}

}  // namespace

Fd Fd::unnamed_file() { return unnamed_file_in(temp_root()); }

Fd Fd::unnamed_file_on_disk() {
  for (const std::string& folder : {temp_root(), std::string("/var/tmp")}) {
    struct statfs facts {};
    if (::statfs(folder.c_str(), &facts) != 0) continue;
    if (facts.f_type != TMPFS_MAGIC && facts.f_type != RAMFS_MAGIC) return unnamed_file_in(folder);
  }
  throw Error("too large to be held in memory, and " + temp_root() + " lies there", "set TMPDIR to a folder on a disk");
}

namespace {

// Until `into` is full or the end; `read(into, done)` is the system call that goes on behind `done` bytes.
template <class Read>
std::size_t read_all(std::span<std::uint8_t> into, const std::string& what, Read read) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = read(into.subspan(done), done);
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error(what, errno);
    }
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

std::size_t read_full(int fd, std::span<std::uint8_t> into, const std::string& what) {
  return read_all(into, what, [&](auto rest, std::size_t) { return ::read(fd, rest.data(), rest.size()); });
}

std::size_t read_full_at(int fd, std::uint64_t offset, std::span<std::uint8_t> into, const std::string& what) {
  return read_all(into, what, [&](auto rest, std::size_t done) {
    return ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

void write_full(int fd, View bytes, const std::string& what) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error(what, errno);
    }
    done += static_cast<std::size_t>(n);
  }
}

std::string read_file(const std::string& path, std::size_t most) {
  const Fd file = Fd::open(path, O_RDONLY);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw system_error(path, errno);
  if (S_ISDIR(facts.st_mode)) throw system_error(path, EISDIR);
  std::string content;
  char piece[65536];
  for (;;) {
    const std::size_t n = read_full(file.get(), {reinterpret_cast<std::uint8_t*>(piece), sizeof piece}, path);
    content.append(piece, n);
    if (content.size() > most) throw Error(path + ": larger than " + std::to_string(most) + " bytes");
    if (n < sizeof piece) return content;
  }
}

void write_file(const std::string& path, std::string_view content, unsigned mode) {
  std::string name = path + ".XXXXXX";
  Fd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) throw system_error(path, errno);
  try {
    write_full(file.get(), view_of(content), path);
    if (::fchmod(file.get(), mode) != 0 || ::rename(name.c_str(), path.c_str()) != 0) throw system_error(path, errno);
  } catch (...) {
    ::unlink(name.c_str());
    throw;
  }
}

Mapping::Mapping(const Fd& file, const std::string& what) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw system_error(what, errno);
  if (!S_ISREG(facts.st_mode))
    throw Error(what + (S_ISDIR(facts.st_mode) ? ": is a directory" : ": not a regular file"));
  if (facts.st_size == 0) return;
  size_ = static_cast<std::size_t>(facts.st_size);
  void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (at == MAP_FAILED) throw system_error(what, errno);
  data_ = static_cast<const std::uint8_t*>(at);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

}  // namespace imgbuild

#pragma once
#include <string>
#include <utility>

#include "base/bytes.hpp"

namespace imgbuild {

/// A file descriptor that is closed with its owner. Always opened close-on-exec.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(std::exchange(other.number_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  void reset(int number = -1) noexcept;

  /// open(2) with O_CLOEXEC; throws Error "PATH: reason".
  static Fd open(const std::string& path, int flags, unsigned mode = 0666);
  /// Two connected pipe ends, {read, write}.
  static std::pair<Fd, Fd> pipe();
  /// Two connected unix stream sockets.
  static std::pair<Fd, Fd> socket_pair();
  /// A file without a name, in the folder for temporary files: gone with the descriptor, however the process ends.
  static Fd unnamed_file();
  /// The same where it does not take memory: in the folder for temporary files, or /var/tmp where that one is a tmpfs.
  /// Throws Error where both are.
  static Fd unnamed_file_on_disk();

 private:
  int number_ = -1;
};

/// Reads until `into` is full or the end; returns the bytes read. Throws Error naming `what`.
std::size_t read_full(int fd, std::span<std::uint8_t> into, const std::string& what);
/// The same from a position of the file on; the descriptor's own position stays.
std::size_t read_full_at(int fd, std::uint64_t offset, std::span<std::uint8_t> into, const std::string& what);
/// Writes all of it. Throws Error naming `what` (disk full, closed pipe...).
void write_full(int fd, View bytes, const std::string& what);
/// The whole file; throws Error where it is larger than `most` bytes.
std::string read_file(const std::string& path, std::size_t most = std::size_t{64} << 20);
/// Writes a new file beside `path`, then renames it onto it: a reader sees the old one or the new one, whole.
void write_file(const std::string& path, std::string_view content, unsigned mode = 0644);

/// A file's bytes mapped into memory, read-only, for the life of the object. An empty file is an empty view.
/// The file must not shrink meanwhile.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const Fd& file, const std::string& what);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  View bytes() const noexcept { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace imgbuild

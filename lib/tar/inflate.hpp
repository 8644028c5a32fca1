#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.hpp"

namespace imgbuild {

/// What the first bytes of a stream say it is. `none`: nothing that is opened.
enum class Container {
  none,
  tar,
  gzip,
  zstd,
  xz,
  bzip2,
  lz4,
  lzip,
  compress,
  zip,
  seven_zip,
  ar,
  cpio,
  rpm,
  rar,
  cab,
  xar,
  lha
};
const char* name_of(Container kind);

/// Judges by content, never by name, and by more than a magic number: the header must make sense as that format, so
/// that what fails later is damaged, not mistaken. 512 bytes are wanted; fewer only where the stream is shorter.
Container container_of(View head);

/// How many last bytes of a stream ends_as_zip() wants: an end record and a comment of up to 1 KiB.
constexpr std::size_t zip_end_size = 22 + 1024;

/// Do these last bytes of a stream of `size` bytes end a zip archive? (a program with a zip behind it) Where they hold
/// the table of contents too, it is checked.
bool ends_as_zip(View end, std::uint64_t size);

/// gzip and zstd, pushed. Every member or frame of the stream is inflated, one after the other; what follows the last
/// one is left alone, as gunzip and zstd do. One thread at a time.
class Inflater {
 public:
  /// `room`: gives the memory that the next output goes into (never empty). `sink` takes each filled piece of it.
  Inflater(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink);
  ~Inflater();
  /// Throws Error "damaged gzip stream", "zstd window larger than 128 MiB".
  void feed(View piece);
  /// Gives the sink what has come out so far: of a stream that failed too.
  void flush();
  /// The end: the rest goes to the sink. Throws Error "truncated gzip stream". Once.
  void finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

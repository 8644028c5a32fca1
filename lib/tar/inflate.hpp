#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// A stream that is well, as far as can be told, but asks for more memory than it is given.
class TooLarge : public Error {
 public:
  using Error::Error;
};

/// gzip, zlib, deflate, brotli, zstd, xz, lzma, lzip, lz4 and bzip2, pushed. Every member or frame of the stream is
/// inflated, one after the other; what follows the last one is left alone, as gunzip and zstd do. What a decoder keeps
/// of its past (window, dictionary) is at most 64 MiB, whatever the stream asks for. One thread at a time.
class Inflater {
 public:
  static bool knows(Container kind);
  /// `room`: gives the memory that the next output goes into (never empty). `sink` takes each filled piece of it.
  Inflater(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink);
  ~Inflater();
  /// What skippable frames of zstd and lz4 hold goes here, too: piece by piece, `begins` with the first one of a frame.
  void show_skipped(std::function<void(View piece, bool begins)> sink);
  /// How many bytes of the piece were the stream's: all, until what follows is none of it. Throws Error "damaged gzip
  /// stream", TooLarge "zstd window larger than 64 MiB".
  std::size_t feed(View piece);
  /// Gives the sink what has come out so far: of a stream that failed too.
  void flush();
  /// The end: the rest goes to the sink. Throws Error "truncated gzip stream". Once.
  void finish();

 private:
  class Decoder;
  class Deflated;
  class Zstandard;
  class Lempel;
  class Lz4;
  class Brotli;
  class Burrows;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace imgbuild

#pragma once
#include <cstddef>
#include <optional>

#include "base/bytes.hpp"

namespace imgbuild {

/// Both directions of a connection, non-blocking: an exec in a container, a hijacked request, a socket. One thread.
class Stream {
 public:
  virtual ~Stream() = default;
  /// What to poll for POLLIN and POLLOUT. Bytes may be held above it (TLS): read until nullopt before polling.
  virtual int fd() const = 0;
  /// Bytes read into `into`; 0 at the end; nullopt where none have come yet. Throws Error on a broken connection.
  virtual std::optional<std::size_t> read(std::span<std::uint8_t> into) = 0;
  /// Bytes taken, which may be fewer than given; 0 where none could be. Throws Error on a broken connection.
  virtual std::size_t write(View bytes) = 0;
};

}  // namespace imgbuild

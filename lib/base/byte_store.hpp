#pragma once
#include "base/fd.hpp"
#include "base/whole.hpp"

namespace imgbuild {

/// Bytes that come as a stream and are then wanted as a whole: few of them in memory, more in a file without a name on
/// a disk. All stores of the process together take 24 MiB of memory and 32 GiB of disk at most.
class ByteStore : public Whole {
 public:
  ByteStore() = default;
  ByteStore(const ByteStore&) = delete;
  ByteStore& operator=(const ByteStore&) = delete;
  ~ByteStore() override;
  /// Throws Error where there is no room (a cap, a full disk, no folder but in memory).
  void append(View bytes);
  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override;
  /// All of it where it is in memory, until the next append(); else empty.
  View in_memory() const { return memory_; }
  const Fd& file() const { return file_; }  ///< where it is not

 private:
  Bytes memory_;
  Fd file_;
  std::uint64_t size_ = 0, on_disk_ = 0;
};

}  // namespace imgbuild

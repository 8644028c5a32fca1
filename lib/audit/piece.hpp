#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Keeps memory alive (or, of a mapped file, resident) until the last one who looks at it is done.
using Owner = std::shared_ptr<const void>;

/// A piece of a stream on its way to the scanner. Where it is `stable`, the memory outlives the audit; where it has an
/// owner, it lives as long as that; else only until the call that brings it returns.
struct Piece {
  View bytes;
  Owner owner;
  bool stable = false;
  /// What a reader that was given this piece shows: a part of it, or bytes of the reader's own, which do not last.
  Piece part(View shown) const {
    const std::less_equal<const std::uint8_t*> ordered;
    const bool within =
        ordered(bytes.data(), shown.data()) && ordered(shown.data() + shown.size(), bytes.data() + bytes.size());
    return within ? Piece{shown, owner, stable} : Piece{shown, nullptr, false};
  }
};

/// Bytes of one stream that must lie together: views where the pieces adjoin in memory that lasts, else a copy.
class Run {
 public:
  void append(const Piece& piece);
  /// Its bytes from position `begin` on, as a run of their own.
  Run from(std::size_t begin) const;
  View view() const { return copied_ ? View(copy_) : view_; }
  /// All of it, as lasting as what it was put together from; of a copy, as long as the run.
  Piece piece() const;
  std::size_t size() const { return view().size(); }
  bool empty() const { return size() == 0; }

 private:
  void copy();
  View view_;
  std::vector<Owner> owners_;
  bool stable_ = false, copied_ = false;
  Bytes copy_;
};

/// Buffers of 1 MiB that are used again. Any thread.
class Buffers {
 public:
  static constexpr std::size_t size = std::size_t{1} << 20;
  std::shared_ptr<std::uint8_t[]> take();
  /// Frees those that nobody has.
  void drop();

 private:
  struct Shelf {
    std::mutex mutex;
    std::vector<std::unique_ptr<std::uint8_t[]>> free;
  };
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

/// What has been filled of a buffer. Little is copied by who keeps it: it must not hold a whole buffer.
inline Piece lent(View filled, const std::shared_ptr<std::uint8_t[]>& buffer) {
  return {filled, filled.size() >= Buffers::size / 4 ? Owner(buffer) : nullptr, false};
}

}  // namespace imgbuild

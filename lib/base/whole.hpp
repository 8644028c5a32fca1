#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>

#include "base/bytes.hpp"

namespace imgbuild {

/// Content of which any part can be asked for at any time, wherever it lies: what formats need that cannot be read as a
/// stream. It is read, not mapped, so that no more of it is in memory than what was asked for. One thread at a time.
class Whole {
 public:
  virtual ~Whole() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `into` from `offset` on; fewer bytes only at the end. Throws Error where they cannot be had.
  virtual std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;

  /// As many of `most` bytes as there are from `offset` on.
  Bytes part(std::uint64_t offset, std::size_t most) const {
    Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(most, size() - std::min(offset, size()))));
    bytes.resize(read(offset, bytes));
    return bytes;
  }
};

/// A whole as a stream, from its beginning or a position on. It must outlive it.
class WholeSource : public Source {
 public:
  explicit WholeSource(const Whole& whole, std::uint64_t from = 0) : whole_(whole), at_(from) {}
  View next() override {
    const std::size_t count = whole_.read(at_, buffer_);
    at_ += count;
    return View(buffer_).first(count);
  }

 private:
  const Whole& whole_;
  std::uint64_t at_;
  Bytes buffer_ = Bytes(std::size_t{256} << 10);
};

/// Bytes in memory as a whole. They must outlive it.
class ViewWhole : public Whole {
 public:
  /// `release`: told of what has been read and need not stay resident (of a mapped file); may be empty.
  explicit ViewWhole(View bytes, std::function<void(View)> release = {})
      : bytes_(bytes), release_(std::move(release)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    if (offset >= bytes_.size()) return 0;
    const View rest = bytes_.subspan(static_cast<std::size_t>(offset));
    const View part = rest.first(std::min(rest.size(), into.size()));
    std::copy(part.begin(), part.end(), into.begin());
    if (release_) release_(part);
    return part.size();
  }

 private:
  View bytes_;
  std::function<void(View)> release_;
};

}  // namespace imgbuild

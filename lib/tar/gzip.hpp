#pragma once
#include <functional>
#include <memory>

#include "base/bytes.hpp"

namespace imgbuild {

/// Packs a stream into one gzip member (RFC 1952) without a name or a time: the same bytes give the same stream on the
/// same machine. Fast rather than small, as image layers are packed. One thread at a time.
class Gzip {
 public:
  /// `sink` takes what is packed, piece by piece; it may throw.
  explicit Gzip(std::function<void(View)> sink);
  ~Gzip();
  void feed(View piece);
  void finish();  ///< once

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <memory>

#include "audit/beginnings.hpp"

namespace imgbuild {

/// Reads bytes that a text encodes, as they stream by; remembers no more than a group. One thread.
class EncodedText {
 public:
  virtual ~EncodedText() = default;
  /// Appends what the characters stand for. How many were its own: all, but at its end.
  virtual std::size_t decode(View characters, Bytes& to) = 0;
  /// Nothing more comes: what a last group that is not full stands for.
  virtual void finish(Bytes&) {}

  static std::unique_ptr<EncodedText> of(Encoding encoding);
};

}  // namespace imgbuild

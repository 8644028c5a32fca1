#pragma once
#include <memory>
#include <optional>
#include <string>

#include "audit/sightings.hpp"

namespace imgbuild {

class Cutter;

enum class ByteOrder { little, big };

/// Is this the beginning of UTF-16 text? By its byte order mark, or because it is ASCII with a zero beside each byte.
std::optional<ByteOrder> utf16_of(View head);

/// Looks at a stream of UTF-16 as the UTF-8 that says the same. One thread.
class Narrowed {
 public:
  Narrowed(const Desk& desk, Where where, ByteOrder order);
  ~Narrowed();
  void feed(View bytes);
  void finish();

 private:
  const ByteOrder order_;
  std::unique_ptr<Cutter> text_;
  Bytes half_;  ///< a unit's first byte
  std::uint32_t high_ = 0;
};

/// One unit of UTF-16 after the other as UTF-8. `high`: a first surrogate that waits for its second one.
void append_utf8(std::string& to, std::uint32_t unit, std::uint32_t& high);

}  // namespace imgbuild

#pragma once
#include <memory>
#include <optional>
#include <string>

#include "audit/sightings.hpp"

namespace imgbuild {

class ContentReader;

enum class ByteOrder { little, big };

/// How wide text is written: UTF-16 or UTF-32 (Unicode 15, section 3.10).
struct WideText {
  ByteOrder order;
  std::size_t width;  ///< bytes of a unit: 2 or 4
};

/// Is this the beginning of wide text? By its byte order mark, or because it is ASCII with zeros beside each byte.
std::optional<WideText> wide_text_of(View head);

/// Looks at a stream of wide text as the UTF-8 that says the same. One thread.
class Narrowed {
 public:
  Narrowed(const Desk& desk, Where where, WideText how);
  ~Narrowed();
  void feed(View bytes);
  void finish();

 private:
  const WideText how_;
  std::unique_ptr<ContentReader> text_;
  Bytes begun_;  ///< a unit's first bytes
  std::uint32_t high_ = 0;
};

/// One unit of UTF-16 or UTF-32 after the other as UTF-8. `high`: a first surrogate that waits for its second one.
void append_utf8(std::string& to, std::uint32_t unit, std::uint32_t& high);

}  // namespace imgbuild

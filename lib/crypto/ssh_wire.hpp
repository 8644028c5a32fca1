#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace imgbuild {

/// Reads the data types of SSH (RFC 4251 section 5) from bytes that it does not own. What is not there throws
/// Error("truncated"), so that a forgotten check cannot pass for an empty value. Other formats have such numbers too.
class WireReader {
 public:
  explicit WireReader(View bytes) : left_(bytes) {}

  std::uint8_t byte() { return take(1)[0]; }
  bool boolean() { return byte() != 0; }
  /// Of so many bytes, the first of them the highest; eight at most.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const auto byte : take(bytes)) value = value << 8 | byte;
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  View string() { return take(u32()); }
  std::string_view text() { return text_of(string()); }
  /// A non-negative mpint's magnitude, without leading zero bytes.
  View mpint() {
    View value = string();
    if (!value.empty() && value[0] >= 0x80) throw Error("negative number");
    while (!value.empty() && value[0] == 0) value = value.subspan(1);
    return value;
  }
  View take(std::size_t count) {
    if (count > left_.size()) throw Error("truncated");
    const View taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }
  View left() const { return left_; }
  bool done() const { return left_.empty(); }
  void expect_end() const {
    if (!done()) throw Error("bytes after the end");
  }

 private:
  View left_;
};

/// Writes them.
class WireWriter {
 public:
  WireWriter& byte(std::uint8_t value) {
    bytes_.push_back(value);
    return *this;
  }
  WireWriter& u32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes_.push_back(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }
  WireWriter& raw(View value) {
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  WireWriter& string(View value) { return u32(static_cast<std::uint32_t>(value.size())).raw(value); }
  WireWriter& string(std::string_view value) { return string(view_of(value)); }
  /// The mpint of a big-endian magnitude.
  WireWriter& mpint(View magnitude) {
    while (!magnitude.empty() && magnitude[0] == 0) magnitude = magnitude.subspan(1);
    const bool padded = !magnitude.empty() && magnitude[0] >= 0x80;
    u32(static_cast<std::uint32_t>(magnitude.size() + (padded ? 1 : 0)));
    if (padded) byte(0);
    return raw(magnitude);
  }
  const Bytes& bytes() const { return bytes_; }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace imgbuild

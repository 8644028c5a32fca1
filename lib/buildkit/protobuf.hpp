#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

/// The wire format of Protocol Buffers, as far as a build's few small messages need it
/// (protobuf.dev/programming-guides/encoding): numbered fields, each a number or a run of bytes.
namespace imgbuild {

/// Walks over the fields of one message. What it was given must outlive it.
class ProtoFields {
 public:
  explicit ProtoFields(View message) : rest_(message) {}
  /// To the next field; false at the end. Throws Error on a message that is cut or none.
  bool next();
  std::uint32_t field() const noexcept { return field_; }
  std::uint64_t number() const noexcept { return number_; }  ///< of a number; 0 where the field is bytes
  View bytes() const noexcept { return bytes_; }             ///< of bytes; empty where the field is a number
  std::string text() const { return std::string(text_of(bytes_)); }

 private:
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t size);

  View rest_, bytes_;
  std::uint32_t field_ = 0;
  std::uint64_t number_ = 0;
};

/// Appends a field.
void put_field(Bytes& message, std::uint32_t field, View bytes);
void put_field(Bytes& message, std::uint32_t field, std::uint64_t number);

}  // namespace imgbuild

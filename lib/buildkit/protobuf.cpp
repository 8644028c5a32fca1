#include "buildkit/protobuf.hpp"

#include "base/error.hpp"

namespace imgbuild {
namespace {

// How a field's value is written, in the three low bits of its tag.
enum : unsigned { as_varint = 0, as_64_bits = 1, as_bytes = 2, as_32_bits = 5 };

void put_varint(Bytes& message, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) message.push_back(static_cast<std::uint8_t>(number | 0x80));
  message.push_back(static_cast<std::uint8_t>(number));
}

Error cut() { return Error("a protobuf message is cut"); }

}  // namespace

std::uint64_t ProtoFields::varint() {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) throw cut();
    const std::uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  throw Error("a protobuf message holds a number of more than 64 bits");
}

std::uint64_t ProtoFields::fixed(std::size_t size) {
  if (rest_.size() < size) throw cut();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number |= static_cast<std::uint64_t>(rest_[i]) << (8 * i);
  rest_ = rest_.subspan(size);
  return number;
}

bool ProtoFields::next() {
  if (rest_.empty()) return false;
  const std::uint64_t tag = varint();
  if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) throw Error("a protobuf message has a field without a number");
  field_ = static_cast<std::uint32_t>(tag >> 3);
  number_ = 0;
  bytes_ = {};
  switch (tag & 7) {
    case as_varint:
      number_ = varint();
      return true;
    case as_64_bits:
      number_ = fixed(8);
      return true;
    case as_32_bits:
      number_ = fixed(4);
      return true;
    case as_bytes: {
      const std::uint64_t size = varint();
      if (size > rest_.size()) throw cut();
      bytes_ = rest_.first(static_cast<std::size_t>(size));
      rest_ = rest_.subspan(static_cast<std::size_t>(size));
      return true;
    }
    default:
      throw Error("a protobuf message has a field of an unknown kind");
  }
}

void put_field(Bytes& message, std::uint32_t field, View bytes) {
  put_varint(message, std::uint64_t{field} << 3 | as_bytes);
  put_varint(message, bytes.size());
  message.insert(message.end(), bytes.begin(), bytes.end());
}

void put_field(Bytes& message, std::uint32_t field, std::uint64_t number) {
  put_varint(message, std::uint64_t{field} << 3 | as_varint);
  put_varint(message, number);
}

}  // namespace imgbuild

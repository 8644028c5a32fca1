#include "audit/narrowed.hpp"

#include <algorithm>

#include "audit/content.hpp"

namespace imgbuild {

std::optional<ByteOrder> utf16_of(View head) {
  if (head.size() < 16) return std::nullopt;
  if (head[0] == 0xff && head[1] == 0xfe && (head[2] != 0 || head[3] != 0)) return ByteOrder::little;
  if (head[0] == 0xfe && head[1] == 0xff) return ByteOrder::big;
  const std::size_t units = std::min<std::size_t>(head.size() / 2, 64);
  std::size_t little = 0, big = 0;
  for (std::size_t i = 0; i < units; ++i) {
    const std::uint8_t first = head[2 * i], second = head[2 * i + 1];
    const auto is_text = [](std::uint8_t c) { return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t'; };
    little += second == 0 && is_text(first) ? 1 : 0;
    big += first == 0 && is_text(second) ? 1 : 0;
  }
  if (little * 10 >= units * 9) return ByteOrder::little;
  if (big * 10 >= units * 9) return ByteOrder::big;
  return std::nullopt;
}

void append_utf8(std::string& to, std::uint32_t unit, std::uint32_t& high) {
  if (unit >= 0xd800 && unit < 0xdc00) {
    high = unit;
    return;
  }
  if (unit >= 0xdc00 && unit < 0xe000) unit = high != 0 ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : 0xfffd;
  high = 0;
  const auto tail = [&](int shift) { to += static_cast<char>(0x80 | (unit >> shift & 0x3f)); };
  if (unit < 0x80) {
    to += static_cast<char>(unit);
  } else if (unit < 0x800) {
    to += static_cast<char>(0xc0 | unit >> 6);
    tail(0);
  } else if (unit < 0x10000) {
    to += static_cast<char>(0xe0 | unit >> 12);
    tail(6);
    tail(0);
  } else {
    to += static_cast<char>(0xf0 | unit >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

Narrowed::Narrowed(const Desk& desk, Where where, ByteOrder order) : order_(order) {
  where.decoded.emplace_back("utf-16");
  text_ = std::make_unique<Cutter>(desk, std::move(where));
}
Narrowed::~Narrowed() = default;

void Narrowed::feed(View bytes) {
  std::string text;
  const auto unit = [&](std::uint8_t first, std::uint8_t second) {
    append_utf8(text, order_ == ByteOrder::little ? first | second << 8 : first << 8 | second, high_);
    if (text.size() < (std::size_t{64} << 10)) return;
    text_->feed({view_of(text), nullptr, false});
    text.clear();
  };
  if (!half_.empty() && !bytes.empty()) {
    unit(half_[0], bytes[0]);
    half_.clear();
    bytes = bytes.subspan(1);
  }
  for (; bytes.size() >= 2; bytes = bytes.subspan(2)) unit(bytes[0], bytes[1]);
  if (!bytes.empty()) half_.assign(1, bytes[0]);
  text_->feed({view_of(text), nullptr, false});
}

void Narrowed::finish() { text_->finish(); }

}  // namespace imgbuild

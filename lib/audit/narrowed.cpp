#include "audit/narrowed.hpp"

#include <algorithm>

#include "audit/content.hpp"

namespace imgbuild {

namespace {

std::uint32_t unit_at(View bytes, WideText how) {
  std::uint32_t unit = 0;
  for (std::size_t i = 0; i < how.width; ++i)
    unit = unit << 8 | bytes[how.order == ByteOrder::big ? i : how.width - 1 - i];
  return unit;
}

bool is_text(std::uint32_t c) { return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

std::optional<WideText> wide_text_of(View head) {
  if (head.size() < 16) return std::nullopt;
  constexpr std::uint32_t mark = 0xfeff;
  for (const std::size_t width : {4u, 2u})  // a mark of UTF-32 begins as one of UTF-16 does
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      const WideText how{order, width};
      if (unit_at(head, how) == mark) return how;
      const std::size_t units = std::min<std::size_t>(head.size() / width, 64);
      std::size_t texts = 0;
      for (std::size_t i = 0; i < units; ++i) texts += is_text(unit_at(head.subspan(i * width), how)) ? 1 : 0;
      if (texts * 10 >= units * 9) return how;
    }
  return std::nullopt;
}

void append_utf8(std::string& to, std::uint32_t unit, std::uint32_t& high) {
  if (unit >= 0xd800 && unit < 0xdc00) {
    high = unit;
    return;
  }
  if (unit >= 0xdc00 && unit < 0xe000) unit = high != 0 ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : 0xfffd;
  if (unit > 0x10ffff) unit = 0xfffd;
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

Narrowed::Narrowed(const Desk& desk, Where where, WideText how) : how_(how) {
  where.decoded.emplace_back(how.width == 2 ? "utf-16" : "utf-32");
  ++where.depth;
  text_ = std::make_unique<ContentReader>(desk, std::move(where));
}
Narrowed::~Narrowed() = default;

void Narrowed::feed(View bytes) {
  std::string text;
  const auto unit = [&](View at) {
    append_utf8(text, unit_at(at, how_), high_);
    if (text.size() < (std::size_t{64} << 10)) return;
    text_->feed({view_of(text), nullptr, false});
    text.clear();
  };
  while (!begun_.empty() && !bytes.empty()) {
    begun_.push_back(bytes[0]);
    bytes = bytes.subspan(1);
    if (begun_.size() < how_.width) continue;
    unit(begun_);
    begun_.clear();
  }
  for (; bytes.size() >= how_.width; bytes = bytes.subspan(how_.width)) unit(bytes);
  begun_.insert(begun_.end(), bytes.begin(), bytes.end());
  text_->feed({view_of(text), nullptr, false});
}

void Narrowed::finish() { text_->finish(); }

}  // namespace imgbuild

#include "audit/zip_member.hpp"

#include <algorithm>

#include "audit/content.hpp"
#include "base/numbers.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t local_size = 30;
constexpr std::uint64_t deflate = 8, encrypted = 1;

}  // namespace

bool ZipMemberReader::begins(View rest) {
  constexpr std::uint64_t longest_name = 1024;
  if (!text_of(rest).starts_with("PK\3\4") || !begins_zip(rest) || little_endian(rest, 26, 2) > longest_name)
    return false;
  const View name =
      rest.subspan(local_size)
          .first(std::min<std::size_t>(rest.size() - local_size, static_cast<std::size_t>(little_endian(rest, 26, 2))));
  const bool named = std::all_of(name.begin(), name.end(), [](std::uint8_t c) { return c >= ' ' && c != 0x7f; });
  return named && (little_endian(rest, 8, 2) == deflate || is_encrypted(rest));
}

bool ZipMemberReader::is_encrypted(View rest) { return (little_endian(rest, 6, 2) & encrypted) != 0; }

ZipMemberReader::ZipMemberReader(const Desk& desk, Where where) : desk_(desk), where_(std::move(where)) {}
ZipMemberReader::~ZipMemberReader() = default;

/// The header, its name, and what else stands before the packed bytes.
std::size_t ZipMemberReader::take_head(View bytes) {
  std::size_t taken = 0;
  const auto fill = [&](std::size_t size) {
    const std::size_t count = std::min(bytes.size() - taken, size - std::min(size, head_.size()));
    head_.insert(head_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(taken),
                 bytes.begin() + static_cast<std::ptrdiff_t>(taken + count));
    taken += count;
    return head_.size() >= size;
  };
  if (!fill(local_size)) return taken;
  const auto name = static_cast<std::size_t>(little_endian(head_, 26, 2));
  if (!fill(local_size + name + static_cast<std::size_t>(little_endian(head_, 28, 2)))) return taken;
  where_.inside.emplace_back(text_of(View(head_).subspan(local_size, name)));
  where_.decoded.clear();
  where_.guessed = true;
  ++where_.depth;
  inflater_.emplace(
      Container::deflate,
      [this] {
        buffer_ = desk_.buffers.take();
        return std::span(buffer_.get(), Buffers::size);
      },
      [this](View filled) { take(filled); });
  return taken;
}

void ZipMemberReader::take(View filled) {
  if (!child_) {
    where_.record->opened_archive();
    child_ = std::make_unique<ContentReader>(desk_, where_);
  }
  child_->feed(lent(filled, buffer_));
}

std::size_t ZipMemberReader::feed(View bytes) {
  const std::size_t head = inflater_ ? 0 : take_head(bytes);
  return inflater_ && head < bytes.size() ? head + inflater_->feed(bytes.subspan(head)) : head;
}

void ZipMemberReader::finish() {
  if (inflater_) inflater_->flush();
  if (child_) child_->finish();
}

}  // namespace imgbuild

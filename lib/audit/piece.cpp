#include "audit/piece.hpp"

namespace imgbuild {

void Run::append(const Piece& piece) {
  if (piece.bytes.empty()) return;
  if (!copied_) {
    const bool lasts = piece.stable || piece.owner != nullptr;
    if (view_.empty() && lasts) {
      view_ = piece.bytes;
      stable_ = piece.stable;
      owners_.assign(1, piece.owner);
      return;
    }
    const bool adjoins = !view_.empty() && piece.bytes.data() == view_.data() + view_.size();
    if (adjoins && stable_ && piece.stable) {
      view_ = {view_.data(), view_.size() + piece.bytes.size()};
      if (owners_.back() != piece.owner) owners_.push_back(piece.owner);
      return;
    }
    if (adjoins && !stable_ && piece.owner && owners_.back() == piece.owner) {
      view_ = {view_.data(), view_.size() + piece.bytes.size()};
      return;
    }
    copy();
  }
  copy_.insert(copy_.end(), piece.bytes.begin(), piece.bytes.end());
}

void Run::copy() {
  copy_.assign(view_.begin(), view_.end());
  copied_ = true;
  owners_.clear();
  view_ = {};
}

void Run::drop(std::size_t count) {
  if (!copied_) {
    view_ = view_.subspan(count);
    if (owners_.size() > 1) owners_.erase(owners_.begin(), owners_.end() - 1);
    return;
  }
  copy_ = Bytes(copy_.begin() + static_cast<std::ptrdiff_t>(count), copy_.end());
}

std::shared_ptr<std::uint8_t[]> Buffers::take() {
  static constexpr std::size_t most_free = 48;
  std::unique_ptr<std::uint8_t[]> buffer;
  {
    const std::lock_guard lock(shelf_->mutex);
    if (!shelf_->free.empty()) {
      buffer = std::move(shelf_->free.back());
      shelf_->free.pop_back();
    }
  }
  if (!buffer) buffer.reset(new std::uint8_t[size]);
  return {buffer.release(), [shelf = shelf_](std::uint8_t* memory) {
            std::unique_ptr<std::uint8_t[]> back(memory);
            const std::lock_guard lock(shelf->mutex);
            if (shelf->free.size() < most_free) shelf->free.push_back(std::move(back));
          }};
}

}  // namespace imgbuild

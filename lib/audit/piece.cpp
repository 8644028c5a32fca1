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

Piece Run::piece() const {
  if (copied_ || owners_.empty()) return {view(), nullptr, false};
  if (owners_.size() == 1) return {view_, owners_.front(), stable_};
  const auto all = std::make_shared<std::vector<Owner>>(owners_);
  return {view_, Owner(all, view_.data()), stable_};
}

Run Run::from(std::size_t begin) const {
  Run rest;
  const View left = view().subspan(begin);
  if (copied_) {
    rest.copied_ = true;
    rest.copy_.assign(left.begin(), left.end());
  } else if (!left.empty()) {
    rest.view_ = left;
    rest.stable_ = stable_;
    rest.owners_.assign(1, owners_.back());
  }
  return rest;
}

void Buffers::drop() {
  const std::lock_guard lock(shelf_->mutex);
  shelf_->free.clear();
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

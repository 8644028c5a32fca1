#include "audit/packed_around.hpp"

#include <utility>

namespace imgbuild {
namespace {

Where packed(Where where) {
  where.matter = Scanner::Matter::packed;
  return where;
}
Where guessed(Where where) {
  where.guessed = true;
  return where;
}

}  // namespace

PackedAround::PackedAround(const Desk& desk, Where where)
    : desk_(desk), where_(guessed(where)), raw_(desk, packed(std::move(where))), behind_(desk, where_) {}

void PackedAround::look_at_skipped(Inflater& inflater) {
  inflater.show_skipped([this](View piece, bool begins) {
    if (begins) end_skipped();
    if (!skipped_) skipped_ = std::make_unique<ContentReader>(desk_, where_);
    skipped_->feed({piece, nullptr, false});
  });
}

void PackedAround::feed(const Piece& piece, std::size_t own) {
  raw_.feed(piece.part(piece.bytes.first(own)));
  behind_.feed(piece.part(piece.bytes.subspan(own)));
}

void PackedAround::end_skipped() {
  if (const auto skipped = std::move(skipped_)) skipped->finish();
}

void PackedAround::finish() {
  end_skipped();
  raw_.finish();
  behind_.finish();
}

}  // namespace imgbuild

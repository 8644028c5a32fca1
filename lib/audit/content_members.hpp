#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "audit/content.hpp"
#include "tar/ar.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// What comes out of a container goes into looks of its own.
class ContentReader::Members : public TarVisitor, public ArchiveVisitor {
 public:
  explicit Members(ContentReader& look) : look_(look), texts_(look.desk_) {}

  /// Readers for streams: set by decide().
  std::optional<TarReader> tar;
  std::optional<ArReader> ar;
  std::optional<Inflater> inflater;
  const Piece* current = nullptr;  ///< what one of those two is being fed
  const Whole* whole = nullptr;    ///< where it is an archive that nobody else has looked into: all of it

  void begin_inflated(Container kind) {
    Where where = look_.where_;
    where.decoded.emplace_back(name_of(kind));
    ++where.depth;
    child_.emplace(look_.desk_, std::move(where));
    if (Inflater::knows(kind))
      inflater.emplace(
          kind,
          [this] {
            buffer_ = look_.desk_.buffers.take();
            return std::span(buffer_.get(), Buffers::size);
          },
          [this](View filled) { child_->feed(lent(filled, buffer_)); });
    if (inflater)
      inflater->show_skipped([this](View piece, bool begins) {
        if (begins) begin_skipped();
        skipped_->feed({piece, nullptr, false});
      });
  }
  void inflated(View piece) { child_->feed({piece, nullptr, false}); }
  void end_inflated() { end_child(); }

  // tar
  void entry(const TarEntry& entry) override {
    const Where where = begin(entry.path);
    add_text(where, Location::Kind::link, entry.link);
    for (const auto& [key, value] : entry.xattrs) add_text(where, Location::Kind::xattr, key + "=" + value);
    for (const auto& [key, value] : entry.pax) add_text(where, Location::Kind::pax, key + "=" + value);
    for (const auto* name : {&entry.user, &entry.group}) add_text(where, Location::Kind::pax, *name);
  }
  void data(View piece) override {
    if (child_) child_->feed(current != nullptr ? current->part(piece) : Piece{piece, nullptr, false});
  }
  void end_entry() override { end_child(); }
  void stray(View piece, const char*) override {
    if (!tail_) {
      Where where = look_.where_;
      where.kind = Location::Kind::tail;
      where.guessed = true;
      ++where.depth;
      tail_ = std::make_unique<ContentReader>(look_.desk_, std::move(where));
    }
    tail_->feed(current != nullptr ? current->part(piece) : Piece{piece, nullptr, false});
  }

  // zip and the others
  void member(const std::string& path, const std::string& link) override {
    const Where where = begin(path);
    add_text(where, Location::Kind::link, link);
  }
  void end_member() override { end_child(); }
  void unreadable(const std::string& why) override {
    if (look_.why_not_.empty()) look_.why_not_ = why;
  }

  void attributes(View piece) override {
    end_child();
    if (!attributes_) {
      Where where = look_.where_;
      where.kind = Location::Kind::xattr;
      attributes_.emplace(look_.desk_, std::move(where));
    }
    attributes_->feed({piece, nullptr, false});
  }
  void outside(std::uint64_t begin, std::uint64_t end) override {
    end_child();
    if (whole != nullptr) look_.look_outside(*whole, begin, end);
  }

  /// Of a container that failed: what came out of it before is looked at.
  void salvage() {
    try {
      if (inflater) inflater->flush();
      finish();
    } catch (const Limit&) {  // told already, or by the failure that is being told
    }
  }

  void finish() {
    end_child();
    if (tail_) tail_->finish();
    tail_.reset();
    if (attributes_) attributes_->finish();
    attributes_.reset();
    end_skipped();
    texts_.flush();
  }

 private:
  /// What a skippable frame holds belongs to nothing.
  void begin_skipped() {
    end_skipped();
    Where where = look_.where_;
    where.guessed = true;
    ++where.depth;
    if (where.budget) where.budget->take_member();
    skipped_ = std::make_unique<ContentReader>(look_.desk_, std::move(where));
  }
  void end_skipped() {
    if (const auto skipped = std::move(skipped_)) skipped->finish();
  }
  Where begin(const std::string& path) {
    end_child();
    Where where = look_.where_;
    where.inside.push_back(path);
    where.decoded.clear();
    ++where.depth;
    if (where.budget) where.budget->take_member();
    add_text(where, Location::Kind::name, path);
    child_.emplace(look_.desk_, where);
    return where;
  }
  void end_child() {
    if (child_) child_->finish();
    child_.reset();
  }
  void add_text(Where where, Location::Kind kind, std::string_view text) {
    if (text.empty()) return;
    where.kind = kind;
    texts_.add(where, text);
  }

  ContentReader& look_;
  Texts texts_;
  std::optional<ContentReader> child_;
  std::unique_ptr<ContentReader> skipped_;
  std::unique_ptr<ContentReader> tail_;
  std::optional<Cutter> attributes_;
  std::shared_ptr<std::uint8_t[]> buffer_;
};

}  // namespace imgbuild

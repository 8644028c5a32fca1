#include "audit/member.hpp"

#include <algorithm>
#include <cstring>

#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t head_size = 512;
constexpr std::size_t most_text = std::size_t{8} << 20;  // no table and no config is longer

/// A tar, or one without members: blocks of zeros.
bool is_layer_tar(View head) {
  return looks_like_tar(head) || (head.size() >= head_size &&
                                  std::all_of(head.begin(), head.end(), [](std::uint8_t byte) { return byte == 0; }));
}

bool is_document(View head) {
  const std::string_view text = trim(text_of(head));
  return !text.empty() && (text[0] == '{' || text[0] == '[');
}

}  // namespace

MemberReader::MemberReader(const Desk& desk, std::string name, Location::Kind kind)
    : desk_(desk), member_(std::make_shared<MemberRecord>()) {
  member_->name = std::move(name);
  member_->kind = kind;
}
MemberReader::~MemberReader() = default;

void MemberReader::feed(const Piece& piece) {
  if (piece.bytes.empty()) return;
  interrupt::check();
  stored_hash_.feed(piece);
  member_->stored += piece.bytes.size();
  if (decided_) return pass(piece);
  head_.append(piece);
  if (head_.size() < head_size) return;
  decide();
  auto head = std::make_shared<Run>(std::exchange(head_, {}));
  pass({head->view(), head, false});
}

void MemberReader::decide() {
  decided_ = true;
  const View head = head_.view().first(std::min(head_.size(), head_size));
  Where stored;
  stored.record = &member_->record;
  stored.kind = Location::Kind::tail;
  if (is_layer_tar(head)) {
    member_->type = MemberRecord::Type::layer;
    layer_.emplace(desk_, *member_);
    return;
  }
  switch (packing_ = container_of(head)) {
    case Container::gzip:
    case Container::zstd:
      inflater_.emplace(
          packing_,
          [this] {
            buffer_ = desk_.buffers.take();
            return std::span(buffer_.get(), Buffers::size);
          },
          [this](View filled) {
            unpacked({filled, buffer_, false});
          });
      around_.emplace(desk_, stored);
      around_->look_at_skipped(*inflater_);
      return;
    case Container::xz:
    case Container::bzip2:
    case Container::lz4:
    case Container::lzip:
      spool_.emplace();
      stored.matter = Scanner::Matter::packed;
      raw_.emplace(desk_, stored);
      return;
    default:
      packing_ = Container::none;
  }
  if (is_document(head)) {
    member_->type = MemberRecord::Type::document;
    return;
  }
  begin_other({}, 0);
}

/// Content like that of any file.
void MemberReader::begin_other(std::vector<std::string> decoded, int depth) {
  Where where;
  where.record = &member_->record;
  where.kind = member_->kind;
  where.path = member_->name;
  where.decoded = std::move(decoded);
  where.depth = depth;
  if (depth > 0) where.budget = std::make_shared<Budget>(0);
  other_.emplace(desk_, std::move(where));
}

/// A member that cannot be read to its end says so in its record: only an image that needs it fails by that.
template <class Work>
void MemberReader::guarded(Work work) {
  if (!member_->failure.empty()) return;
  try {
    work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    member_->failure = error.what();
  }
}

void MemberReader::pass(const Piece& piece) {
  if (spool_ && raw_) raw_->feed(piece);
  if (other_) return other_->feed(piece);
  if (member_->type == MemberRecord::Type::document) {
    if (member_->text.size() + piece.bytes.size() <= most_text) {
      member_->text += text_of(piece.bytes);
      return;
    }
    // Too long to be held: an SBOM, looked at as it streams by.
    member_->type = MemberRecord::Type::other;
    begin_other({}, 0);
    other_->feed({view_of(member_->text), nullptr, false});
    member_->text = {};
    return other_->feed(piece);
  }
  if (inflater_) {
    std::size_t own = piece.bytes.size();
    guarded([&] { own = inflater_->feed(piece.bytes); });
    return around_->feed(piece, own);
  }
  guarded([&] {
    if (spool_)
      spool_->append(piece);
    else if (layer_)
      layer_->feed(piece);
  });
}

/// What a compressed member unpacks to: a layer, or content as any other.
void MemberReader::unpacked(const Piece& piece) {
  if (!unpacked_decided_) {
    head_.append(piece);
    if (head_.size() < head_size) return;
    decide_unpacked();
    auto head = std::make_shared<Run>(std::exchange(head_, {}));
    return unpacked({head->view(), head, false});
  }
  if (other_) return other_->feed(piece);
  if (member_->bytes > most_unpacked) throw Error("unpacks to more than " + human_size(most_unpacked));
  unpacked_hash_.feed(piece);
  layer_->feed(piece);
}

void MemberReader::decide_unpacked() {
  unpacked_decided_ = true;
  if (is_layer_tar(head_.view().first(std::min(head_.size(), head_size)))) {
    member_->type = MemberRecord::Type::layer;
    layer_.emplace(desk_, *member_);
    return;
  }
  begin_other({name_of(packing_)}, 1);
}

void MemberReader::unpack_spool() {
  ViewSource packed(spool_->whole());
  const auto source = unpack(packed, packing_);
  for (View piece = source->next(); !piece.empty(); piece = source->next()) {
    const auto buffer = std::make_shared<Bytes>(piece.begin(), piece.end());
    unpacked({*buffer, buffer, false});
  }
}

std::shared_ptr<MemberRecord> MemberReader::finish() {
  if (!decided_ && !head_.empty()) {
    decide();
    auto head = std::make_shared<Run>(std::exchange(head_, {}));
    pass({head->view(), head, false});
  }
  guarded([&] {
    if (inflater_) inflater_->finish();
    if (spool_) unpack_spool();
  });
  if (packing_ != Container::none) {
    guarded([&] {
      if (!unpacked_decided_ && !head_.empty()) {
        decide_unpacked();
        auto head = std::make_shared<Run>(std::exchange(head_, {}));
        unpacked({head->view(), head, false});
      }
    });
  }
  if (raw_) raw_->finish();
  if (around_) around_->finish();
  if (other_) other_->finish();
  member_->digest = stored_hash_.finish();
  if (layer_) {
    try {
      layer_->finish();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      if (member_->failure.empty()) member_->failure = error.what();
    }
    member_->diff_id = packing_ == Container::none ? member_->digest : unpacked_hash_.finish();
  }
  return std::move(member_);
}

}  // namespace imgbuild

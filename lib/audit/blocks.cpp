#include "audit/blocks.hpp"

#include <algorithm>

#include "audit/content.hpp"
#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "crypto/pdf_key.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

/// What is encrypted with an empty password is nobody's secret.
PdfDecrypt open_for_everybody(const PdfSeal& seal) {
  PdfHandler handler;
  handler.revision = seal.revision;
  handler.key_size = seal.key_size;
  handler.permissions = seal.permissions;
  handler.metadata = seal.metadata;
  handler.owner = seal.owner;
  handler.user = seal.user;
  handler.user_key = seal.user_key;
  handler.id = seal.id;
  auto key = open_pdf(handler);
  if (!key) return nullptr;
  return [key = std::move(*key)](PdfSeal::Cipher cipher, std::uint32_t object, std::uint32_t generation, View sealed) {
    const PdfCipher how = cipher == PdfSeal::Cipher::aes   ? PdfCipher::aes
                          : cipher == PdfSeal::Cipher::rc4 ? PdfCipher::rc4
                                                           : PdfCipher::none;
    return decrypt_pdf(key, how, object, generation, sealed);
  };
}

}  // namespace

std::unique_ptr<Blocks> Blocks::of(const Desk& desk, const Where& where, View head) {
  if (where.depth >= ContentReader::most_depth) return nullptr;
  auto file = BlockFile::of(head, open_for_everybody);
  return file ? std::make_unique<Blocks>(desk, where, std::move(file)) : nullptr;
}

Blocks::Blocks(const Desk& desk, Where where, std::unique_ptr<BlockFile> file)
    : desk_(desk),
      where_(std::move(where)),
      file_(std::move(file)),
      sink_([this](View block, bool alone) { take(block, alone); }),
      wanted_(file_->usual()) {
  if (!where_.budget) where_.budget = std::make_shared<Budget>(0);
  ++where_.depth;
}
Blocks::~Blocks() = default;

void Blocks::feed(View bytes) {
  while (!bytes.empty()) {
    if (held_.empty()) bytes = bytes.subspan(advance(bytes, false));
    const std::size_t count = std::min(bytes.size(), wanted_ - held_.size());
    held_.reserve(wanted_);
    held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (held_.size() < wanted_) return;
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(advance(held_, false)));
  }
}

void Blocks::finish() {
  advance(std::exchange(held_, {}), true);
  is_done([&] { file_->finish(sink_); });
  flush();
  if (child_) child_->finish();
  child_.reset();
}

/// False: an error ended it, and is told as a gap.
bool Blocks::is_done(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const Interrupted&) {
    throw;
  } catch (const Limit&) {
    throw;
  } catch (const Error& error) {
    where_.add_gap(error.what(), 0, "");
    return false;
  }
}

/// How many of the bytes are done with. A step is shown as many bytes as it wants, however many there are.
std::size_t Blocks::advance(const View bytes, bool last) {
  std::size_t at = 0;
  for (;;) {
    const auto skip = static_cast<std::size_t>(std::min<std::uint64_t>(skipped_, bytes.size() - at));
    skipped_ -= skip;
    at += skip;
    const std::size_t left = bytes.size() - at;
    if (left == 0 || (left < wanted_ && !last)) return at;
    interrupt::check();
    const View shown = bytes.subspan(at, std::min(left, wanted_));
    BlockFile::Step step;
    if (!is_done([&] { step = file_->step(shown, left <= wanted_ && last, sink_); })) step = BlockFile::enough();
    if (step.taken == 0 && step.wanted > shown.size() && (left > wanted_ || !last)) {
      wanted_ = step.wanted;
    } else {
      skipped_ = step.taken == 0 ? UINT64_MAX : step.taken;
      if (!ended()) size_ += step.taken;
      wanted_ = file_->usual();
    }
  }
}

void Blocks::take(View block, bool alone) {
  if (alone && container_of(block.first(std::min(block.size(), container_head_size))) != Container::none) {
    where_.budget->take_member();
    Where place = where_;
    place.decoded.emplace_back(file_->packing());
    ContentReader reader(desk_, std::move(place));
    reader.feed({block, nullptr, false});
    return reader.finish();
  }
  texts_.insert(texts_.end(), block.begin(), block.end());
  if (alone) texts_.push_back('\n');
  if (texts_.size() >= (std::size_t{64} << 10)) flush();
}

void Blocks::flush() {
  if (texts_.empty()) return;
  if (!child_) {
    where_.budget->take_member();
    where_.record->opened_archive();
    Where place = where_;
    place.decoded.emplace_back(file_->packing());
    child_ = std::make_unique<ContentReader>(desk_, std::move(place));
  }
  child_->feed({texts_, nullptr, false});
  texts_.clear();
}

void look_at_blocks(const Desk& desk, const Where& where, View content) {
  try {
    const auto blocks = Blocks::of(desk, where, content.first(std::min(content.size(), container_head_size)));
    if (!blocks) return;
    blocks->feed(content);
    blocks->finish();
    if (!blocks->why_not().empty()) where.add_gap(blocks->why_not(), content.size(), sha256_digest(content));
  } catch (const Limit& limit) {
    where.add_gap(limit.what(), content.size(), sha256_digest(content));
  }
}

}  // namespace imgbuild

#include "audit/brotli.hpp"

#include "audit/content.hpp"
#include "base/interrupt.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {

BrotliFile::BrotliFile(const Desk& desk, Where where) : desk_(desk), where_(std::move(where)) {
  if (!where_.budget) where_.budget = std::make_shared<Budget>(0);
  where_.guessed = true;
  where_.decoded.emplace_back(name_of(Container::brotli));
  ++where_.depth;
  inflater_.emplace(
      Container::brotli,
      [this] {
        buffer_ = desk_.buffers.take();
        return std::span(buffer_.get(), Buffers::size);
      },
      [this](View filled) { take(filled); });
}
BrotliFile::~BrotliFile() = default;

void BrotliFile::take(View filled) {
  if (!child_) {
    where_.budget->take_member();
    where_.record->opened_archive();
    child_ = std::make_unique<ContentReader>(desk_, where_);
  }
  child_->feed(lent(filled, buffer_));
}

void BrotliFile::feed(View bytes) {
  if (!inflater_) return;
  try {
    if (inflater_->feed(bytes) < bytes.size()) stop();
  } catch (const Interrupted&) {
    throw;
  } catch (const Limit&) {
    throw;
  } catch (const Error&) {
    stop();
  }
}

/// What came out of it so far is looked at.
void BrotliFile::stop() {
  inflater_.reset();
  if (child_) child_->finish();
  child_.reset();
}

void BrotliFile::finish() {
  if (!inflater_) return;
  inflater_->flush();
  stop();
}

void look_at_brotli(const Desk& desk, const Where& where, View content) {
  if (!BrotliFile::may_be(where)) return;
  try {
    BrotliFile file(desk, where);
    file.feed(content);
    file.finish();
  } catch (const Limit& limit) {
    where.add_gap(limit.what(), content.size(), sha256_digest(content));
  }
}

}  // namespace imgbuild

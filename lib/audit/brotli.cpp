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
  made_ += filled.size();
  child_->feed(lent(filled, buffer_));
}

void BrotliFile::feed(View bytes) {
  if (!inflater_) return;
  try {
    came_ += bytes.size();
    if (inflater_->feed(bytes) < bytes.size()) broken("damaged brotli stream");  // nothing may follow its end
  } catch (const Interrupted&) {
    throw;
  } catch (const Limit&) {
    throw;
  } catch (const Error& error) {
    broken(error.what());
  }
}

/// Chance seldom unpacks to much: so much that came out of it shows that it is brotli.
void BrotliFile::broken(std::string why) {
  constexpr std::uint64_t enough = 1024, ahead = 256;
  inflater_->flush();
  if (made_ >= enough && came_ >= ahead) why_not_ = std::move(why);
  stop();
}

/// What came out of it so far is looked at.
void BrotliFile::stop() {
  inflater_.reset();
  if (child_) child_->finish();
  child_.reset();
}

void BrotliFile::finish() {
  if (!inflater_) return;
  try {
    inflater_->finish();
    stop();
  } catch (const Interrupted&) {
    throw;
  } catch (const Limit&) {
    throw;
  } catch (const Error& error) {
    broken(error.what());
  }
}

void look_at_brotli(const Desk& desk, const Where& where, View content) {
  if (!BrotliFile::may_be(where)) return;
  try {
    BrotliFile file(desk, where);
    file.feed(content);
    file.finish();
    if (!file.why_not().empty()) where.add_gap(file.why_not(), content.size(), sha256_digest(content));
  } catch (const Limit& limit) {
    where.add_gap(limit.what(), content.size(), sha256_digest(content));
  }
}

}  // namespace imgbuild

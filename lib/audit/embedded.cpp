// The stream is looked through in steps of 64 KiB from its beginning, whatever pieces it comes in: where something that
// was taken for packed turns out to be none, the search goes on behind where it began, or, if that was in an earlier
// step, at this step's beginning.
#include "audit/embedded.hpp"

#include <algorithm>

#include "audit/blocks.hpp"
#include "audit/content.hpp"
#include "audit/encoded.hpp"
#include "audit/zip_member.hpp"
#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t step = std::size_t{64} << 10;
constexpr std::size_t least_shown = 24;  // bytes out of something broken that are worth a look

}  // namespace

/// Something packed whose end says itself.
class Embedded::Opened {
 public:
  virtual ~Opened() = default;
  /// How many of the bytes are its own; all, but at its end. Throws Error where it is none, or broken, and Limit.
  virtual std::size_t feed(View bytes) = 0;
  /// Nothing more comes: what came out of it is looked at to its end. `broken`: something failed.
  virtual void finish(bool broken) = 0;
};

class Embedded::Packed : public Opened {
 public:
  Packed(const Desk& desk, Where inner, Container kind)
      : desk_(desk),
        where_(std::move(inner)),
        inflater_(
            kind,
            [this] {
              buffer_ = desk_.buffers.take();
              return std::span(buffer_.get(), Buffers::size);
            },
            [this](View filled) { take(filled); }) {}

  std::size_t feed(View bytes) override { return inflater_.feed(bytes); }
  void finish(bool broken) override {
    broken_ = broken;
    inflater_.flush();
    if (child_) child_->finish();
  }

 private:
  void take(View filled) {
    if (!child_) {
      if (broken_ && filled.size() < least_shown) return;
      where_.record->opened_archive();
      child_.emplace(desk_, where_);
    }
    child_->feed(lent(filled, buffer_));
  }

  const Desk& desk_;
  const Where where_;
  bool broken_ = false;
  std::shared_ptr<std::uint8_t[]> buffer_;
  Inflater inflater_;
  std::optional<ContentReader> child_;
};

class Embedded::Blocked : public Opened {
 public:
  Blocked(const Desk& desk, Where where, std::unique_ptr<BlockFile> file)
      : where_(where), blocks_(desk, std::move(where), std::move(file)) {}

  std::size_t feed(View bytes) override {
    blocks_.feed(bytes);
    fed_ += bytes.size();
    return blocks_.ended() ? bytes.size() - std::min<std::uint64_t>(bytes.size(), fed_ - blocks_.size()) : bytes.size();
  }
  void finish(bool) override {
    blocks_.finish();
    if (!blocks_.why_not().empty()) where_.add_gap(blocks_.why_not(), blocks_.size(), "");
  }

 private:
  const Where where_;
  Blocks blocks_;
  std::uint64_t fed_ = 0;
};

class Embedded::Zipped : public Opened {
 public:
  Zipped(const Desk& desk, Where where) : member_(desk, std::move(where)) {}
  std::size_t feed(View bytes) override { return member_.feed(bytes); }
  void finish(bool) override { member_.finish(); }

 private:
  ZipMemberReader member_;
};

class Embedded::Encoded : public Opened {
 public:
  Encoded(const Desk& desk, Where inner, Encoding encoding)
      : file_(desk, std::move(inner)), text_(EncodedText::of(encoding)) {}

  std::size_t feed(View bytes) override {
    const std::size_t used = text_->decode(bytes, out_);
    give();
    return used;
  }
  void finish(bool) override {
    text_->finish(out_);
    give();
    file_.finish();
  }

 private:
  void give() {
    file_.feed({out_, nullptr, false});
    out_.clear();
  }

  ContentReader file_;
  std::unique_ptr<EncodedText> text_;
  Bytes out_;
};

Embedded::Embedded(const Desk& desk, Where where) : desk_(desk), where_(std::move(where)) {}
Embedded::~Embedded() = default;

void Embedded::feed(View bytes) {
  while (!bytes.empty()) {
    const std::size_t full = behind_ + step + beginning_ahead;
    if (window_.empty() && bytes.size() >= full) {
      look(bytes.first(full), behind_, behind_ + step);
      bytes = bytes.subspan(behind_ + step - beginning_behind);
      behind_ = beginning_behind;
      continue;
    }
    const std::size_t count = std::min(bytes.size(), full - window_.size());
    const std::size_t before = window_.size();
    window_.insert(window_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    if (window_.size() < full) return;
    look(window_, behind_, behind_ + step);
    // The next step's window begins in these bytes, or still in those that are kept.
    const std::size_t next = behind_ + step - beginning_behind;
    behind_ = beginning_behind;
    if (next >= before) {
      bytes = bytes.subspan(next - before);
      window_.clear();
    } else {
      bytes = bytes.subspan(count);
      window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(next));
    }
  }
}

void Embedded::finish() {
  for (std::size_t at = behind_; at < window_.size(); at += step)
    look(window_, at, std::min(window_.size(), at + step));
  window_.clear();
  if (const auto open = std::move(open_)) open->finish(true);
  if (rest_) rest_->finish();
}

void Embedded::whole(View content) {
  for (std::size_t at = 0; at < content.size(); at += step) look(content, at, std::min(content.size(), at + step));
  finish();
}

void Embedded::look(View window, std::size_t at, const std::size_t to) {
  if (rest_) rest_->feed({window.subspan(at, to - at), nullptr, false});
  while (at < to) {
    if (open_) {
      at += give(window.subspan(at, to - at));
      continue;
    }
    const auto next = next_beginning(window, at, to);
    if (!next) return;
    at = open(window, *next, to);
  }
}

/// Of what begins there: where the search goes on.
std::size_t Embedded::open(View window, const Beginning& beginning, std::size_t to) {
  const auto [at, kind, encoding] = beginning;
  if (where_.depth >= ContentReader::most_depth) {
    if (kind != Container::none && kind != Container::zlib)
      where_.add_gap("deeper than " + std::to_string(ContentReader::most_depth), 0, "");
    return at + 1;
  }
  if (!where_.budget) where_.budget = std::make_shared<Budget>(0);
  where_.budget->take_member();
  if (kind == Container::none) {
    open_ = std::make_unique<Encoded>(desk_, within(name_of(encoding)), encoding);
  } else if (kind == Container::zip && ZipMemberReader::is_encrypted(window.subspan(at))) {
    why_not_ = "encrypted";
    return at + 1;
  } else if (kind == Container::zip) {
    open_ = std::make_unique<Zipped>(desk_, where_);
  } else if (Inflater::knows(kind)) {
    open_ = std::make_unique<Packed>(desk_, within(name_of(kind)), kind);
  } else if (auto blocks = BlockFile::stream(kind)) {
    Where where = where_;
    where.guessed = true;
    open_ = std::make_unique<Blocked>(desk_, std::move(where), std::move(blocks));
  } else {
    if (!rest_) {
      rest_ = std::make_unique<ContentReader>(desk_, within(name_of(kind)));
      rest_->feed({window.subspan(at, to - at), nullptr, false});
    }
    return at + 1;
  }
  const std::size_t taken = give(window.subspan(at, to - at));
  return at + std::max<std::size_t>(taken, 1);
}

/// Gives the open one what may be its own. Where it is at its end, or was none, it is closed.
std::size_t Embedded::give(View bytes) {
  const auto close = [&](bool broken) {
    const auto open = std::move(open_);
    open->finish(broken);
  };
  try {
    const std::size_t taken = open_->feed(bytes);
    if (taken < bytes.size()) close(false);
    return taken;
  } catch (const Interrupted&) {
    throw;
  } catch (const Limit&) {
    throw;
  } catch (const TooLarge& error) {
    where_.add_gap(error.what(), 0, "");
    close(true);
  } catch (const Error&) {
    close(true);
  }
  return 0;
}

Where Embedded::within(const char* decoded) const {
  Where where = where_;
  where.decoded.emplace_back(decoded);
  where.guessed = true;
  ++where.depth;
  return where;
}

void look_at_embedded(const Desk& desk, const Where& where, View content) {
  try {
    Embedded embedded(desk, where);
    embedded.whole(content);
    if (!embedded.why_not().empty()) where.add_gap(embedded.why_not(), content.size(), sha256_digest(content));
  } catch (const Limit& limit) {
    where.add_gap(limit.what(), content.size(), sha256_digest(content));
  }
}

}  // namespace imgbuild

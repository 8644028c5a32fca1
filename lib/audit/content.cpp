// Content by content. tar, gzip and zstd are opened as they stream by; what needs its whole at hand (zip's table of
// contents stands at its end) is used in place where it lies in memory, else held in memory up to 8 MiB, then in a file
// without a name, up to 2 GiB. A tar is looked at member by member, with its stray bytes; every other container also as
// the raw bytes that it is.
#include "audit/content.hpp"

#include <algorithm>

#include "base/fd.hpp"
#include "base/interrupt.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

void ContentSpool::append(const Piece& piece) {
  static constexpr std::size_t most_in_memory = std::size_t{8} << 20;
  static constexpr std::uint64_t most_in_file = std::uint64_t{2} << 30;
  size_ += piece.bytes.size();
  if (!file_) {
    if (piece.stable || run_.size() + piece.bytes.size() <= most_in_memory) return run_.append(piece);
    file_ = Fd::unnamed_file();
    write_full(file_.get(), run_.view(), "temporary file");
    run_ = Run();
  }
  if (size_ > most_in_file) throw Error("larger than 2 GiB, and not to be opened in a stream");
  write_full(file_.get(), piece.bytes, "temporary file");
}

View ContentSpool::whole() {
  if (!file_) return run_.view();
  mapping_ = Mapping(file_, "temporary file");
  return mapping_.bytes();
}

/// What comes out of a container goes into looks of its own.
class ContentReader::Members : public TarVisitor, public ArchiveVisitor {
 public:
  explicit Members(ContentReader& look) : look_(look), texts_(look.desk_) {}

  /// Readers for streams: set by decide().
  std::optional<TarReader> tar;
  std::optional<Inflater> inflater;
  const Piece* current = nullptr;  ///< what the tar reader is being fed

  void begin_inflated(Container kind) {
    Where where = look_.where_;
    where.decoded.emplace_back(name_of(kind));
    ++where.depth;
    child_.emplace(look_.desk_, std::move(where));
    if (kind == Container::gzip || kind == Container::zstd)
      inflater.emplace(
          kind,
          [this] {
            buffer_ = look_.desk_.buffers.take();
            return std::span(buffer_.get(), Buffers::size);
          },
          [this](View filled) {
            child_->feed({filled, buffer_, false});
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
      tail_.emplace(look_.desk_, std::move(where));
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
    texts_.flush();
  }

 private:
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
  std::optional<Cutter> tail_;
  std::shared_ptr<std::uint8_t[]> buffer_;
};

ContentReader::ContentReader(const Desk& desk, Where where)
    : ContentReader(desk, std::move(where), {}, Container::none) {}
ContentReader::ContentReader(const Desk& desk, Where where, View whole, Container known)
    : desk_(desk), where_(std::move(where)), known_(known), whole_(whole) {}
ContentReader::~ContentReader() = default;

/// A failure of this container is a gap. A limit ends the outermost one, an interrupt everything.
template <class Work>
void ContentReader::guarded(Work work) {
  try {
    work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Limit& limit) {
    if (where_.depth > 0) throw;
    fail(limit.what());
  } catch (const Error& error) {
    fail(error.what());
  }
}

void ContentReader::fail(const std::string& why) {
  if (why_not_.empty()) why_not_ = why;
  if (const auto members = std::move(members_)) members->salvage();
  spool_.reset();
  // What a tar's reader did not reach has been seen by nobody.
  if (kind_ == Container::tar && !raw_) raw_.emplace(desk_, where_);
}

void ContentReader::feed(const Piece& piece) {
  if (piece.bytes.empty()) return;
  if (where_.depth > 0 && where_.budget) where_.budget->take_bytes(piece.bytes.size());
  size_ += piece.bytes.size();
  if (decided_) return pass(piece);
  constexpr std::size_t enough = 512;
  if (head_.empty() && piece.bytes.size() >= enough) {
    head_.assign(piece.bytes.begin(), piece.bytes.begin() + enough);
    decide();
    return pass(piece);
  }
  head_.insert(head_.end(), piece.bytes.begin(), piece.bytes.end());
  if (head_.size() < enough) return;
  decide();
  const Bytes head = std::exchange(head_, {});
  pass({head, nullptr, false});
}

void ContentReader::decide() {
  decided_ = true;
  kind_ = known_ != Container::none ? known_ : container_of(head_);
  if (kind_ != Container::none && where_.depth >= most_depth) {
    why_not_ = "deeper than " + std::to_string(most_depth);
    if (whole_.empty()) sha_.emplace();
    kind_ = Container::none;
  }
  if (kind_ != Container::tar) raw_.emplace(desk_, where_);
  if (kind_ == Container::none) return;
  if (whole_.empty()) sha_.emplace();
  where_.record->opened_archive();
  if (!where_.budget) where_.budget = std::make_shared<Budget>(0);
  members_ = std::make_unique<Members>(*this);
  switch (kind_) {
    case Container::tar:
      members_->tar.emplace(*members_);
      break;
    case Container::gzip:
    case Container::zstd:
      members_->begin_inflated(kind_);
      break;
    default:
      spool_.emplace();
  }
}

void ContentReader::pass(const Piece& piece) {
  if (sha_) sha_->update(piece.bytes);
  if (kind_ == Container::none) keep_end(piece.bytes);
  if (raw_) raw_->feed(piece);
  if (!members_) return;
  guarded([&] {
    if (members_->tar) {
      members_->current = &piece;
      members_->tar->feed(piece.bytes);
      members_->current = nullptr;
    } else if (members_->inflater) {
      members_->inflater->feed(piece.bytes);
    } else {
      spool_->append(piece);
    }
  });
  if (kind_ == Container::tar && !members_) raw_->feed(piece);
}

void ContentReader::keep_end(View bytes) {
  const View last = bytes.last(std::min(bytes.size(), zip_end_size));
  const std::size_t drop = end_.size() - std::min(end_.size(), zip_end_size - last.size());
  end_.erase(end_.begin(), end_.begin() + static_cast<std::ptrdiff_t>(drop));
  end_.insert(end_.end(), last.begin(), last.end());
}

/// Opens what had to come whole.
void ContentReader::open_whole() {
  const View whole = spool_->whole();
  switch (kind_) {
    case Container::xz:
    case Container::bzip2:
    case Container::lz4:
    case Container::lzip:
    case Container::compress: {
      ViewSource packed(whole);
      members_->begin_inflated(kind_);
      const auto source = unpack(packed, kind_);
      for (View piece = source->next(); !piece.empty(); piece = source->next()) members_->inflated(piece);
      members_->end_inflated();
      break;
    }
    default:
      if (!read_archive(whole, kind_, *members_))
        members_->unreadable(std::string("damaged ") + name_of(kind_) + " archive");
  }
}

void ContentReader::finish(bool zip_is_opened) {
  if (!decided_) {
    if (head_.empty()) return;
    decide();
    const Bytes head = std::exchange(head_, {});
    pass({head, nullptr, false});
  }
  if (members_)
    guarded([&] {
      if (members_->tar) members_->tar->finish();
      if (members_->inflater) members_->inflater->finish();
      if (spool_) open_whole();
      members_->finish();
    });
  if (raw_) raw_->finish();
  if (kind_ == Container::none && !zip_is_opened && why_not_.empty() && ends_as_zip(end_, size_))
    why_not_ = "zip archive behind other bytes";
  if (!why_not_.empty())
    where_.add_gap(why_not_, size_, sha_ ? sha_->finish_digest() : whole_.empty() ? "" : sha256_digest(whole_));
  members_.reset();
  spool_.reset();
}

bool is_streamed(Container kind) {
  return kind == Container::none || kind == Container::tar || kind == Container::gzip || kind == Container::zstd;
}

void look_at_whole(const Desk& desk, Where where, const Piece& whole) {
  if (where.depth == 0 && is_package_record(where.path)) where.record->packages.add(where.path, whole.bytes);
  Container kind = container_of(whole.bytes.first(std::min<std::size_t>(whole.bytes.size(), 512)));
  if (kind == Container::none && ends_as_zip(whole.bytes, whole.bytes.size())) kind = Container::zip;
  if (kind == Container::none) return desk.scan(whole.bytes, where);
  if (!where.budget) where.budget = std::make_shared<Budget>(whole.bytes.size());
  // (Larger ones lie in memory or not, as the image comes: what is found must not depend on that.)
  constexpr std::size_t most_hashed = std::size_t{8} << 20;
  if (whole.bytes.size() <= most_hashed) where.container = std::make_shared<WholeFile>(whole);
  ContentReader reader(desk, std::move(where), whole.bytes, kind);
  reader.feed(whole);
  reader.finish();
}

}  // namespace imgbuild

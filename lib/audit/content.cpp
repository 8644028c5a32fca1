// Content by content. tar and packed streams are opened as they stream by; what needs its whole at hand (zip's table of
// contents stands at its end) is used in place where it lies in memory, else kept in a ByteStore. A tar and an ar are
// looked at member by member, with their stray bytes; every other container also as the raw bytes that it is.
#include "audit/content.hpp"

#include <algorithm>

#include "audit/blocks.hpp"
#include "audit/content_git.hpp"
#include "audit/content_members.hpp"
#include "audit/content_values.hpp"
#include "base/interrupt.hpp"
#include "base/numbers.hpp"
#include "git/pack.hpp"
#include "tar/block_file.hpp"
#include "tar/headed.hpp"
#include "tar/sealed.hpp"

namespace imgbuild {
namespace {

/// Content that says nothing but what its raw bytes say, only that its words stand too close together there.
bool is_values(Container kind) {
  return kind == Container::sqlite || kind == Container::sqlite_log || kind == Container::java_class ||
         kind == Container::python_code;
}

/// Its members lie in it as they are, and its reader shows every byte once.
bool is_plain(Container kind) { return kind == Container::tar || kind == Container::ar; }

/// A database whose keys and values stand one behind the other, with nothing between them: bbolt, LMDB (on 64 bits),
/// Berkeley DB's hash and btree, GDBM, by the magic numbers that their sources give.
bool is_dense_database(View head) {
  const std::uint64_t page = little_endian(head, 16, 4), gnu = little_endian(head, 0, 4);
  const auto berkeley = [](std::uint64_t magic) { return magic == 0x061561 || magic == 0x053162; };
  return page == 0xed0cdaed || page == 0xbeefc0de || berkeley(little_endian(head, 12, 4)) ||
         berkeley(big_endian(head, 12, 4)) || (gnu >= 0x13579acd && gnu <= 0x13579ad1);
}

Scanner::Matter matter_of(Container kind, View head) {
  // ELF, PE, Mach-O of either width and byte order, fat Mach-O and Java class, WebAssembly; and Arrow, whose texts
  // stand as close to each other as a program's.
  static constexpr std::string_view programs[] = {
      "\x7f"
      "ELF",
      "MZ",
      "\xfe\xed\xfa\xce",
      "\xfe\xed\xfa\xcf",
      "\xce\xfa\xed\xfe",
      "\xcf\xfa\xed\xfe",
      "\xca\xfe\xba\xbe",
      std::string_view("\0asm", 4),
      "ARROW1"};
  if (Inflater::knows(kind)) return Scanner::Matter::packed;
  const bool program = std::any_of(std::begin(programs), std::end(programs),
                                   [&](std::string_view magic) { return text_of(head).starts_with(magic); });
  return program || is_dense_database(head) ? Scanner::Matter::program : Scanner::Matter::plain;
}

/// Of what no magic number tells.
Container known_by_trial(View head) {
  if (may_be_zlib(head) && begins_loose_object(head)) return Container::zlib;
  if (is_sealed(head)) return Container::sealed;
  return begins_openpgp(head) ? Container::openpgp : Container::none;
}

/// What was kept of a stream from `begin` on; before that, zeros.
class Behind : public Whole {
 public:
  Behind(const Whole& kept, std::uint64_t begin) : kept_(kept), begin_(begin) {}
  std::uint64_t size() const override { return begin_ + kept_.size(); }
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    const auto zeros =
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), begin_ - std::min(begin_, offset)));
    std::fill_n(into.begin(), zeros, std::uint8_t{0});
    return zeros + kept_.read(offset + zeros - begin_, into.subspan(zeros));
  }

 private:
  const Whole& kept_;
  std::uint64_t begin_;
};

}  // namespace

View ContentSpool::whole() {
  if (!store_.file()) return store_.in_memory();
  mapping_ = Mapping(store_.file(), "temporary file");
  return mapping_.bytes();
}

void feed_whole(const Desk& desk, ContentReader& reader, const Whole& whole, std::uint64_t from) {
  while (from < whole.size()) {
    if (whole.size() - from <= (std::size_t{64} << 10)) {
      const Bytes rest = whole.part(from, std::size_t{64} << 10);
      return reader.feed({rest, nullptr, false});
    }
    const auto buffer = desk.buffers.take();
    const std::size_t size = whole.read(from, {buffer.get(), Buffers::size});
    reader.feed({{buffer.get(), size}, buffer, false});
    from += size;
  }
}

ContentReader::ContentReader(const Desk& desk, Where where)
    : ContentReader(desk, std::move(where), {}, Container::none) {}
ContentReader::ContentReader(const Desk& desk, Where where, const Piece& whole, Container known)
    : desk_(desk), where_(std::move(where)), known_(known), whole_(whole.bytes), stable_(whole.stable) {}
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

/// The same of what stands in its midst.
template <class Work>
void ContentReader::within(Work work) {
  try {
    work();
  } catch (const Limit& limit) {
    embedded_.reset();
    brotli_.reset();
    blocks_.reset();
    if (where_.depth > 0) throw;
    if (why_not_.empty()) why_not_ = limit.what();
  }
}

void ContentReader::fail(const std::string& why) {
  if (why_not_.empty()) why_not_ = why;
  if (const auto members = std::move(members_)) members->salvage();
  store_.reset();
  // What the reader did not reach has been seen by nobody.
  if (is_plain(kind_) && !raw_) raw_.emplace(desk_, where_);
}

void ContentReader::feed(const Piece& piece) {
  if (piece.bytes.empty()) return;
  if (where_.depth > 0 && where_.budget) where_.budget->take_bytes(piece.bytes.size());
  size_ += piece.bytes.size();
  if (decided_) return pass(piece);
  constexpr std::size_t enough = container_head_size;
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
  if (kind_ == Container::none) kind_ = known_by_trial(head_);
  if (is_closed(kind_) || (kind_ != Container::none && where_.depth >= most_depth)) {
    if (!is_values(kind_)) {
      why_not_ = kind_ == Container::sealed ? std::string("encrypted")
                 : is_closed(kind_)         ? std::string("no reader for ") + name_of(kind_)
                                            : "deeper than " + std::to_string(most_depth);
      if (whole_.empty()) sha_.emplace();
    }
    kind_ = Container::none;
    zip_is_left_ = true;
  }
  if (!is_plain(kind_)) {
    Where place = where_;
    place.matter = matter_of(kind_, head_);
    raw_.emplace(desk_, std::move(place));
  }
  if ((kind_ == Container::none && why_not_.empty()) || is_values(kind_)) embedded_.emplace(desk_, where_);
  if (kind_ == Container::none) {
    if (why_not_.empty() && BrotliFile::may_be(where_)) brotli_ = std::make_unique<BrotliFile>(desk_, where_);
    if (why_not_.empty()) {
      const View head = View(head_).first(std::min(head_.size(), container_head_size));
      blocks_ = Blocks::of(desk_, where_, head);
      if (!blocks_ && where_.depth >= most_depth && BlockFile::of(head))
        why_not_ = "deeper than " + std::to_string(most_depth);
      if ((blocks_ || brotli_ || !why_not_.empty()) && whole_.empty()) sha_.emplace();
    }
    if (const auto how = wide_text_of(head_)) narrowed_.emplace(desk_, where_, *how);
    return;
  }
  if (whole_.empty()) sha_.emplace();
  if (!is_values(kind_)) where_.record->opened_archive();
  if (!where_.budget) where_.budget = std::make_shared<Budget>(0);
  members_ = std::make_unique<Members>(*this);
  if (kind_ == Container::tar)
    members_->tar.emplace(*members_);
  else if (kind_ == Container::ar)
    members_->ar.emplace(*members_);
  else if (is_streamed(kind_))
    members_->begin_inflated(kind_);
  else if (whole_.empty())
    store_.emplace();
}

void ContentReader::pass(const Piece& piece) {
  if (sha_) sha_->update(piece.bytes);
  if (embedded_) within([&] { embedded_->feed(piece.bytes); });
  if (brotli_) within([&] { brotli_->feed(piece.bytes); });
  if (blocks_) within([&] { blocks_->feed(piece.bytes); });
  const bool inflating = members_ && members_->inflater;
  std::size_t own = piece.bytes.size();
  if (raw_ && !inflating) raw_->feed(piece);
  if (narrowed_) narrowed_->feed(piece.bytes);
  if (kind_ == Container::none && !zip_is_left_) {
    guarded([&] { keep_zip(piece.bytes); });
    keep_end(piece.bytes);
  }
  if (!members_) return;
  guarded([&] {
    if (is_plain(kind_)) {
      members_->current = &piece;
      members_->tar ? members_->tar->feed(piece.bytes) : members_->ar->feed(piece.bytes);
      members_->current = nullptr;
    } else if (members_->inflater) {
      own = members_->inflater->feed(piece.bytes);
    } else if (store_) {
      store_->append(piece.bytes);
    }
  });
  if (is_plain(kind_) && !members_) raw_->feed(piece);
  if (!inflating) return;
  if (raw_) raw_->feed(piece.part(piece.bytes.first(own)));
  if (own == piece.bytes.size()) return;
  if (!behind_) {
    Where place = where_;
    place.guessed = true;
    behind_ = std::make_unique<ContentReader>(desk_, std::move(place));
  }
  guarded([&] { behind_->feed(piece.part(piece.bytes.subspan(own))); });
}

void ContentReader::keep_end(View bytes) {
  const View last = bytes.last(std::min(bytes.size(), zip_end_size));
  const std::size_t drop = end_.size() - std::min(end_.size(), zip_end_size - last.size());
  end_.erase(end_.begin(), end_.begin() + static_cast<std::ptrdiff_t>(drop));
  end_.insert(end_.end(), last.begin(), last.end());
}

/// A zip behind other bytes (a program that unpacks itself) is known at the end only: from what may be its first local
/// header on, all is kept.
void ContentReader::keep_zip(View bytes) {
  if (store_) return store_->append(bytes);
  constexpr std::string_view magic = "PK\3\4";
  const auto keep_from = [&](View rest, std::size_t before) {
    store_.emplace();
    zip_begin_ = size_ - rest.size() - before;
    store_->append(View(end_).last(before));
    store_->append(rest);
  };
  // The magic number may lie across the seam.
  std::string seam(text_of(end_).substr(end_.size() - std::min<std::size_t>(end_.size(), 3)));
  const std::size_t before = seam.size();
  seam += text_of(bytes).substr(0, 3);
  if (const std::size_t at = seam.find(magic); at != std::string::npos) return keep_from(bytes, before - at);
  for (std::size_t at = text_of(bytes).find(magic); at != std::string_view::npos;
       at = text_of(bytes).find(magic, at + 4)) {
    const View rest = bytes.subspan(at);
    if (rest.size() < 30 || begins_zip(rest)) return keep_from(rest, 0);
  }
}

/// Opens what had to come whole.
void ContentReader::open_whole() {
  const ViewWhole in_place(whole_, stable_ ? desk_.release : nullptr);
  const Whole& whole = store_ ? static_cast<const Whole&>(*store_) : in_place;
  const auto look_at = [&](Source& source) {
    members_->begin_inflated(kind_);
    for (View piece = source.next(); !piece.empty(); piece = source.next()) members_->inflated(piece);
    members_->end_inflated();
  };
  switch (kind_) {
    case Container::compress: {
      WholeSource packed(whole);
      look_at(*unpack(packed, kind_));
      break;
    }
    case Container::openpgp:
      look_at(*read_openpgp(whole));
      break;
    case Container::mozlz4: {
      const Bytes unpacked = read_mozlz4(whole);
      ViewSource source(unpacked);
      look_at(source);
      break;
    }
    case Container::ostree_file: {
      const auto begin = ostree_content(whole.part(0, container_head_size));
      WholeSource packed(whole, begin.value_or(0));
      look_at(*unpack(packed, Container::deflate));
      break;
    }
    case Container::phar:
      read_phar(whole, *members_);
      break;
    case Container::qcow2:
      look_at(*read_qcow2(whole));
      break;
    case Container::git_pack:
      if (const std::string why = look_at_pack(desk_, where_, whole); !why.empty()) members_->unreadable(why);
      break;
    case Container::zlib:
      look_at_loose_object(desk_, where_, whole);
      break;
    case Container::rpm: {
      const auto payload = rpm_payload(whole);
      payload ? look_behind(whole, *payload) : members_->unreadable("damaged rpm archive");
      break;
    }
    case Container::sqlite:
    case Container::sqlite_log:
    case Container::java_class:
    case Container::python_code:
      look_at_values(desk_, where_, kind_, whole);
      break;
    default:
      members_->whole = &whole;
      if (!read_archive(whole, kind_, *members_))
        members_->unreadable(std::string("damaged ") + name_of(kind_) + " archive");
      if (kind_ == Container::cpio) look_behind_cpio(whole);
  }
}

/// An initramfs is a row of archives, each packed or not (Linux, early-userspace/buffer-format).
void ContentReader::look_behind_cpio(const Whole& whole) {
  members_->finish();
  const CpioExtent first = extent_of_cpio(whole);
  if (!first.trailer) return;
  std::uint64_t at = first.end;
  Bytes head;
  for (; at < whole.size(); at += 4) {  // padding
    head = whole.part(at, container_head_size);
    const auto other = std::find_if(head.begin(), head.end(), [](std::uint8_t c) { return c != 0; });
    at += static_cast<std::uint64_t>(other - head.begin()) / 4 * 4;
    if (other != head.end()) break;
  }
  if (container_of(whole.part(at, container_head_size)) != Container::none)
    look_behind(whole, at);
  else
    look_outside(whole, at, whole.size());
}

/// What of an archive none of its members has: it may be packed, which the archive's raw bytes do not show.
void ContentReader::look_outside(const Whole& whole, std::uint64_t begin, std::uint64_t end) {
  constexpr std::size_t step = std::size_t{64} << 10;
  const auto part_at = [&](std::uint64_t at) {
    return whole.part(at, static_cast<std::size_t>(std::min<std::uint64_t>(step, end - std::min(at, end))));
  };
  Bytes part;
  for (; begin < end; begin += part.size()) {  // what fills up
    part = part_at(begin);
    const auto first = std::find_if(part.begin(), part.end(), [](std::uint8_t c) { return c != 0; });
    if (part.empty() || first != part.end()) {
      begin += static_cast<std::uint64_t>(first - part.begin());
      break;
    }
  }
  Where where = where_;
  where.guessed = true;
  const Bytes head = part_at(begin);
  const bool is_container = container_of(head) != Container::none || BlockFile::of(head) != nullptr;
  if (is_container) ++where.depth;
  std::optional<ContentReader> reader;
  std::optional<Embedded> packed;
  is_container ? static_cast<void>(reader.emplace(desk_, where)) : static_cast<void>(packed.emplace(desk_, where));
  for (; begin < end; begin += part.size()) {
    part = part_at(begin);
    if (part.empty()) break;
    reader ? reader->feed({part, nullptr, false}) : packed->feed(part);
  }
  reader ? reader->finish() : packed->finish();
  if (packed && !packed->why_not().empty()) members_->unreadable(packed->why_not());
}

/// The rest of it as content of its own.
void ContentReader::look_behind(const Whole& whole, std::uint64_t from) {
  Where where = where_;
  ++where.depth;
  ContentReader rest(desk_, std::move(where));
  feed_whole(desk_, rest, whole, from);
  rest.finish();
}

void ContentReader::open_zip_behind() {
  if (!store_ || !ends_as_zip(end_, size_)) return;
  where_.record->opened_archive();
  if (!where_.budget) where_.budget = std::make_shared<Budget>(size_);
  members_ = std::make_unique<Members>(*this);
  guarded([&] {
    if (!read_archive(Behind(*store_, zip_begin_), Container::zip, *members_))
      members_->unreadable("damaged zip archive behind other bytes");
    members_->finish();
  });
}

void ContentReader::finish() {
  if (!decided_) {
    if (head_.empty()) return;
    decide();
    const Bytes head = std::exchange(head_, {});
    pass({head, nullptr, false});
  }
  if (members_)
    guarded([&] {
      if (members_->tar)
        members_->tar->finish();
      else if (members_->ar)
        members_->ar->finish();
      else if (members_->inflater)
        members_->inflater->finish();
      else
        open_whole();
      members_->finish();
    });
  if (kind_ == Container::none && !zip_is_left_) open_zip_behind();
  if (embedded_) within([&] { embedded_->finish(); });
  if (embedded_ && why_not_.empty()) why_not_ = embedded_->why_not();
  if (brotli_) within([&] { brotli_->finish(); });
  if (brotli_ && why_not_.empty()) why_not_ = brotli_->why_not();
  if (blocks_) within([&] { blocks_->finish(); });
  if (blocks_ && why_not_.empty()) why_not_ = blocks_->why_not();
  if (behind_) guarded([&] { behind_->finish(); });
  if (raw_) raw_->finish();
  if (narrowed_) narrowed_->finish();
  if (!why_not_.empty() && (!is_values(kind_) || !embedded_))
    where_.add_gap(why_not_, size_, sha_ ? sha_->finish_digest() : whole_.empty() ? "" : sha256_digest(whole_));
  members_.reset();
  store_.reset();
}

bool is_streamed(Container kind) {
  return kind == Container::none || is_closed(kind) || is_plain(kind) ||
         (Inflater::knows(kind) && kind != Container::zlib);
}

void look_at_whole(const Desk& desk, Where where, const Piece& whole) {
  if (where.depth == 0 && is_package_record(where.path)) where.record->packages.add(where.path, whole.bytes);
  const View head = whole.bytes.first(std::min(whole.bytes.size(), container_head_size));
  Container kind = container_of(head);
  if (kind == Container::none) kind = known_by_trial(head);
  if (kind == Container::none && ends_as_zip(whole.bytes, whole.bytes.size())) kind = Container::zip;
  if (kind == Container::none) {
    if (const auto how = wide_text_of(head)) {
      Narrowed narrowed(desk, where, *how);
      narrowed.feed(whole.bytes);
      narrowed.finish();
    }
    look_at_embedded(desk, where, whole.bytes);
    look_at_brotli(desk, where, whole.bytes);
    look_at_blocks(desk, where, whole.bytes);
    where.matter = matter_of(kind, head);
    return desk.scan(whole.bytes, where);
  }
  if (!where.budget) where.budget = std::make_shared<Budget>(whole.bytes.size());
  // (Larger ones lie in memory or not, as the image comes: what is found must not depend on that.)
  constexpr std::size_t most_hashed = std::size_t{8} << 20;
  if (whole.bytes.size() <= most_hashed) where.container = std::make_shared<WholeFile>(whole);
  ContentReader reader(desk, std::move(where), whole, kind);
  if (!whole.stable || !desk.release) {
    reader.feed(whole);
  } else {
    // Of a mapped file no more stays resident than is being looked at.
    for (View left = whole.bytes; !left.empty();) {
      const View slice = left.first(std::min(left.size(), part_size));
      left = left.subspan(slice.size());
      reader.feed({slice, Owner(slice.data(), [&desk, slice](const void*) { desk.release(slice); }), true});
    }
  }
  reader.finish();
}

}  // namespace imgbuild

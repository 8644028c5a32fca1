// The formats that we leave to libarchive: for each exactly one reader is enabled, and given the bytes by our own
// callbacks, which read, skip and seek in a Whole, so that a large archive costs no memory.
#include "tar/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "base/owned.hpp"
#include "tar/squashfs.hpp"
#include "tar/zip.hpp"

namespace imgbuild {
namespace {

using Reader = Owned<archive, archive_read_free>;

constexpr std::size_t window = std::size_t{128} << 10;

int enable(archive* reader, Container kind) {
  switch (kind) {
    case Container::zip:
      return archive_read_support_format_zip_seekable(reader);
    case Container::seven_zip:
      return archive_read_support_format_7zip(reader);
    case Container::cpio:
      return archive_read_support_format_cpio(reader);
    case Container::rar:
      return std::min(archive_read_support_format_rar(reader), archive_read_support_format_rar5(reader));
    case Container::cab:
      return archive_read_support_format_cab(reader);
    case Container::xar:
      return archive_read_support_format_xar(reader);
    case Container::lha:
      return archive_read_support_format_lha(reader);
    case Container::iso9660:
      return archive_read_support_format_iso9660(reader);
    case Container::warc:
      return archive_read_support_format_warc(reader);
    case Container::compress:
      return archive_read_support_filter_compress(reader);
    default:
      return ARCHIVE_FATAL;
  }
}

Reader make_reader(Container kind) {
  Reader reader(archive_read_new());
  if (!reader) throw Error("libarchive cannot be started");
  // ARCHIVE_WARN: this libarchive would run an external program for it.
  if (enable(reader.get(), kind) != ARCHIVE_OK) throw Error(std::string("this build cannot read ") + name_of(kind));
  return reader;
}

/// The first bytes of a Whole.
class Front : public Whole {
 public:
  Front(const Whole& whole, std::uint64_t size) : whole_(whole), size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    const std::uint64_t left = size_ - std::min(offset, size_);
    return whole_.read(offset, into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left))));
  }

 private:
  const Whole& whole_;
  std::uint64_t size_;
};

/// A Whole as libarchive reads it. No exception goes through C: kept, and thrown on the other side.
class Input {
 public:
  explicit Input(const Whole& whole) : whole_(whole), buffer_(window) {}

  int open(archive* reader) {
    archive_read_set_read_callback(reader, [](archive*, void* self, const void** data) -> la_ssize_t {
      return static_cast<Input*>(self)->read(data);
    });
    archive_read_set_skip_callback(reader, [](archive*, void* self, la_int64_t count) -> la_int64_t {
      auto& mine = *static_cast<Input*>(self);
      const auto step = std::min<std::uint64_t>(static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)),
                                                mine.whole_.size() - mine.position_);
      mine.position_ += step;
      return static_cast<la_int64_t>(step);
    });
    archive_read_set_seek_callback(reader, [](archive*, void* self, la_int64_t offset, int whence) -> la_int64_t {
      auto& mine = *static_cast<Input*>(self);
      const auto size = static_cast<la_int64_t>(mine.whole_.size());
      const la_int64_t base = whence == SEEK_SET   ? 0
                              : whence == SEEK_CUR ? static_cast<la_int64_t>(mine.position_)
                                                   : size;
      if (offset < -base || offset > size - base) return ARCHIVE_FATAL;
      mine.position_ = static_cast<std::uint64_t>(base + offset);
      return base + offset;
    });
    archive_read_set_callback_data(reader, this);
    return archive_read_open1(reader);
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  la_ssize_t read(const void** data) {
    try {
      const std::size_t size = whole_.read(position_, buffer_);
      position_ += size;
      *data = buffer_.data();
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      failure_ = std::current_exception();
      return -1;
    }
  }

  const Whole& whole_;
  Bytes buffer_;
  std::uint64_t position_ = 0;
  std::exception_ptr failure_;
};

/// Which names were shown, as often as they were; a few bytes for each.
class Names {
 public:
  void add(const std::string& name) { hashes_.push_back(std::hash<std::string>{}(name)); }
  void sort() {
    std::sort(hashes_.begin(), hashes_.end());
    taken_.assign(hashes_.size(), false);
  }
  /// Takes one of that name; false where none is left.
  bool take(const std::string& name) {
    const std::size_t hash = std::hash<std::string>{}(name);
    for (auto at = std::lower_bound(hashes_.begin(), hashes_.end(), hash); at != hashes_.end() && *at == hash; ++at) {
      const auto i = static_cast<std::size_t>(at - hashes_.begin());
      if (taken_[i]) continue;
      taken_[i] = true;
      return true;
    }
    return false;
  }

 private:
  std::vector<std::size_t> hashes_;
  std::vector<bool> taken_;
};

class Pass {
 public:
  Pass(Container kind, ArchiveVisitor& visitor) : kind_(kind), visitor_(visitor) {}

  /// One reading. `seen`: where it takes names, members already shown by another reading are skipped.
  bool run(Reader reader, const Whole& whole, Names* seen, bool skip_seen) {
    Input input(whole);
    if (input.open(reader.get()) != ARCHIVE_OK) {
      input.rethrow();
      return false;
    }
    bool any = false;
    for (;;) {
      archive_entry* entry = nullptr;
      const int outcome = archive_read_next_header(reader.get(), &entry);
      input.rethrow();
      if (outcome == ARCHIVE_EOF) return true;
      if (outcome == ARCHIVE_RETRY) continue;
      if (outcome == ARCHIVE_FATAL || outcome == ARCHIVE_FAILED || entry == nullptr) {
        const bool encrypted = archive_read_has_encrypted_entries(reader.get()) == 1;
        if (!any && !encrypted) return false;
        if (!skip_seen) visitor_.unreadable(encrypted ? "encrypted" : damaged());
        return true;
      }
      any = true;
      const char* name = archive_entry_pathname(entry);
      const std::string path = name != nullptr ? name : "";
      if (skip_seen) {
        if (seen->take(path)) continue;
      } else if (seen != nullptr) {
        seen->add(path);
      }
      show(reader.get(), entry, path);
      input.rethrow();
    }
  }

 private:
  std::string damaged() const { return std::string("damaged ") + name_of(kind_) + " archive"; }

  void show(archive* reader, archive_entry* entry, const std::string& path) {
    const char* link = archive_entry_symlink(entry);
    if (link == nullptr) link = archive_entry_hardlink(entry);
    visitor_.member(path, link != nullptr ? link : "");
    const bool encrypted = archive_entry_is_encrypted(entry) != 0;
    std::uint64_t shown = 0;
    bool failed = false;
    for (;;) {
      const void* data = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int outcome = archive_read_data_block(reader, &data, &size, &offset);
      if (outcome == ARCHIVE_EOF) break;
      if (outcome == ARCHIVE_RETRY) continue;
      // A checksum that does not hold is told as a warning, with the data: looked at, but not what was packed.
      failed = outcome == ARCHIVE_FATAL || outcome == ARCHIVE_FAILED || (outcome == ARCHIVE_WARN && size == 0);
      if (failed) break;
      if (size > 0) visitor_.data({static_cast<const std::uint8_t*>(data), size});
      shown += size;
    }
    // Some of its readers take a stream's early end for the member's.
    const bool is_file = archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr;
    const bool cut = is_file && archive_entry_size_is_set(entry) != 0 && archive_entry_sparse_count(entry) == 0 &&
                     shown < static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
    if (failed || cut) visitor_.unreadable(encrypted ? "encrypted" : damaged());
    visitor_.end_member();
  }

  Container kind_;
  ArchiveVisitor& visitor_;
};

/// By libarchive: compress, which it unpacks in small memory.
class Filtered : public Source {
 public:
  Filtered(Source& packed, Container kind) : packed_(packed), kind_(kind), reader_(make_reader(kind)) {
    archive_read_support_format_raw(reader_.get());
    const auto read = [](archive*, void* self, const void** data) -> la_ssize_t {
      auto& mine = *static_cast<Filtered*>(self);
      try {
        const View piece = mine.packed_.next();
        *data = piece.data();
        return static_cast<la_ssize_t>(piece.size());
      } catch (...) {  // no exception goes through C: kept, and thrown on the other side
        mine.failure_ = std::current_exception();
        return -1;
      }
    };
    archive_entry* entry = nullptr;
    if (archive_read_open(reader_.get(), this, nullptr, read, nullptr) != ARCHIVE_OK) fail();
    // Here too a stream of nothing is at its end.
    const int outcome = archive_read_next_header(reader_.get(), &entry);
    if (outcome == ARCHIVE_EOF)
      at_end_ = true;
    else if (outcome < ARCHIVE_WARN)
      fail();
  }

  View next() override {
    while (!at_end_) {
      const void* data = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int outcome = archive_read_data_block(reader_.get(), &data, &size, &offset);
      if (outcome == ARCHIVE_EOF) at_end_ = true;
      if (outcome == ARCHIVE_RETRY) continue;
      if (outcome < ARCHIVE_OK) fail();
      if (size > 0) return {static_cast<const std::uint8_t*>(data), size};
    }
    return {};
  }

 private:
  [[noreturn]] void fail() {
    if (failure_) std::rethrow_exception(failure_);
    throw Error(std::string("damaged ") + name_of(kind_) + " stream");
  }

  Source& packed_;
  Container kind_;
  Reader reader_;
  std::exception_ptr failure_;
  bool at_end_ = false;
};

/// By an Inflater: small steps in, what came out of each is given out.
class Inflated : public Source {
 public:
  Inflated(Source& packed, Container kind)
      : packed_(packed),
        inflater_(
            kind,
            [this] {
              ready_.emplace_back(window);
              return std::span(ready_.back());
            },
            [this](View filled) { ready_.back().resize(filled.size()); }) {}

  View next() override {
    if (shown_) ready_.pop_front();
    shown_ = false;
    while (ready_.empty() && !at_end_) {
      if (input_.empty()) input_ = packed_.next();
      if (input_.empty()) {
        at_end_ = true;
        inflater_.finish();
        break;
      }
      const View step = input_.first(std::min<std::size_t>(input_.size(), 16 << 10));
      input_ = input_.subspan(step.size());
      inflater_.feed(step);
      inflater_.flush();
    }
    if (ready_.empty()) return {};
    shown_ = true;
    return ready_.front();
  }

 private:
  Source& packed_;
  View input_;
  std::deque<Bytes> ready_;
  bool shown_ = false, at_end_ = false;
  Inflater inflater_;
};

/// Where an archive ends, as its own header says.
std::optional<std::uint64_t> end_of(const Whole& whole, Container kind) {
  constexpr std::size_t head = 32, volume = 0x8000;
  switch (kind) {
    case Container::seven_zip: {  // 7zFormat.txt, "SignatureHeader"
      const Bytes said = whole.part(0, head);
      return head + little_endian(said, 12, 8) + little_endian(said, 20, 8);
    }
    case Container::cab:  // [MS-CAB] 2.1, cbCabinet
      return little_endian(whole.part(0, head), 8, 4);
    case Container::iso9660: {  // ECMA-119 8.4.8, 8.4.12
      const Bytes said = whole.part(volume, head * 5);
      return little_endian(said, 80, 4) * little_endian(said, 128, 2);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

bool read_archive(const Whole& whole, Container kind, ArchiveVisitor& visitor) {
  if (kind == Container::squashfs) return read_squashfs(whole, visitor);
  Pass pass(kind, visitor);
  if (kind == Container::cpio) {
    // libarchive takes as much memory as a name claims to be long, and looks for headers behind what is none.
    const CpioExtent extent = extent_of_cpio(whole);
    const bool any = pass.run(make_reader(kind), Front(whole, extent.end), nullptr, false);
    if (any && !extent.trailer) visitor.unreadable("truncated cpio archive");
    return any;
  }
  if (kind != Container::zip) {
    const bool any = pass.run(make_reader(kind), whole, nullptr, false);
    const auto end = end_of(whole, kind);
    if (any && end && *end < whole.size()) visitor.outside(*end, whole.size());
    return any;
  }
  // A zip has two tables of contents, the central directory and the headers before each member, and readers differ in
  // which one they believe: what only the second one knows is looked at too.
  const auto plain = plain_members(whole);
  const auto show_outside = [&] {
    for (const auto& [begin, end] : plain ? plain->outside : around_zip(whole))
      if (begin < end) visitor.outside(begin, end);
  };
  if (plain &&
      std::all_of(plain->members.begin(), plain->members.end(), [](const ZipMember& each) { return each.ours; })) {
    read_members(whole, plain->members, visitor);
    show_outside();
    return true;
  }
  Names seen;
  const bool central = pass.run(make_reader(kind), whole, &seen, false);
  if (!begins_zip(whole.part(0, 64)) || (central && plain)) {
    if (central) show_outside();
    return central;
  }
  Reader streamed(archive_read_new());
  if (!streamed || archive_read_support_format_zip_streamable(streamed.get()) != ARCHIVE_OK)
    throw Error("libarchive cannot be started");
  seen.sort();
  const bool local = pass.run(std::move(streamed), whole, &seen, central);
  if (central) show_outside();
  return central || local;
}

bool read_archive(View whole, Container kind, ArchiveVisitor& visitor) {
  return read_archive(ViewWhole(whole), kind, visitor);
}

std::optional<std::endian> binary_cpio_order(View head) {
  if (little_endian(head, 0, 2) == 070707) return std::endian::little;
  if (big_endian(head, 0, 2) == 070707) return std::endian::big;
  return std::nullopt;
}

// "New ASCII": thirteen fields of eight hex digits behind the magic number; "old": ten of six octal digits, but for the
// time and the size, of eleven. Then the name and the content, in the new one filled up to a multiple of four. "Old
// binary": thirteen words, the times and sizes of two, the higher one first; name and content filled up to even ones.
CpioExtent extent_of_cpio(const Whole& whole) {
  constexpr std::string_view trailer = "TRAILER!!!";
  constexpr std::uint64_t longest_name = std::uint64_t{64} << 10;
  for (std::uint64_t at = 0;;) {
    const Bytes header = whole.part(at, 110 + trailer.size());
    const std::string_view text = text_of(header);
    if (const auto order = binary_cpio_order(header); order && header.size() >= 26) {
      const auto word = [&](std::size_t from) {
        return *order == std::endian::little ? little_endian(header, from, 2) : big_endian(header, from, 2);
      };
      const std::uint64_t name = word(20), content = word(22) << 16 | word(24);
      at += 26 + (name + 1) / 2 * 2 + (content + 1) / 2 * 2;
      if (text.substr(26).starts_with(trailer)) return {std::min(at, whole.size()), true};
      if (at >= whole.size()) return {whole.size(), false};
      continue;
    }
    const bool old = text.starts_with("070707");
    const std::size_t size = old ? 76 : 110;
    if (text.size() < size || !(old || text.starts_with("070701") || text.starts_with("070702"))) return {at, false};
    const auto number = [&](std::size_t begin, std::size_t digits) {
      std::uint64_t value = 0;
      for (const char c : text.substr(begin, digits))
        value = value * (old ? 8 : 16) +
                static_cast<std::uint64_t>(c <= '9' ? (c - '0') & 15 : ((c | 0x20) - 'a' + 10) & 15);
      return value;
    };
    const std::uint64_t name = old ? number(59, 6) : number(94, 8), content = old ? number(65, 11) : number(54, 8);
    const auto filled = [&](std::uint64_t bytes) { return old ? bytes : (bytes + 3) / 4 * 4; };
    if (name > longest_name) return {at, false};
    at += filled(size + name) + filled(content);
    if (text.substr(size).starts_with(trailer)) return {std::min(at, whole.size()), true};
    if (at >= whole.size()) return {whole.size(), false};
  }
}

std::optional<std::uint64_t> rpm_payload(const Whole& whole) {
  constexpr std::uint64_t lead = 96, most = std::uint64_t{256} << 20;
  std::uint64_t at = lead;
  for (const bool signature : {true, false}) {
    const Bytes head = whole.part(at, 16);
    if (head.size() < 16 || !text_of(head).starts_with("\x8e\xad\xe8")) return std::nullopt;
    const std::uint64_t index = big_endian(head, 8, 4) * 16, store = big_endian(head, 12, 4);
    if (index > most || store > most) return std::nullopt;
    at += 16 + index + store;
    if (signature) at = (at + 7) / 8 * 8;
  }
  if (at >= whole.size()) return std::nullopt;
  return at;
}

std::unique_ptr<Source> unpack(Source& packed, Container kind) {
  if (Inflater::knows(kind)) return std::make_unique<Inflated>(packed, kind);
  return std::make_unique<Filtered>(packed, kind);
}

}  // namespace imgbuild

// Which format a stream is in, and the formats that we leave to libarchive.
//
// libarchive is lenient in finding formats and may run external programs for filters it was not built with; so we
// decide ourselves what a stream is, and then enable exactly that one reader.
#include "tar/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "tar/reader.hpp"

namespace imgbuild {
namespace {

using Reader = Owned<archive, archive_read_free>;

std::uint32_t little16(View at) { return static_cast<std::uint32_t>(at[0] | at[1] << 8); }
std::uint32_t little32(View at) { return little16(at) | little16(at.subspan(2)) << 16; }

bool begins(View head, std::string_view magic) { return text_of(head).starts_with(magic); }

/// A local file header (APPNOTE 4.3.7) that makes sense, or the end record of an empty archive.
bool begins_zip(View head) {
  if (begins(head, {"PK\5\6\0\0\0\0", 8})) return head.size() >= 22;
  // A part of a split archive that is none, and Java's jmod files, have four bytes before it.
  if (begins(head, "PK00PK\3\4") || begins(head, {"JM\1\0PK\3\4", 8})) head = head.subspan(4);
  if (!begins(head, "PK\3\4") || head.size() < 30) return false;
  const std::uint32_t version = head[4], method = little16(head.subspan(8)), name = little16(head.subspan(26));
  return version <= 63 && (method <= 20 || (method >= 93 && method <= 99)) && name > 0 && name < 4096;
}

/// Does a zip hold local headers that its central directory does not list? True also where the tables are not plain
/// enough to tell. Each listed member's bytes are a range; a header's magic number outside all of them is unlisted.
bool has_unlisted(View zip) {
  constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, descriptor_size = 24;
  const std::size_t end = text_of(zip).rfind("PK\5\6");
  if (end == std::string_view::npos || zip.size() - end < end_size) return true;
  const std::uint64_t table_size = little32(zip.subspan(end + 12)), table_at = little32(zip.subspan(end + 16));
  if (table_size + table_at > end) return true;  // zip64 among others
  const std::uint64_t base = end - table_size - table_at;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (std::uint64_t at = end - table_size; at < end;) {
    const View entry = zip.subspan(static_cast<std::size_t>(at));
    if (entry.size() < central_size || !begins(entry, "PK\1\2")) return true;
    const std::size_t name = little16(entry.subspan(28));
    const std::uint64_t packed = little32(entry.subspan(20)), begin = base + little32(entry.subspan(42));
    if (begin + local_size > end || entry.size() < central_size + name) return true;
    const View local = zip.subspan(static_cast<std::size_t>(begin));
    const std::uint64_t data = begin + local_size + little16(local.subspan(26)) + little16(local.subspan(28));
    if (!begins(local, "PK\3\4") || little16(local.subspan(26)) != name || data + packed > end ||
        text_of(local.subspan(local_size, name)) != text_of(entry.subspan(central_size, name)))
      return true;
    ranges.emplace_back(begin, data + packed);
    at += central_size + name + little16(entry.subspan(30)) + little16(entry.subspan(32));
  }
  std::sort(ranges.begin(), ranges.end());
  ranges.emplace_back(end - table_size, end);
  std::uint64_t seen = 0;
  for (const auto& [begin, finish] : ranges) {
    if (begin < seen) return true;  // members that share bytes
    // A data descriptor may stand in the gap; a header that begins there would be the next member's.
    const View gap = zip.subspan(static_cast<std::size_t>(seen), static_cast<std::size_t>(begin - seen));
    if (gap.size() > descriptor_size && text_of(gap).find("PK\3\4") != std::string_view::npos) return true;
    seen = finish;
  }
  return false;
}

bool begins_cpio(View head) {
  if (begins(head, "070701") || begins(head, "070702") || begins(head, "070707")) {
    const std::size_t size = head[5] == '7' ? 76 : 110;
    return head.size() >= size &&
           std::all_of(head.begin() + 6, head.begin() + static_cast<std::ptrdiff_t>(size), [](std::uint8_t c) {
             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
  }
  return false;
}

/// "!<arch>\n" and a first member header that ends as one does, or nothing.
bool begins_ar(View head) {
  if (!begins(head, "!<arch>\n")) return false;
  return head.size() >= 68 && head[66] == '`' && head[67] == '\n';
}

bool begins_lha(View head) {
  return head.size() > 21 && head[2] == '-' && head[3] == 'l' && (head[4] == 'h' || head[4] == 'z') && head[6] == '-' &&
         (head[5] == 'd' || head[5] == 's' || (head[5] >= '0' && head[5] <= '7')) && head[20] <= 3;
}

std::string path_in(archive_entry* entry) {
  const char* path = archive_entry_pathname(entry);
  return path != nullptr ? path : "";
}

int enable(archive* reader, Container kind) {
  switch (kind) {
    case Container::zip:
      return archive_read_support_format_zip_seekable(reader);
    case Container::seven_zip:
      return archive_read_support_format_7zip(reader);
    case Container::ar:
      return archive_read_support_format_ar(reader);
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
    case Container::rpm:  // a lead and two headers, then a compressed cpio
      archive_read_support_filter_rpm(reader);
      archive_read_support_filter_gzip(reader);
      archive_read_support_filter_xz(reader);
      archive_read_support_filter_zstd(reader);
      archive_read_support_filter_bzip2(reader);
      archive_read_support_filter_lzma(reader);
      return archive_read_support_format_cpio(reader);
    case Container::xz:
      return archive_read_support_filter_xz(reader);
    case Container::bzip2:
      return archive_read_support_filter_bzip2(reader);
    case Container::lz4:
      return archive_read_support_filter_lz4(reader);
    case Container::lzip:
      return archive_read_support_filter_lzip(reader);
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

class Pass {
 public:
  Pass(Container kind, ArchiveVisitor& visitor) : kind_(kind), visitor_(visitor) {}

  /// One reading. `skip`: members already shown by another reading.
  bool run(archive* reader, View whole, std::multiset<std::string>* seen, bool skip_seen) {
    if (archive_read_open_memory(reader, whole.data(), whole.size()) != ARCHIVE_OK) return false;
    bool any = false;
    for (;;) {
      archive_entry* entry = nullptr;
      const int outcome = archive_read_next_header(reader, &entry);
      if (outcome == ARCHIVE_EOF) return true;
      if (outcome == ARCHIVE_RETRY) continue;
      if (outcome == ARCHIVE_FATAL || outcome == ARCHIVE_FAILED || entry == nullptr) {
        const bool encrypted = archive_read_has_encrypted_entries(reader) == 1;
        if (!any && !encrypted) return false;
        if (!skip_seen) visitor_.unreadable(encrypted ? "encrypted" : damaged());
        return true;
      }
      any = true;
      const std::string path = path_in(entry);
      if (skip_seen) {
        if (const auto at = seen->find(path); at != seen->end()) {
          seen->erase(at);
          continue;
        }
      } else if (seen != nullptr) {
        seen->insert(path);
      }
      show(reader, entry, path);
    }
  }

 private:
  std::string damaged() const { return std::string("damaged ") + name_of(kind_) + " archive"; }

  void show(archive* reader, archive_entry* entry, const std::string& path) {
    const char* link = archive_entry_symlink(entry);
    if (link == nullptr) link = archive_entry_hardlink(entry);
    visitor_.member(path, link != nullptr ? link : "");
    const bool encrypted = archive_entry_is_encrypted(entry) != 0;
    for (;;) {
      const void* data = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int outcome = archive_read_data_block(reader, &data, &size, &offset);
      if (outcome == ARCHIVE_EOF) break;
      if (outcome == ARCHIVE_RETRY) continue;
      if (outcome == ARCHIVE_FATAL || outcome == ARCHIVE_FAILED) {
        visitor_.unreadable(encrypted ? "encrypted" : damaged());
        break;
      }
      // A checksum that does not hold is told as a warning, with the data: looked at, but not what was packed.
      if (outcome == ARCHIVE_WARN && size == 0) {
        visitor_.unreadable(damaged());
        break;
      }
      if (size > 0) visitor_.data({static_cast<const std::uint8_t*>(data), size});
    }
    visitor_.end_member();
  }

  Container kind_;
  ArchiveVisitor& visitor_;
};

class Unpacked : public Source {
 public:
  Unpacked(Source& packed, Container kind) : packed_(packed), kind_(kind), reader_(make_reader(kind)) {
    archive_read_support_format_raw(reader_.get());
    const auto read = [](archive*, void* self, const void** data) -> la_ssize_t {
      auto& mine = *static_cast<Unpacked*>(self);
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

}  // namespace

const char* name_of(Container kind) {
  static constexpr const char* names[] = {"raw", "tar", "gzip", "zstd", "xz",  "bzip2", "lz4", "lzip", "compress",
                                          "zip", "7z",  "ar",   "cpio", "rpm", "rar",   "cab", "xar",  "lha"};
  return names[static_cast<int>(kind)];
}

Container container_of(View head) {
  if (head.size() < 4) return Container::none;
  switch (head[0]) {
    case 0x1f:
      // RFC 1952: deflate, and no flag that is reserved
      if (head[1] == 0x8b && head[2] == 8 && (head[3] & 0xe0) == 0 && head.size() >= 18) return Container::gzip;
      if (head[1] == 0x9d && (head[2] & 0x60) == 0 && (head[2] & 0x1f) >= 9 && (head[2] & 0x1f) <= 16)
        return Container::compress;
      break;
    case 0x28:
      if (begins(head, "\x28\xb5\x2f\xfd")) return Container::zstd;
      break;
    case 0xfd:
      if (begins(head, {"\xfd"
                        "7zXZ\0",
                        6}))
        return Container::xz;
      break;
    case 'B':
      if (begins(head, "BZh") && head[3] >= '1' && head[3] <= '9' && head.size() >= 10 &&
          (begins(head.subspan(4), "1AY&SY") || begins(head.subspan(4), "\x17\x72\x45\x38\x50\x90")))
        return Container::bzip2;
      break;
    case 0x04:
      if (begins(head, "\x04\x22\x4d\x18") && head.size() >= 7 && (head[4] & 0xc0) == 0x40) return Container::lz4;
      break;
    case 'L':
      if (begins(head, "LZIP\1") && head.size() >= 26) return Container::lzip;
      break;
    case 'J':
    case 'P':
      if (begins_zip(head)) return Container::zip;
      break;
    case '7':
      if (begins(head, {"7z\xbc\xaf\x27\x1c\0", 7}) && head.size() >= 32) return Container::seven_zip;
      break;
    case '!':
      if (begins_ar(head)) return Container::ar;
      break;
    case '0':
      if (begins_cpio(head)) return Container::cpio;
      break;
    case 0xed:
      if (begins(head, "\xed\xab\xee\xdb") && head.size() >= 96 && (head[4] == 3 || head[4] == 4))
        return Container::rpm;
      break;
    case 'R':
      if (begins(head, {"Rar!\x1a\x07\0", 7}) || begins(head, {"Rar!\x1a\x07\1\0", 8})) return Container::rar;
      break;
    case 'M':
      if (begins(head, {"MSCF\0\0\0\0", 8}) && head.size() >= 36) return Container::cab;
      break;
    case 'x':
      if (begins(head, {"xar!\0\x1c\0\1", 8})) return Container::xar;
      break;
    default:
      break;
  }
  if (head.size() >= 4 && head[0] >= 0x50 && head[0] <= 0x5f && begins(head.subspan(1), "\x2a\x4d\x18") &&
      head.size() >= 12) {
    // A skippable frame is a frame of zstd and of lz4 alike; what follows it decides.
    const std::uint64_t skipped = std::uint64_t{8} + little32(head.subspan(4));
    return skipped < head.size() ? container_of(head.subspan(static_cast<std::size_t>(skipped))) : Container::zstd;
  }
  if (begins_lha(head)) return Container::lha;
  if (looks_like_tar(head)) return Container::tar;
  return Container::none;
}

bool ends_as_zip(View end, std::uint64_t size) {
  if (size < 22 + 46 || end.size() < 22) return false;
  const std::size_t most = std::min(end.size(), zip_end_size);
  const View tail = end.last(most);
  for (std::size_t at = most - 22;; --at) {  // APPNOTE 4.3.16
    const View record = tail.subspan(at);
    if (record[0] == 'P' && begins(record, "PK\5\6") && little16(record.subspan(20)) == record.size() - 22) {
      const std::uint64_t table = little32(record.subspan(12)), before = end.size() - record.size();
      if (table < 46 || table > size - record.size()) return false;
      return table > before || begins(end.subspan(static_cast<std::size_t>(before - table)), "PK\1\2");
    }
    if (at == 0) return false;
  }
}

bool read_archive(View whole, Container kind, ArchiveVisitor& visitor) {
  Pass pass(kind, visitor);
  if (kind != Container::zip) return pass.run(make_reader(kind).get(), whole, nullptr, false);
  // A zip has two tables of contents, the central directory and the headers before each member, and readers differ in
  // which one they believe: what only the second one knows is looked at too.
  std::multiset<std::string> seen;
  const bool central = pass.run(make_reader(kind).get(), whole, &seen, false);
  if (!begins_zip(whole) || (central && !has_unlisted(whole))) return central;
  Reader streamed(archive_read_new());
  if (!streamed || archive_read_support_format_zip_streamable(streamed.get()) != ARCHIVE_OK)
    throw Error("libarchive cannot be started");
  const bool local = pass.run(streamed.get(), whole, &seen, central);
  return central || local;
}

std::unique_ptr<Source> unpack(Source& packed, Container kind) { return std::make_unique<Unpacked>(packed, kind); }

}  // namespace imgbuild

// Which format a stream is in. libarchive is lenient in finding formats and may run external programs for filters it
// was not built with; so we decide ourselves what a stream is, and then enable exactly that one reader.
#include "tar/container.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <string_view>

#include "base/numbers.hpp"
#include "tar/archive.hpp"
#include "tar/headed.hpp"
#include "tar/reader.hpp"

namespace imgbuild {
namespace {

bool begins(View head, std::string_view magic) { return text_of(head).starts_with(magic); }

/// Thirteen words of either byte order, of which the mode is of a kind that there is, and a name that ends.
bool begins_binary_cpio(View head) {
  constexpr std::size_t size = 26, longest_name = 1024;
  const auto order = binary_cpio_order(head);
  if (!order || head.size() < size) return false;
  const auto word = [&](std::size_t at) {
    return static_cast<std::size_t>(*order == std::endian::little ? little_endian(head, at, 2)
                                                                  : big_endian(head, at, 2));
  };
  const std::size_t kind = word(6) >> 12, name = word(20);
  constexpr std::string_view kinds("\1\2\4\6\10\12\14", 7);  // of inode(7)
  return kinds.find(static_cast<char>(kind)) != std::string_view::npos && name > 1 && name <= longest_name &&
         head.size() >= size + name && head[size + name - 1] == 0 && head[size] != 0;
}

bool begins_cpio(View head) {
  if (begins(head, "070701") || begins(head, "070702") || begins(head, "070707")) {
    const std::size_t size = head[5] == '7' ? 76 : 110;
    return head.size() >= size &&
           std::all_of(head.begin() + 6, head.begin() + static_cast<std::ptrdiff_t>(size), [](std::uint8_t c) {
             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
  }
  return begins_binary_cpio(head);
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

/// A coder's properties, a dictionary size that encoders write, a size that is said or not, and the range coder's first
/// byte, which is 0 always (the format of `lzma` and of `xz --format=lzma`, which has no magic number).
bool begins_lzma(View head) {
  if (head.size() < 18 || head[0] != 0x5d || head[13] != 0) return false;
  const std::uint64_t dictionary = little_endian(head, 1, 4), high = little_endian(head, 9, 4);
  const auto is_power = [](std::uint64_t size) { return size >= 4096 && (size & (size - 1)) == 0; };
  const bool known = dictionary == UINT32_MAX || is_power(dictionary) || is_power(dictionary / 3 * 2);
  return known && (high < 64 || (high == UINT32_MAX && little_endian(head, 5, 4) == UINT32_MAX));
}

/// Python's header (PEP 552) is of 16 bytes since 3.7, of 12 since 3.3, of 8 before; a code object follows.
bool begins_python_code(View head) {
  if (head.size() < 24 || head[2] != '\r' || head[3] != '\n') return false;
  const auto is_code = [&](std::size_t at) { return (head[at] & 0x7f) == 'c'; };
  return (is_code(16) && little_endian(head, 4, 4) <= 3) || is_code(12) || is_code(8);
}

/// Pages of a database that have changed, each behind a header of 24 bytes (SQLite, "WAL-mode File Format").
bool begins_sqlite_log(View head) {
  const std::uint64_t page = big_endian(head, 8, 4);
  return (big_endian(head, 0, 4) | 1) == 0x377f0683 && big_endian(head, 4, 4) == 3007000 && page >= 512 &&
         page <= 65536 && (page & (page - 1)) == 0;
}

/// A main header with its checksum (arj's technote.txt).
bool begins_arj(View head) {
  if (head.size() < 40 || head[1] != 0xea || head[10] != 2) return false;
  constexpr std::uint32_t least = 30, most = 2600;
  const std::uint64_t size = little_endian(head, 2, 2);
  return size >= least && size <= most && head.size() >= size + 8 &&
         crc32_gzip_refl(0, head.data() + 4, size) == little_endian(head, 4 + size, 4);
}

/// Whose files are packed: where they lie as they are, its bytes say everything (Linux, fs/erofs/erofs_fs.h).
bool begins_erofs(View head) {
  constexpr std::size_t at = 1024;
  constexpr std::uint32_t packing = 0x1 | 0x2 | 0x10 | 0x20;
  return head.size() >= at + 128 && begins(head.subspan(at), "\xe2\xe1\xf5\xe0") &&
         (little_endian(head, at + 80, 4) & packing) != 0;
}

/// Formats that nobody here reads, by magic numbers too long to be anything else at a file's beginning.
Container closed_by(View head) {
  const auto if_so = [](bool is, Container kind) { return is ? kind : Container::none; };
  switch (head[0]) {
    case 0x89:
      return if_so(begins(head, {"\x89LZO\0\r\n\x1a\n", 9}), Container::lzop);
    case 'L':  // then a minor version
      return if_so(begins(head, {"LRZI\0", 5}), Container::lrzip);
    case '7':
      return if_so(begins(head, "7kSt\xa0\x31\x83\xd3\x8c\xb2\x28\xb0\xd3"), Container::zpaq);
    case 'z':
      return if_so(begins(head, "zPQ\1\1") || begins(head, "zPQ\2\1"), Container::zpaq);
    case 'Z':
      return if_so(head.size() >= 24 && begins(head, "ZOO ") && begins(head.subspan(20), "\xdc\xa7\xc4\xfd"),
                   Container::zoo);
    case 'M':  // and a flag: packed
      return if_so(head.size() >= 208 && begins(head, {"MSWIM\0\0\0", 8}) && (head[16] & 2) != 0, Container::wim);
    case '`':
      return if_so(begins_arj(head), Container::arj);
    default:
      return if_so(begins_erofs(head), Container::erofs);
  }
}

bool begins_iso9660(View head) {
  constexpr std::size_t at = 0x8000;  // ECMA-119 section 8.1: after sixteen sectors
  return head.size() >= at + 6 && head[at] <= 3 && begins(head.subspan(at + 1), "CD001");
}

}  // namespace

const char* name_of(Container kind) {
  static constexpr const char* names[] = {
      "raw",        "tar",           "ar",          "gzip",    "zlib",   "zstd",     "xz",     "lzma",     "bzip2",
      "lzip",       "lz4",           "compress",    "deflate", "brotli", "snappy",   "xerial", "svndiff",  "NSIS",
      "OpenPGP",    "mozLz4",        "OSTree file", "phar",    "zip",    "7z",       "cpio",   "rpm",      "rar",
      "cab",        "xar",           "lha",         "iso9660", "warc",   "squashfs", "qcow2",  "git pack", "SQLite",
      "SQLite log", "Java class",    "Python code", "lzop",    "lrzip",  "zpaq",     "arj",    "zoo",      "wim",
      "erofs",      "encrypted file"};
  return names[static_cast<int>(kind)];
}

/// A local file header (APPNOTE 4.3.7) that makes sense, or the end record of an empty archive.
bool begins_zip(View head) {
  if (begins(head, {"PK\5\6\0\0\0\0", 8})) return head.size() >= 22;
  // A part of a split archive that is none, and Java's jmod files, have four bytes before it.
  if (begins(head, "PK00PK\3\4") || begins(head, {"JM\1\0PK\3\4", 8})) head = head.subspan(4);
  if (!begins(head, "PK\3\4") || head.size() < 30) return false;
  const std::uint64_t version = head[4], method = little_endian(head, 8, 2), name = little_endian(head, 26, 2);
  return version <= 63 && (method <= 20 || (method >= 93 && method <= 99)) && name > 0 && name < 4096;
}

Container container_of(View head) {
  if (head.size() < 4) return Container::none;
  switch (head[0]) {
    case 0:
      if (ostree_content(head)) return Container::ostree_file;
      break;
    case '_':
      if (phar_manifest(head)) return Container::phar;
      break;
    case 'm':
      if (begins(head, {"mozLz40\0", 8}) && head.size() > 12) return Container::mozlz4;
      break;
    case 0x5d:
      if (begins_lzma(head)) return Container::lzma;
      break;
    case 0xca:  // a fat Mach-O begins the same, with a small number
      if (begins(head, "\xca\xfe\xba\xbe") && head.size() >= 24 && head[6] == 0 && head[7] >= 45)
        return Container::java_class;
      break;
    case 'S':
      if (begins(head, {"SQLite format 3\0", 16}) && head.size() >= 100) return Container::sqlite;
      break;
    case '7':
      if (begins(head, {"7z\xbc\xaf\x27\x1c\0", 7}) && head.size() >= 32) return Container::seven_zip;
      if (begins_sqlite_log(head)) return Container::sqlite_log;
      break;
    case 'W':
      if (begins(head, "WARC/1.") || begins(head, "WARC/0.1")) return Container::warc;
      break;
    case 'h':
      if (begins(head, "hsqs") && head.size() >= 96 && head[28] == 4 && head[29] == 0) return Container::squashfs;
      break;
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
    case 0x02: {  // the legacy format: a first block that is no larger than 8 MiB can become
      constexpr std::uint32_t most = (8u << 20) + (8u << 20) / 255 + 16;
      const std::uint64_t block = head.size() >= 8 ? little_endian(head, 4, 4) : 0;
      if (begins(head, "\x02\x21\x4c\x18") && block > 0 && block <= most) return Container::lz4;
      break;
    }
    case 0x04:
      if (begins(head, "\x04\x22\x4d\x18") && head.size() >= 7 && (head[4] & 0xc0) == 0x40) return Container::lz4;
      break;
    case 'L':
      if (begins(head, "LZIP\1") && head.size() >= 26) return Container::lzip;
      break;
    case 'J':
    case 'P':
      if (begins_zip(head)) return Container::zip;
      if (begins(head, {"PACK\0\0\0", 7}) && head.size() >= 32 && (head[7] == 2 || head[7] == 3))
        return Container::git_pack;
      break;
    case '!':
      if (begins_ar(head)) return Container::ar;
      break;
    case '0':
    case 0x71:
    case 0xc7:
      if (begins_cpio(head)) return Container::cpio;
      break;
    case 0xed:
      if (begins(head, "\xed\xab\xee\xdb") && head.size() >= 96 && (head[4] == 3 || head[4] == 4))
        return Container::rpm;
      break;
    case 'Q':
      if (begins(head, {"QFI\xfb\0\0\0", 7}) && head.size() >= 72 && head[7] >= 1 && head[7] <= 3)
        return Container::qcow2;
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
    const std::uint64_t skipped = 8 + little_endian(head, 4, 4);
    return skipped < head.size() ? container_of(head.subspan(static_cast<std::size_t>(skipped))) : Container::zstd;
  }
  if (begins_lha(head)) return Container::lha;
  if (begins_python_code(head)) return Container::python_code;
  if (looks_like_tar(head)) return Container::tar;
  if (begins_iso9660(head)) return Container::iso9660;
  return closed_by(head);
}

bool may_be_zlib(View head) {
  return head.size() >= 8 && (head[0] & 0x0f) == 8 && head[0] <= 0x78 && (head[1] & 0x20) == 0 &&
         (head[0] * 256 + head[1]) % 31 == 0;
}

bool ends_as_zip(View end, std::uint64_t size) {
  if (size < 22 + 46 || end.size() < 22) return false;
  const std::size_t most = std::min(end.size(), zip_end_size);
  const View tail = end.last(most);
  for (std::size_t at = most - 22;; --at) {  // APPNOTE 4.3.16
    const View record = tail.subspan(at);
    if (record[0] == 'P' && begins(record, "PK\5\6") && little_endian(record, 20, 2) == record.size() - 22) {
      const std::uint64_t table = little_endian(record, 12, 4), before = end.size() - record.size();
      if (table < 46 || table > size - record.size()) return false;
      return table > before || begins(end.subspan(static_cast<std::size_t>(before - table)), "PK\1\2");
    }
    if (at == 0) return false;
  }
}

}  // namespace imgbuild

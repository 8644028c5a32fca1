#pragma once
#include <cstdint>

#include "base/bytes.hpp"

namespace imgbuild {

/// What the first bytes of a stream say it is. `none`: nothing that is opened.
enum class Container {
  none,
  // Members that lie in it as they are: TarReader, ArReader.
  tar,
  ar,
  // A stream that packs one other: Inflater, unpack().
  gzip,
  zlib,
  zstd,
  xz,
  lzma,
  bzip2,
  lzip,
  lz4,
  compress,
  deflate,
  brotli,
  // A row of packed blocks, in the midst of anything: BlockFile::stream().
  snappy,
  xerial,
  svndiff,
  nsis,
  // One behind a header: read_openpgp(), read_mozlz4(), ostree_content(), read_phar().
  openpgp,
  mozlz4,
  ostree_file,
  phar,
  // Archives: read_archive(), read_squashfs().
  zip,
  seven_zip,
  cpio,
  rpm,
  rar,
  cab,
  xar,
  lha,
  iso9660,
  warc,
  squashfs,
  // A disk: read_qcow2().
  qcow2,
  // What other rooms open.
  git_pack,
  sqlite,
  sqlite_log,
  java_class,
  python_code,
  // Packed, and opened by nobody: is_closed().
  lzop,
  lrzip,
  zpaq,
  arj,
  zoo,
  wim,
  erofs,
  // Encrypted as a whole, as it says of itself: is_sealed().
  sealed
};
const char* name_of(Container kind);

/// Is it known, but has no reader?
constexpr bool is_closed(Container kind) { return kind >= Container::lzop; }

/// How many first bytes container_of() wants: a disc's name stands behind 32 KiB.
constexpr std::size_t container_head_size = 0x8006;

/// Judges by content, never by name, and by more than a magic number: the header must make sense as that format, so
/// that what fails later is damaged, not mistaken. container_head_size bytes are wanted; fewer only where the stream is
/// shorter (with 512, all but iso9660 is known). Never `zlib`, `deflate`, `brotli`, `openpgp` and `sealed`, whose first
/// bytes say too little, and no row of blocks.
Container container_of(View head);

/// Could a zlib stream begin like this (RFC 1950)?
bool may_be_zlib(View head);

/// How many last bytes of a stream ends_as_zip() wants: an end record and a comment of up to 1 KiB.
constexpr std::size_t zip_end_size = 22 + 1024;

/// Do these last bytes of a stream of `size` bytes end a zip archive? (a program with a zip behind it) Where they hold
/// the table of contents too, it is checked.
bool ends_as_zip(View end, std::uint64_t size);

/// A local file header (APPNOTE 4.3.7) that makes sense, or the end record of an empty archive.
bool begins_zip(View head);

}  // namespace imgbuild

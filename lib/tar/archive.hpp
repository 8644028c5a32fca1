#pragma once
#include <bit>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/whole.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {

/// What an archive that needs its whole content at hand holds. Any method may throw to stop the reading.
class ArchiveVisitor {
 public:
  virtual ~ArchiveVisitor() = default;
  /// A member begins; `link` is empty but for links.
  virtual void member(const std::string& path, const std::string& link) = 0;
  virtual void data(View piece) = 0;  ///< valid until the next call
  virtual void end_member() = 0;
  /// The member (or, where none is open, the archive from here on) cannot be read: "encrypted", "damaged zip archive".
  virtual void unreadable(const std::string& why) = 0;
  /// A piece of the table of all members' extended attributes, where the archive has one: keys, values, and what tells
  /// how long they are. Behind the members.
  virtual void attributes(View /*piece*/) {}
  /// No member and no table of contents has the bytes from `begin` to `end`: a program before a zip, what follows an
  /// archive's end. As far as its format tells; behind the members.
  virtual void outside(std::uint64_t /*begin*/, std::uint64_t /*end*/) {}
};

/// Opens zip, 7z, cpio, rar, cab, xar, lha, iso9660 and warc with libarchive, squashfs with libsquashfs;
/// formats are enabled one by one, no external program is ever run. What cannot be read goes to unreadable(), not into
/// an exception. False where not even a first member could be read: then nothing was shown.
bool read_archive(const Whole& whole, Container kind, ArchiveVisitor& visitor);
bool read_archive(View whole, Container kind, ArchiveVisitor& visitor);

/// The clusters of a qcow2 disk image, in the disk's order, without those that were never written. Throws Error, in
/// next() too: "encrypted". The file must outlive it.
std::unique_ptr<Source> read_qcow2(const Whole& file);

/// How far the headers of a cpio archive follow each other and make sense: to behind its trailer, where it has one.
struct CpioExtent {
  std::uint64_t end = 0;
  bool trailer = false;
};
CpioExtent extent_of_cpio(const Whole& whole);

/// The byte order of a cpio archive in its first, binary format, which `cpio -o` still writes (FreeBSD's cpio(5), "Old
/// Binary Format"), by its magic number.
std::optional<std::endian> binary_cpio_order(View head);

/// Where an rpm package's payload, a packed cpio archive, begins: behind its lead and two headers (rpm's "Package
/// format"). nullopt: they make no sense.
std::optional<std::uint64_t> rpm_payload(const Whole& whole);

/// What one of the packed streams unpacks to: what Inflater knows, and compress (.Z). Throws Error "damaged xz
/// stream". The packed source must outlive it.
std::unique_ptr<Source> unpack(Source& packed, Container kind);

/// Bytes in memory as a source. They must outlive it.
class ViewSource : public Source {
 public:
  explicit ViewSource(View bytes) : left_(bytes) {}
  View next() override {
    const View piece = left_.first(std::min<std::size_t>(left_.size(), std::size_t{1} << 20));
    left_ = left_.subspan(piece.size());
    return piece;
  }
  bool stable() const override { return true; }

 private:
  View left_;
};

}  // namespace imgbuild

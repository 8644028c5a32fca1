#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// One member of a tar archive, as the archive says it. Strings are the archive's own bytes.
struct TarEntry {
  enum class Type { file, hard_link, symlink, character, block, directory, fifo, other };
  Type type = Type::file;
  std::string path;        ///< without a leading "./" or '/'; as written otherwise (".." stays)
  std::string link;        ///< target of a link, as written
  std::uint64_t size = 0;  ///< bytes of data that follow
  std::uint32_t mode = 0;
  std::uint64_t uid = 0, gid = 0;
  std::int64_t mtime = 0;
  std::string user, group;
  std::vector<std::pair<std::string, std::string>> xattrs;  ///< of SCHILY.xattr.* (and LIBARCHIVE.xattr.*, decoded)
  std::vector<std::pair<std::string, std::string>> pax;     ///< every other extended record, local and global
  std::uint32_t device_major = 0, device_minor = 0;         ///< of a device
  bool sparse = false;  ///< GNU's: the data are those pieces of the file that are no holes, and where they belong
};

/// What a tar stream holds, in the order of its bytes: nothing between its first byte and its last goes unseen.
/// Any method may throw to stop the reading.
class TarVisitor {
 public:
  virtual ~TarVisitor() = default;
  /// A member begins.
  virtual void entry(const TarEntry& entry) = 0;
  /// A piece of its data; none for an empty one. Valid until the next call, or as the source is stable().
  virtual void data(View piece) = 0;
  /// The member's data are complete.
  virtual void end_entry() = 0;
  /// Bytes that belong to no member and are not zero: header fields that nothing reads, padding, and all that follows
  /// the end-of-archive mark (two zero blocks). `what`: "header", "padding", "tail". A header's come before its
  /// entry().
  virtual void stray(View piece, const char* what) = 0;
};

/// Reads a tar stream (POSIX ustar and pax, GNU long names and sparse files, v7): our own reader, because an audit must
/// account for every byte, which a lenient library hides (padding, unknown extended records, the tail).
/// Sparse files are shown as stored; links, devices and folders have no data, whatever their size field says (as Go's
/// reader, and so Docker, sees them). A global extended header is shown as an entry of type `other`.
/// Throws Error "truncated archive", "damaged header at byte N"
/// after everything before it has been shown. Returns when the source has ended.
void read_tar(Source& source, TarVisitor& visitor);

/// The same for bytes that are pushed. What it shows does not depend on where the pieces are cut, but for the cuts of
/// data() and stray(). Data are shown as views into the fed piece, never copied. One thread at a time.
class TarReader {
 public:
  explicit TarReader(TarVisitor& visitor);
  ~TarReader();
  void feed(View piece);
  /// After an Error: how many bytes were read, and those of them that it lies in, a header's, which nobody was shown.
  std::uint64_t position() const;
  View unread() const;
  /// The end of the stream. Throws Error "truncated archive". Once.
  void finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// Do these first bytes of a stream (512 wanted) begin a tar archive? (a valid header checksum)
bool looks_like_tar(View head);

inline void read_tar(Source& source, TarVisitor& visitor) {
  TarReader reader(visitor);
  for (View piece = source.next(); !piece.empty(); piece = source.next()) reader.feed(piece);
  reader.finish();
}

}  // namespace imgbuild

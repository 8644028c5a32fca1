#pragma once
#include <memory>
#include <optional>

#include "audit/brotli.hpp"
#include "audit/embedded.hpp"
#include "audit/narrowed.hpp"
#include "audit/sightings.hpp"
#include "base/byte_store.hpp"
#include "base/fd.hpp"
#include "tar/archive.hpp"

namespace imgbuild {

/// How much of a file is gathered before it is cut into parts, and how large a part is.
constexpr std::size_t part_size = std::size_t{1} << 20;

/// Bytes of a packed image member that must be at hand whole.
class ContentSpool {
 public:
  void append(const Piece& piece) { store_.append(piece.bytes); }  ///< throws Error where there is no room
  /// All of it, for the life of the spool.
  View whole();

 private:
  ByteStore store_;
  Mapping mapping_;
};

/// Scans one long stream in parts that threads look at side by side; finds what Scanner::scan would find in the whole.
class Cutter {
 public:
  Cutter(const Desk& desk, Where where);
  ~Cutter();
  void feed(const Piece& piece);
  void finish();

 private:
  struct Parts;
  void cut(std::size_t home, bool last);
  const Desk& desk_;
  std::shared_ptr<Parts> parts_;
  Run run_;
  std::uint64_t run_begin_ = 0;   ///< stream position of run_'s first byte
  std::uint64_t home_begin_ = 0;  ///< of the next part's home
};

/// Looks at one stream of content: the bytes themselves and, where they are a container, what is in it, to depth 8.
/// A container is known by its content. What cannot be opened ends as a gap in the record, never in silence. One
/// thread.
class ContentReader {
 public:
  static constexpr int most_depth = 8;

  ContentReader(const Desk& desk, Where where);
  /// Of content that lies together in memory for the reader's life, and is known to be that. Only stable memory is ever
  /// released.
  ContentReader(const Desk& desk, Where where, const Piece& whole, Container known);
  ~ContentReader();
  /// Somebody else will open the zip that the content may end as. Before the first feed().
  void leave_zip() { zip_is_left_ = true; }
  void feed(const Piece& piece);
  void finish();

 private:
  class Members;
  void decide();
  void pass(const Piece& piece);
  void keep_end(View bytes);
  void keep_zip(View bytes);
  void open_whole();
  void open_zip_behind();
  void fail(const std::string& why);
  void look_behind_cpio(const Whole& whole);
  void look_behind(const Whole& whole, std::uint64_t from);
  void look_outside(const Whole& whole, std::uint64_t begin, std::uint64_t end);
  template <class Work>
  void guarded(Work work);
  template <class Work>
  void within(Work work);

  const Desk& desk_;
  Where where_;
  const Container known_;
  Bytes head_, end_;
  bool decided_ = false, zip_is_left_ = false;
  Container kind_ = Container::none;
  std::uint64_t size_ = 0;
  std::optional<Cutter> raw_;
  std::optional<Narrowed> narrowed_;  ///< of UTF-16 and UTF-32
  std::optional<Embedded> embedded_;  ///< of what is no container, or one of values
  std::unique_ptr<BrotliFile> brotli_;
  std::unique_ptr<class Blocks> blocks_;
  std::unique_ptr<ContentReader> behind_;  ///< of what follows a packed stream
  std::string why_not_;                    ///< why the container could not be read to its end
  const View whole_;
  const bool stable_ = false;  ///< whole_: mapped, and not a copy
  std::optional<Sha256> sha_;  ///< of a container: an allow-entry names it by that
  std::unique_ptr<Members> members_;
  std::optional<ByteStore> store_;  ///< of what must be opened whole
  std::uint64_t zip_begin_ = 0;     ///< of content that is none: where store_, perhaps a zip, begins
};

/// Is this looked at as it streams by, without its whole at hand?
bool is_streamed(Container kind);

/// Feeds a reader all of a Whole from a position on, without its end.
void feed_whole(const Desk& desk, ContentReader& reader, const Whole& whole, std::uint64_t from = 0);

/// Looks at content that lies together in memory, in this thread.
void look_at_whole(const Desk& desk, Where where, const Piece& whole);

}  // namespace imgbuild

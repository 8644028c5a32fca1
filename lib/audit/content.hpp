#pragma once
#include <memory>
#include <optional>

#include "audit/sightings.hpp"
#include "base/fd.hpp"
#include "tar/archive.hpp"

namespace imgbuild {

/// How much of a file is gathered before it is cut into parts, and how large a part is.
constexpr std::size_t part_size = std::size_t{1} << 20;

/// Bytes that must be at hand whole: as views where they last, else in memory up to 8 MiB, then in a file without a
/// name.
class ContentSpool {
 public:
  void append(const Piece& piece);  ///< throws Error where it grows over 2 GiB
  /// All of it, for the life of the spool.
  View whole();

 private:
  Run run_;
  Fd file_;
  Mapping mapping_;
  std::uint64_t size_ = 0;
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
  /// Of content that lies together in memory for the reader's life, and is known to be that.
  ContentReader(const Desk& desk, Where where, View whole, Container known);
  ~ContentReader();
  void feed(const Piece& piece);
  /// `zip_is_opened`: somebody else opens the zip that the content ends as.
  void finish(bool zip_is_opened = false);

 private:
  class Members;
  void decide();
  void pass(const Piece& piece);
  void keep_end(View bytes);
  void open_whole();
  void fail(const std::string& why);
  template <class Work>
  void guarded(Work work);

  const Desk& desk_;
  Where where_;
  const Container known_;
  Bytes head_, end_;
  bool decided_ = false;
  Container kind_ = Container::none;
  std::uint64_t size_ = 0;
  std::optional<Cutter> raw_;
  std::string why_not_;  ///< why the container could not be read to its end
  const View whole_;
  std::optional<Sha256> sha_;  ///< of a container: an allow-entry names it by that
  std::unique_ptr<Members> members_;
  std::optional<ContentSpool> spool_;
};

/// Is this looked at as it streams by, without its whole at hand?
bool is_streamed(Container kind);

/// Looks at content that lies together in memory, in this thread.
void look_at_whole(const Desk& desk, Where where, const Piece& whole);

}  // namespace imgbuild

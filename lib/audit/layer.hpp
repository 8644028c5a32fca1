#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/content.hpp"
#include "audit/life_cycle.hpp"
#include "audit/sightings.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// A second name of a file that stands in this layer or an earlier one.
struct HardLink {
  std::uint64_t entry = 0;
  std::string path, target;
};

/// One member of an image archive after it was read: a layer, a JSON document, or something else. What was found in it
/// is in `record` once the pool is drained.
struct MemberRecord {
  enum class Type { layer, document, other };
  Type type = Type::other;
  std::string name;          ///< in the archive
  std::string link;          ///< of a link: the member that it stands for; nothing else is set then
  std::string digest;        ///< "sha256:..." of the bytes as stored
  std::uint64_t stored = 0;  ///< bytes as stored
  std::uint64_t bytes = 0;   ///< of a layer: uncompressed
  std::string diff_id;       ///< of a layer: "sha256:..." of the uncompressed tar
  std::string failure;       ///< of a layer: why it could not be read to its end
  std::string text;          ///< of a document
  Location::Kind kind = Location::Kind::annotation;  ///< what is found in it is, where it is no layer of an image
  Sightings record;
  PathIndex index;                                             ///< of a layer: all its entries
  std::vector<HardLink> hard_links;                            ///< of a layer
  std::vector<std::pair<std::string, std::uint64_t>> largest;  ///< of a layer: its largest files, path and bytes
  bool cached = false;                                         ///< of a layer: from a record, not read in this run
};

/// Looks at a layer's uncompressed tar as it streams by. Small files are gathered and looked at together by one task,
/// large ones in parts. One thread; the looking is done by the desk's pool.
class LayerReader : private TarVisitor {
 public:
  LayerReader(const Desk& desk, MemberRecord& member);
  ~LayerReader() override;
  /// The piece's memory must last. What stands behind a damage is looked at as bytes outside every member.
  void feed(const Piece& piece);
  /// Throws Error where the tar was damaged or cut.
  void finish();

  /// The same for what comes entry by entry and not as a tar: begin_entry(), its content, end_entry(); at the end
  /// finish_entries() in place of finish().
  void begin_entry(const TarEntry& entry) { this->entry(entry); }
  void content(const Piece& piece);
  void end_entry() override;
  void finish_entries();

 private:
  struct Batch;
  void entry(const TarEntry& entry) override;
  void data(View piece) override;
  void stray(View piece, const char* what) override;
  void look_at_tail(const Piece& piece);
  Where where(Location::Kind kind) const;
  void stream(const Piece& piece);
  void decide_large();
  void note_large(const TarEntry& entry);
  void look_in_place();
  void flush();

  const Desk& desk_;
  MemberRecord& member_;
  TarReader tar_;
  Texts texts_;
  std::optional<Error> damage_;
  const Piece* current_ = nullptr;
  TarEntry entry_;
  std::uint64_t ordinal_ = 0;
  std::string header_strays_;  ///< of the headers before the next entry
  enum class Way { none, gathered, undecided, streamed, in_place } way_ = Way::none;
  Run gathered_;                            ///< content of the file so far, or its head
  std::uint64_t came_ = 0;                  ///< bytes of the file so far: of a layer that is cut, fewer than its size
  const std::uint8_t* in_place_ = nullptr;  ///< where a large file's content lies, in memory that lasts
  std::optional<ContentReader> look_;
  std::optional<ContentReader> tail_;
  std::optional<ContentSpool> packages_;  ///< of a package record that streams by
  std::shared_ptr<Batch> batch_;
};

}  // namespace imgbuild

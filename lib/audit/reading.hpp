#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "audit/document_cache.hpp"
#include "audit/layer_cache.hpp"
#include "audit/member.hpp"
#include "audit/outline.hpp"

namespace imgbuild {

/// What all targets of one command share: the threads, the memory, and the layers that were read already.
class Workshop {
 public:
  explicit Workshop(const AuditOptions& options);
  const AuditOptions& options() const { return options_; }
  Pool& pool() { return pool_; }
  Buffers& buffers() { return buffers_; }

  /// The layer whose bytes, as we read them now or in an earlier run, have this digest; null: none has been read. Where
  /// a build's secrets are looked for, earlier runs do not count: they did not. Any thread.
  Member known(const std::string& digest);
  /// The same, earlier runs included whatever is looked for.
  Member known_before(const std::string& digest);
  /// All looking is done: layers that were read join the cache.
  void remember(const Member& layer);
  /// The same for a document: `clean` where nothing was found in it.
  void remember(const std::string& digest, const std::string& text, bool clean);
  /// Auditor::remembered.
  std::optional<std::string> remembered(const std::string& digest) const;
  /// From now on it may be known. Only what was read whole; only layers: where else something was found is told by the
  /// name that it had. `identity`: of the file that it came from (ImageStore::Blob).
  void keep(const Member& member, const std::string& identity = {});
  /// Has this very file been read, and had that digest?
  bool same_file(const std::string& identity, const std::string& digest);

 private:
  const AuditOptions options_;
  const std::unique_ptr<LayerCache> cache_;
  const std::unique_ptr<DocumentCache> documents_;
  Buffers buffers_;
  std::mutex mutex_;
  std::map<std::string, Member> known_;
  std::set<std::pair<std::string, std::string>> files_;
  Pool pool_;  // last: its tasks end before what they use goes
};

/// One target, from its first byte to its verdicts. Where it is given up half-way, its tasks end with it.
class Reading {
 public:
  /// `mapped`: what it reads in memory that lasts is a mapped file, whose pages may be given back.
  Reading(Workshop& workshop, std::string source, bool mapped);
  ~Reading();
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  Workshop& workshop() { return workshop_; }
  const Desk& desk() const { return desk_; }
  Pool& pool() { return workshop_.pool(); }
  void progress(std::uint64_t bytes);

  /// What of the target belongs to no member: names, strays.
  MemberRecord& outside() { return *outside_; }

  /// Keeps a record until nothing looks at what belongs to it any more. Any thread.
  void hold(const Member& member);

  /// All of its images are damaged. One thread, as is_damaged().
  void damaged(NotScanned damage) { damage_.push_back(std::move(damage)); }
  bool is_damaged() const { return !damage_.empty(); }

  /// Reads bytes that are mapped, or that a source brings: where the latter fails, what came is looked at, and the
  /// member says so. Any thread.
  Member read(const std::string& name, View mapped, Location::Kind kind = Location::Kind::annotation);
  Member read(const std::string& name, Source& source, Location::Kind kind = Location::Kind::annotation);

  /// One image, and what is told with it.
  struct Subject {
    Outline outline;
    std::vector<Member> beside;  ///< of no image in particular, or of this one
  };
  /// Looks at what is left to look at (documents, configs), waits for all looking, and decides.
  std::vector<Audit> decide(std::vector<Subject> subjects);

 private:
  Workshop& workshop_;
  AuditOptions options_;
  Desk desk_;
  Member outside_;
  std::mutex mutex_;
  std::vector<Member> held_;
  std::vector<NotScanned> damage_;
};

/// A source's bytes in pieces that last until they have been looked at: as they are, where the source says so, else
/// copied into buffers.
void lasting_pieces(Source& source, Buffers& buffers, const std::function<void(const Piece&)>& take);

/// Calls work(0) ... work(count - 1) from a few threads that wait for a disk or a network, until one returns false;
/// then throws Interrupted where an interrupt is pending. `work` throws nothing.
void side_by_side(std::size_t count, const std::function<bool(std::size_t)>& work);

/// The images of a store: their blobs read side by side, none twice. `beside`: what stands beside them. `from_cache`:
/// Auditor::images.
std::vector<Audit> read_images(Reading& reading, ImageStore& store, const Choice& choice, std::vector<Member> beside,
                               std::size_t from_cache = 0);

/// The first of subjects_of that blobs belong to to which nothing leads: where a manifest cannot be read, they may well
/// be its image's.
std::size_t first_with_orphans(const ImageSet& set);

/// Each image with what goes with it: attestations with the image that they describe, or with all.
std::vector<Reading::Subject> subjects_of(const ImageSet& set, const Lookup& lookup, const std::vector<Member>& beside);

/// An engine's image (Auditor::stored).
std::optional<Audit> read_stored(Reading& reading, const ImageConfig& config, const LayerOpener& open,
                                 std::size_t from_cache);

/// An unpacked root.
Audit read_tree(Reading& reading, const std::string& path);

/// A document of the store as a member.
Member document_member(const Document& document);

/// An archive of whatever order; `layout`: only its index.json says what its images are.
std::vector<Audit> read_archive_stream(Reading& reading, Source& archive, const Choice& choice, bool layout);
std::vector<Audit> read_archive_file(Workshop& workshop, const std::string& source, const std::string& path,
                                     const Choice& choice, bool layout);

}  // namespace imgbuild

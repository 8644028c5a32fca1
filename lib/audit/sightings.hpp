#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "audit/packages.hpp"
#include "audit/piece.hpp"
#include "audit/pool.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// Nested content went over a limit: nothing more of the outermost file is opened.
class Limit : public Error {
 public:
  using Error::Error;
};

/// How much may come out of one file of a layer, all levels together. Any thread.
class Budget {
 public:
  explicit Budget(std::uint64_t file_bytes);
  void take_bytes(std::uint64_t count);  ///< throws Limit
  void take_member();                    ///< throws Limit
  void take_gap();                       ///< throws Limit

 private:
  const std::uint64_t most_bytes_;
  std::atomic<std::uint64_t> bytes_{0}, members_{0}, gaps_{0};
};

/// Where a hit was, before anybody knows which layer of which image it is.
struct Sighting {
  Location::Kind kind = Location::Kind::file;
  std::uint64_t entry = 0;  ///< ordinal of the layer's entry
  std::string path;
  std::vector<std::string> inside;
  bool whole_document = false;  ///< in the text of a JSON document, not in one of its strings
  std::string sha256;           ///< of the content it is in, else of the outermost container; empty: neither lay whole
  Hit hit;                      ///< its `decoded` names all encodings
};

/// A public key that the image keeps as somebody's permission to log in.
struct PublicKey {
  std::string fingerprint;
  std::string place;  ///< "home/app/.ssh/authorized_keys:1"
};

/// What was found in one member of the archive. Threads add to it side by side; the order says nothing.
class Sightings {
 public:
  void add(Sighting sighting);
  void add(NotScanned gap);
  void add(PublicKey key);
  void opened_archive() { ++archives_; }
  void opened_git_object() { ++git_objects_; }
  void opened(std::uint64_t archives, std::uint64_t git_objects) {
    archives_ += archives;
    git_objects_ += git_objects;
  }

  /// To be read when all work is done.
  std::vector<Sighting> found;
  std::vector<NotScanned> gaps;
  std::vector<PublicKey> keys;
  PackageRecords packages;
  std::uint64_t archives() const { return archives_; }
  std::uint64_t git_objects() const { return git_objects_; }

 private:
  std::mutex mutex_;
  std::atomic<std::uint64_t> archives_{0}, git_objects_{0};
};

/// A container that lies in memory whole: hashed only where something is found in it. Any thread.
class WholeFile {
 public:
  explicit WholeFile(Piece content) : content_(std::move(content)) {}
  const std::string& sha256() const;

 private:
  const Piece content_;
  mutable std::once_flag once_;
  mutable std::string sha256_;
};

/// A thing with content, or a text about it: what a sighting will say.
struct Where {
  Sightings* record = nullptr;
  Location::Kind kind = Location::Kind::file;
  std::uint64_t entry = 0;
  std::string path;
  std::vector<std::string> inside, decoded;
  bool whole_document = false;
  int depth = 0;
  Scanner::Matter matter = Scanner::Matter::plain;
  bool guessed = false;            ///< within what only seems to be packed (Embedded): that it breaks off is no gap
  std::shared_ptr<Budget> budget;  ///< of nested content
  std::shared_ptr<const WholeFile> container;  ///< the outermost; null: none, or it is not held whole

  const std::string& name() const { return inside.empty() ? path : inside.back(); }
  std::string full_path() const;  ///< "srv/a.tar!b.zip"
  /// `sha256`: of the content; empty where that is not at hand whole.
  void add(Hit hit, std::string sha256 = {}) const;
  void add_gap(std::string why, std::uint64_t bytes, std::string sha256) const;
};

/// What all who look share. Outlives the pool's tasks.
struct Desk {
  const Scanner& scanner;
  const ValueMatcher* values;
  Vault* found;
  Pool& pool;
  Buffers& buffers;
  std::function<void(View)> release;  ///< of stable memory that need not be resident any more; may be empty

  Scanner::Subject subject(const std::string& path, Scanner::Matter matter = {}) const {
    return {path, values, found, matter};
  }
  /// Scans the whole content of a thing, here and now.
  void scan(View content, const Where& where) const;
};

/// Short texts about things: names, link targets, attributes, stray bytes. Gathered, and scanned together, far enough
/// apart that none is in another's context. One thread at a time.
class Texts {
 public:
  explicit Texts(const Desk& desk) : desk_(desk) {}
  /// `where.kind` says what the text is; of a `name`, the rules that know names are asked as well.
  void add(const Where& where, std::string_view text);
  void flush();

 private:
  struct Batch;
  const Desk& desk_;
  std::shared_ptr<Batch> batch_;
};

}  // namespace imgbuild

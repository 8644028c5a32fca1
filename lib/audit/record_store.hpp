#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// Records that nobody but this user's imgbuild can have written: each carries an HMAC-SHA256 over its name and bytes,
/// under a key that lies elsewhere. CI restores caches from strangers: one that is damaged, foreign, altered, renamed,
/// of another owner or writable by others is as good as none. Two processes at once are safe: a record appears whole or
/// not at all. Any thread.
class RecordStore {
 public:
  /// In $XDG_CACHE_HOME/imgbuild/layers (~/.cache), the key in $XDG_STATE_HOME/imgbuild/cache.key (~/.local/state).
  /// Null where there is no place for both, or either is not ours alone.
  static std::unique_ptr<RecordStore> open();

  /// `name`: 64 lower-case hexadecimal digits. nullopt: there is none that is good.
  std::optional<Bytes> get(const std::string& name) const;
  /// False where it could not be written: a cache that is full or read-only is no failure.
  bool put(const std::string& name, View record) const;
  /// One that is not there is no error.
  void remove(const std::string& name) const;

  /// An HMAC-SHA256 of the bytes under the same key: a name that tells nobody else what it was made of.
  std::string name_for(View bytes) const;

  struct Item {
    std::string name;
    std::uint64_t bytes = 0;
    std::int64_t used = 0;  ///< Unix time of the last use
    bool good = false;      ///< its HMAC holds
  };
  /// All that lies there, oldest use first; reads every byte.
  std::vector<Item> verify() const;
  /// Removes what is not good, what was not used since `since` (Unix time), and then, oldest use first, until at most
  /// `most_bytes` are left. Returns what was removed.
  std::vector<Item> prune(std::int64_t since, std::uint64_t most_bytes) const;
  const std::string& folder() const { return folder_; }

 private:
  RecordStore(std::string folder, Bytes key) : folder_(std::move(folder)), key_(std::move(key)) {}
  std::optional<Bytes> read(const std::string& name) const;
  std::vector<Item> list() const;
  const std::string folder_;
  const Bytes key_;
};

}  // namespace imgbuild

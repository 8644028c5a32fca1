#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// The paths of one layer, as hashes: 32 bytes an entry. What it answers decides what a report says of a location,
/// never whether it is a leak.
class PathIndex {
 public:
  enum class What : std::uint8_t { file, directory, whiteout, opaque };  // file: all that is no directory
  /// In the order of the layer. Whiteouts (`.wh.NAME`, `.wh..wh..opq`; OCI image-spec layer.md) are known by their
  /// names.
  void add(std::string_view path, bool directory, std::uint64_t size = 0);
  /// After the last add().
  void finish();
  std::uint64_t size() const { return seen_.size(); }

  /// An index as it was, for the same program only: hashes mean nothing to another one.
  PathIndex() = default;
  explicit PathIndex(View bytes);
  View bytes() const;

  bool has(std::string_view path, What what, std::uint64_t after_entry = 0) const;

 private:
  struct Seen {
    std::uint64_t hash;
    std::uint64_t entry_and_what;  ///< the 1-based entry, times 256, and what it is
    std::uint64_t folder;          ///< the hash of the one that it lies in
    std::uint64_t size;            ///< of a file, in bytes
    std::uint64_t entry() const { return entry_and_what >> 8; }
    What what() const { return static_cast<What>(entry_and_what & 0xff); }
  };
  std::vector<Seen> seen_;
  friend std::vector<std::uint64_t> hidden_bytes(const std::vector<const PathIndex*>& layers);
};

/// Of each layer the bytes of files that a later layer deletes or overwrites, or that it has twice itself. Layers
/// oldest first. A folder that a layer does not list is not seen to be deleted: then it is less than there is.
std::vector<std::uint64_t> hidden_bytes(const std::vector<const PathIndex*>& layers);

struct Fate {
  Location::State state = Location::State::present;
  int by_layer = -1;
};

/// What became of the `entry`th entry of layer `layer`: whether it was replaced in its own layer, or deleted or
/// overwritten by a later one. Layers oldest first; null: not known.
Fate fate_of(const std::vector<const PathIndex*>& layers, int layer, std::uint64_t entry, std::string_view path);

}  // namespace imgbuild

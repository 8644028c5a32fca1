#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// Several layers of an image as one: of each path the last word, and which deletions (OCI image-spec layer.md,
/// "Whiteouts") still mean the layers below. An entry below what an older layer has as a file or a link makes that a
/// folder, as an overlay shows it. Names and kinds are held in memory, folders with all that is said of them, content
/// is not.
class MergedLayers {
 public:
  /// The tar of layer `index`, uncompressed; asked once for all of them, and once for each Reading.
  using Open = std::function<std::unique_ptr<Source>(std::size_t index)>;
  /// Reads the layers `from` to `count` - 1. Throws Error "layer N: why": it is no tar, a path leads out of the image
  /// (".."), something lies below what the same layer has as no folder, a hard link names nothing of its layer, or a
  /// file is packed as sparse.
  MergedLayers(Open open, std::size_t from, std::size_t count);

  /// What is left, told to a visitor step by step: folders by path, then files, links, pipes and devices as the layers
  /// have them, then further names of files as hard links. So what is put into a folder finds it there, and a link its
  /// target; a folder that no layer tells of is not told. Paths have no "." and ".." and are never empty; no path lies
  /// below one that is no folder. Users and groups by number, no extended records but attributes, times as they are.
  class Reading : private TarVisitor {
   public:
    /// `marks`: deletions that mean the layers below are told among the folders, as files that a layer has for them.
    /// Both must outlive this.
    Reading(const MergedLayers& merged, TarVisitor& to, bool marks = false);
    /// Tells some more. False: that was all. Throws as the sources and the visitor do.
    bool step();

   private:
    void tell_folders(bool marks);
    void tell(TarEntry entry, const std::string& path);
    void entry(const TarEntry& entry) override;
    void data(View piece) override;
    void end_entry() override;
    void stray(View, const char*) override {}

    const MergedLayers& merged_;
    TarVisitor& to_;
    std::size_t layer_ = 0;
    std::uint64_t ordinal_ = 0;
    std::unique_ptr<Source> stream_;
    std::unique_ptr<TarReader> reader_;
    std::map<std::pair<std::size_t, std::uint64_t>, TarEntry> linked_;  // files with further names
    bool telling_ = false;
  };

  /// Paths that are left.
  std::size_t size() const { return live_.size(); }

 private:
  using At = std::pair<std::size_t, std::uint64_t>;  // which entry of which layer
  void add(std::size_t index, std::vector<TarEntry> entries);
  void make_room(std::size_t index, const std::string& path);
  void forget_below(const std::string& folder);

  Open open_;
  std::size_t from_;
  std::map<std::string, At> live_;                  // path: the entry that counts
  std::set<std::string> deleted_, emptied_;         // of the layers below
  std::vector<std::vector<TarEntry::Type>> types_;  // by layer, from `from_` on
  std::map<At, TarEntry> folders_;
  std::map<At, std::vector<std::string>> names_;  // of what is no folder: by which paths it is left

  TarEntry::Type type_of(const At& at) const { return types_[at.first][at.second]; }
};

}  // namespace imgbuild

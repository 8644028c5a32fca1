#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "audit/sightings.hpp"
#include "tar/block_file.hpp"

namespace imgbuild {

class ContentReader;

/// Looks at what the blocks of a database's or a log's file unpack to. The file's own bytes are looked at anyway: what
/// only seems to be packed is no gap. What is found does not depend on where the stream's pieces were cut. One thread.
class Blocks {
 public:
  /// Of content that begins like this (BlockFile::of); null: of no such file.
  static std::unique_ptr<Blocks> of(const Desk& desk, const Where& where, View head);
  Blocks(const Desk& desk, Where where, std::unique_ptr<BlockFile> file);
  ~Blocks();
  void feed(View bytes);  ///< throws Limit
  void finish();          ///< throws Limit
  /// When it is finished: what of the file could not be looked at, and why; empty: nothing.
  const std::string& why_not() const { return file_->why_not(); }
  /// Is what comes now none of the file's? Then, how many bytes were.
  bool ended() const { return skipped_ > (UINT64_MAX >> 1); }
  std::uint64_t size() const { return size_; }

 private:
  std::size_t advance(View bytes, bool last);
  bool is_done(const std::function<void()>& work);
  void take(View block, bool alone);
  void flush();

  const Desk& desk_;
  Where where_;
  const std::unique_ptr<BlockFile> file_;
  const BlockFile::Sink sink_;
  Bytes held_;                            ///< too little of the file for its next step
  std::size_t wanted_;                    ///< how much that is
  std::uint64_t skipped_ = 0, size_ = 0;  ///< of what comes next, and of all that was taken
  Bytes texts_;                           ///< of small blocks, gathered
  std::unique_ptr<ContentReader> child_;
};

/// The same of content that lies together in memory; what could not be looked at ends as a gap.
void look_at_blocks(const Desk& desk, const Where& where, View content);

}  // namespace imgbuild

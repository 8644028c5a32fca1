#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// A file of a database or a log, whose values are packed in blocks (blocks.hpp): read from front to back, as it
/// streams by. Known by its first bytes; what does not fit further back is passed over, for the file's own bytes are
/// looked at anyway. One thread.
class BlockFile {
 public:
  /// What a block unpacks to; `alone`: nothing of it goes on in the next one.
  using Sink = std::function<void(View block, bool alone)>;

  /// What begins like this: of a stream's first container_head_size bytes, or all there are; null: nothing known.
  static std::unique_ptr<BlockFile> of(View head);
  /// snappy, xerial, svndiff and nsis, from their magic number on, wherever they stand; null: of another kind.
  static std::unique_ptr<BlockFile> stream(Container kind);

  virtual ~BlockFile() = default;
  virtual const char* packing() const = 0;  ///< "LZF"

  struct Step {
    std::uint64_t taken = 0;  ///< more than was shown: what follows is passed over, too
    std::size_t wanted = 0;   ///< where nothing was taken: how many bytes must be shown; more than was
  };
  /// How many bytes a step is shown, but at the end.
  virtual std::size_t usual() const = 0;
  /// Goes on at the front of `left`; `last`: no more will be shown, whatever is wanted. Throws TooLarge, and Error
  /// "damaged snappy stream" where something has an end that it must come to.
  virtual Step step(View left, bool last, const Sink& sink) = 0;

  /// Nothing follows.
  virtual void finish(const Sink&) {}

  static constexpr Step take(std::uint64_t count) { return {count, 0}; }
  static constexpr Step want(std::size_t count) { return {0, count}; }
  static constexpr Step enough() { return {UINT64_MAX, 0}; }
};

/// Those of databases, of databases in pages, of logs and tables, Parquet's and PDF; null: it is none of them.
std::unique_ptr<BlockFile> database_of(View head);
std::unique_ptr<BlockFile> pages_of(View head);
std::unique_ptr<BlockFile> log_of(View head);
std::unique_ptr<BlockFile> parquet_of(View head);
std::unique_ptr<BlockFile> pdf_of(View head);

}  // namespace imgbuild

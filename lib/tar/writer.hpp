#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// Writes a tar (ustar, with a pax header where that does not suffice) entry by entry. One thread. The same calls give
/// the same bytes. Every method throws Error "tar: PATH: why", and what the sink throws.
class TarWriter {
 public:
  /// `sink` takes the archive's bytes in order; it may throw.
  explicit TarWriter(std::function<void(View)> sink);
  /// Appends the archive to `into`, which outlives the writer.
  explicit TarWriter(Bytes& into);
  ~TarWriter();
  /// Begins a member; for a file exactly entry.size bytes must follow through data() (else the next call throws).
  /// A directory's name is given its '/'. `pax` is written as it is, behind the records that the member needs. What is
  /// sparse, or of no known type, cannot be written.
  void entry(const TarEntry& entry);
  void data(View piece);
  /// Hands the sink all that has been written so far, a member that is complete to its last block: another writer can
  /// go on behind it.
  void flush();
  /// A whole small file.
  void file(const std::string& path, View content, std::uint32_t mode = 0644, std::int64_t mtime = 0);
  /// The end mark. Without it the archive is truncated: a failure half-way never looks whole.
  void finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

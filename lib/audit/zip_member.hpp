#pragma once
#include <memory>
#include <optional>
#include <string>

#include "audit/sightings.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {

class ContentReader;

/// Looks at one member of a zip in the midst of other bytes, from its local header (APPNOTE 4.3.7) on, whether a table
/// of contents leads to it or not: in a disk's image, an old Office file, a process's memory. Only of members that are
/// deflated: what is stored lies there as it is, and what is packed otherwise is known by itself. One thread.
class ZipMemberReader {
 public:
  /// Does a member's local header stand here that this reads, or one that says it is encrypted?
  static bool begins(View rest);
  static bool is_encrypted(View rest);

  /// `where`: of what it lies in.
  ZipMemberReader(const Desk& desk, Where where);
  ~ZipMemberReader();
  /// How many of the bytes are its own: all, but at its end. Throws Error where it is none, or broken, and Limit.
  std::size_t feed(View bytes);
  void finish();

 private:
  std::size_t take_head(View bytes);
  void take(View filled);

  const Desk& desk_;
  Where where_;
  Bytes head_;  ///< with what stands before the packed bytes
  std::shared_ptr<std::uint8_t[]> buffer_;
  std::optional<Inflater> inflater_;
  std::unique_ptr<ContentReader> child_;
};

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/whole.hpp"
#include "tar/archive.hpp"

namespace imgbuild {

/// A member as both of a zip's tables of contents describe it (APPNOTE 4.3.7, 4.3.12).
struct ZipMember {
  std::string path;  ///< as it stands there, of whatever character set
  std::uint64_t data_at = 0, packed = 0, size = 0;
  std::uint32_t crc = 0;
  bool deflated = false;  ///< else stored
  bool symlink = false;   ///< its content is the target
  bool ours = false;      ///< stored or deflated, and not encrypted: what read_members() reads
};

struct ZipContents {
  std::vector<ZipMember> members;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> outside;  ///< from where to where nothing is listed
};

/// The members of a zip that every reader reads alike: the central directory and the local headers agree, nothing
/// shares bytes, no local header stands outside of what is listed. Empty where that does not hold, or where the tables
/// are not plain enough to tell (zip64 among others). Throws what the Whole throws.
std::optional<ZipContents> plain_members(const Whole& zip);

/// What stands before a zip, as its last record tells, and behind that: of one that is not plain.
std::vector<std::pair<std::uint64_t, std::uint64_t>> around_zip(const Whole& zip);

/// Shows the members that plain_members() gave and that are `ours`, each.
void read_members(const Whole& zip, const std::vector<ZipMember>& members, ArchiveVisitor& visitor);

}  // namespace imgbuild

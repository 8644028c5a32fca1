#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "audit/reading.hpp"

namespace imgbuild {

/// The members of an archive as they come, and in the end its images.
class ArchiveReading {
 public:
  ArchiveReading(Reading& reading, const Choice& choice, bool layout)
      : reading_(reading), choice_(choice), layout_(layout) {}

  Reading& reading() { return reading_; }

  /// The member at this position of the archive; a later one of the same name takes its place, and the earlier one is
  /// looked at as one that belongs to no image. Any thread.
  void add(std::uint64_t position, Member member);

  /// The archive itself is damaged, so that every image of it is.
  void damaged(const std::string& member, const Error& error);

  /// When all members are read: their images by the archive's own tables.
  std::vector<Audit> decide();

 private:
  bool has_index() const;

  /// Nobody can tell what its images are: one of which nothing is known but what is looked at.
  std::vector<Reading::Subject> without_tables() const { return {{{}, beside({})}}; }

  std::vector<Reading::Subject> by_manifest(const MemberRecord& manifest);

  std::vector<Reading::Subject> by_index();

  static bool is_index(const ImageSet& set, const MemberRecord& member);

  /// The members that no image names.
  std::vector<Member> beside(const std::vector<Outline>& images) const;

  static constexpr std::size_t most_members = 100'000;
  Reading& reading_;
  const Choice& choice_;
  const bool layout_;
  std::mutex mutex_;
  std::map<std::uint64_t, Member> members_;
  Members by_name_;
};

}  // namespace imgbuild

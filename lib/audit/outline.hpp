#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "audit/layer.hpp"
#include "image/image.hpp"
#include "image/image_set.hpp"

namespace imgbuild {

using Member = std::shared_ptr<MemberRecord>;

/// The members of an image archive by name, links included.
using Members = std::map<std::string, Member>;

/// One image after its parts were read, and what goes with it.
struct Outline {
  ImageConfig config;  ///< of what has none (an artifact, an unpacked root) only `id` may be set: its manifest's digest
  std::vector<Member> layers;  ///< oldest first
  Member tree;                 ///< of an unpacked root: all of it
  std::vector<Member> own;     ///< its manifest, its config's member, an artifact's blobs: shared with no other image
  std::set<std::string> left_out;  ///< platforms of its index that were not chosen
  std::vector<NotScanned> damage;  ///< what of it is missing, cut, or not what names it
};

/// A damage of an image; `layer` -1: of none of its layers.
NotScanned damage_of(int layer, const std::string& path, std::string why, std::uint64_t bytes = 0);

/// The member of that name; links lead on, eight at most. Null: there is none.
Member find_member(const Members& members, const std::string& name);

/// The images that an archive's manifest.json (`docker save`) names. Checks what it claims: each layer is there, was
/// read to its end and is what the config calls by its diff id; a config, or a blob, named by a digest has it. What
/// does not hold is the image's damage. Throws Error where it is no such table.
std::vector<Outline> outline_of(const Members& members, const MemberRecord& manifest);

/// The member that was read for a descriptor; null where its bytes are nowhere. Throws Error where they could not be
/// read.
using Lookup = std::function<Member(const Descriptor&)>;

/// An image, or an artifact, that a manifest names: the same checks, and those of sizes and digests. A layer that may
/// be missing (Descriptor::foreign) and is, and all of a schema 1 manifest, is a gap. What does not hold is its damage.
Outline outline_of(const ImageParts& image, const Lookup& lookup);

/// The digests that a layout's members are called by: "blobs/sha256/HEX".
template <class NamedMembers>
std::vector<std::string> blobs_among(const NamedMembers& members) {
  constexpr std::string_view folder = "blobs/sha256/";
  std::vector<std::string> digests;
  for (const auto& [name, member] : members)
    if (name.starts_with(folder)) digests.push_back("sha256:" + name.substr(folder.size()));
  return digests;
}

/// The members of an archive as a store: index.json and the blobs beside it.
class MemberStore : public ImageStore {
 public:
  explicit MemberStore(const Members& members) : members_(members) {}
  Root root() override;
  std::optional<std::string> manifest(const Descriptor& descriptor) override;
  std::optional<Blob> blob(const Descriptor&) override { return std::nullopt; }  // they have been read
  std::vector<std::string> all_blobs() const override { return blobs_among(members_); }

 private:
  const Members& members_;
};

}  // namespace imgbuild

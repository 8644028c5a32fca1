// Only when all of an archive's members are read do its own tables say which of them are an image's.
#include "audit/archive_members.hpp"

#include <algorithm>
#include <set>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "image/platform.hpp"

namespace imgbuild {

void ArchiveReading::add(std::uint64_t position, Member member) {
  const std::lock_guard lock(mutex_);
  if (members_.size() >= most_members) throw Error("more than " + std::to_string(most_members) + " members");
  members_[position] = std::move(member);
}

void ArchiveReading::damaged(const std::string& member, const Error& error) {
  reading_.damaged(damage_of(-1, member.empty() ? "the archive" : member, error.what()));
}

std::vector<Audit> ArchiveReading::decide() {
  for (const auto& [position, member] : members_) {
    by_name_[member->name] = member;
    if (member->link.empty()) reading_.workshop().keep(member);
  }
  const Member manifest = layout_ ? nullptr : find_member(by_name_, "manifest.json");
  return reading_.decide(manifest ? by_manifest(*manifest) : by_index());
}

bool ArchiveReading::has_index() const { return find_member(by_name_, "index.json") != nullptr; }

std::vector<Reading::Subject> ArchiveReading::by_manifest(const MemberRecord& manifest) {
  std::vector<Outline> outlines;
  try {
    outlines = outline_of(by_name_, manifest);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    damaged("manifest.json", error);
    return without_tables();
  }
  if (!choice_.all_platforms) {
    std::string others;
    std::erase_if(outlines, [&](const Outline& one) {
      const bool other = !one.config.raw.empty() && !platform_fits(one.config.platform(), choice_.platform);
      if (other) others += (others.empty() ? "" : ", ") + printable(one.config.platform());
      return other;
    });
    if (outlines.empty()) throw Error("no image for " + printable(choice_.platform), "it has " + others);
  }
  const std::vector<Member> others = beside(outlines);
  std::vector<Reading::Subject> subjects;
  for (Outline& outline : outlines) subjects.push_back({std::move(outline), others});
  return subjects;
}

std::vector<Reading::Subject> ArchiveReading::by_index() {
  MemberStore store(by_name_);
  const bool layers = std::any_of(members_.begin(), members_.end(),
                                  [](const auto& member) { return member.second->type == MemberRecord::Type::layer; });
  if (!has_index() && layers && !reading_.is_damaged())  // cut where a member ended
    damaged("", Error("it holds neither manifest.json nor index.json"));
  if (!has_index() && reading_.is_damaged()) return without_tables();
  try {
    if (has_index()) store.root();
  } catch (const Error& error) {
    damaged("index.json", error);
    return without_tables();
  }
  ImageSet set = choose_what_is_there(store, choice_);
  if (!layout_) set.left_out.clear();  // all that lies in an archive is looked at
  const Lookup lookup = [&](const Descriptor& descriptor) { return find_member(by_name_, descriptor.path()); };
  for (const ImageParts& attestation : set.attestations) {
    if (const Member manifest = find_member(by_name_, attestation.document.name))
      manifest->kind = Location::Kind::attestation;
    for (const Descriptor& blob : attestation.manifest.layers)
      if (const Member member = lookup(blob)) member->kind = Location::Kind::attestation;
  }
  auto subjects = subjects_of(set, lookup, {});
  std::vector<Outline> outlines;
  for (const auto& subject : subjects) {
    outlines.push_back(subject.outline);
    outlines.back().own.insert(outlines.back().own.end(), subject.beside.begin(), subject.beside.end());
  }
  std::vector<std::string> orphans;  // by name
  if (layout_ && choice_.reference.empty())
    for (const Descriptor& orphan : orphaned_blobs(store, set)) orphans.push_back(orphan.path());
  for (const Member& member : beside(outlines)) {
    // Of a layout from which somebody chose, other images' blobs are others' business.
    const bool chosen = !layout_ || !member->name.starts_with("blobs/") || is_index(set, *member) ||
                        std::find(orphans.begin(), orphans.end(), member->name) != orphans.end();
    const bool manifest = std::any_of(outlines.begin(), outlines.end(), [&](const Outline& one) {
      return std::any_of(one.own.begin(), one.own.end(), [&](const Member& own) { return own->name == member->name; });
    });
    const std::size_t first =
        member->name.starts_with("blobs/") && !is_index(set, *member) ? first_with_orphans(set) : 0;
    for (std::size_t i = first; chosen && !manifest && i < subjects.size(); ++i) subjects[i].beside.push_back(member);
  }
  return subjects;
}

bool ArchiveReading::is_index(const ImageSet& set, const MemberRecord& member) {
  return std::any_of(set.indexes.begin(), set.indexes.end(),
                     [&](const Document& index) { return index.name == member.name; });
}

std::vector<Member> ArchiveReading::beside(const std::vector<Outline>& images) const {
  std::set<const MemberRecord*> used;
  for (const Outline& image : images) {
    for (const auto& member : image.own) used.insert(member.get());
    for (const auto& member : image.layers) used.insert(member.get());
  }
  std::vector<Member> others;
  for (const auto& [position, member] : members_) {
    if (used.count(member.get()) > 0 || !member->link.empty()) continue;
    // The same bytes under the same name once more are the same member.
    if (const auto& last = by_name_.at(member->name); last != member && last->digest == member->digest) continue;
    others.push_back(member);
  }
  return others;
}

}  // namespace imgbuild

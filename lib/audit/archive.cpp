// The outer archive: members stream by in any order, each is read as what its content says it is, and only at the end
// do the archive's own tables say which of them are an image's layers. A file is mapped, its members are read side by
// side, and what has been looked at is given back to the kernel, so that memory does not grow with the image.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/packed_around.hpp"
#include "audit/reading.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/platform.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t slice_size = std::size_t{1} << 20;

/// The members of an archive as they come, and in the end its images.
class ArchiveReading {
 public:
  ArchiveReading(Reading& reading, const Choice& choice, bool layout)
      : reading_(reading), choice_(choice), layout_(layout) {}

  Reading& reading() { return reading_; }

  /// The member at this position of the archive; a later one of the same name takes its place, and the earlier one is
  /// looked at as one that belongs to no image. Any thread.
  void add(std::uint64_t position, Member member) {
    const std::lock_guard lock(mutex_);
    if (members_.size() >= most_members) throw Error("more than " + std::to_string(most_members) + " members");
    members_[position] = std::move(member);
  }

  /// When all members are read: their images by the archive's own tables.
  std::vector<Audit> decide() {
    for (const auto& [position, member] : members_) {
      by_name_[member->name] = member;
      if (member->link.empty()) reading_.workshop().keep(member);
    }
    const Member manifest = layout_ ? nullptr : find_member(by_name_, "manifest.json");
    return reading_.decide(manifest ? by_manifest(*manifest) : by_index());
  }

 private:
  std::vector<Reading::Subject> by_manifest(const MemberRecord& manifest) {
    std::vector<Outline> outlines;
    try {
      outlines = outline_of(by_name_, manifest);
    } catch (const Error& error) {
      throw std::string_view(error.what()).starts_with("layer ") ? error : error.within("manifest.json");
    }
    if (!choice_.all_platforms) {
      std::string others;
      std::erase_if(outlines, [&](const Outline& one) {
        const bool other = !platform_fits(one.config.platform(), choice_.platform);
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

  std::vector<Reading::Subject> by_index() {
    MemberStore store(by_name_);
    ImageSet set = choose_images(store, choice_);
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
        return std::any_of(one.own.begin(), one.own.end(),
                           [&](const Member& own) { return own->name == member->name; });
      });
      if (chosen && !manifest)
        for (auto& subject : subjects) subject.beside.push_back(member);
    }
    return subjects;
  }

  static bool is_index(const ImageSet& set, const MemberRecord& member) {
    return std::any_of(set.indexes.begin(), set.indexes.end(),
                       [&](const Document& index) { return index.name == member.name; });
  }

  /// The members that no image names.
  std::vector<Member> beside(const std::vector<Outline>& images) const {
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

  static constexpr std::size_t most_members = 100'000;
  Reading& reading_;
  const Choice& choice_;
  const bool layout_;
  std::mutex mutex_;
  std::map<std::uint64_t, Member> members_;
  Members by_name_;
};

std::string member_name(const std::string& path) {
  std::string_view name = path;
  while (name.ends_with('/')) name.remove_suffix(1);
  return std::string(name);
}

/// A link of the archive as a member that stands for another; null: this entry is none.
std::shared_ptr<MemberRecord> link_member(const TarEntry& entry) {
  if (entry.type != TarEntry::Type::symlink && entry.type != TarEntry::Type::hard_link) return nullptr;
  auto member = std::make_shared<MemberRecord>();
  member->name = member_name(entry.path);
  member->link = entry.link;
  const std::size_t slash = member->name.rfind('/');
  if (entry.type == TarEntry::Type::symlink && slash != std::string::npos && !entry.link.starts_with("/"))
    member->link = member->name.substr(0, slash + 1) + entry.link;
  return member;
}

/// What the outer tar's headers and gaps hold, whichever way its members are read.
class OuterVisitor : public TarVisitor {
 public:
  explicit OuterVisitor(ArchiveReading& audit) : audit_(audit), texts_(audit.reading().desk()) {}

  void entry(const TarEntry& entry) override {
    ++position_;
    add_text(Location::Kind::name, entry.path, entry.path);
    add_text(Location::Kind::link, entry.path, entry.link);
    for (const auto& [key, value] : entry.xattrs) add_text(Location::Kind::xattr, entry.path, key + "=" + value);
    for (const auto& [key, value] : entry.pax) add_text(Location::Kind::pax, entry.path, key + "=" + value);
    if (auto link = link_member(entry)) {
      links[link->name] = link->link;
      audit_.add(position_, std::move(link));
    }
    name_ = entry.path;
    begin(entry);
  }
  void end_entry() override { name_.clear(); }
  /// The member that is being read.
  const std::string& name() const { return name_; }
  std::map<std::string, std::string> links;
  void stray(View piece, const char*) override {
    if (!strays_) strays_.emplace(audit_.reading().desk(), where(Location::Kind::tail, ""));
    strays_->feed({piece, nullptr, false});
  }
  void flush() {
    texts_.flush();
    if (strays_) strays_->finish();
  }

 protected:
  virtual void begin(const TarEntry& entry) = 0;
  ArchiveReading& audit_;
  std::uint64_t position_ = 0;

 private:
  std::string name_;
  Where where(Location::Kind kind, const std::string& path) const {
    Where where;
    where.record = &audit_.reading().outside().record;
    where.kind = kind;
    where.path = path;
    return where;
  }
  void add_text(Location::Kind kind, const std::string& path, std::string_view text) {
    texts_.add(where(kind, path), text);
  }
  Texts texts_;
  std::optional<ContentReader> strays_;  ///< header rests, padding, and what follows the end mark
};

/// Members read one after the other, as the stream brings them.
class StreamedMembers : public OuterVisitor {
 public:
  using OuterVisitor::OuterVisitor;
  void feed(TarReader& tar, const Piece& piece) {
    current_ = &piece;
    tar.feed(piece.bytes);
  }
  void data(View bytes) override {
    if (!reader_) return;
    audit_.reading().progress(bytes.size());
    for (View left = bytes; !left.empty();) {
      const View slice = left.first(std::min(left.size(), slice_size));
      reader_->feed(current_->part(slice));
      left = left.subspan(slice.size());
    }
  }
  void end_entry() override {
    if (reader_) audit_.add(position_, reader_->finish());
    reader_.reset();
    OuterVisitor::end_entry();
  }

 protected:
  void begin(const TarEntry& entry) override {
    if (entry.type == TarEntry::Type::file || entry.type == TarEntry::Type::other) {
      reader_.emplace(audit_.reading().desk(), member_name(entry.path));
      audit_.reading().hold(reader_->member());
    }
  }

 private:
  const Piece* current_ = nullptr;
  std::optional<MemberReader> reader_;
};

/// Members found in a mapped archive, to be read side by side.
class MappedMembers : public OuterVisitor {
 public:
  using OuterVisitor::OuterVisitor;
  struct Found {
    std::uint64_t position;
    std::string name;
    View content;
  };
  std::vector<Found> found;

  void data(View bytes) override {
    if (!in_member_) return;
    View& content = found.back().content;
    content = content.empty() ? bytes : View(content.data(), content.size() + bytes.size());
  }
  void end_entry() override {
    in_member_ = false;
    OuterVisitor::end_entry();
  }

 protected:
  void begin(const TarEntry& entry) override {
    in_member_ = entry.type == TarEntry::Type::file || entry.type == TarEntry::Type::other;
    if (in_member_) found.push_back({position_, member_name(entry.path), {}});
  }

 private:
  bool in_member_ = false;
};

/// A source whose first bytes have been looked at and are given again.
class Rewound : public Source {
 public:
  Rewound(Bytes head, Source& rest) : head_(std::move(head)), rest_(rest) {}
  View next() override {
    if (first_ && !head_.empty()) {
      first_ = false;
      return head_;
    }
    return rest_.next();
  }

 private:
  Bytes head_;
  Source& rest_;
  bool first_ = true;
};

// Reads the outer tar; what fails is told with the member that it failed in.
template <class Members, class Work>
void within_member(const Members& members, Work work) {
  try {
    work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw members.name().empty() ? error : error.within(printable(members.name()));
  }
}

void stream(ArchiveReading& audit, Source& archive, Container kind) {
  StreamedMembers members(audit);
  TarReader tar(members);
  within_member(members, [&] {
    if (Inflater::knows(kind)) {
      Where outside;
      outside.record = &audit.reading().outside().record;
      outside.kind = Location::Kind::tail;
      PackedAround around(audit.reading().desk(), outside);
      std::shared_ptr<std::uint8_t[]> buffer;
      Inflater inflater(
          kind,
          [&] {
            buffer = audit.reading().desk().buffers.take();
            return std::span(buffer.get(), Buffers::size);
          },
          [&](View filled) {
            members.feed(tar, {filled, buffer, false});
          });
      around.look_at_skipped(inflater);
      lasting_pieces(archive, audit.reading().desk().buffers, [&](const Piece& piece) {
        interrupt::check();
        around.feed(piece, inflater.feed(piece.bytes));
      });
      inflater.finish();
      around.finish();
    } else {
      lasting_pieces(archive, audit.reading().desk().buffers, [&](const Piece& piece) { members.feed(tar, piece); });
    }
    tar.finish();
  });
  members.flush();
}

Error no_archive(const char* why) {
  return Error(std::string("no image archive: ") + why, "docker save NAME -o FILE makes one");
}

/// A file read piece by piece, so that its pages are not ours.
class FileSource : public Source {
 public:
  FileSource(const Fd& file, const std::string& name) : file_(file), name_(name) {}
  View next() override { return View(buffer_).first(read_full(file_.get(), buffer_, name_)); }

 private:
  const Fd& file_;
  const std::string& name_;
  Bytes buffer_ = Bytes(std::size_t{1} << 20);
};

/// An OCI layout in a tar that is mapped.
class MappedLayout : public ImageStore {
 public:
  MappedLayout(const std::vector<MappedMembers::Found>& found, const std::map<std::string, std::string>& links) {
    for (const auto& one : found) members_[one.name] = one.content;
    for (const auto& [name, target] : links)
      if (const auto at = members_.find(target); at != members_.end()) members_[name] = at->second;
  }
  Root root() override {
    const auto index = members_.find("index.json");
    if (index == members_.end())
      throw Error("no OCI image layout: it has no index.json", "archive:FILE reads docker save's");
    if (index->second.size() > most_manifest) throw Error("index.json: larger than " + human_size(most_manifest));
    return {"index.json", std::string(text_of(index->second)), true};
  }
  std::optional<std::string> manifest(const Descriptor& descriptor) override {
    const auto at = members_.find(descriptor.path());
    if (at == members_.end()) return std::nullopt;
    if (at->second.size() > most_manifest) throw Error("a manifest larger than " + human_size(most_manifest));
    return std::string(text_of(at->second));
  }
  std::optional<Blob> blob(const Descriptor& descriptor) override {
    const auto at = members_.find(descriptor.path());
    if (at == members_.end()) return std::nullopt;
    return Blob{at->second, nullptr, {}};
  }
  std::vector<std::string> all_blobs() const override { return blobs_among(members_); }

 private:
  std::map<std::string, View> members_;
};

/// The member as it was read in this run already; null: it was not.
Member known_member(Reading& reading, const MappedMembers::Found& member) {
  if (!member.name.starts_with("blobs/sha256/")) return nullptr;
  const std::string claimed = "sha256:" + member.name.substr(member.name.rfind('/') + 1);
  const Member known = reading.workshop().known(claimed);
  // Its name is a claim: its bytes are hashed at least.
  return known && known->name == member.name && sha256_digest(member.content) == claimed ? known : nullptr;
}

std::vector<Audit> read_mapped(Reading& reading, View archive, const Choice& choice, bool layout) {
  ArchiveReading audit(reading, choice, layout);
  MappedMembers members(audit);
  TarReader tar(members);
  within_member(members, [&] {
    tar.feed(archive);
    tar.finish();
  });
  members.flush();
  if (layout) {
    MappedLayout store(members.found, members.links);
    std::vector<Member> beside;
    for (const auto& member : members.found)
      if (!member.name.starts_with("blobs/") && member.name != "index.json")
        beside.push_back(reading.read(member.name, member.content));
    return read_images(reading, store, choice, std::move(beside));
  }
  for (const auto& member : members.found)
    reading.pool().submit(0, [&reading, &audit, &member] {
      Member known = known_member(reading, member);
      audit.add(member.position, known ? known : reading.read(member.name, member.content));
    });
  reading.pool().drain();
  return audit.decide();
}

}  // namespace

std::vector<Audit> read_archive_stream(Reading& reading, Source& archive, const Choice& choice, bool layout) {
  Bytes head;
  for (View piece = archive.next(); !piece.empty(); piece = archive.next()) {
    head.insert(head.end(), piece.begin(), piece.end());
    if (head.size() >= 512) break;
  }
  if (head.empty()) throw no_archive("empty");
  const Container kind = container_of(View(head).first(std::min<std::size_t>(head.size(), 512)));
  Rewound whole(std::move(head), archive);
  ArchiveReading audit(reading, choice, layout);
  switch (kind) {
    case Container::tar:
    case Container::gzip:
    case Container::zstd:
    case Container::xz:
    case Container::bzip2:
    case Container::lz4:
      stream(audit, whole, kind);
      break;
    default:
      throw no_archive("neither a tar nor a compressed one");
  }
  reading.pool().drain();
  return audit.decide();
}

std::vector<Audit> read_archive_file(Workshop& workshop, const std::string& source, const std::string& path,
                                     const Choice& choice, bool layout) {
  const Fd file = Fd::open(path, O_RDONLY);
  struct stat facts {};
  if (::fstat(file.get(), &facts) == 0 && S_ISDIR(facts.st_mode))
    throw Error(path + ": is a directory", "an OCI layout is oci:DIR, an unpacked root file system is dir:DIR");
  try {
    Bytes head(512);
    head.resize(read_full(file.get(), head, "the archive"));
    if (head.empty()) throw no_archive("empty");
    if (S_ISREG(facts.st_mode) && container_of(head) == Container::tar) {
      const Mapping mapping(file, path);
      Reading reading(workshop, source, true);
      return read_mapped(reading, mapping.bytes(), choice, layout);
    }
    Reading reading(workshop, source, false);
    FileSource rest(file, path);
    Rewound whole(std::move(head), rest);
    return read_archive_stream(reading, whole, choice, layout);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw error.within(path);
  }
}

}  // namespace imgbuild

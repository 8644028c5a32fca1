// The outer archive: members stream by in any order, each is read as what its content says it is, and only at the end
// do the archive's own tables say which of them are an image's layers. A file is mapped, its members are read side by
// side, and what has been looked at is given back to the kernel, so that memory does not grow with the image.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "audit/archive_members.hpp"
#include "audit/packed_around.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t slice_size = std::size_t{1} << 20;

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
  /// What cannot be read on is told with the member that it failed in. Where it is no archive at all, that is an Error.
  void failed(const Error& error) {
    if (position_ == 0) throw error;
    audit_.damaged(name_, error);
  }
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
    if (broken_) return stray(piece.bytes, "");
    const std::uint64_t begin = tar.position();
    current_ = &piece;
    try {
      tar.feed(piece.bytes);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      failed(error);
      broken_ = true;
      cut_off();
      stray(tar.unread(), "");
      stray(piece.bytes.subspan(static_cast<std::size_t>(tar.position() - begin)), "");
    }
  }
  void finish(TarReader& tar) {
    if (!broken_) tar.finish();
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
  /// The archive ended, or could not be read on, in the midst of a member: what came of it is looked at.
  void cut_off() {
    if (reader_) end_entry();
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
  bool broken_ = false;
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

void stream(ArchiveReading& audit, Source& archive, Container kind) {
  StreamedMembers members(audit);
  TarReader tar(members);
  const auto told = [&](const auto& work) {
    try {
      work();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      members.failed(error);
      return false;
    }
    return true;
  };
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
    bool whole = true;
    told([&] {
      lasting_pieces(archive, audit.reading().desk().buffers, [&](const Piece& piece) {
        interrupt::check();
        std::size_t own = piece.bytes.size();
        whole = whole && told([&] { own = inflater.feed(piece.bytes); });
        around.feed(piece, own);
      });
      if (whole) whole = told([&] { inflater.finish(); });
    });
    around.finish();
    if (whole) told([&] { members.finish(tar); });
  } else {
    told([&] {
      lasting_pieces(archive, audit.reading().desk().buffers, [&](const Piece& piece) { members.feed(tar, piece); });
      members.finish(tar);
    });
  }
  members.cut_off();
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
  try {
    tar.feed(archive);
    tar.finish();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    members.failed(error);
    members.stray(tar.unread(), "");
    members.stray(archive.subspan(static_cast<std::size_t>(tar.position())), "");
  }
  members.flush();
  const bool indexed = std::any_of(members.found.begin(), members.found.end(),
                                   [](const auto& member) { return member.name == "index.json"; });
  if (layout && (indexed || !reading.is_damaged())) {
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

// The outer archive: members stream by in any order, each is read as what its content says it is, and only at the end
// do the archive's own tables say which of them are an image's layers. A file is mapped, its members are read side by
// side, and what has been looked at is given back to the kernel, so that memory does not grow with the image.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/audit.hpp"
#include "audit/document.hpp"
#include "audit/member.hpp"
#include "audit/outline.hpp"
#include "audit/verdict.hpp"
#include "base/interrupt.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_in_flight = std::size_t{16} << 20;
constexpr std::size_t slice_size = std::size_t{1} << 20;

unsigned threads_of(const AuditOptions& options) {
  return options.threads != 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1U);
}

class ArchiveAudit {
 public:
  explicit ArchiveAudit(const AuditOptions& options, std::function<void(View)> release = {})
      : options_(options),
        desk_{*options.scanner, options.values, options.found, pool_, buffers_, std::move(release)},
        pool_(threads_of(options), most_in_flight) {}

  const Desk& desk() const { return desk_; }
  Pool& pool() { return pool_; }
  void progress(std::uint64_t bytes) const {
    if (options_.progress) options_.progress(bytes);
  }

  /// The member at this position of the archive; a later one of the same name takes its place, and the earlier one is
  /// looked at as one that belongs to no image. Any thread.
  void add(std::uint64_t position, std::shared_ptr<MemberRecord> member) {
    const std::lock_guard lock(mutex_);
    members_[position] = std::move(member);
  }

  /// When all members are read: waits for all looking, and decides.
  std::vector<Audit> decide() {
    pool_.drain();
    Members by_name;
    for (const auto& [position, member] : members_) by_name[member->name] = member;
    const auto images = outline_of(by_name);
    std::set<const MemberRecord*> used;
    for (const auto& image : images) {
      used.insert(image.config_member.get());
      for (const auto& layer : image.layers) used.insert(layer.get());
    }
    std::vector<const MemberRecord*> beside;
    std::vector<std::unique_ptr<Sightings>> configs;
    for (const auto& [position, member] : members_) {
      if (used.count(member.get()) > 0 || !member->link.empty()) continue;
      // The same bytes under the same name once more are the same member.
      if (const auto& last = by_name.at(member->name); last != member && last->digest == member->digest) continue;
      beside.push_back(member.get());
      if (member->type != MemberRecord::Type::document) continue;
      const bool legacy = member->name.ends_with("/json");
      look_at_document(desk_, member->record, legacy ? Location::Kind::config : Location::Kind::annotation,
                       member->name, member->text);
    }
    for (const auto& image : images) {
      configs.push_back(std::make_unique<Sightings>());
      look_at_document(desk_, *configs.back(), Location::Kind::config, "", image.config.raw);
    }
    beside.push_back(&outside_);
    pool_.drain();
    std::vector<Audit> audits;
    for (std::size_t i = 0; i < images.size(); ++i)
      audits.push_back(AuditDesk::decide(images[i], *configs[i], beside, options_, pool_));
    return audits;
  }

  /// What of the archive belongs to no member: names, strays.
  MemberRecord& outside() { return outside_; }

 private:
  const AuditOptions& options_;
  Buffers buffers_;
  Desk desk_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<MemberRecord>> members_;
  MemberRecord outside_;
  Pool pool_;  // last: its tasks end before what they use goes
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
  explicit OuterVisitor(ArchiveAudit& audit) : audit_(audit), texts_(audit.desk()) {}

  void entry(const TarEntry& entry) override {
    ++position_;
    add_text(Location::Kind::name, entry.path, entry.path);
    add_text(Location::Kind::link, entry.path, entry.link);
    for (const auto& [key, value] : entry.xattrs) add_text(Location::Kind::xattr, entry.path, key + "=" + value);
    for (const auto& [key, value] : entry.pax) add_text(Location::Kind::pax, entry.path, key + "=" + value);
    if (auto link = link_member(entry)) audit_.add(position_, std::move(link));
    begin(entry);
  }
  void stray(View piece, const char*) override {
    if (!strays_) strays_.emplace(audit_.desk(), where(Location::Kind::tail, ""));
    strays_->feed({piece, nullptr, false});
  }
  void flush() {
    texts_.flush();
    if (strays_) strays_->finish();
  }

 protected:
  virtual void begin(const TarEntry& entry) = 0;
  ArchiveAudit& audit_;
  std::uint64_t position_ = 0;

 private:
  Where where(Location::Kind kind, const std::string& path) const {
    Where where;
    where.record = &audit_.outside().record;
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
    audit_.progress(bytes.size());
    for (View left = bytes; !left.empty();) {
      const View slice = left.first(std::min(left.size(), slice_size));
      reader_->feed(current_->part(slice));
      left = left.subspan(slice.size());
    }
  }
  void end_entry() override {
    if (reader_) audit_.add(position_, reader_->finish());
    reader_.reset();
  }

 protected:
  void begin(const TarEntry& entry) override {
    if (entry.type == TarEntry::Type::file || entry.type == TarEntry::Type::other)
      reader_.emplace(audit_.desk(), member_name(entry.path));
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
  void end_entry() override { in_member_ = false; }

 protected:
  void begin(const TarEntry& entry) override {
    in_member_ = entry.type == TarEntry::Type::file || entry.type == TarEntry::Type::other;
    if (in_member_) found.push_back({position_, member_name(entry.path), {}});
  }

 private:
  bool in_member_ = false;
};

/// Gives pages of a mapped file back; what is looked at again comes back from the file.
void give_back(View bytes) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / page * page;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

void read_mapped_member(ArchiveAudit& audit, const MappedMembers::Found& member) {
  MemberReader reader(audit.desk(), member.name);
  for (View left = member.content; !left.empty();) {
    const View slice = left.first(std::min(left.size(), slice_size));
    left = left.subspan(slice.size());
    const Owner resident(slice.data(), [slice](const void*) { give_back(slice); });
    reader.feed({slice, resident, true});
    audit.progress(slice.size());
  }
  audit.add(member.position, reader.finish());
}

std::vector<Audit> audit_mapped(View archive, const AuditOptions& options) {
  ArchiveAudit audit(options, give_back);
  MappedMembers members(audit);
  TarReader tar(members);
  tar.feed(archive);
  tar.finish();
  members.flush();
  for (const auto& member : members.found)
    audit.pool().submit(0, [&audit, &member] { read_mapped_member(audit, member); });
  return audit.decide();
}

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

void stream(ArchiveAudit& audit, Source& archive, Container kind) {
  StreamedMembers members(audit);
  TarReader tar(members);
  const bool stable = archive.stable();
  if (kind == Container::gzip || kind == Container::zstd) {
    std::shared_ptr<std::uint8_t[]> buffer;
    Inflater inflater(
        kind,
        [&] {
          buffer = audit.desk().buffers.take();
          return std::span(buffer.get(), Buffers::size);
        },
        [&](View filled) {
          members.feed(tar, {filled, buffer, false});
        });
    for (View piece = archive.next(); !piece.empty(); piece = archive.next()) {
      interrupt::check();
      inflater.feed(piece);
    }
    inflater.finish();
  } else if (stable) {
    for (View piece = archive.next(); !piece.empty(); piece = archive.next()) members.feed(tar, {piece, nullptr, true});
  } else {
    // What the source lends goes with its next piece: copied into buffers that last as long as they are looked at.
    std::shared_ptr<std::uint8_t[]> buffer = audit.desk().buffers.take();
    std::size_t filled = 0;
    for (View piece = archive.next(); !piece.empty(); piece = archive.next()) {
      interrupt::check();
      while (!piece.empty()) {
        const std::size_t taken = std::min(piece.size(), Buffers::size - filled);
        std::copy_n(piece.begin(), taken, buffer.get() + filled);
        filled += taken;
        piece = piece.subspan(taken);
        if (filled < Buffers::size) continue;
        members.feed(tar, {View(buffer.get(), filled), buffer, false});
        buffer = audit.desk().buffers.take();
        filled = 0;
      }
    }
    if (filled > 0) members.feed(tar, {View(buffer.get(), filled), buffer, false});
  }
  tar.finish();
  members.flush();
}

Error no_archive(const char* why) {
  return Error(std::string("no image archive: ") + why, "docker save NAME -o FILE makes one");
}

}  // namespace

std::vector<Audit> audit_archive(Source& archive, const AuditOptions& options) {
  Bytes head;
  for (View piece = archive.next(); !piece.empty(); piece = archive.next()) {
    head.insert(head.end(), piece.begin(), piece.end());
    if (head.size() >= 512) break;
  }
  if (head.empty()) throw no_archive("empty");
  const Container kind = container_of(View(head).first(std::min<std::size_t>(head.size(), 512)));
  Rewound whole(std::move(head), archive);
  ArchiveAudit audit(options);
  switch (kind) {
    case Container::tar:
    case Container::gzip:
    case Container::zstd:
      stream(audit, whole, kind);
      break;
    case Container::xz:
    case Container::bzip2:
    case Container::lz4: {
      const auto unpacked = unpack(whole, kind);
      stream(audit, *unpacked, Container::tar);
      break;
    }
    default:
      throw no_archive("neither a tar nor a compressed one");
  }
  return audit.decide();
}

std::vector<Audit> audit_archive_file(const std::string& path, const AuditOptions& options) {
  const Fd file = Fd::open(path, O_RDONLY);
  const Mapping mapping(file, path);
  const View bytes = mapping.bytes();
  try {
    if (bytes.empty()) throw no_archive("empty");
    if (container_of(bytes.first(std::min<std::size_t>(bytes.size(), 512))) == Container::tar)
      return audit_mapped(bytes, options);
    ViewSource source(bytes);
    return audit_archive(source, options);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw error.within(path);
  }
}

}  // namespace imgbuild

// An unpacked root, folder by folder through descriptors, so that no link leads out of it and nothing that is renamed
// meanwhile leads elsewhere. Files are read, not mapped: one that is cut short meanwhile must not end the process.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <tuple>

#include "audit/reading.hpp"
#include "base/folder.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr int most_depth = 256;  // a descriptor each

bool same(const struct stat& a, const struct stat& b) {
  const auto facts = [](const struct stat& one) {
    return std::tuple(one.st_dev, one.st_ino, one.st_mode, one.st_size, one.st_mtim.tv_sec, one.st_mtim.tv_nsec,
                      one.st_ctim.tv_sec, one.st_ctim.tv_nsec);
  };
  return facts(a) == facts(b);
}

/// The kernel's own file systems have no content of an image: their files are made as they are read, some without end.
bool is_kernels(int folder) {
  struct statfs facts {};
  if (::fstatfs(folder, &facts) != 0) return false;
  constexpr long magic[] = {0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x27e0eb, 0x63677270, 0x73636673, 0xcafe4a11};
  return std::find(std::begin(magic), std::end(magic), static_cast<long>(facts.f_type)) != std::end(magic);
}

/// The bytes of a hole that begins at `at`, where the file is read; whole buffers, 0 where data stand. Reading goes on
/// behind it.
std::uint64_t pass_hole(const Fd& file, std::uint64_t at, std::uint64_t size) {
  const off_t data = ::lseek(file.get(), static_cast<off_t>(at), SEEK_DATA);
  if (data < 0 && errno != ENXIO) return 0;  // its file system does not say
  const std::uint64_t end = data < 0 ? size : std::min(static_cast<std::uint64_t>(data), size);
  const std::uint64_t hole = (end - at) / Buffers::size * Buffers::size;
  if (::lseek(file.get(), static_cast<off_t>(at + hole), SEEK_SET) < 0) throw system_error("file", errno);
  return hole;
}

class Walk {
 public:
  Walk(Reading& reading, MemberRecord& member) : reading_(reading), member_(member), layer_(reading.desk(), member) {}

  /// What could not be read to its end, or changed meanwhile: no image is made of that.
  std::vector<NotScanned> take_damage() { return std::move(damage_); }

  void root(const std::string& path) {
    Fd folder = Fd::open(path, O_RDONLY | O_DIRECTORY);
    walk(folder, "", 0);
    layer_.finish_entries();
  }

 private:
  void walk(const Fd& folder, const std::string& prefix, int depth) {
    if (depth > most_depth) return gap(prefix, "folders nested deeper than " + std::to_string(most_depth));
    if (is_kernels(folder.get())) return gap(prefix.empty() ? "." : prefix, "a file system of the kernel");
    for (const auto& [name, type] : entries_of(folder.get(), printable(prefix))) {
      interrupt::check();
      const std::string path = prefix.empty() ? name : prefix + "/" + name;
      try {
        visit(folder, name, path, depth);
      } catch (const Interrupted&) {
        throw;
      } catch (const Error& error) {
        layer_.end_entry();  // what came of it is looked at
        std::string_view why = error.what();
        if (const std::string told = printable(path) + ": "; why.starts_with(told)) why.remove_prefix(told.size());
        damage_.push_back(damage_of(-1, path, std::string(why)));
      }
    }
  }

  void visit(const Fd& folder, const std::string& name, const std::string& path, int depth) {
    struct stat facts {};
    if (::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) throw changed();
    TarEntry entry;
    entry.path = path;
    entry.mode = facts.st_mode & 07777U;
    entry.uid = facts.st_uid;
    entry.gid = facts.st_gid;
    entry.mtime = facts.st_mtim.tv_sec;
    entry.xattrs = attributes("/proc/self/fd/" + std::to_string(folder.get()) + "/" + name, path);
    switch (facts.st_mode & S_IFMT) {
      case S_IFDIR:
        entry.type = TarEntry::Type::directory;
        add(entry);
        into(folder, name, path, facts, depth);
        break;
      case S_IFREG:
        file(folder, name, entry, facts);
        break;
      case S_IFLNK:
        entry.type = TarEntry::Type::symlink;
        entry.link = target(folder, name);
        add(entry);
        break;
      default:
        entry.type = S_ISCHR(facts.st_mode)    ? TarEntry::Type::character
                     : S_ISBLK(facts.st_mode)  ? TarEntry::Type::block
                     : S_ISFIFO(facts.st_mode) ? TarEntry::Type::fifo
                                               : TarEntry::Type::other;
        add(entry);
    }
  }

  void add(const TarEntry& entry) {
    layer_.begin_entry(entry);
    layer_.end_entry();
  }

  void into(const Fd& folder, const std::string& name, const std::string& path, const struct stat& facts, int depth) {
    const Fd below(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) {
      if (errno == EACCES || errno == EMFILE) return gap(path, system_error("folder", errno).what());
      throw changed();
    }
    struct stat now {};
    if (::fstat(below.get(), &now) != 0 || now.st_ino != facts.st_ino || now.st_dev != facts.st_dev) throw changed();
    walk(below, path, depth + 1);
  }

  void file(const Fd& folder, const std::string& name, TarEntry& entry, const struct stat& facts) {
    entry.size = static_cast<std::uint64_t>(facts.st_size);
    if (facts.st_nlink > 1) {
      const auto [first, is_new] = linked_.emplace(std::pair(facts.st_dev, facts.st_ino), entry.path);
      if (!is_new) {
        entry.type = TarEntry::Type::hard_link;
        entry.link = first->second;
        entry.size = 0;
        return add(entry);
      }
    }
    const Fd file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) {
      const int number = errno;
      if (number != EACCES && number != EPERM) throw changed();
      add(entry);
      return gap(entry.path, system_error("file", number).what(), entry.size);
    }
    struct stat before {
    }, after{};
    if (::fstat(file.get(), &before) != 0 || !same(before, facts)) throw changed();
    layer_.begin_entry(entry);
    // lastlog(8) and disk images are holes for the most part: nobody reads their zeros.
    constexpr std::uint64_t block = 512;
    const bool sparse = static_cast<std::uint64_t>(before.st_blocks) * block < entry.size;
    for (std::uint64_t left = entry.size; left > 0;) {
      interrupt::check();
      for (std::uint64_t hole = sparse ? pass_hole(file, entry.size - left, entry.size) : 0; hole > 0;
           hole -= Buffers::size, left -= Buffers::size) {
        interrupt::check();
        layer_.content(lent({zeros_.get(), Buffers::size}, zeros_));
        reading_.progress(Buffers::size);
      }
      if (left == 0) break;
      const auto buffer = reading_.desk().buffers.take();
      const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, Buffers::size));
      const std::size_t got = read_full(file.get(), {buffer.get(), wanted}, printable(entry.path));
      if (got < wanted) throw changed();
      layer_.content(lent({buffer.get(), got}, buffer));
      reading_.progress(got);
      left -= got;
    }
    std::uint8_t more = 0;
    if (::fstat(file.get(), &after) != 0 || !same(after, facts) || read_full(file.get(), {&more, 1}, entry.path) != 0)
      throw changed();
    layer_.end_entry();
  }

  static std::string target(const Fd& folder, const std::string& name) {
    std::string link(4096, '\0');
    const ssize_t size = ::readlinkat(folder.get(), name.c_str(), link.data(), link.size());
    if (size < 0) throw changed();
    link.resize(static_cast<std::size_t>(size));
    return link;
  }

  /// Extended attributes, a link's own included.
  std::vector<std::pair<std::string, std::string>> attributes(const std::string& file, const std::string& path) {
    std::vector<std::pair<std::string, std::string>> all;
    const ssize_t size = ::llistxattr(file.c_str(), nullptr, 0);
    if (size <= 0) {
      if (size < 0 && errno != ENOTSUP) gap(path, system_error("extended attributes", errno).what());
      return all;
    }
    std::string names(static_cast<std::size_t>(size), '\0');
    const ssize_t listed = ::llistxattr(file.c_str(), names.data(), names.size());
    if (listed < 0) throw changed();
    names.resize(static_cast<std::size_t>(listed));
    for (const auto& name : split(names, '\0')) {
      if (name.empty()) continue;
      std::string value(65536, '\0');
      const ssize_t got = ::lgetxattr(file.c_str(), name.c_str(), value.data(), value.size());
      if (got < 0) {
        gap(path, system_error("extended attribute " + printable(name), errno).what());
        continue;
      }
      value.resize(static_cast<std::size_t>(got));
      all.emplace_back(name, value);
    }
    return all;
  }

  void gap(const std::string& path, std::string why, std::uint64_t bytes = 0) {
    NotScanned gap;
    gap.path = path;
    gap.why = std::move(why);
    gap.bytes = bytes;
    member_.record.add(std::move(gap));
  }

  static Error changed() { return Error("it changed while it was read"); }

  Reading& reading_;
  MemberRecord& member_;
  LayerReader layer_;
  const std::shared_ptr<std::uint8_t[]> zeros_ = std::make_shared<std::uint8_t[]>(Buffers::size);
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;
  std::vector<NotScanned> damage_;
};

}  // namespace

Audit read_tree(Reading& reading, const std::string& path) {
  auto member = std::make_shared<MemberRecord>();
  member->type = MemberRecord::Type::layer;
  reading.hold(member);
  Outline outline;
  {
    Walk walk(reading, *member);
    try {
      walk.root(path);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw error.within(printable(path));
    }
    outline.damage = walk.take_damage();
    reading.pool().drain();
  }
  outline.tree = member;
  std::vector<Reading::Subject> subjects;
  subjects.push_back({std::move(outline), {}});
  return std::move(reading.decide(std::move(subjects)).front());
}

}  // namespace imgbuild

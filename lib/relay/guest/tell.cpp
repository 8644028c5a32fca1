// What the builder has at a path, as a tar, for a driver that takes artefacts out of it: not every engine's own
// archives keep owners and modes. Told is what would be committed: the container's own files, and of what is mounted
// over them only what the driver names (its context, a volume): no /proc, no secrets, no file that the engine put
// there.
//
// ustar, with pax records where that does not suffice. A folder comes before what is in it, names in order.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

constexpr std::size_t block = 512;
constexpr unsigned long long most_octal_7 = 07777777, most_octal_11 = 077777777777;

void put_octal(char* at, int digits, unsigned long long value) {
  for (int i = digits - 1; i >= 0; --i, value >>= 3) at[i] = static_cast<char>('0' + (value & 7));
}

void add_record(std::string& records, std::string_view key, std::string_view value) {
  // The length counts its own digits.
  std::size_t length = key.size() + value.size() + 3;
  std::size_t digits = number_text(length).size();
  if (number_text(length + digits).size() > digits) ++digits;
  records += number_text(length + digits) + " ";
  records += key;
  records += '=';
  records += value;
  records += '\n';
}

class Telling {
 public:
  explicit Telling(const std::vector<std::string>& within);
  /// False: there is no such path, or it lies where nothing is told of.
  bool tell(const std::string& path);

 private:
  using Stat = struct stat;
  void walk(int at, const std::string& name, const std::string& path, const std::string& real);
  void folder(int folder, const Stat& facts, const std::string& path, const std::string& real);
  void file(int file, const Stat& facts, const std::string& path, const std::string& real);
  void member(char type, const std::string& path, const std::string& link, const Stat& facts, int open = -1);
  void header(char type, const std::string& path, const std::string& link, const Stat& facts, unsigned long long size);
  void put(std::string_view bytes) {
    held_ += bytes;
    if (held_.size() >= wire::most_payload / 2) hand_over();
  }
  void pad(unsigned long long size) { put(std::string((block - size % block) % block, '\0')); }
  void hand_over() {
    if (held_.empty()) return;
    send(Kind::output, 0, held_);
    flush();
    held_.clear();
  }
  const std::string* mount_of(const std::string& real) const;
  bool told(const std::string* mount) const {
    return mount != nullptr && std::find(told_.begin(), told_.end(), mount) != told_.end();
  }

  std::vector<std::string> mounts_;
  std::vector<const std::string*> told_;
  std::map<std::pair<dev_t, ino_t>, std::string> names_;  // of files that have more than one
  std::string held_;
};

Telling::Telling(const std::vector<std::string>& within) {
  std::string list;
  if (!slurp("/proc/self/mountinfo", list)) fail("/proc/self/mountinfo", errno);
  // "36 35 98:0 /root /mount\040point rw ...": the fifth word, with blanks and the like in octal.
  for (std::size_t at = 0; at < list.size(); at = list.find('\n', at) + 1) {
    std::size_t word = at;
    for (int i = 0; i < 4; ++i) word = list.find(' ', word) + 1;
    std::string mount;
    for (; word < list.size() && list[word] != ' '; ++word) {
      if (list[word] == '\\' && word + 3 < list.size()) {
        mount += static_cast<char>((list[word + 1] - '0') * 64 + (list[word + 2] - '0') * 8 + list[word + 3] - '0');
        word += 3;
      } else {
        mount += list[word];
      }
    }
    mounts_.push_back(mount);
    if (list.find('\n', at) == std::string::npos) break;
  }
  for (const auto& each : within) {
    char* real = ::realpath(each.c_str(), nullptr);
    if (real != nullptr) told_.push_back(mount_of(real));
    ::free(real);
  }
}

// What `real` lies on; null where mountinfo does not say.
const std::string* Telling::mount_of(const std::string& real) const {
  const std::string* found = nullptr;
  for (const auto& mount : mounts_) {
    const bool above = mount == "/" || real == mount || real.compare(0, mount.size() + 1, mount + "/") == 0;
    if (above && (found == nullptr || mount.size() > found->size())) found = &mount;
  }
  return found;
}

bool Telling::tell(const std::string& path) {
  const bool behind = path.back() == '/';  // of a link
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? 0 : path.rfind('/', end);
  const std::string name = end == std::string::npos ? "" : path.substr(slash + 1, end - slash);
  const std::string start = behind ? path : path.substr(0, slash + 1);
  const int folder_there = ::open(start.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_there < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return false;
    fail(start, errno);
  }
  char place[4096];
  const ssize_t n =
      ::readlink(("/proc/self/fd/" + number_text(static_cast<unsigned>(folder_there))).c_str(), place, sizeof place);
  if (n <= 0 || n == sizeof place || place[0] != '/') fail(start, n < 0 ? errno : ENAMETOOLONG);
  std::string real(place, static_cast<std::size_t>(n));
  Stat facts{};
  if (behind) {
    if (!told(mount_of(real))) return false;
    if (::fstat(folder_there, &facts) != 0) fail(start, errno);
    folder(folder_there, facts, name, real);
  } else {
    real += real == "/" ? name : "/" + name;
    if (!told(mount_of(real)) || ::fstatat(folder_there, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return false;
    walk(folder_there, name, name, real);
    ::close(folder_there);
  }
  put(std::string(2 * block, '\0'));
  hand_over();
  return true;
}

void Telling::walk(int at, const std::string& name, const std::string& path, const std::string& real) {
  Stat facts{};
  if (::fstatat(at, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) fail(real, errno);
  constexpr int reading = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  switch (facts.st_mode & S_IFMT) {
    case S_IFDIR: {
      const int opened = ::openat(at, name.c_str(), reading | O_DIRECTORY);
      if (opened < 0) fail(real, errno);
      return folder(opened, facts, path, real);
    }
    case S_IFREG: {
      if (facts.st_nlink > 1) {
        const auto known = names_.emplace(std::make_pair(facts.st_dev, facts.st_ino), path);
        if (!known.second) return member('1', path, known.first->second, facts);
      }
      const int opened = ::openat(at, name.c_str(), reading);
      if (opened < 0) fail(real, errno);
      file(opened, facts, path, real);
      ::close(opened);
      return;
    }
    case S_IFLNK: {
      char target[4096];
      const ssize_t n = ::readlinkat(at, name.c_str(), target, sizeof target);
      if (n < 0 || n == sizeof target) fail(real, n < 0 ? errno : ENAMETOOLONG);
      return member('2', path, {target, static_cast<std::size_t>(n)}, facts);
    }
    case S_IFCHR:
      return member('3', path, {}, facts);
    case S_IFBLK:
      return member('4', path, {}, facts);
    case S_IFIFO:
      return member('6', path, {}, facts);
    default:  // a socket is nothing without who listens on it
      return;
  }
}

// Takes the descriptor.
void Telling::folder(int folder, const Stat& facts, const std::string& path, const std::string& real) {
  member('5', path + "/", {}, facts, folder);
  DIR* list = ::fdopendir(folder);
  if (list == nullptr) fail(real, errno);
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(list); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fail(real, errno);
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const std::string there = real == "/" ? "/" + name : real + "/" + name;
    const std::string* mount = mount_of(there);
    if (mount == nullptr || (*mount == there && !told(mount))) continue;
    walk(::dirfd(list), name, path.empty() ? name : path + "/" + name, there);
  }
  ::closedir(list);
}

void Telling::file(int file, const Stat& facts, const std::string& path, const std::string& real) {
  member('0', path, {}, facts, file);
  auto left = static_cast<unsigned long long>(facts.st_size);
  static char piece[131072];
  while (left > 0) {
    const ssize_t n = ::read(file, piece, left < sizeof piece ? static_cast<std::size_t>(left) : sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(real + ": changed while it was read", n < 0 ? errno : 0);
    put({piece, static_cast<std::size_t>(n)});
    left -= static_cast<unsigned long long>(n);
  }
  pad(static_cast<unsigned long long>(facts.st_size));
}

// Of the host's making, and not of the file's: labels of a security module.
bool kept(std::string_view attribute) {
  return attribute.substr(0, 5) == "user." || attribute == "security.capability" ||
         attribute.substr(0, 17) == "system.posix_acl_";
}

void Telling::member(char type, const std::string& path, const std::string& link, const Stat& facts, int open) {
  const unsigned long long size = type == '0' ? static_cast<unsigned long long>(facts.st_size) : 0;
  std::string records;
  if (path.size() > 100) add_record(records, "path", path);
  if (link.size() > 100) add_record(records, "linkpath", link);
  if (size > most_octal_11) add_record(records, "size", number_text(size));
  if (facts.st_uid > most_octal_7) add_record(records, "uid", number_text(facts.st_uid));
  if (facts.st_gid > most_octal_7) add_record(records, "gid", number_text(facts.st_gid));
  static char names[65536], value[65536];  // the most that Linux has
  const ssize_t listed = open < 0 ? 0 : ::flistxattr(open, names, sizeof names);
  if (listed < 0 && errno != ENOTSUP) fail(path, errno);
  for (ssize_t at = 0; at < listed; at += static_cast<ssize_t>(std::string_view(names + at).size()) + 1) {
    if (!kept(names + at)) continue;
    const ssize_t n = ::fgetxattr(open, names + at, value, sizeof value);
    if (n < 0) fail(path + ": " + (names + at), errno);
    add_record(records, std::string("SCHILY.xattr.") + (names + at), {value, static_cast<std::size_t>(n)});
  }
  if (!records.empty()) {
    header('x', "pax", {}, facts, records.size());
    put(records);
    pad(records.size());
  }
  header(type, path, link, facts, size);
}

void Telling::header(char type, const std::string& path, const std::string& link, const Stat& facts,
                     unsigned long long size) {
  char head[block] = {};
  path.copy(head, 100);
  put_octal(head + 100, 7, facts.st_mode & 07777);
  put_octal(head + 108, 7, facts.st_uid > most_octal_7 ? 0 : facts.st_uid);
  put_octal(head + 116, 7, facts.st_gid > most_octal_7 ? 0 : facts.st_gid);
  put_octal(head + 124, 11, size > most_octal_11 ? 0 : size);
  // No layer has a time before 1970, nor one behind that of its image.
  const long long time = facts.st_mtim.tv_sec < 0 ? 0 : facts.st_mtim.tv_sec;
  put_octal(head + 136, 11, std::min(static_cast<unsigned long long>(time), most_octal_11));
  std::fill_n(head + 148, 8, ' ');
  head[156] = type;
  link.copy(head + 157, 100);
  std::string_view("ustar\00000", 8).copy(head + 257, 8);
  if (type == '3' || type == '4') {
    put_octal(head + 329, 7, ::major(facts.st_rdev));
    put_octal(head + 337, 7, ::minor(facts.st_rdev));
  }
  unsigned sum = 0;
  for (const char byte : head) sum += static_cast<unsigned char>(byte);
  put_octal(head + 148, 6, sum);
  head[154] = '\0';
  put({head, sizeof head});
}

}  // namespace

int tell() {
  send(Kind::hello, 0, wire::version);
  flush();
  std::string path;
  std::vector<std::string> within;
  for (Frame frame = next_frame(); frame.kind != Kind::run; frame = next_frame()) {
    if (frame.kind == Kind::wanted) path = frame.payload;
    if (frame.kind == Kind::within) within.push_back(frame.payload);
  }
  if (path.empty() || path[0] != '/') give_up();
  send(Kind::running, 0, {});
  Telling telling(within);
  const bool there = telling.tell(path);
  std::uint8_t number[4];
  wire::put_u32(number, there ? 0 : 1);
  send(Kind::ended, 0, {reinterpret_cast<const char*>(number), 4});
  flush();
  return 0;
}

}  // namespace imgbuild::guest

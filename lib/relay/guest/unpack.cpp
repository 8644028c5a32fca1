// A tar reader for one writer: the driver's stager. Whatever else it is given, it stays below its folder: each path is
// walked name by name without following links, and nothing that is there already is written to.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

constexpr std::size_t block_size = 512;

unsigned long long octal(std::string_view field) {
  unsigned long long value = 0;
  for (const char c : field) {
    if (c == ' ' && value == 0) continue;
    if (c < '0' || c > '7') break;
    value = value * 8 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::string text(std::string_view field) { return std::string(field.substr(0, field.find('\0'))); }

// "a/b" of "./a//b/": a path below the folder, or one that has no business here.
std::string cleaned(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") fail("the context has a path with '..'");
    if (!out.empty()) out += '/';
    out += name;
  }
  return out;
}

}  // namespace

Unpacker::Unpacker(const std::string& folder, uid_t uid, gid_t gid) : uid_(uid), gid_(gid) {
  root_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (root_ < 0) fail(folder, errno);
  // An engine may fill a new volume with what the image has at its place.
  DIR* list = ::fdopendir(::fcntl(root_, F_DUPFD_CLOEXEC, 3));
  while (const dirent* entry = list != nullptr ? ::readdir(list) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != "lost+found") fail("the base has something at " + folder);
  }
  if (list != nullptr) ::closedir(list);
}

void Unpacker::feed(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    if (left_ > 0) {
      const std::string_view piece =
          bytes.substr(0, left_ < bytes.size() ? static_cast<std::size_t>(left_) : bytes.size());
      bytes.remove_prefix(piece.size());
      left_ -= piece.size();
      if (in_records_) {
        records_ += piece;
      } else if (file_ >= 0) {
        for (std::string_view rest = piece; !rest.empty();) {
          const ssize_t n = ::write(file_, rest.data(), rest.size());
          if (n < 0 && errno != EINTR) fail("unpacking the context", errno);
          if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
        }
      }
      if (left_ == 0 && in_records_) extended(records_);
      if (left_ == 0 && file_ >= 0) end_file();
    } else if (padding_ > 0) {
      const std::size_t skip = padding_ < bytes.size() ? static_cast<std::size_t>(padding_) : bytes.size();
      bytes.remove_prefix(skip);
      padding_ -= skip;
    } else {
      const std::string_view piece = bytes.substr(0, block_size - block_.size());
      block_ += piece;
      bytes.remove_prefix(piece.size());
      if (block_.size() < block_size) return;
      header();
      block_.clear();
    }
  }
}

void Unpacker::header() {
  if (block_.find_first_not_of('\0') == std::string::npos) {
    ended_ = ++zero_blocks_ == 2;
    return;
  }
  zero_blocks_ = 0;
  const std::string_view block = block_;
  unsigned sum = 0;
  for (std::size_t i = 0; i < block_size; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
  if (sum != octal(block.substr(148, 8))) fail("the context is damaged");
  const char type = block[156];
  left_ = octal(block.substr(124, 12));
  if (!pax_size_.empty()) {
    left_ = 0;
    for (const char c : pax_size_) left_ = left_ * 10 + static_cast<unsigned>(c - '0');
  }
  padding_ = (block_size - left_ % block_size) % block_size;
  if (type == 'x' || type == 'g') {
    if (left_ > (1u << 20)) fail("the context is damaged");
    in_records_ = true;
    records_.clear();
    if (left_ == 0) extended({});
    return;
  }
  std::string path = text(block.substr(0, 100));
  if (const std::string prefix = text(block.substr(345, 155)); !prefix.empty()) path = prefix + "/" + path;
  if (!pax_path_.empty()) path = pax_path_;
  std::string link = pax_link_.empty() ? text(block.substr(157, 100)) : pax_link_;
  time_ = static_cast<long long>(octal(block.substr(136, 12)));
  pax_path_.clear();
  pax_link_.clear();
  pax_size_.clear();
  begin(type, cleaned(path), link, static_cast<mode_t>(octal(block.substr(100, 8)) & 07777));
  if (left_ == 0 && file_ >= 0) end_file();
}

// "LENGTH KEY=VALUE\n", again and again (POSIX pax).
void Unpacker::extended(std::string_view records) {
  in_records_ = false;
  while (!records.empty()) {
    std::size_t length = 0, at = 0;
    for (; at < records.size() && at < 8 && records[at] >= '0' && records[at] <= '9'; ++at)
      length = length * 10 + static_cast<unsigned>(records[at] - '0');
    if (length < at + 3 || length > records.size() || records[at] != ' ') fail("the context is damaged");
    const std::string_view record = records.substr(at + 1, length - at - 2);
    records.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) fail("the context is damaged");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") pax_path_ = value;
    if (key == "linkpath") pax_link_ = value;
    if (key == "size" && value.find_first_not_of("0123456789") == std::string_view::npos && value.size() < 19)
      pax_size_ = value;
  }
}

void Unpacker::begin(char type, std::string path, const std::string& link, mode_t mode) {
  if (type == '5') {
    const int folder = open_below(root_, path, uid_, gid_);
    if (folder < 0) fail("unpacking the context: " + path, errno);
    ::close(folder);
    folders_.push_back({std::move(path), mode, time_});
    return;
  }
  if (path.empty()) fail("the context has a file without a name");
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (parent_ < 0 || parent != parent_path_) {
    if (parent_ >= 0) ::close(parent_);
    parent_ = open_below(root_, parent, uid_, gid_);
    if (parent_ < 0) fail("unpacking the context: " + path, errno);
    parent_path_ = parent;
  }
  const timespec times[] = {{time_, 0}, {time_, 0}};
  if (type == '0' || type == '\0') {
    file_ = ::openat(parent_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file_ < 0) fail("unpacking the context: " + path, errno);
    chown_to(file_, path, uid_, gid_);
    if (::fchmod(file_, mode) != 0) fail("unpacking the context: " + path, errno);
  } else if (type == '2') {
    const bool ours = uid_ == ::geteuid() && gid_ == ::getegid();
    if (::symlinkat(link.c_str(), parent_, name.c_str()) != 0 ||
        (!ours && ::fchownat(parent_, name.c_str(), uid_, gid_, AT_SYMLINK_NOFOLLOW) != 0) ||
        ::utimensat(parent_, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
      fail("unpacking the context: " + path, errno);
  } else {
    fail("the context has an entry that is no file, folder or symbolic link: " + path);
  }
}

void Unpacker::end_file() {
  const timespec times[] = {{time_, 0}, {time_, 0}};
  if (::futimens(file_, times) != 0 || ::close(file_) != 0) fail("unpacking the context", errno);
  file_ = -1;
}

void Unpacker::finish() {
  if (!ended_) fail("the context is truncated");
  // Children before their parents: a folder's time changes with what is made in it.
  for (std::size_t i = folders_.size(); i-- > 0;) {
    const Folder& each = folders_[i];
    const int folder = open_below(root_, each.path, uid_, gid_);
    const timespec times[] = {{each.time, 0}, {each.time, 0}};
    if (folder < 0 || (!each.path.empty() && ::fchmod(folder, each.mode) != 0) || ::futimens(folder, times) != 0)
      fail("unpacking the context: " + each.path, errno);
    ::close(folder);
  }
  if (parent_ >= 0) ::close(parent_);
  ::close(root_);
}

}  // namespace imgbuild::guest

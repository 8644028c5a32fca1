// Archives out: POSIX ustar headers (pax, "ustar Interchange Format"), and before a member that does not fit one, an
// extended header with the records it needs.
//
// Ours and not libarchive's, because the archive's digest is a promise: the same members must give the same bytes with
// whatever library a machine has, in whatever locale. libarchive turns names into UTF-8 as the locale says or, told to
// leave them alone, adds two blocks to every member; and it pads a member whose data fall short with zeros, which here
// is an error. Names stand as they are in the ustar fields, as every tar writes them; only long ones take a record.
#include "tar/writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t block = 512;
constexpr std::size_t buffer_size = std::size_t{1} << 16;

struct Header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
      user[32], group[32], major[8], minor[8], prefix[155], unused[12];
};
static_assert(sizeof(Header) == block);

template <std::size_t N>
bool put_text(char (&field)[N], std::string_view text) {
  if (text.size() > N) return false;
  std::memcpy(field, text.data(), text.size());
  return true;
}

// Octal digits and a NUL; false (and zero) where they do not suffice.
template <std::size_t N>
bool put_number(char (&field)[N], std::uint64_t value) {
  const bool fits = value < std::uint64_t{1} << 3 * (N - 1);
  if (!fits) value = 0;
  for (std::size_t i = N - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
  return fits;
}

// A path of more than 100 bytes may be cut at a '/': up to 155 bytes before it, up to 100 behind.
bool put_path(Header& header, std::string_view path) {
  if (put_text(header.name, path)) return true;
  for (std::size_t cut = path.find('/', path.size() - sizeof header.name - 1);
       cut != std::string_view::npos && cut <= sizeof header.prefix; cut = path.find('/', cut + 1))
    if (cut > 0 && cut + 1 < path.size())
      return put_text(header.prefix, path.substr(0, cut)) && put_text(header.name, path.substr(cut + 1));
  return false;
}

void seal(Header& header) {
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  std::memset(header.checksum, ' ', sizeof header.checksum);
  unsigned sum = 0;
  for (const unsigned char byte : std::string_view(reinterpret_cast<const char*>(&header), block)) sum += byte;
  char digits[7] = {};
  put_number(digits, sum);
  std::memcpy(header.checksum, digits, 7);  // six digits, NUL, and the blank stays
}

// "LENGTH KEY=VALUE\n", LENGTH counting itself.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  std::string out = std::to_string(length) + " ";
  out.append(key) += '=';
  out.append(value) += '\n';
  return out;
}

bool ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char type_flag(const TarEntry& entry) {
  switch (entry.type) {
    case TarEntry::Type::file:
      return '0';
    case TarEntry::Type::hard_link:
      return '1';
    case TarEntry::Type::symlink:
      return '2';
    case TarEntry::Type::character:
      return '3';
    case TarEntry::Type::block:
      return '4';
    case TarEntry::Type::directory:
      return '5';
    case TarEntry::Type::fifo:
      return '6';
    case TarEntry::Type::other:
      break;
  }
  throw Error("tar: " + printable(entry.path) + ": an unknown member cannot be written");
}

}  // namespace

struct TarWriter::Inside {
  std::function<void(View)> sink;  // none: all stays in the buffer
  Bytes own;
  Bytes& buffer = own;
  std::string path;           // of the member being written
  std::uint64_t missing = 0;  // of its data
  std::size_t padding = 0;    // zeros that follow them

  explicit Inside(std::function<void(View)> to) : sink(std::move(to)) { own.reserve(buffer_size); }
  explicit Inside(Bytes& into) : buffer(into) {}

  void flush() {
    if (!sink) return;
    if (!buffer.empty()) sink(buffer);
    buffer.clear();
  }
  void put(View bytes) {
    if (buffer.size() + bytes.size() > buffer_size) flush();
    if (sink && bytes.size() >= buffer_size)
      sink(bytes);
    else
      buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  }
  void put_zeros(std::size_t count) {
    static constexpr std::array<std::uint8_t, 2 * block> zeros{};
    put(View(zeros).first(count));
  }
  // Ends the member before this one.
  void complete() {
    if (missing != 0) throw Error("tar: " + printable(path) + ": " + std::to_string(missing) + " bytes are missing");
    pad();
  }
  void pad() { put_zeros(std::exchange(padding, 0)); }
  void member(Header& header, std::uint64_t size) {
    seal(header);
    put({reinterpret_cast<const std::uint8_t*>(&header), block});
    padding = static_cast<std::size_t>((block - size % block) % block);
  }
};

TarWriter::TarWriter(std::function<void(View)> sink) : inside_(std::make_unique<Inside>(std::move(sink))) {}
TarWriter::TarWriter(Bytes& into) : inside_(std::make_unique<Inside>(into)) {}

TarWriter::~TarWriter() = default;

void TarWriter::entry(const TarEntry& entry) {
  Inside& inside = *inside_;
  inside.complete();
  std::string path = entry.path;
  if (entry.type == TarEntry::Type::directory && !path.ends_with('/')) path += '/';
  if (entry.path.empty() || path.find('\0') != path.npos || entry.link.find('\0') != path.npos)
    throw Error("tar: " + (path.empty() ? "a member without a name" : printable(path)) + ": not a name");
  if (entry.sparse) throw Error("tar: " + printable(entry.path) + ": a sparse file cannot be written");
  const std::uint64_t size = entry.type == TarEntry::Type::file ? entry.size : 0;

  Header header{};
  std::string records;
  const auto need = [&](bool fits, const char* key, const std::string& value) {
    if (!fits) records += record(key, value);
  };
  header.type = type_flag(entry);
  put_number(header.mode, entry.mode & 07777);
  if (header.type == '3' || header.type == '4') {
    const bool fit = put_number(header.major, entry.device_major) && put_number(header.minor, entry.device_minor);
    if (!fit) throw Error("tar: " + printable(path) + ": device numbers too large for a tar");
  }
  const bool path_fits = put_path(header, path), link_fits = put_text(header.link, entry.link);
  if ((!path_fits && !ascii(path)) || (!link_fits && !ascii(entry.link))) records += record("hdrcharset", "BINARY");
  need(path_fits, "path", path);
  need(link_fits, "linkpath", entry.link);
  need(put_number(header.size, size), "size", std::to_string(size));
  need(put_number(header.mtime, static_cast<std::uint64_t>(entry.mtime)), "mtime", std::to_string(entry.mtime));
  need(put_number(header.uid, entry.uid), "uid", std::to_string(entry.uid));
  need(put_number(header.gid, entry.gid), "gid", std::to_string(entry.gid));
  need(put_text(header.user, entry.user), "uname", entry.user);
  need(put_text(header.group, entry.group), "gname", entry.group);
  for (const auto& [name, value] : entry.xattrs) records += record("SCHILY.xattr." + name, value);
  for (const auto& [key, value] : entry.pax) records += record(key, value);
  if (!path_fits) put_text(header.name, std::string_view(path).substr(0, sizeof header.name));

  if (!records.empty()) {
    Header extended{};
    extended.type = 'x';
    put_text(extended.name, "PaxHeader");
    put_number(extended.mode, 0644);
    put_number(extended.uid, 0);
    put_number(extended.gid, 0);
    put_number(extended.mtime, 0);
    put_number(extended.size, records.size());
    inside.member(extended, records.size());
    inside.put(view_of(records));
    inside.pad();
  }
  inside.path = std::move(path);
  inside.missing = size;
  inside.member(header, size);
}

void TarWriter::data(View piece) {
  if (piece.size() > inside_->missing)
    throw Error("tar: " + printable(inside_->path) + ": more data than its header says");
  inside_->missing -= piece.size();
  inside_->put(piece);
}

void TarWriter::flush() {
  if (inside_->missing == 0) inside_->pad();
  inside_->flush();
}

void TarWriter::file(const std::string& path, View content, std::uint32_t mode, std::int64_t mtime) {
  TarEntry member;
  member.path = path;
  member.size = content.size();
  member.mode = mode;
  member.mtime = mtime;
  entry(member);
  data(content);
}

void TarWriter::finish() {
  inside_->complete();
  inside_->put_zeros(2 * block);
  inside_->flush();
}

}  // namespace imgbuild

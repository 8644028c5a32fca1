// The record's lines alternate as the tar did: {"type":2,"payload":BASE64} are headers, padding and what follows the
// end mark, verbatim; {"type":1,"name":...,"size":N} stands for the N bytes of a file in the folder ("name_raw",
// base64, where the name is no UTF-8). The pieces are small, so they are gathered before they are given away.
#include "tar/tar_split.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20;
// A line holds what stands between two files' contents: headers, or a tail that somebody hid things in.
constexpr std::size_t longest_line = std::size_t{256} << 20;

std::string text_in(const nlohmann::json& line, const char* key) {
  const auto at = line.find(key);
  return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

struct TarSplitSource::Inside {
  Inside(const std::string& record_path, const std::string& folder_path)
      : record(Fd::open(record_path, O_RDONLY | O_NOFOLLOW)),
        folder(Fd::open(folder_path, O_PATH | O_DIRECTORY | O_NOFOLLOW)),
        name(printable(record_path)),
        inflater(
            Container::gzip, [this] { return std::span(room); },
            [this](View some) { lines.append(reinterpret_cast<const char*>(some.data()), some.size()); }) {}

  // The next line of the record, without its end; nullopt at the end.
  std::optional<std::string> line() {
    for (;;) {
      if (const auto end = lines.find('\n', searched); end != std::string::npos) {
        std::string found = lines.substr(begin, end - begin);
        begin = searched = end + 1;
        return found;
      }
      lines.erase(0, begin);
      begin = 0;
      searched = lines.size();
      if (lines.size() > longest_line) throw Error(name + ": a line without an end");
      if (over) {
        if (lines.empty()) return std::nullopt;
        searched = 0;
        return std::exchange(lines, {});
      }
      const std::size_t count = read_full(record.get(), compressed, name);
      if (count > 0) {
        inflater.feed({compressed.data(), count});
        inflater.flush();
      } else {
        inflater.finish();
        over = true;
      }
    }
  }

  // Takes the next line: a segment is kept for output, a file is opened. False at the end.
  bool advance() {
    const auto text = line();
    if (!text) return false;
    if (trim(*text).empty()) return true;
    const auto entry = nlohmann::json::parse(*text, nullptr, false);
    const auto type = entry.is_object() ? entry.find("type") : entry.end();
    if (type == entry.end()) throw Error(name + ": a line that is no entry");
    if (*type == 2) {
      const auto bytes = unbase64(text_in(entry, "payload"));
      if (!bytes) throw Error(name + ": a segment that is no base64");
      segment = *bytes;
      segment_at = 0;
    } else if (*type == 1) {
      const auto size = entry.find("size");
      if (size == entry.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() == 0) return true;
      open(entry, size->get<std::uint64_t>());
    } else {
      throw Error(name + ": a line that is no entry");
    }
    return true;
  }

  void open(const nlohmann::json& entry, std::uint64_t size) {
    std::string path = text_in(entry, "name");
    if (const std::string raw = text_in(entry, "name_raw"); !raw.empty()) {
      const auto bytes = unbase64(raw);
      if (!bytes) throw Error(name + ": a name that is no base64");
      path.assign(bytes->begin(), bytes->end());
    }
    if (path.empty() || path.find('\0') != std::string::npos) throw Error(name + ": a file without a name");
    // As the engine unpacked it: links on the way lead where they lead in a root of its own.
    open_how how = {};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    file = Fd(static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof how)));
    if (!file) throw system_error(printable(path), errno);
    struct stat facts = {};
    if (::fstat(file.get(), &facts) != 0) throw system_error(printable(path), errno);
    if (!S_ISREG(facts.st_mode) || static_cast<std::uint64_t>(facts.st_size) != size)
      throw Error(printable(path) + ": is not what the layer had");
    file_left = size;
    file_name = printable(path);
  }

  View next() {
    std::size_t filled = 0;
    while (filled < out.size()) {
      if (segment_at < segment.size()) {
        const std::size_t count = std::min(out.size() - filled, segment.size() - segment_at);
        std::copy_n(segment.begin() + static_cast<std::ptrdiff_t>(segment_at), count,
                    out.begin() + static_cast<std::ptrdiff_t>(filled));
        segment_at += count;
        filled += count;
      } else if (file_left > 0) {
        const std::size_t wanted = std::min<std::uint64_t>(out.size() - filled, file_left);
        const std::size_t count = read_full(file.get(), std::span(out).subspan(filled, wanted), file_name);
        if (count < wanted) throw Error(file_name + ": became shorter while it was read");
        filled += count;
        file_left -= count;
        if (file_left == 0) file.reset();
      } else if (!advance()) {
        break;
      }
    }
    return View(out).first(filled);
  }

  const Fd record, folder;
  const std::string name;
  Bytes compressed = Bytes(std::size_t{64} << 10), room = Bytes(std::size_t{64} << 10);
  std::string lines;
  std::size_t begin = 0, searched = 0;  // in `lines`: the next line, and how far no end of it was seen
  bool over = false;
  Inflater inflater;
  Bytes out = Bytes(piece_size), segment;
  std::size_t segment_at = 0;
  Fd file;
  std::uint64_t file_left = 0;
  std::string file_name;
};

TarSplitSource::TarSplitSource(const std::string& record, const std::string& folder)
    : inside_(std::make_unique<Inside>(record, folder)) {}
TarSplitSource::~TarSplitSource() = default;
View TarSplitSource::next() { return inside_->next(); }

}  // namespace imgbuild

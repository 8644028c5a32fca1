// The record's lines alternate as the tar did: {"type":2,"payload":BASE64} are headers, padding and what follows the
// end mark, verbatim; {"type":1,"name":...,"size":N} stands for the N bytes of a file in the folder ("name_raw",
// base64, where the name is no UTF-8). The pieces are small, so they are gathered before they are given away; the
// record is read some way ahead, so that files which are far away are on their way when they are needed.
#include "tar/tar_split.hpp"

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20;
// A line holds what stands between two files' contents: headers, or a tail that somebody hid things in.
constexpr std::size_t longest_line = std::size_t{256} << 20;
constexpr std::size_t most_ahead = 128, most_ahead_bytes = std::size_t{1} << 20;

std::string text_in(const nlohmann::json& line, const char* key) {
  const auto at = line.find(key);
  return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

struct TarSplitSource::Inside {
  Inside(std::unique_ptr<Source> record_, std::string name_, std::unique_ptr<Fetch> files_, std::string folder_)
      : record(std::move(record_)),
        files(std::move(files_)),
        folder(std::move(folder_)),
        name(std::move(name_)),
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
      const View piece = record->next();
      if (!piece.empty()) {
        inflater.feed(piece);
        inflater.flush();
      } else {
        inflater.finish();
        over = true;
      }
    }
  }

  // Takes the next line: a segment is kept for output, a file is wanted.
  void look_ahead() {
    const auto text = line();
    read_all = !text;
    if (!text || trim(*text).empty()) return;
    const auto entry = nlohmann::json::parse(*text, nullptr, false);
    const auto type = entry.is_object() ? entry.find("type") : entry.end();
    if (type == entry.end()) throw Error(name + ": a line that is no entry");
    if (*type == 2) {
      const auto bytes = unbase64(text_in(entry, "payload"));
      if (!bytes) throw Error(name + ": a segment that is no base64");
      ahead_bytes += bytes->size();
      steps.push_back({*bytes, {}, 0});
    } else if (*type == 1) {
      const auto size = entry.find("size");
      if (size == entry.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() == 0) return;
      want(entry, size->get<std::uint64_t>());
    } else {
      throw Error(name + ": a line that is no entry");
    }
  }

  void want(const nlohmann::json& entry, std::uint64_t size) {
    std::string path = text_in(entry, "name");
    if (const std::string raw = text_in(entry, "name_raw"); !raw.empty()) {
      const auto bytes = unbase64(raw);
      if (!bytes) throw Error(name + ": a name that is no base64");
      path.assign(bytes->begin(), bytes->end());
    }
    if (path.empty() || path.find('\0') != std::string::npos) throw Error(name + ": a file without a name");
    files->want(folder, path);
    steps.push_back({{}, printable(path), size});
  }

  // Begins with the next segment or file; false at the end.
  bool advance() {
    if (steps.size() < most_ahead / 2)
      while (!read_all && steps.size() < most_ahead && ahead_bytes < most_ahead_bytes) look_ahead();
    if (steps.empty()) return false;
    step = std::move(steps.front());
    steps.pop_front();
    ahead_bytes -= step.segment.size();
    segment_at = 0;
    if (step.file_left == 0) return true;
    const auto size = files->begin();
    if (!size) throw Error(files->why());
    if (*size != step.file_left) throw Error(step.file + ": is not what the layer had");
    return true;
  }

  View next() {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const std::span<std::uint8_t> rest = std::span(out).subspan(filled);
      if (segment_at < step.segment.size()) {
        const std::size_t count = std::min(rest.size(), step.segment.size() - segment_at);
        std::copy_n(step.segment.begin() + static_cast<std::ptrdiff_t>(segment_at), count, rest.begin());
        segment_at += count;
        filled += count;
      } else if (step.file_left > 0) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), step.file_left));
        if (files->read(rest.first(wanted)) < wanted) throw Error(step.file + ": became shorter while it was read");
        filled += wanted;
        step.file_left -= wanted;
      } else if (!advance()) {
        break;
      }
    }
    return View(out).first(filled);
  }

  // A piece of the tar.
  struct Step {
    Bytes segment;  // as it is; of a file empty
    std::string file;
    std::uint64_t file_left = 0;
  };

  const std::unique_ptr<Source> record;
  const std::unique_ptr<Fetch> files;
  const std::string folder, name;
  Bytes room = Bytes(std::size_t{64} << 10);
  std::string lines;
  std::size_t begin = 0, searched = 0;  // in `lines`: the next line, and how far no end of it was seen
  bool over = false, read_all = false;
  Inflater inflater;
  std::deque<Step> steps;  // wanted, and not begun with
  std::size_t ahead_bytes = 0;
  Step step;
  Bytes out = Bytes(piece_size);
  std::size_t segment_at = 0;
};

TarSplitSource::TarSplitSource(std::unique_ptr<Source> record, std::string name, std::unique_ptr<Fetch> files,
                               std::string folder)
    : inside_(std::make_unique<Inside>(std::move(record), std::move(name), std::move(files), std::move(folder))) {}
TarSplitSource::~TarSplitSource() = default;
View TarSplitSource::next() { return inside_->next(); }

}  // namespace imgbuild

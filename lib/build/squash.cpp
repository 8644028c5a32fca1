// Several layers as one. Two readings of each: the first without data, to know of each path which entry is the last
// word, and which deletions still mean the layers below; the second copies what is left. A third has the layer's digest
// beforehand. Only names and headers are held in memory.
//
// In what order: folders, with the deletions in them, then files as the layers have them, then hard links: whatever is
// put into a folder finds it there, and a link its target.
#include "build/squash.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/made_source.hpp"
#include "base/text.hpp"
#include "build/layers.hpp"
#include "tar/reader.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

using Type = TarEntry::Type;
constexpr std::string_view whiteout = ".wh.", opaque = ".wh..wh..opq";

std::string trimmed(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.starts_with('/')) path.erase(0, 1);
  return path == "." ? "" : path;
}

std::string in_folder(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

// Which entry of which layer.
using At = std::pair<std::size_t, std::uint64_t>;

struct Headers : TarVisitor {
  void entry(const TarEntry& entry) override {
    all.push_back(entry);
    all.back().path = trimmed(entry.path);
    all.back().link = entry.type == Type::hard_link ? trimmed(entry.link) : entry.link;
  }
  void data(View) override {}
  void end_entry() override {}
  void stray(View, const char*) override {}
  std::vector<TarEntry> all;
};

// What the layers come to.
struct Sum {
  std::map<std::string, At> live;              // path: the entry that counts
  std::set<std::string> deleted, emptied;      // of the layers below
  std::vector<std::vector<TarEntry>> headers;  // by layer
  std::map<At, std::string> files;             // content to be copied: under which path
  std::map<std::string, std::string> links;    // hard links: path, target

  const TarEntry& entry(const At& at) const { return headers[at.first][at.second]; }

  template <class Paths>
  static void forget_below(Paths& paths, const std::string& folder) {
    if (folder.empty()) return paths.clear();
    paths.erase(paths.lower_bound(folder + "/"), paths.lower_bound(folder + "0"));  // '0' follows '/'
  }
  void forget_below(const std::string& folder) {
    forget_below(live, folder);
    forget_below(deleted, folder);
    forget_below(emptied, folder);
  }

  void add(std::vector<TarEntry> layer) {
    headers.push_back(std::move(layer));
    const std::size_t index = headers.size() - 1;
    const std::vector<TarEntry>& entries = headers.back();
    // A layer's deletions mean the layers below it, wherever they stand in it.
    for (const TarEntry& one : entries) {
      const std::size_t slash = one.path.rfind('/');
      const std::string folder = slash == std::string::npos ? "" : one.path.substr(0, slash);
      const std::string name = one.path.substr(slash == std::string::npos ? 0 : slash + 1);
      if (!name.starts_with(whiteout)) continue;
      if (name == opaque) {
        forget_below(folder);
        emptied.insert(folder);
      } else {
        const std::string gone = in_folder(folder, name.substr(whiteout.size()));
        forget_below(gone);
        live.erase(gone);
        emptied.erase(gone);
        deleted.insert(gone);
      }
    }
    for (std::uint64_t i = 0; i < entries.size(); ++i) {
      const TarEntry& one = entries[i];
      if (one.path.empty() || one.path.substr(one.path.rfind('/') + 1).starts_with(whiteout)) continue;
      const auto before = live.find(one.path);
      if (one.type == Type::directory) {
        // A folder where something else was, or nothing any more: what is below in an older layer stays hidden.
        const bool anew =
            deleted.erase(one.path) > 0 || (before != live.end() && entry(before->second).type != Type::directory);
        if (anew) emptied.insert(one.path);
      } else {
        forget_below(one.path);
        emptied.erase(one.path);
        deleted.erase(one.path);
      }
      live[one.path] = {index, i};
    }
  }

  // A hard link names a file of its own layer. Where that has another content now, the link's path has the bytes.
  void settle_links() {
    std::vector<std::map<std::string, std::uint64_t>> named(headers.size());
    for (std::size_t layer = 0; layer < headers.size(); ++layer)
      for (std::uint64_t i = 0; i < headers[layer].size(); ++i)
        if (headers[layer][i].type != Type::hard_link) named[layer][headers[layer][i].path] = i;
    for (const auto& [path, at] : live)
      if (entry(at).type == Type::file) files[at] = path;
    for (const auto& [path, at] : live) {
      if (entry(at).type != Type::hard_link) continue;
      const auto target = named[at.first].find(entry(at).link);
      if (target == named[at.first].end()) throw Error(printable(path) + ": a hard link to nothing in its layer");
      const At content{at.first, target->second};
      const auto [file, first] = files.emplace(content, path);
      if (!first && file->second != path) links[path] = file->second;
    }
  }
};

class Squashing : public MadeSource, public TarVisitor {
 public:
  Squashing(std::shared_ptr<const Sum> sum, std::shared_ptr<Layers> layers, std::size_t keep)
      : sum_(std::move(sum)), layers_(std::move(layers)), keep_(keep), writer_([this](View bytes) { make(bytes); }) {
    std::map<std::string, const TarEntry*> all;
    for (const auto& [path, at] : sum_->live)
      if (sum_->entry(at).type == Type::directory) all[path] = &sum_->entry(at);
    for (const auto& path : sum_->deleted) all[path] = nullptr;
    if (sum_->emptied.contains("")) mark(std::string(opaque));
    for (const auto& [path, folder] : all) {
      if (folder == nullptr) {
        const std::size_t slash = path.rfind('/');
        mark(in_folder(slash == std::string::npos ? "" : path.substr(0, slash),
                       std::string(whiteout) + path.substr(slash == std::string::npos ? 0 : slash + 1)));
        continue;
      }
      write(*folder, path);
      if (sum_->emptied.contains(path)) mark(in_folder(path, std::string(opaque)));
    }
  }

 private:
  void step() override {
    if (reader_) {
      const View piece = stream_->next();
      if (!piece.empty()) return reader_->feed(piece);
      reader_->finish();
      reader_.reset();
      stream_.reset();
      ++layer_;
    } else if (layer_ < sum_->headers.size()) {
      ordinal_ = 0;
      stream_ = layers_->open(keep_ + layer_);
      reader_ = std::make_unique<TarReader>(*this);
    } else {
      for (const auto& [path, target] : sum_->links) {
        TarEntry link = sum_->entry(sum_->live.at(path));
        link.link = target;
        write(std::move(link), path);
      }
      writer_.finish();
      over_ = true;
    }
  }

  void entry(const TarEntry& from) override {
    const At at{layer_, ordinal_++};
    writing_ = false;
    if (from.type == Type::file) {
      const auto file = sum_->files.find(at);
      if (file == sum_->files.end()) return;
      writing_ = true;
      return write(from, file->second);
    }
    if (from.type == Type::directory || from.type == Type::hard_link) return;
    const std::string path = trimmed(from.path);
    const auto live = sum_->live.find(path);
    if (live != sum_->live.end() && live->second == at) write(from, path);
  }
  void data(View piece) override {
    if (writing_) writer_.data(piece);
  }
  void end_entry() override { writing_ = false; }
  void stray(View, const char*) override {}

  void write(TarEntry entry, const std::string& path) {
    entry.path = path;
    entry.mtime = std::max<std::int64_t>(entry.mtime, 0);
    entry.user.clear();
    entry.group.clear();
    entry.pax.clear();
    std::sort(entry.xattrs.begin(), entry.xattrs.end());
    writer_.entry(entry);
  }
  void mark(const std::string& path) { writer_.file(path, {}); }

  std::shared_ptr<const Sum> sum_;
  std::shared_ptr<Layers> layers_;
  std::size_t keep_, layer_ = 0;
  std::uint64_t ordinal_ = 0;
  TarWriter writer_;
  std::unique_ptr<Source> stream_;
  std::unique_ptr<TarReader> reader_;
  bool writing_ = false;
};

}  // namespace

NewLayer squashed(Engine& engine, const std::string& handle, const ImageConfig& image, std::size_t keep) {
  const auto layers = std::make_shared<Layers>(engine, handle, image.diff_ids);
  const auto sum = std::make_shared<Sum>();
  for (std::size_t i = keep; i < image.diff_ids.size(); ++i) {
    try {
      Headers headers;
      const auto source = layers->open(i);
      read_tar(*source, headers);
      sum->add(std::move(headers.all));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw error.within("squash: layer " + std::to_string(i));
    }
  }
  sum->settle_links();
  NewLayer layer;
  layer.open = [sum, layers, keep]() -> std::unique_ptr<Source> {
    return std::make_unique<Squashing>(sum, layers, keep);
  };
  try {
    measure(layer);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw error.within("squash");
  }
  return layer;
}

std::string squashed_config(const ImageConfig& image, std::size_t keep, const std::string& diff_id) {
  auto config = nlohmann::ordered_json::parse(image.raw);
  auto& ids = config["rootfs"]["diff_ids"];
  ids = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < keep; ++i) ids.push_back(image.diff_ids[i]);
  ids.push_back(diff_id);
  auto& history = config["history"];
  if (!history.is_array()) history = nlohmann::ordered_json::array();
  std::size_t layer = 0;
  for (auto& line : history) {
    if (!line.is_object() || line.value("empty_layer", false)) continue;
    if (layer++ >= keep) line["empty_layer"] = true;
  }
  for (; layer < keep; ++layer) history.push_back({{"created_by", ""}, {"comment", "a layer of the base"}});
  nlohmann::ordered_json line;
  if (config.contains("created")) line["created"] = config["created"];
  line["created_by"] = "imgbuild build --squash";
  history.push_back(std::move(line));
  return config.dump();
}

}  // namespace imgbuild

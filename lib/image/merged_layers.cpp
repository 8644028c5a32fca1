// Two readings of each layer: the first without data, to know of each path which entry is the last word; the second
// tells what is left. An entry is known by the layer that it stands in and its number there.
#include "image/merged_layers.hpp"

#include <algorithm>

#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

using Type = TarEntry::Type;
constexpr std::string_view whiteout = ".wh.", opaque = ".wh..wh..opq";

// An archive's name for a path, as a path: without what means the same place.
std::string plain_path(const std::string& said) {
  std::string plain;
  for (const std::string& part : split(said, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") throw Error(printable(said) + ": leads out of its folder");
    plain += (plain.empty() ? "" : "/") + part;
  }
  return plain;
}

std::string in_folder(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string(name) : folder + "/" + std::string(name);
}

// The folder of a path, and its name there.
std::pair<std::string, std::string> parted(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::pair(std::string(), path)
                                    : std::pair(path.substr(0, slash), path.substr(slash + 1));
}

struct Headers : TarVisitor {
  void entry(const TarEntry& entry) override {
    if (entry.sparse) throw Error(printable(entry.path) + ": is packed as a sparse file");
    TarEntry one = entry;
    one.pax.clear();
    if (one.type != Type::other) one.path = plain_path(entry.path);
    if (one.type == Type::hard_link) one.link = plain_path(entry.link);
    if (one.type != Type::directory) one.xattrs.clear();
    all.push_back(std::move(one));
  }
  void data(View) override {}
  void end_entry() override {}
  void stray(View, const char*) override {}
  std::vector<TarEntry> all;
};

template <class Paths>
void erase_below(Paths& paths, const std::string& folder) {
  if (folder.empty()) return paths.clear();
  paths.erase(paths.lower_bound(folder + "/"), paths.lower_bound(folder + "0"));  // '0' follows '/'
}

bool is_mark(const std::string& path) { return parted(path).second.starts_with(whiteout); }

}  // namespace

MergedLayers::MergedLayers(Open open, std::size_t from, std::size_t count) : open_(std::move(open)), from_(from) {
  for (std::size_t index = from; index < count; ++index) {
    try {
      Headers headers;
      const auto source = open_(index);
      read_tar(*source, headers);
      add(index - from, std::move(headers.all));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw error.within("layer " + std::to_string(index));
    }
  }
  for (const auto& [path, at] : live_)
    if (type_of(at) != Type::directory) names_[at].push_back(path);
}

void MergedLayers::forget_below(const std::string& folder) {
  erase_below(live_, folder);
  erase_below(deleted_, folder);
  erase_below(emptied_, folder);
}

// What stands in the way of a path's folders goes.
void MergedLayers::make_room(std::size_t index, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    const auto known = live_.find(folder);
    if (known == live_.end() || type_of(known->second) == Type::directory) continue;
    if (known->second.first == index)
      throw Error(printable(path) + ": lies below " + printable(folder) + ", which is no folder");
    live_.erase(known);
    deleted_.insert(folder);
  }
}

void MergedLayers::add(std::size_t index, std::vector<TarEntry> entries) {
  auto& types = types_.emplace_back();
  for (const TarEntry& one : entries) types.push_back(one.type);
  // A layer's deletions mean the layers below it, wherever they stand in it.
  for (const TarEntry& one : entries) {
    const auto [folder, name] = parted(one.path);
    if (!name.starts_with(whiteout)) continue;
    if (name == opaque) {
      forget_below(folder);
      emptied_.insert(folder);
    } else {
      const std::string gone = in_folder(folder, name.substr(whiteout.size()));
      forget_below(gone);
      live_.erase(gone);
      emptied_.erase(gone);
      deleted_.insert(gone);
    }
  }
  std::map<std::string, At> named;  // what a hard link of this layer may name
  for (std::uint64_t i = 0; i < entries.size(); ++i) {
    TarEntry& one = entries[i];
    if (one.path.empty() || one.type == Type::other || is_mark(one.path)) continue;
    At at{index, i};
    if (one.type == Type::hard_link) {
      const auto target = named.find(one.link);
      if (target == named.end() || type_of(target->second) == Type::directory)
        throw Error(printable(one.path) + ": a hard link to nothing in its layer");
      at = target->second;
    }
    named[one.path] = at;
    make_room(index, one.path);
    const auto before = live_.find(one.path);
    if (one.type == Type::directory) {
      // A folder where something else was, or nothing any more: what is below in an older layer stays hidden.
      const bool anew =
          deleted_.erase(one.path) > 0 || (before != live_.end() && type_of(before->second) != Type::directory);
      if (anew) emptied_.insert(one.path);
      folders_[at] = std::move(one);
      live_[folders_[at].path] = at;
    } else {
      forget_below(one.path);
      emptied_.erase(one.path);
      deleted_.erase(one.path);
      live_[one.path] = at;
    }
  }
}

MergedLayers::Reading::Reading(const MergedLayers& merged, TarVisitor& to, bool marks) : merged_(merged), to_(to) {
  tell_folders(marks);
}

void MergedLayers::Reading::tell_folders(bool marks) {
  std::map<std::string, const TarEntry*> all;
  for (const auto& [path, at] : merged_.live_)
    if (merged_.type_of(at) == Type::directory) all[path] = &merged_.folders_.at(at);
  if (marks)
    for (const auto& path : merged_.deleted_) all.emplace(path, nullptr);
  const auto mark = [&](const std::string& path) {
    TarEntry entry;
    entry.mode = 0644;
    tell(std::move(entry), path);
    to_.end_entry();
  };
  if (marks && merged_.emptied_.contains("")) mark(std::string(opaque));
  for (const auto& [path, folder] : all) {
    if (folder == nullptr) {
      const auto [parent, name] = parted(path);
      mark(in_folder(parent, std::string(whiteout) + name));
      continue;
    }
    tell(*folder, path);
    to_.end_entry();
    if (marks && merged_.emptied_.contains(path)) mark(in_folder(path, opaque));
  }
}

bool MergedLayers::Reading::step() {
  if (reader_) {
    const View piece = stream_->next();
    if (!piece.empty()) {
      reader_->feed(piece);
      return true;
    }
    reader_->finish();
    reader_.reset();
    stream_.reset();
    ++layer_;
    return true;
  }
  if (layer_ < merged_.types_.size()) {
    ordinal_ = 0;
    stream_ = merged_.open_(merged_.from_ + layer_);
    reader_ = std::make_unique<TarReader>(static_cast<TarVisitor&>(*this));
    return true;
  }
  for (const auto& [path, at] : merged_.live_) {
    const auto known = linked_.find(at);
    if (known == linked_.end() || merged_.names_.at(at).front() == path) continue;
    TarEntry link = known->second;
    link.type = Type::hard_link;
    link.size = 0;
    link.link = merged_.names_.at(at).front();
    tell(std::move(link), path);
    to_.end_entry();
  }
  return false;
}

void MergedLayers::Reading::tell(TarEntry entry, const std::string& path) {
  entry.path = path;
  entry.user.clear();
  entry.group.clear();
  entry.pax.clear();
  std::sort(entry.xattrs.begin(), entry.xattrs.end());
  to_.entry(entry);
}

void MergedLayers::Reading::entry(const TarEntry& from) {
  const At at{layer_, ordinal_++};
  telling_ = false;
  const auto names = merged_.names_.find(at);
  if (names == merged_.names_.end()) return;
  telling_ = true;
  if (from.type == Type::file) {
    if (names->second.size() > 1) linked_[at] = from;
    return tell(from, names->second.front());
  }
  // Of another kind there may be several alike; none has data.
  for (std::size_t i = 0; i + 1 < names->second.size(); ++i) {
    tell(from, names->second[i]);
    to_.end_entry();
  }
  tell(from, names->second.back());
}

void MergedLayers::Reading::data(View piece) {
  if (telling_) to_.data(piece);
}

void MergedLayers::Reading::end_entry() {
  if (telling_) to_.end_entry();
  telling_ = false;
}

}  // namespace imgbuild

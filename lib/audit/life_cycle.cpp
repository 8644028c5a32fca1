#include "audit/life_cycle.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace imgbuild {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.", opaque_name = ".wh..wh..opq";

std::string_view without_slash(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::uint64_t hash_of(std::string_view path) { return std::hash<std::string_view>()(path); }

}  // namespace

void PathIndex::add(std::string_view path, bool directory, std::uint64_t size) {
  path = without_slash(path);
  const std::size_t slash = path.rfind('/');
  const std::string_view folder = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  What what = directory ? What::directory : What::file;
  std::uint64_t hash = 0;
  if (name == opaque_name) {
    what = What::opaque;
    hash = hash_of(folder);
  } else if (name.starts_with(whiteout_prefix)) {
    what = What::whiteout;
    std::string hidden(folder);
    if (!hidden.empty()) hidden += '/';
    hash = hash_of(hidden.append(name.substr(whiteout_prefix.size())));
  } else {
    hash = hash_of(path);
  }
  seen_.push_back({hash, (seen_.size() + 1) << 8 | static_cast<std::uint64_t>(what), hash_of(folder), size});
}

void PathIndex::finish() {
  seen_.shrink_to_fit();
  std::sort(seen_.begin(), seen_.end(), [](const Seen& a, const Seen& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.entry_and_what < b.entry_and_what;
  });
}

PathIndex::PathIndex(View bytes) : seen_(bytes.size() / sizeof(Seen)) {
  if (!seen_.empty()) std::memcpy(seen_.data(), bytes.data(), seen_.size() * sizeof(Seen));
}

View PathIndex::bytes() const {
  return {reinterpret_cast<const std::uint8_t*>(seen_.data()), seen_.size() * sizeof(Seen)};
}

bool PathIndex::has(std::string_view path, What what, std::uint64_t after_entry) const {
  const std::uint64_t hash = hash_of(without_slash(path));
  auto at = std::lower_bound(seen_.begin(), seen_.end(), hash,
                             [](const Seen& one, std::uint64_t wanted) { return one.hash < wanted; });
  for (; at != seen_.end() && at->hash == hash; ++at)
    if (at->what() == what && at->entry() > after_entry) return true;
  return false;
}

std::vector<std::uint64_t> hidden_bytes(const std::vector<const PathIndex*>& layers) {
  using What = PathIndex::What;
  // From the newest layer down: what those above it have put over a path, and over all that lies in a folder.
  std::unordered_set<std::uint64_t> replaced, folders, emptied;
  std::unordered_map<std::uint64_t, std::uint64_t> above;  // of a folder: the one that it lies in
  for (const PathIndex* layer : layers)
    for (const PathIndex::Seen& one : layer->seen_)
      if (one.what() == What::directory) above.emplace(one.hash, one.folder);
  const std::uint64_t root = hash_of("");
  const auto swept = [&](std::uint64_t folder) {
    for (int depth = 0; depth < 4096; ++depth) {
      if (replaced.contains(folder) || emptied.contains(folder)) return true;
      const auto next = above.find(folder);
      if (folder == root || next == above.end()) break;
      folder = next->second;
    }
    return emptied.contains(root);
  };
  std::vector<std::uint64_t> hidden(layers.size(), 0);
  for (std::size_t i = layers.size(); i-- > 0;) {
    const auto& seen = layers[i]->seen_;
    const bool alone = replaced.empty() && folders.empty() && emptied.empty();
    for (std::size_t n = 0; n < seen.size(); ++n) {
      if (seen[n].size == 0) continue;
      const bool twice = n + 1 < seen.size() && seen[n + 1].hash == seen[n].hash;
      if (twice ||
          (!alone && (replaced.contains(seen[n].hash) || folders.contains(seen[n].hash) || swept(seen[n].folder))))
        hidden[i] += seen[n].size;
    }
    if (i == 0) break;
    for (const PathIndex::Seen& one : seen) {
      if (one.what() == What::directory)
        folders.insert(one.hash);
      else
        (one.what() == What::opaque ? emptied : replaced).insert(one.hash);
    }
  }
  return hidden;
}

Fate fate_of(const std::vector<const PathIndex*>& layers, int layer, std::uint64_t entry, std::string_view path) {
  using What = PathIndex::What;
  path = without_slash(path);
  const auto own = static_cast<std::size_t>(layer);
  const bool directory = layers[own] != nullptr && layers[own]->has(path, What::directory);
  for (std::size_t i = own; i < layers.size(); ++i) {
    if (layers[i] == nullptr) continue;
    const PathIndex& index = *layers[i];
    const std::uint64_t after = i == own ? entry : 0;
    const int by = static_cast<int>(i);
    if (index.has(path, What::file, after) || (!directory && index.has(path, What::directory, after)))
      return {Location::State::overwritten, by};
    if (i > own && (index.has(path, What::whiteout) || index.has("", What::opaque)))
      return {Location::State::deleted, by};
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      const std::string_view above = path.substr(0, slash);
      if (index.has(above, What::file, after)) return {Location::State::deleted, by};
      if (i > own && (index.has(above, What::whiteout) || index.has(above, What::opaque)))
        return {Location::State::deleted, by};
    }
  }
  return {};
}

}  // namespace imgbuild

#include "build/seen_files.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "audit/layer_cache.hpp"

namespace imgbuild {

SeenFilesRecord::SeenFilesRecord(const std::string& root, const Scanner& scanner, bool use)
    : store_(RecordStore::open()) {
  if (!store_) return;
  std::error_code trouble;
  const std::string path = std::filesystem::canonical(root, trouble).string();
  if (trouble) {
    store_.reset();
    return;
  }
  name_ = store_->name_for(
      view_of("imgbuild staged files\n" + build_of_this_program() + "\n" + scanner.digest() + "\n" + path));
  const auto record = use ? store_->get(name_) : std::nullopt;
  if (!record || record->size() < sizeof(SeenTree)) return;
  SeenTree tree;
  std::memcpy(&tree, record->data(), sizeof tree);
  if (tree != SeenTree()) files_.tree_before = tree;
  files_.before.resize((record->size() - sizeof tree) / sizeof(FileMark));
  for (std::size_t i = 0; i < files_.before.size(); ++i)
    std::memcpy(files_.before[i].data(), record->data() + sizeof tree + i * sizeof(FileMark), sizeof(FileMark));
}

void SeenFilesRecord::keep() {
  if (!store_ || files_.now.empty()) return;
  std::sort(files_.now.begin(), files_.now.end());
  if (files_.now == files_.before && files_.tree_now == files_.tree_before) return;
  const SeenTree tree = files_.tree_now.value_or(SeenTree());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&tree);
  Bytes record;
  record.reserve(sizeof tree + files_.now.size() * sizeof(FileMark));
  record.insert(record.end(), bytes, bytes + sizeof tree);
  for (const FileMark& mark : files_.now) record.insert(record.end(), mark.begin(), mark.end());
  store_->put(name_, record);
}

}  // namespace imgbuild

#include "engine/engine_files.hpp"

#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/content_store.hpp"
#include "image/json.hpp"
#include "image/reference.hpp"
#include "tar/tar_split.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_config = std::size_t{8} << 20, most_table = std::size_t{64} << 20;

// A name of the engine's that goes into a path: one part of it, and not "..".
bool is_plain(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

std::string chain_id(const std::vector<std::string>& diff_ids, std::size_t index) {
  std::string chain = diff_ids.at(0);
  for (std::size_t i = 1; i <= index; ++i) {
    chain += " " + diff_ids.at(i);
    chain = sha256_digest(view_of(chain));
  }
  return chain;
}

std::unique_ptr<Source> source_of(const std::string& record, const std::string& folder) {
  if (::access(record.c_str(), R_OK) != 0 || ::access(folder.c_str(), R_OK | X_OK) != 0) return nullptr;
  return std::make_unique<TarSplitSource>(record, folder);
}

// A blob of a content store, which lasts as long as it.
class BlobSource : public Source {
 public:
  BlobSource(std::unique_ptr<ImageStore> store, View blob) : store_(std::move(store)), blob_(blob) {}
  View next() override { return std::exchange(blob_, {}); }
  bool stable() const override { return true; }

 private:
  std::unique_ptr<ImageStore> store_;
  View blob_;
};

std::unique_ptr<Source> blob_of(std::unique_ptr<ImageStore> store, const std::vector<std::string>& diff_ids,
                                std::size_t index) {
  const SavedImage image = find_kept(*store, [&](const ImageConfig& config) { return config.diff_ids == diff_ids; });
  if (parse_config(image.config).diff_ids != diff_ids || image.layers.size() != diff_ids.size()) return nullptr;
  Descriptor layer;
  layer.digest = text_at(image.layers.at(index), "digest");
  if (!is_image_id(layer.digest)) return nullptr;
  const auto blob = store->blob(layer);
  if (!blob) return nullptr;
  return std::make_unique<BlobSource>(std::move(store), blob->mapped);
}

}  // namespace

EngineFiles::EngineFiles(EngineFacts::Kind kind, std::string root, std::string driver, std::string containerd)
    : kind_(kind), root_(std::move(root)), driver_(std::move(driver)), containerd_(std::move(containerd)) {
  if (!root_.starts_with('/') || !is_plain(driver_)) root_.clear();
}

std::string EngineFiles::config(const std::string& handle) const {
  if (root_.empty() || kind_ != EngineFacts::Kind::docker_classic || !is_image_id(handle)) return {};
  const std::string path = root_ + "/image/" + driver_ + "/imagedb/content/sha256/" + handle.substr(7);
  if (::access(path.c_str(), R_OK) != 0) return {};
  try {
    std::string config = read_file(path, most_config);
    return sha256_digest(view_of(config)) == handle ? config : std::string();
  } catch (const Error&) {
    return {};
  }
}

std::unique_ptr<ImageStore> EngineFiles::image(const std::string& handle) const {
  if (root_.empty() || kind_ != EngineFacts::Kind::docker_containerd || !is_image_id(handle)) return nullptr;
  const std::string folder = find_content(root_, containerd_, handle);
  if (folder.empty()) return nullptr;
  try {
    return std::make_unique<ContentStore>(folder, handle);
  } catch (const Error&) {
    return nullptr;
  }
}

std::unique_ptr<Source> EngineFiles::layer(const std::string& handle, const std::vector<std::string>& diff_ids,
                                           std::size_t index) const {
  if (root_.empty() || !is_image_id(diff_ids.at(index))) return nullptr;
  try {
    if (auto store = image(handle)) return blob_of(std::move(store), diff_ids, index);
    if (kind_ == EngineFacts::Kind::docker_classic && driver_ == "overlay2") {
      const std::string layer = root_ + "/image/" + driver_ + "/layerdb/sha256/" + chain_id(diff_ids, index).substr(7);
      if (::access((layer + "/cache-id").c_str(), R_OK) != 0) return nullptr;
      const std::string folder(trim(read_file(layer + "/cache-id", 4096)));
      if (!is_plain(folder)) return nullptr;
      return source_of(layer + "/tar-split.json.gz", root_ + "/" + driver_ + "/" + folder + "/diff");
    }
    if (kind_ == EngineFacts::Kind::podman && driver_ == "overlay") {
      const std::string table = root_ + "/overlay-layers/layers.json";
      if (::access(table.c_str(), R_OK) != 0) return nullptr;
      for (const Json& layer : parse_json(read_file(table, most_table), "layers.json")) {
        const std::string id = text_at(layer, "id");
        if (text_at(layer, "diff-digest") == diff_ids[index] && is_plain(id))
          return source_of(root_ + "/overlay-layers/" + id + ".tar-split.gz", root_ + "/overlay/" + id + "/diff");
      }
    }
  } catch (const Error&) {  // what cannot be read here, `save` has
  }
  return nullptr;
}

}  // namespace imgbuild

#include "engine/engine_files.hpp"

#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/content_store.hpp"
#include "image/json.hpp"
#include "image/reference.hpp"
#include "tar/tar_split.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_config = std::size_t{8} << 20, most_table = std::size_t{64} << 20,
                      most_record = std::size_t{32} << 20;

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

// Bytes in memory.
class TextSource : public Source {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  View next() override { return std::exchange(given_, true) ? View() : view_of(text_); }

 private:
  const std::string text_;
  bool given_ = false;
};

// A blob of a content store, which lasts as long as it.
class BlobSource : public Source {
 public:
  BlobSource(std::unique_ptr<ImageStore> store, ImageStore::Blob blob)
      : store_(std::move(store)), blob_(std::move(blob)) {}
  View next() override { return blob_.stream ? blob_.stream->next() : std::exchange(blob_.mapped, {}); }
  bool stable() const override { return !blob_.stream; }

 private:
  std::unique_ptr<ImageStore> store_;
  ImageStore::Blob blob_;
};

std::unique_ptr<Source> blob_of(std::unique_ptr<ImageStore> store, const std::vector<std::string>& diff_ids,
                                std::size_t index) {
  const SavedImage image = find_kept(*store, [&](const ImageConfig& config) { return config.diff_ids == diff_ids; });
  if (parse_config(image.config).diff_ids != diff_ids || image.layers.size() != diff_ids.size()) return nullptr;
  Descriptor layer;
  layer.digest = text_at(image.layers.at(index), "digest");
  if (!is_image_id(layer.digest)) return nullptr;
  auto blob = store->blob(layer);
  if (!blob) return nullptr;
  return std::make_unique<BlobSource>(std::move(store), std::move(*blob));
}

}  // namespace

EngineFiles::EngineFiles(EngineFacts::Kind kind, std::string root, std::string driver, std::string containerd)
    : kind_(kind),
      root_(std::move(root)),
      driver_(std::move(driver)),
      containerd_(std::move(containerd)),
      open_(local_fetch) {
  if (!root_.starts_with('/') || !is_plain(driver_)) root_.clear();
}

EngineFiles::EngineFiles(EngineFacts::Kind kind, std::string driver, std::function<std::unique_ptr<Fetch>()> open)
    : kind_(kind), root_(helper_root), driver_(std::move(driver)), open_(std::move(open)), far_(true) {
  if (!is_plain(driver_)) root_.clear();
}

// A file below the engine's root; nullopt where it cannot be read.
std::optional<std::string> EngineFiles::read(const std::string& path, std::size_t most) const {
  const auto fetch = open_();
  return fetch ? fetch_whole(*fetch, root_, path, most) : std::nullopt;
}

std::string EngineFiles::config(const std::string& handle) const {
  if (root_.empty() || kind_ == EngineFacts::Kind::docker_containerd || !is_image_id(handle)) return {};
  try {
    // Podman keeps it as one of an image's "big data", in a file named by its digest: "=" and that in base64.
    auto config = read(kind_ == EngineFacts::Kind::podman
                           ? driver_ + "-images/" + handle.substr(7) + "/=" + base64(view_of(handle))
                           : "image/" + driver_ + "/imagedb/content/sha256/" + handle.substr(7),
                       most_config);
    return config && sha256_digest(view_of(*config)) == handle ? std::move(*config) : std::string();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return {};
  }
}

std::unique_ptr<ImageStore> EngineFiles::image(const std::string& handle) const {
  if (root_.empty() || kind_ != EngineFacts::Kind::docker_containerd || !is_image_id(handle)) return nullptr;
  try {
    if (far_)
      return FetchedContent::find({helper_root + std::string("/containerd/daemon"), helper_containerd}, handle, open_);
    const std::string folder = find_content(root_, containerd_, handle);
    return folder.empty() ? nullptr : std::make_unique<ContentStore>(folder, handle);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return nullptr;
  }
}

// A layer's tar, from its record and the folder that it was unpacked into, both below the root.
std::unique_ptr<Source> EngineFiles::unpacked(const std::string& record, const std::string& folder) const {
  auto files = open_();
  if (!files) return nullptr;
  std::unique_ptr<Source> lines;
  if (far_) {
    auto whole = fetch_whole(*files, root_, record, most_record);
    if (!whole) return nullptr;
    lines = std::make_unique<TextSource>(std::move(*whole));
  } else {
    if (::access((root_ + "/" + folder).c_str(), R_OK | X_OK) != 0) return nullptr;
    auto fetch = open_();
    fetch->want(root_, record);
    if (!fetch->begin()) return nullptr;
    lines = std::make_unique<FetchSource>(std::move(fetch));
  }
  return std::make_unique<TarSplitSource>(std::move(lines), printable(root_ + "/" + record), std::move(files),
                                          root_ + "/" + folder);
}

std::unique_ptr<Source> EngineFiles::layer(const std::string& handle, const std::vector<std::string>& diff_ids,
                                           std::size_t index) const {
  if (root_.empty() || !is_image_id(diff_ids.at(index))) return nullptr;
  try {
    if (auto store = image(handle)) return blob_of(std::move(store), diff_ids, index);
    if (kind_ == EngineFacts::Kind::docker_classic && driver_ == "overlay2") {
      const std::string layer = "image/" + driver_ + "/layerdb/sha256/" + chain_id(diff_ids, index).substr(7);
      const auto cache_id = read(layer + "/cache-id", 4096);
      if (!cache_id) return nullptr;
      const std::string folder(trim(*cache_id));
      if (!is_plain(folder)) return nullptr;
      return unpacked(layer + "/tar-split.json.gz", driver_ + "/" + folder + "/diff");
    }
    if (kind_ == EngineFacts::Kind::podman && driver_ == "overlay") {
      const auto table = read("overlay-layers/layers.json", most_table);
      if (!table) return nullptr;
      for (const Json& layer : parse_json(*table, "layers.json")) {
        const std::string id = text_at(layer, "id");
        if (text_at(layer, "diff-digest") == diff_ids[index] && is_plain(id))
          return unpacked("overlay-layers/" + id + ".tar-split.gz", "overlay/" + id + "/diff");
      }
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // what cannot be read here, `save` has
  }
  return nullptr;
}

}  // namespace imgbuild

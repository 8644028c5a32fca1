// A layer goes by two names: the diff id of its tar, which the config holds and the audit has seen, and the digest of
// what a registry keeps, gzip mostly. Nothing but the bytes themselves ties one to the other.
#include "push/packed_layer.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"
#include "tar/gzip.hpp"
#include "tar/inflate.hpp"
#include "tar/reader.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t head_size = 512;  ///< enough for container_of() to know what a layer may be packed with

/// Puts a stream aside, as it is where it is packed and packed where it is not, and hashes it both ways. Or hashes
/// only.
class Packer {
 public:
  explicit Packer(bool keeps) : keeps_(keeps) {}

  void feed(View piece) {
    if (!begun_) {
      head_.insert(head_.end(), piece.begin(), piece.end());
      if (head_.size() < head_size) return;
      begin();
      return;
    }
    take(piece);
  }

  /// The layer, and its diff id. Throws Error where it is damaged.
  std::pair<std::string, PackedLayer> finish() {
    if (!begun_) begin();
    if (inflater_) inflater_->finish();
    if (gzip_) gzip_->finish();
    layer_.digest = digest_.finish_digest();
    if (kind_ != Container::zstd) kind_ = gzip_ || inflater_ ? Container::gzip : Container::none;
    layer_.kind = kind_;
    return {diff_id_.finish_digest(), std::move(layer_)};
  }

 private:
  void begin() {
    begun_ = true;
    if (keeps_) layer_.bytes = std::make_unique<ByteStore>();
    kind_ = container_of(head_);
    if (kind_ == Container::gzip || kind_ == Container::zstd) {
      inflater_.emplace(
          kind_, [this] { return std::span(room_); }, [this](View plain) { diff_id_.update(plain); });
    } else if (keeps_) {
      gzip_.emplace([this](View packed) { keep(packed); });
    }
    take(head_);
    head_ = Bytes();
  }
  void take(View piece) {
    if (inflater_) {
      keep(piece);
      inflater_->feed(piece);
    } else {
      diff_id_.update(piece);
      gzip_ ? gzip_->feed(piece) : keep(piece);
    }
  }
  void keep(View packed) {
    digest_.update(packed);
    layer_.size += packed.size();
    if (keeps_) layer_.bytes->append(packed);
  }

  const bool keeps_;
  Bytes head_, room_ = Bytes(std::size_t{256} << 10);
  bool begun_ = false;
  Container kind_ = Container::none;
  Sha256 digest_, diff_id_;
  std::optional<Inflater> inflater_;
  std::optional<Gzip> gzip_;
  PackedLayer layer_;
};

/// Every file of an archive may be a layer: its bytes tell in the end.
class Members : public TarVisitor {
 public:
  explicit Members(const std::set<std::string>& wanted) : wanted_(wanted) {}
  void entry(const TarEntry& entry) override {
    // Manifests and configs are smaller than any tar; what is larger and no layer is thrown away again.
    if (entry.type == TarEntry::Type::file && found_.size() < wanted_.size()) packer_.emplace(true);
  }
  void data(View piece) override {
    if (packer_) packer_->feed(piece);
  }
  void end_entry() override {
    if (!packer_) return;
    try {
      auto [diff_id, layer] = packer_->finish();
      if (wanted_.contains(diff_id)) found_.emplace(diff_id, std::move(layer));
    } catch (const Error&) {  // no layer: those unpack
    }
    packer_.reset();
  }
  void stray(View, const char*) override {}
  std::map<std::string, PackedLayer> found() && { return std::move(found_); }

 private:
  const std::set<std::string>& wanted_;
  std::optional<Packer> packer_;
  std::map<std::string, PackedLayer> found_;
};

}  // namespace

PackedLayer pack_layer(Source& layer, const std::string& diff_id) {
  Packer packer(true);
  for (View piece = layer.next(); !piece.empty(); piece = layer.next()) packer.feed(piece);
  auto [got, packed] = packer.finish();
  if (got != diff_id) throw Error("layer: expected " + diff_id + ", got " + got);
  return std::move(packed);
}

std::map<std::string, PackedLayer> layers_of_archive(Source& archive, const std::set<std::string>& wanted) {
  Members members(wanted);
  read_tar(archive, members);
  return std::move(members).found();
}

std::pair<std::string, PackedLayer> names_of_blob(Source& blob) {
  Packer packer(false);
  for (View piece = blob.next(); !piece.empty(); piece = blob.next()) packer.feed(piece);
  return packer.finish();
}

std::string manifest_of(const ImageConfig& config, const std::vector<const PackedLayer*>& layers, bool oci) {
  Json manifest;
  manifest["schemaVersion"] = 2;
  manifest["mediaType"] =
      oci ? "application/vnd.oci.image.manifest.v1+json" : "application/vnd.docker.distribution.manifest.v2+json";
  manifest["config"] = {{"mediaType", oci ? "application/vnd.oci.image.config.v1+json"
                                          : "application/vnd.docker.container.image.v1+json"},
                        {"size", config.raw.size()},
                        {"digest", config.id}};
  manifest["layers"] = Json::array();
  for (const PackedLayer* layer : layers) {
    std::string type = oci ? "application/vnd.oci.image.layer.v1.tar" : "application/vnd.docker.image.rootfs.diff.tar";
    if (layer->kind != Container::none) type += std::string(oci ? "+" : ".") + name_of(layer->kind);
    manifest["layers"].push_back({{"mediaType", type}, {"size", layer->size}, {"digest", layer->digest}});
  }
  return manifest.dump();
}

}  // namespace imgbuild

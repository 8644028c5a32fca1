// What the registry lacks is found out by digest, layer by layer. A layer's digest there is whatever its packer made of
// it, so three are asked for: what this layer was packed to before (a signed record of ours), what the image that now
// has the tag calls it (read once, to see that it is the same), and what we pack it to ourselves.
#include "push/push.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "audit/record_store.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"
#include "push/packed_layer.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_config = std::size_t{8} << 20, most_names = 16;

/// What layers are called in registries: an answer that took reading them whole.
class KnownNames {
 public:
  KnownNames() : store_(RecordStore::open()) {}

  std::vector<PackedLayer> of(const std::string& diff_id) const {
    std::vector<PackedLayer> names;
    const auto record = store_ ? store_->get(record_of(diff_id)) : std::nullopt;
    if (!record) return names;
    const Json json = Json::parse(record->begin(), record->end(), nullptr, false);
    if (!json.is_array()) return names;
    for (const Json& one : json) {
      PackedLayer layer;
      layer.digest = text_at(one, "digest");
      const std::string kind = text_at(one, "kind");
      layer.kind = kind == "zstd" ? Container::zstd : kind == "gzip" ? Container::gzip : Container::none;
      const Json& size = at(one, "size");
      if (!size.is_number_unsigned() || !is_sha256_digest(layer.digest)) continue;
      layer.size = size.get<std::uint64_t>();
      names.push_back(std::move(layer));
    }
    return names;
  }

  void keep(const std::string& diff_id, const PackedLayer& layer) {
    if (!store_) return;
    auto names = of(diff_id);
    if (std::any_of(names.begin(), names.end(), [&](const auto& one) { return one.digest == layer.digest; })) return;
    Json json = Json::array();
    const auto add = [&](const PackedLayer& one) {
      json.push_back({{"digest", one.digest}, {"kind", name_of(one.kind)}, {"size", one.size}});
    };
    add(layer);
    for (std::size_t i = 0; i < std::min(names.size(), most_names - 1); ++i) add(names[i]);
    store_->put(record_of(diff_id), view_of(json.dump()));
  }

 private:
  static std::string record_of(const std::string& diff_id) {
    return sha256_digest(view_of("names of layer " + diff_id)).substr(7);
  }
  const std::unique_ptr<RecordStore> store_;
};

/// What the image that has the tag now calls its layers, by diff id. A claim.
std::map<std::string, Descriptor> claimed_names(RegistryStore& store, const std::string& platform) {
  std::map<std::string, Descriptor> claims;
  try {
    for (const ImageParts& image : choose_images(store, {{}, platform, false}).images) {
      if (image.manifest.kind != Manifest::Kind::image || image.manifest.config.size > most_config) continue;
      const auto blob = store.blob(image.manifest.config);
      if (!blob || !blob->stream) continue;
      std::string raw;
      for (View piece = blob->stream->next(); !piece.empty(); piece = blob->stream->next()) {
        raw += text_of(piece);
        if (raw.size() > most_config) throw Error("a config larger than " + human_size(most_config));
      }
      const ImageConfig config = parse_config(raw);
      if (config.diff_ids.size() != image.manifest.layers.size()) continue;
      for (std::size_t i = 0; i < config.diff_ids.size(); ++i)
        claims.emplace(config.diff_ids[i], image.manifest.layers[i]);
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // no such image, or one that cannot be read: then it claims nothing
  }
  return claims;
}

class Pushing {
 public:
  Pushing(Engine& engine, const ImageConfig& config, const std::string& handle, const Reference& to,
          const Variables& variables, const std::function<void(const std::string&)>& step)
      : engine_(engine),
        config_(config),
        handle_(handle),
        store_(to, variables),
        registry_(to, variables),
        step_(step) {}

  Pushed run(const std::string& tag) {
    for (const auto& diff_id : config_.diff_ids)
      if (!layers_.contains(diff_id)) find(diff_id);
    send_missing();
    if (!registry_.has_blob(config_.id)) registry_.put_blob(config_.id, ViewWhole(view_of(config_.raw)));
    std::vector<const PackedLayer*> layers;
    for (const auto& diff_id : config_.diff_ids) layers.push_back(&layers_.at(diff_id));
    const bool oci =
        std::any_of(layers.begin(), layers.end(), [](const auto* one) { return one->kind == Container::zstd; });
    const std::string manifest = manifest_of(config_, layers, oci);
    registry_.put_manifest(
        manifest,
        oci ? "application/vnd.oci.image.manifest.v1+json" : "application/vnd.docker.distribution.manifest.v2+json",
        tag);
    pushed_.digest = sha256_digest(view_of(manifest));
    pushed_.layers = config_.diff_ids.size();
    return pushed_;
  }

 private:
  /// Looks for the layer in the registry, under any name that it is known to have.
  void find(const std::string& diff_id) {
    interrupt::check();
    for (auto& name : known_.of(diff_id))
      if (registry_.has_blob(name.digest)) {
        layers_.emplace(diff_id, std::move(name));
        return;
      }
    if (!claims_) claims_ = claimed_names(store_, config_.platform());
    const auto claim = claims_->find(diff_id);
    if (claim == claims_->end() || claim->second.foreign()) return;
    try {
      const auto blob = store_.blob(claim->second);
      if (!blob || !blob->stream) return;
      auto [got, layer] = names_of_blob(*blob->stream);
      if (got != diff_id || layer.digest != claim->second.digest) return;
      known_.keep(diff_id, layer);
      layers_.emplace(diff_id, std::move(layer));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // a blob that is damaged or gone: ours is sent
    }
  }

  void send_missing() {
    std::set<std::string> left;
    for (std::size_t i = 0; i < config_.diff_ids.size(); ++i) {
      const std::string& diff_id = config_.diff_ids[i];
      if (layers_.contains(diff_id) || left.contains(diff_id)) continue;
      // The engine's own files are ten times faster, where they can be read and hold what they should.
      if (auto packed = from_files(i))
        send(diff_id, std::move(*packed));
      else
        left.insert(diff_id);
    }
    if (left.empty()) return;
    const auto saved = engine_.save(handle_);
    auto found = layers_of_archive(*saved, left);
    for (const auto& diff_id : left) {
      const auto layer = found.find(diff_id);
      if (layer == found.end()) throw Error("engine: save: it did not send the layer " + diff_id);
      send(diff_id, std::move(layer->second));
    }
  }

  std::optional<PackedLayer> from_files(std::size_t index) {
    const auto layer = engine_.stored_layer(handle_, config_.diff_ids, index);
    if (!layer) return std::nullopt;
    try {
      return pack_layer(*layer, config_.diff_ids[index]);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void send(const std::string& diff_id, PackedLayer layer) {
    if (!registry_.has_blob(layer.digest)) {
      if (step_) step_("sending layer " + diff_id.substr(7, 12) + ", " + human_size(layer.size));
      registry_.put_blob(layer.digest, *layer.bytes);
      ++pushed_.sent;
      pushed_.sent_bytes += layer.size;
    }
    layer.bytes.reset();
    known_.keep(diff_id, layer);
    layers_.emplace(diff_id, std::move(layer));
  }

  Engine& engine_;
  const ImageConfig& config_;
  const std::string handle_;
  RegistryStore store_;
  RegistryPush registry_;
  const std::function<void(const std::string&)>& step_;
  KnownNames known_;
  std::optional<std::map<std::string, Descriptor>> claims_;
  std::map<std::string, PackedLayer> layers_;  ///< that the registry has, by diff id
  Pushed pushed_;
};

}  // namespace

Pushed push_image(const Cleared& cleared, Engine& engine, const Reference& to, const Variables& variables,
                  const std::function<void(const std::string&)>& step) {
  const ImageConfig config = engine.config_of(cleared.handle());
  if (config.id != cleared.id())
    throw Error("engine: the config is not the one that was cleared: expected " + cleared.id() + ", got " + config.id);
  return Pushing(engine, config, cleared.handle(), to, variables, step).run(to.tag.empty() ? "latest" : to.tag);
}

}  // namespace imgbuild

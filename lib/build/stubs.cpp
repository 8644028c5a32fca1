#include "build/stubs.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/interrupt.hpp"
#include "crypto/digest.hpp"
#include "tar/inflate.hpp"
#include "tar/reader.hpp"

namespace imgbuild {
namespace {

constexpr std::array mounted = {
    "etc/hosts", "etc/hostname", "etc/resolv.conf", "run/.containerenv", "run/secrets", "etc/mtab", "proc",
    "sys",       "dev"};

std::string plain(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

class Stubs : public TarVisitor {
 public:
  explicit Stubs(const std::vector<std::string>& volumes) : mounts_(mounted.begin(), mounted.end()) {
    for (const std::string& volume : volumes) mounts_.push_back(plain(volume));
  }
  void entry(const TarEntry& entry) override {
    const std::string path = plain(entry.path);
    if (entry.size == 0 && std::find(mounts_.begin(), mounts_.end(), path) != mounts_.end()) found.push_back(path);
  }
  void data(View) override {}
  void end_entry() override {}
  void stray(View, const char*) override {}

  std::vector<std::string> found;

 private:
  std::vector<std::string> mounts_;
};

/// A layer, packed or not, as it streams by.
class LayerStubs {
 public:
  explicit LayerStubs(const std::vector<std::string>& volumes) : stubs_(volumes), tar_(stubs_) {}

  void feed(View piece) {
    if (begun_) return pass(piece);
    head_.insert(head_.end(), piece.begin(), piece.end());
    if (head_.size() >= 512) begin();
  }
  /// The layer's diff id. Throws Error where it is none.
  std::string finish() {
    if (!begun_) begin();
    if (inflater_) inflater_->finish();
    tar_.finish();
    return sha_.finish_digest();
  }
  const std::vector<std::string>& found() const { return stubs_.found; }

 private:
  void begin() {
    begun_ = true;
    const Container kind = container_of(head_);
    if (kind == Container::gzip || kind == Container::zstd)
      inflater_.emplace(
          kind, [this] { return std::span(room_); }, [this](View plain) { take(plain); });
    pass(head_);
    head_ = Bytes();
  }
  void pass(View piece) { inflater_ ? void(inflater_->feed(piece)) : take(piece); }
  void take(View plain) {
    sha_.update(plain);
    tar_.feed(plain);
  }
  bool begun_ = false;
  Bytes head_;  // until what packs it is known
  Bytes room_ = Bytes(std::size_t{256} << 10);
  Stubs stubs_;
  TarReader tar_;
  Sha256 sha_;
  std::optional<Inflater> inflater_;
};

/// Members of what an engine saves: which of them is the layer, its bytes say.
class SavedStubs : public TarVisitor {
 public:
  SavedStubs(std::string diff_id, const std::vector<std::string>& volumes)
      : diff_id_(std::move(diff_id)), volumes_(volumes) {}
  void entry(const TarEntry& entry) override {
    if (entry.type == TarEntry::Type::file && !found) layer_ = std::make_unique<LayerStubs>(volumes_);
  }
  void data(View piece) override {
    guarded([&] { layer_->feed(piece); });
  }
  void end_entry() override {
    guarded([&] {
      if (layer_->finish() == diff_id_) found = layer_->found();
    });
    layer_.reset();
  }
  void stray(View, const char*) override {}

  std::optional<std::vector<std::string>> found;

 private:
  template <class Work>
  void guarded(Work work) {
    if (layer_) try {
        work();
      } catch (const Error&) {  // no layer
        layer_.reset();
      }
  }
  const std::string diff_id_;
  const std::vector<std::string>& volumes_;
  std::unique_ptr<LayerStubs> layer_;
};

}  // namespace

std::vector<std::string> stubs_of(Engine& engine, const std::string& handle, const std::vector<std::string>& diff_ids,
                                  const std::vector<std::string>& volumes) {
  if (diff_ids.empty()) return {};
  if (const auto stored = engine.stored_layer(handle, diff_ids, diff_ids.size() - 1)) try {
      LayerStubs layer(volumes);
      for (View piece = stored->next(); !piece.empty(); piece = stored->next()) {
        interrupt::check();
        layer.feed(piece);
      }
      if (layer.finish() == diff_ids.back()) return layer.found();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // the files are not what they should be
    }
  SavedStubs saved(diff_ids.back(), volumes);
  read_tar(*engine.save(handle), saved);
  return saved.found.value_or(std::vector<std::string>());
}

}  // namespace imgbuild

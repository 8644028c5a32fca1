// Several layers as one, told by MergedLayers: names first, then what is left. A third reading has the layer's digest
// beforehand.
#include "build/squash.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/made_source.hpp"
#include "engine/layers.hpp"
#include "image/merged_layers.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

class Squashing : public MadeSource, public TarVisitor {
 public:
  explicit Squashing(std::shared_ptr<const MergedLayers> merged)
      : merged_(std::move(merged)), writer_([this](View bytes) { make(bytes); }), reading_(*merged_, *this, true) {}

 private:
  void step() override {
    over_ = !reading_.step();
    if (over_) writer_.finish();
  }
  void entry(const TarEntry& from) override {
    TarEntry entry = from;
    entry.mtime = std::max<std::int64_t>(entry.mtime, 0);
    writer_.entry(entry);
  }
  void data(View piece) override { writer_.data(piece); }
  void end_entry() override {}
  void stray(View, const char*) override {}

  std::shared_ptr<const MergedLayers> merged_;
  TarWriter writer_;
  MergedLayers::Reading reading_;
};

}  // namespace

NewLayer squashed(Engine& engine, const std::string& handle, const ImageConfig& image, std::size_t keep) {
  const auto layers = std::make_shared<Layers>(engine, handle, image.diff_ids, keep);
  NewLayer layer;
  try {
    const auto merged = std::make_shared<MergedLayers>([layers](std::size_t index) { return layers->open(index); },
                                                       keep, image.diff_ids.size());
    layer.open = [merged]() -> std::unique_ptr<Source> { return std::make_unique<Squashing>(merged); };
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

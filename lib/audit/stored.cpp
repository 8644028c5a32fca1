// An image as its engine stores it: what the cache has is not read at all, the rest side by side.
#include <algorithm>
#include <exception>

#include "audit/reading.hpp"

namespace imgbuild {

std::optional<Audit> read_stored(Reading& reading, const ImageConfig& config, const LayerOpener& open,
                                 std::size_t from_cache) {
  const std::vector<std::string>& diff_ids = config.diff_ids;
  std::vector<Member> layers(diff_ids.size());
  const auto read = [&](std::size_t i) -> Member {
    Workshop& workshop = reading.workshop();
    if (Member known = i < from_cache ? workshop.known_before(diff_ids[i]) : workshop.known(diff_ids[i])) return known;
    const auto source = open(i);
    if (!source) return nullptr;
    Member layer = reading.read("layer " + std::to_string(i), *source);
    const bool whole = layer->type == MemberRecord::Type::layer && layer->failure.empty();
    return whole && layer->diff_id == diff_ids[i] && layer->digest == diff_ids[i] ? layer : nullptr;
  };
  side_by_side(layers.size(), [&](std::size_t i) {
    try {
      layers[i] = read(i);
    } catch (const std::exception&) {  // the files are not what they should be, or an interrupt, which is told then
    }
    return layers[i] != nullptr;
  });
  if (std::find(layers.begin(), layers.end(), nullptr) != layers.end()) return std::nullopt;
  Reading::Subject subject;
  subject.outline.config = config;
  subject.outline.layers = std::move(layers);
  std::vector<Reading::Subject> subjects;
  subjects.push_back(std::move(subject));
  return std::move(reading.decide(std::move(subjects)).front());
}

}  // namespace imgbuild

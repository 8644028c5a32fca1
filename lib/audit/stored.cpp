// An image as its engine stores it: what the cache has is not read at all, the rest side by side.
#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "audit/reading.hpp"
#include "base/interrupt.hpp"

namespace imgbuild {

std::optional<Audit> read_stored(Reading& reading, const ImageConfig& config, const LayerOpener& open,
                                 std::size_t from_cache) {
  const std::vector<std::string>& diff_ids = config.diff_ids;
  std::vector<Member> layers(diff_ids.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> lacking{false};
  const auto read = [&](std::size_t i) -> Member {
    Workshop& workshop = reading.workshop();
    if (Member known = i < from_cache ? workshop.known_before(diff_ids[i]) : workshop.known(diff_ids[i])) return known;
    const auto source = open(i);
    if (!source) return nullptr;
    Member layer = reading.read("layer " + std::to_string(i), *source);
    const bool whole = layer->type == MemberRecord::Type::layer && layer->failure.empty();
    return whole && layer->diff_id == diff_ids[i] && layer->digest == diff_ids[i] ? layer : nullptr;
  };
  const auto work = [&] {
    for (std::size_t i = next++; i < layers.size() && !lacking; i = next++) {
      try {
        layers[i] = read(i);
      } catch (const std::exception&) {  // the files are not what they should be, or an interrupt: looked at below
      }
      if (!layers[i]) lacking = true;
    }
  };
  constexpr std::size_t most_readers = 4;
  std::vector<std::thread> readers;
  for (std::size_t i = 1; i < std::min(most_readers, layers.size()); ++i) readers.emplace_back(work);
  work();
  for (auto& reader : readers) reader.join();
  interrupt::check();
  if (lacking) return std::nullopt;
  Reading::Subject subject;
  subject.outline.config = config;
  subject.outline.layers = std::move(layers);
  std::vector<Reading::Subject> subjects;
  subjects.push_back(std::move(subject));
  return std::move(reading.decide(std::move(subjects)).front());
}

}  // namespace imgbuild

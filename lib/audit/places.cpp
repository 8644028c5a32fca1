#include "audit/places.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace imgbuild {
namespace {

using Kind = Location::Kind;

/// The last history line that sets the variable or label which a config place names.
std::string instruction_for(const Outline& image, const Location& place) {
  if (place.kind == Kind::history) return {};
  const char* verb = place.kind == Kind::env ? "ENV" : place.kind == Kind::label ? "LABEL" : nullptr;
  const std::size_t dot = place.path.find('.');
  if (verb == nullptr || dot == std::string::npos) return {};
  const std::string name = place.path.substr(dot + 1);
  for (auto line = image.config.history.rbegin(); line != image.config.history.rend(); ++line) {
    const std::string& text = line->created_by;
    const std::size_t at = text.find(verb);
    if (at != std::string::npos && text.find(name, at) != std::string::npos) return text;
  }
  return {};
}

class Placer {
 public:
  explicit Placer(const Outline& image) : image_(image), created_by_(image.config.created_by()) {
    created_by_.resize(std::max(created_by_.size(), image.layers.size()));  // a damaged image may have more layers
    for (const auto& layer : image.layers) indexes_.push_back(&layer->index);
  }

  void layer(int number) {
    const MemberRecord& member = *image_.layers[static_cast<std::size_t>(number)];
    for (const auto& sighting : member.record.found) {
      Placed placed = place(sighting, number);
      const bool content = sighting.kind == Kind::file && sighting.entry > 0;
      if (content) add_hard_links(sighting, number, placed);
      placed_.push_back(std::move(placed));
    }
  }

  void tree(const MemberRecord& member) {
    for (const auto& sighting : member.record.found) {
      const Placed placed = this->place(sighting, -1);
      placed_.push_back(placed);
      if (sighting.kind != Kind::file) continue;
      for (const HardLink& name : member.hard_links) {
        if (name.target != sighting.path) continue;
        placed_.push_back(placed);
        placed_.back().location.path = name.path;
      }
    }
  }

  void config(const Sightings& found) {
    for (const Sighting* sighting : exact_of(found)) {
      Placed placed = place(*sighting, -1);
      placed.location.created_by = instruction_for(image_, placed.location);
      placed_.push_back(std::move(placed));
    }
  }

  void beside(const MemberRecord& member) {
    for (const Sighting* sighting : exact_of(member.record)) {
      Placed placed = place(*sighting, -1);
      if (member.type == MemberRecord::Type::layer) {
        // A layer that no image names: its files are members of a member.
        placed.location.kind = Kind::annotation;
        placed.location.inside.insert(placed.location.inside.begin(), sighting->path);
        placed.location.path = member.name;
      }
      placed_.push_back(std::move(placed));
    }
  }

  std::vector<Placed> finish() {
    std::sort(placed_.begin(), placed_.end(), [](const Placed& a, const Placed& b) { return key(a) < key(b); });
    drop_told_already();
    return std::move(placed_);
  }

 private:
  using Key =
      std::tuple<bool, int, std::string, Kind, std::vector<std::string>, std::uint64_t, std::vector<std::string>,
                 Location::State, int, std::string, std::uint64_t, std::string, std::string>;
  static Key key(const Placed& one) {
    const Location& at = one.location;
    return {at.layer < 0,
            at.layer,
            at.path,
            at.kind,
            at.inside,
            at.line,
            at.decoded,
            at.state,
            at.by_layer,
            at.sha256,
            one.hit->begin,
            one.hit->rule->id,
            one.hit->identity.text};
  }

  /// Without what a document's text shows of a secret that one of its strings shows too.
  static std::vector<const Sighting*> exact_of(const Sightings& record) {
    std::set<Identity> exact;
    for (const auto& sighting : record.found)
      if (!sighting.whole_document) exact.insert(sighting.hit.identity);
    std::vector<const Sighting*> kept;
    for (const auto& sighting : record.found)
      if (!sighting.whole_document || exact.count(sighting.hit.identity) == 0) kept.push_back(&sighting);
    return kept;
  }

  Placed place(const Sighting& sighting, int number) const {
    Placed placed;
    placed.hit = &sighting.hit;
    Location& at = placed.location;
    at.kind = sighting.kind;
    at.layer = number;
    at.path = sighting.path;
    at.line = sighting.hit.line;
    at.inside = sighting.inside;
    at.decoded = sighting.hit.decoded;
    at.sha256 = sighting.sha256;
    if (number < 0) return placed;
    at.created_by = created_by_[static_cast<std::size_t>(number)];
    if (at.path.empty() || at.kind == Kind::tail) return placed;
    const Fate fate = fate_of(indexes_, number, sighting.entry, at.path);
    at.state = fate.state;
    at.by_layer = fate.by_layer;
    return placed;
  }

  /// Another name of the same file keeps its content alive when the first one is deleted.
  void add_hard_links(const Sighting& sighting, int number, const Placed& original) {
    for (int other = number; other < static_cast<int>(image_.layers.size()); ++other)
      for (const HardLink& name : image_.layers[static_cast<std::size_t>(other)]->hard_links) {
        if (name.target != sighting.path) continue;
        Sighting link = sighting;
        link.path = name.path;
        link.entry = name.entry;
        Placed placed = place(link, other);
        placed.hit = original.hit;
        placed_.push_back(std::move(placed));
      }
  }

  /// What a container's raw bytes or a file's name say of a secret that is told from within.
  void drop_told_already() {
    using Thing = std::tuple<int, std::string, std::vector<std::string>>;
    std::map<Identity, std::set<Thing>> containers;  // of which an inner place is told
    std::set<Thing> with_content;
    for (const Placed& one : placed_) {
      const Location& at = one.location;
      for (auto inside = at.inside; !inside.empty();) {
        inside.pop_back();
        containers[one.hit->identity].insert({at.layer, at.path, inside});
      }
      if (at.kind == Kind::file) with_content.insert({at.layer, at.path, at.inside});
    }
    std::erase_if(placed_, [&](const Placed& one) {
      const Location& at = one.location;
      const Thing thing{at.layer, at.path, at.inside};
      if (at.kind == Kind::name) return one.hit->rule->text.empty() && with_content.count(thing) > 0;
      const auto found = containers.find(one.hit->identity);
      return at.kind == Kind::file && found != containers.end() && found->second.count(thing) > 0;
    });
  }

  const Outline& image_;
  std::vector<std::string> created_by_;
  std::vector<const PathIndex*> indexes_;
  std::vector<Placed> placed_;
};

}  // namespace

std::vector<Placed> place_all(const Outline& image, const Sightings& config_found,
                              const std::vector<const MemberRecord*>& beside) {
  Placer placer(image);
  for (int i = 0; i < static_cast<int>(image.layers.size()); ++i) placer.layer(i);
  if (image.tree) placer.tree(*image.tree);
  placer.config(config_found);
  for (const MemberRecord* member : beside) placer.beside(*member);
  return placer.finish();
}

}  // namespace imgbuild

#include <algorithm>
#include <ctime>
#include <set>

#include "base/text.hpp"
#include "build/build.hpp"
#include "build/journal.hpp"
#include "build/traces.hpp"

namespace imgbuild {
namespace {

// A builder that its driver has created and not yet started.
constexpr std::int64_t seconds_to_start = 60;

bool is_live(const Engine::Ours::Item& container, std::int64_t now) {
  if (container.state == "created") return now - container.created <= seconds_to_start;
  return container.state != "exited" && container.state != "dead";
}

std::string build_of(const Engine::Ours::Item& item) {
  const auto at = item.labels.find(build_label);
  return at == item.labels.end() ? std::string() : at->second;
}

}  // namespace

std::vector<std::string> collect_garbage(Engine& engine, bool all) {
  std::vector<std::string> removed;
  const auto entries = read_journal();  // before the engine is asked: a build that begins meanwhile is not in it
  const Engine::Ours ours = engine.ours(build_label);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  std::set<std::string> live;
  for (const auto& container : ours.containers)
    if (is_live(container, now)) live.insert(build_of(container));

  // Images before the containers that they were made from: see Traces.
  for (const auto& image : ours.images)
    if (!live.contains(build_of(image)) && engine.remove_image(image.id))
      removed.push_back("image " + printable(image.id));
  for (const auto& entry : entries) {
    if (entry.engine != engine.facts().endpoint || live.contains(entry.build) || (entry.kept && !all)) continue;
    for (const std::string& image : entry.images)
      if (engine.remove_image(image)) removed.push_back("image " + printable(image));
    forget_journal(entry.build);
  }
  for (const auto& container : ours.containers) {
    if (is_live(container, now)) continue;
    engine.remove_container(container.id);
    removed.push_back("container " + printable(container.id));
  }
  return removed;
}

}  // namespace imgbuild

#include <algorithm>
#include <chrono>
#include <ctime>
#include <set>
#include <thread>

#include "base/interrupt.hpp"
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

// An engine that died while it committed has left the builder paused, which cannot see so that its driver is gone.
// Awake it ends. One whose driver lives is being committed now, and nothing in it runs that could change a file.
Engine::Ours awake(Engine& engine) {
  constexpr int patience = 30;
  Engine::Ours ours = engine.ours(build_label);
  std::set<std::string> paused;
  for (const auto& container : ours.containers)
    if (container.state == "paused") paused.insert(container.id);
  for (const auto& container : paused) engine.unpause(container);
  const auto waits = [&] {
    return std::any_of(ours.containers.begin(), ours.containers.end(), [&](const Engine::Ours::Item& container) {
      return paused.contains(container.id) && container.state != "exited" && container.state != "dead";
    });
  };
  for (int i = 0; i < patience && waits(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    interrupt::check();
    ours = engine.ours(build_label);
  }
  return ours;
}

std::string build_of(const Engine::Ours::Item& item) {
  const auto at = item.labels.find(build_label);
  return at == item.labels.end() ? std::string() : at->second;
}

}  // namespace

std::vector<std::string> collect_garbage(Engine& engine, bool all) {
  std::vector<std::string> removed;
  const auto entries = read_journal();  // before the engine is asked: a build that begins meanwhile is not in it
  const Engine::Ours ours = awake(engine);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  std::set<std::string> live;
  for (const auto& container : ours.containers)
    if (is_live(container, now)) live.insert(build_of(container));

  // Images before the containers that they were made from (see Traces); what a container is made from, after it.
  std::vector<std::string> in_use;
  const auto remove = [&](const std::string& image) {
    if (engine.remove_image(image)) removed.push_back("image " + printable(image));
  };
  for (const auto& image : ours.images) {
    if (live.contains(build_of(image))) continue;
    try {
      remove(image.id);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      in_use.push_back(image.id);
    }
  }
  for (const auto& entry : entries) {
    if (entry.engine != engine.facts().endpoint || live.contains(entry.build) || (entry.kept && !all)) continue;
    bool claimed = false;  // a build that is under way, one by Dockerfile without a builder, makes it
    for (const std::string& image : entry.images) {
      if (ImageClaim(image).alone())
        remove(image);
      else
        claimed = true;
    }
    if (!claimed) forget_journal(entry.build);
  }
  for (const auto& container : ours.containers) {
    if (is_live(container, now)) continue;
    engine.remove_container(container.id);
    removed.push_back("container " + printable(container.id));
  }
  for (const auto& volume : ours.volumes)
    if (!live.contains(build_of(volume)) && engine.remove_volume(volume.id))
      removed.push_back("volume " + printable(volume.id));
  for (const std::string& image : in_use) remove(image);
  return removed;
}

}  // namespace imgbuild

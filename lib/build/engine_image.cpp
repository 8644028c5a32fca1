#include "build/engine_image.hpp"

#include <algorithm>
#include <functional>

#include "base/interrupt.hpp"
#include "build/remembered_image.hpp"

namespace imgbuild {
namespace {

// The image's bytes as they come from the engine, with an ear for interrupts.
class Heeding : public Source {
 public:
  explicit Heeding(std::unique_ptr<Source> source) : source_(std::move(source)) {}
  View next() override {
    interrupt::check();
    return source_->next();
  }

 private:
  std::unique_ptr<Source> source_;
};

bool is_damaged(const Audit& audit) { return !audit.record().damages().empty(); }

// Of an engine that calls an image by its config's digest. What is remembered comes first: to ask for the rest, or for
// a helper, may be dear.
std::optional<Audit> by_config(Auditor& auditor, Engine& engine, const std::string& handle, const std::string& source,
                               std::size_t from_cache) {
  std::optional<ImageConfig> config;
  const auto audit = [&](const LayerOpener& open) {
    return auditor.stored(*config, source, open, std::min(from_cache, config->diff_ids.size()));
  };
  if (auto raw = auditor.remembered(handle)) {
    config = parse_config(std::move(*raw));
    if (auto all = audit([](std::size_t) { return nullptr; })) return all;
  }
  engine.facts();  // before layers are asked for
  if (!config) config = engine.stored_config(handle);
  // Without a config nothing is known to be at hand, and to have one sent takes as long as all of the image.
  if (!config) return std::nullopt;
  return audit([&](std::size_t i) { return engine.stored_layer(handle, config->diff_ids, i); });
}

// Of containerd's store, in which a manifest, or an index, names all that a push would send.
std::optional<std::vector<Audit>> by_manifest(Auditor& auditor, Engine& engine, const std::string& handle,
                                              const std::string& source, const std::string& platform,
                                              std::size_t from_cache) {
  const std::function<std::unique_ptr<ImageStore>()> ways[] = {
      [&] { return RememberedImage::find(auditor, engine, handle); }, [&] { return engine.stored_image(handle); }};
  for (const auto& find : ways) try {
      if (const auto store = find()) {
        auto audits = auditor.images(*store, source, {{}, platform, platform.empty()}, from_cache);
        if (std::none_of(audits.begin(), audits.end(), is_damaged)) return audits;
      }
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // it is not all there, or not what it should be: what the engine sends counts
    }
  return std::nullopt;
}

}  // namespace

std::vector<Audit> audit_engine_image(Auditor& auditor, Engine& engine, const std::string& handle,
                                      const std::string& source, const std::string& platform, std::size_t from_cache) {
  const bool named_by_config = engine.kind() != EngineFacts::Kind::docker_containerd;
  std::vector<Audit> audits;
  if (!named_by_config) {
    if (auto found = by_manifest(auditor, engine, handle, source, platform, from_cache)) return std::move(*found);
  } else if (auto audit = by_config(auditor, engine, handle, source, from_cache)) {
    audits.push_back(std::move(*audit));
    return audits;
  }
  Heeding saved(engine.save(handle));
  audits = auditor.archive(saved, source, platform);
  // Where the engine calls an image by its config's digest, that is what it must have sent.
  if (named_by_config && std::none_of(audits.begin(), audits.end(), is_damaged) &&
      std::none_of(audits.begin(), audits.end(), [&](const Audit& audit) { return audit.record().id == handle; }))
    throw Error("engine: save: it sent another image than " + handle);
  return audits;
}

}  // namespace imgbuild

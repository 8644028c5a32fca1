#include "build/engine_image.hpp"

#include <algorithm>

#include "base/interrupt.hpp"

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

}  // namespace

std::vector<Audit> audit_engine_image(Auditor& auditor, Engine& engine, const std::string& handle,
                                      const std::string& source, const std::string& platform, std::size_t from_cache) {
  const bool by_config = engine.facts().kind != EngineFacts::Kind::docker_containerd;
  std::vector<Audit> audits;
  if (by_config) {
    const ImageConfig config = engine.config_of(handle);
    const auto open = [&](std::size_t i) { return engine.stored_layer(handle, config.diff_ids, i); };
    if (auto audit = auditor.stored(config, source, open, std::min(from_cache, config.diff_ids.size()))) {
      audits.push_back(std::move(*audit));
      return audits;
    }
  } else if (const auto store = engine.stored_image(handle)) {
    try {
      return auditor.images(*store, source, {{}, platform, platform.empty()}, from_cache);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {  // the files are not what they should be: what the engine sends counts
    }
  }
  Heeding saved(engine.save(handle));
  audits = auditor.archive(saved, source, platform);
  // Where the engine calls an image by its config's digest, that is what it must have sent.
  if (by_config &&
      std::none_of(audits.begin(), audits.end(), [&](const Audit& audit) { return audit.record().id == handle; }))
    throw Error("engine: save: it sent another image than " + handle);
  return audits;
}

}  // namespace imgbuild

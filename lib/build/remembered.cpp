#include "build/remembered.hpp"

#include <cstdlib>

#include "audit/layer_cache.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/json.hpp"

namespace imgbuild {
namespace {

// Texts one after the other so that no two lists of them give the same bytes.
class Shape {
 public:
  void add(const std::string& text) { bytes_ += std::to_string(text.size()) + ":" + text; }
  void add(const std::vector<std::string>& texts) {
    add(std::to_string(texts.size()));
    for (const auto& text : texts) add(text);
  }
  void perhaps(const std::optional<std::string>& text) { add(text ? std::vector{*text} : std::vector<std::string>{}); }
  void perhaps(const std::optional<std::vector<std::string>>& texts) {
    add(std::string(texts ? "set" : ""));
    if (texts) add(*texts);
  }
  View bytes() const { return view_of(bytes_); }

 private:
  std::string bytes_;
};

void add_policy(Shape& shape, const Policy& policy) {
  shape.add(std::string(name_of(policy.fail_on)));
  for (const AllowEntry& entry : policy.allow)
    shape.add(std::vector{entry.rule, entry.at, entry.identity, entry.path, entry.sha256, entry.expires});
}

}  // namespace

Remembered::Remembered(const Plan& plan, const ImageConfig& base, const std::string& onto, const Context& context,
                       const Gateway* gateway, const Scanner& scanner, const std::string& engine) {
  if (!(store_ = RecordStore::open())) return;
  used_ = plan.cache;
  Shape shape;
  shape.add(std::vector<std::string>{"imgbuild build", build_of_this_program(), scanner.digest(), engine, base.id,
                                     context.digest, plan.script, plan.user, plan.workdir, plan.network, plan.platform,
                                     plan.certificates});
  for (const auto* texts : {&plan.command, &plan.env, &plan.ignore_volumes, &plan.add_hosts, &plan.caches,
                            &plan.image_labels, &plan.image_env, &plan.expose})
    shape.add(*texts);
  shape.add(onto);
  for (const Artifact& artifact : plan.artifacts) shape.add(artifact.said);
  shape.perhaps(plan.image_cmd);
  shape.perhaps(plan.image_entrypoint);
  shape.perhaps(plan.image_user);
  shape.perhaps(plan.image_workdir);
  for (const HandedSecret& secret : plan.secrets)
    shape.add(std::vector{secret.id, store_->name_for(view_of(secret.value.reveal()))});
  for (const HandedFile& file : plan.config_files)
    shape.add(std::vector{file.place, std::to_string(file.mode), store_->name_for(view_of(file.content.reveal()))});
  for (const GitToken& token : plan.git_tokens) shape.add(std::vector{token.host, token.user, token.secret});
  if (gateway != nullptr) shape.add(gateway->granted_hosts());
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  shape.add(std::string(epoch != nullptr ? epoch : ""));
  add_policy(shape, plan.policy);
  name_ = store_->name_for(shape.bytes());
}

std::optional<Remembered::Image> Remembered::find(Engine& engine) const {
  const auto record = store_ && used_ ? store_->get(name_) : std::nullopt;
  if (!record) return std::nullopt;
  const Json json = Json::parse(record->begin(), record->end(), nullptr, false);
  Image image{text_at(json, "handle"), "", static_cast<std::time_t>(number_at(json, "began", 0))};
  try {
    const ImageConfig config = engine.config_of(engine.find_image(image.handle, "", Pull::never).handle);
    if (config.id != text_at(json, "config")) return std::nullopt;
    image.config = config.raw;
    return image;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // it went, or the engine cannot tell: then it is built
    return std::nullopt;
  }
}

void Remembered::keep(const std::string& handle, const std::string& config, std::time_t began) const {
  if (!store_) return;
  const Json record = {{"handle", handle}, {"config", sha256_digest(view_of(config))}, {"began", began}};
  store_->put(name_, view_of(record.dump()));
}

std::string shown_time(std::time_t time) {
  std::tm local{};
  ::localtime_r(&time, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  return text;
}

}  // namespace imgbuild

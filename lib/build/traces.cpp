#include "build/traces.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"

namespace imgbuild {

Traces::Traces(Engine& engine, std::function<void(const std::string&)> warn) : engine_(engine), warn_(std::move(warn)) {
  std::uint8_t id[8];
  random_bytes(id);
  journal_.build = hex(id);
  journal_.engine = engine.facts().endpoint;
  labels_[build_label] = journal_.build;
}

std::string Traces::load_base(const std::string& base, const std::string& config) {
  began_ = true;
  base_ = engine_.load_config(base, config);
  return base_;
}

std::string Traces::load_base(const NewLayer& layer, const std::string& config) {
  began_ = true;
  base_ = engine_.load_layer("", layer, config);
  return base_;
}

void Traces::open_helper(const std::vector<std::string>& argv, const std::string& containerd) {
  attached_.reset();
  if (!builder_.empty()) engine_.remove_container(std::exchange(builder_, {}));
  builder_ = engine_.create_helper(base_, argv, labels_, containerd);
  attached_ = engine_.start(builder_);
}

void Traces::open_builder(BuilderSpec spec) {
  spec.labels = labels_;
  began_ = true;
  builder_ = engine_.create(spec);
  attached_ = engine_.start(builder_);
}

std::string Traces::commit() { return engine_.commit(builder_, labels_); }

std::string Traces::load(const std::string& committed, const std::string& config) {
  return journalled(config, [&] { return engine_.load_config(committed, config); });
}

std::string Traces::load(const std::string& below, const NewLayer& layer, const std::string& config) {
  return journalled(config, [&] { return engine_.load_layer(below, layer, config); });
}

// Written down before there is anything, under the name that most engines give it; then under the one it has.
std::string Traces::journalled(const std::string& config, const std::function<std::string()>& load) {
  journal_.images = {sha256_digest(view_of(config))};
  write_journal(journal_);
  claims_.clear();
  claims_.emplace_back(journal_.images.front());
  std::string handle = load();
  if (handle != journal_.images.front()) {
    journal_.images.push_back(handle);
    write_journal(journal_);
    claims_.emplace_back(handle);
  }
  return handle;
}

void Traces::with_still(BuilderSpec spec, const std::function<void(const std::string& container)>& look) {
  spec.labels = labels_;
  began_ = true;
  const std::string still = engine_.create(spec);
  look(still);  // where it throws, what carries our labels is removed with the rest
  engine_.remove_container(still);
}

void Traces::release() { journal_.images.clear(); }

void Traces::keep() {
  journal_.kept = true;
  write_journal(journal_);
}

void Traces::undo(const std::function<void()>& step) noexcept {
  try {
    step();
  } catch (const std::exception& error) {
    try {
      if (std::exchange(told_, error.what()) != error.what())
        warn_("left behind: " + std::string(error.what()) + " (imgbuild gc removes it)");
    } catch (...) {  // nobody to tell
    }
  }
}

Traces::~Traces() {
  bool clean = true;
  if (!journal_.kept)
    for (std::size_t i = 0; i < journal_.images.size(); ++i)
      undo([&] {
        clean = false;
        // Where another build makes it as well it is in that one's journal.
        if (i >= claims_.size() || claims_[i].alone()) engine_.remove_image(journal_.images[i]);
        clean = true;
      });
  if (clean && !journal_.kept) forget_journal(journal_.build);
  if (!began_) return;
  try {
    remove_ours();
  } catch (const std::exception&) {  // in use by the builder: once more when that is gone
  }
  if (!builder_.empty()) undo([&] { engine_.remove_container(builder_); });
  base_.clear();
  undo([&] { remove_ours(); });
}

// By label, not by what was answered: an answer that got lost leaves something all the same.
void Traces::remove_ours() {
  const auto ours = engine_.ours(std::string(build_label) + "=" + journal_.build);
  for (const auto& container : ours.containers)
    if (container.id != builder_) engine_.remove_container(container.id);
  for (const auto& volume : ours.volumes) engine_.remove_volume(volume.id);
  for (const auto& image : ours.images)
    if (image.id != base_) engine_.remove_image(image.id);
}

}  // namespace imgbuild

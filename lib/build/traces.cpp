#include "build/traces.hpp"

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

void Traces::open_builder(BuilderSpec spec) {
  spec.labels = labels_;
  may_have_builder_ = true;
  builder_ = engine_.create(spec);
  attached_ = engine_.start(builder_);
}

std::string Traces::commit() {
  may_have_commit_ = true;
  return engine_.commit(builder_, labels_);
}

std::string Traces::load(const std::string& committed, const std::string& config) {
  // Written down before there is anything, under the name that most engines give it; then under the one it has.
  journal_.images = {sha256_digest(view_of(config))};
  write_journal(journal_);
  const std::string handle = engine_.load_config(committed, config);
  if (handle != journal_.images.front()) {
    journal_.images.push_back(handle);
    write_journal(journal_);
  }
  return handle;
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
      warn_("left behind: " + std::string(error.what()) + " (imgbuild gc removes it)");
    } catch (...) {  // nobody to tell
    }
  }
}

Traces::~Traces() {
  bool clean = true;
  if (!journal_.kept)
    for (const std::string& image : journal_.images)
      undo([&] {
        clean = false;
        engine_.remove_image(image);
        clean = true;
      });
  // By label, not by what was answered: an answer that got lost leaves something all the same.
  if (may_have_builder_ || may_have_commit_)
    undo([&] {
      const auto ours = engine_.ours(std::string(build_label) + "=" + journal_.build);
      for (const auto& image : ours.images) engine_.remove_image(image.id);
      for (const auto& container : ours.containers)
        if (container.id != builder_) engine_.remove_container(container.id);
    });
  if (clean && !journal_.kept) forget_journal(journal_.build);
  if (!builder_.empty()) undo([&] { engine_.remove_container(builder_); });
}

}  // namespace imgbuild

#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "build/journal.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// The label that our containers and intermediate images carry; its value is the build's id.
inline constexpr char build_label[] = "imgbuild.build";

/// Everything that a build makes in an engine. What has not been released is undone when this goes, whatever the way
/// out: images first, while the builder still stands (an engine prunes the parents of the last image that goes), then
/// the builder with its volumes, then the image that it was made from. One thread.
class Traces {
 public:
  Traces(Engine& engine, std::function<void(const std::string&)> warn);
  Traces(const Traces&) = delete;
  Traces& operator=(const Traces&) = delete;
  ~Traces();

  const std::map<std::string, std::string>& labels() const { return labels_; }
  /// Loads `config`, which has our labels, over the layers of `base`, to make the builder from; the handle.
  std::string load_base(const std::string& base, const std::string& config);
  /// The same of an image with one layer, for a helper.
  std::string load_base(const NewLayer& layer, const std::string& config);
  /// Creates the builder and starts it; it lives as long as this.
  void open_builder(BuilderSpec spec);
  /// The same of a helper, in the builder's stead; one that was there goes. `containerd`: Engine::create_helper.
  void open_helper(const std::vector<std::string>& argv, const std::string& containerd);
  const std::string& builder() const { return builder_; }
  /// Commits the builder; the intermediate image's handle. It goes in any case.
  std::string commit();
  /// The engine's own builder is about to make an image that carries our labels. It goes in any case.
  void expect_image() { began_ = true; }
  /// Loads `config` over the layers of `committed`; the final image's handle.
  std::string load(const std::string& committed, const std::string& config);
  /// The same over the layers of `below` and one more.
  std::string load(const std::string& below, const NewLayer& layer, const std::string& config);
  /// Creates a container that is never started, and removes it when `look` has been at it.
  void with_still(BuilderSpec spec, const std::function<void(const std::string& container)>& look);

  /// The final image stays: it has its name.
  void release();
  /// The final image stays, without a name, until `imgbuild gc --all`.
  void keep();

 private:
  void undo(const std::function<void()>& step) noexcept;
  void remove_ours();
  std::string journalled(const std::string& config, const std::function<std::string()>& load);

  Engine& engine_;
  std::function<void(const std::string&)> warn_;
  JournalEntry journal_;
  std::vector<ImageClaim> claims_;  // on its images
  std::map<std::string, std::string> labels_;
  std::string builder_, base_;
  std::string told_;  // why something was left, the last time
  std::unique_ptr<Stream> attached_;
  bool began_ = false;  // something may be there, whatever was answered
};

}  // namespace imgbuild

#include "build/remembered_image.hpp"

#include <utility>

#include "base/error.hpp"

namespace imgbuild {
namespace {

class DocumentSource : public Source {
 public:
  explicit DocumentSource(std::string text) : text_(std::move(text)) {}
  View next() override { return std::exchange(given_, true) ? View() : view_of(text_); }

 private:
  const std::string text_;
  bool given_ = false;
};

}  // namespace

std::unique_ptr<ImageStore> RememberedImage::find(const Auditor& auditor, Engine& engine, const std::string& handle) {
  auto top = auditor.remembered(handle);
  if (!top) return nullptr;
  std::unique_ptr<RememberedImage> image(new RememberedImage(auditor, handle, std::move(*top)));
  if (parse_manifest(image->top_).kind != Manifest::Kind::index) return image;
  auto below = engine.manifests_of(handle);
  if (!below) return nullptr;
  image->below_ = std::move(*below);
  return image;
}

ImageStore::Root RememberedImage::root() { return {descriptor_of(handle_).path(), top_, false}; }

std::string RememberedImage::document(const Descriptor& descriptor) const {
  auto text = auditor_.remembered(descriptor.digest);
  if (!text) throw Error(descriptor.digest + " is not remembered");
  return std::move(*text);
}

std::optional<std::string> RememberedImage::manifest(const Descriptor& descriptor) {
  const auto told = below_.find(descriptor.digest);
  if (told == below_.end()) throw Error("the engine does not tell whether it has " + descriptor.digest);
  if (!told->second) return std::nullopt;
  return document(descriptor);
}

std::optional<ImageStore::Blob> RememberedImage::blob(const Descriptor& descriptor) {
  Blob blob;
  blob.stream = std::make_unique<DocumentSource>(document(descriptor));
  return blob;
}

}  // namespace imgbuild

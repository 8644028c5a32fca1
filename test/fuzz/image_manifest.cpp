// Manifests, indexes and layouts from a stranger, and a registry's challenge. The input's lines are manifests: the
// first is the root, each can be named by the others by "DIGEST-N" (the digest of line N) and "SIZE-N".
#include <cstdlib>
#include <map>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "http/url.hpp"
#include "image/challenge.hpp"
#include "image/image_set.hpp"

using namespace imgbuild;

namespace {

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

class Lines : public ImageStore {
 public:
  explicit Lines(std::string_view input) : lines_(split(input, '\n')) {
    if (lines_.size() > 9) lines_.resize(9);
    for (std::size_t i = lines_.size(); i-- > 0;) {
      const std::string digest = sha256_digest(view_of(lines_[i])), size = std::to_string(lines_[i].size());
      for (std::size_t above = 0; above < i; ++above) {
        if (lines_[above].size() > 65536) continue;
        replace_all(lines_[above], "DIGEST-" + std::to_string(i), digest);
        replace_all(lines_[above], "SIZE-" + std::to_string(i), size);
      }
    }
    for (const auto& line : lines_) by_digest_[sha256_digest(view_of(line))] = &line;
  }
  Root root() override { return {"index.json", lines_[0], lines_[0].size() % 2 == 0}; }
  std::optional<std::string> manifest(const Descriptor& descriptor) override {
    const auto at = by_digest_.find(descriptor.digest);
    return at == by_digest_.end() ? std::nullopt : std::optional(*at->second);
  }
  std::optional<Blob> blob(const Descriptor&) override { return std::nullopt; }

 private:
  std::vector<std::string> lines_;
  std::map<std::string, const std::string*> by_digest_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = text_of({data, size});
  try {
    parse_url(input);
  } catch (const Error&) {
  }
  parse_challenge(input);
  Lines store(input);
  for (const Choice& choice : {Choice{}, Choice{"a", "linux/arm64", false}, Choice{{}, {}, true}}) {
    try {
      const ImageSet set = choose_images(store, choice);
      if (set.images.empty()) std::abort();
      for (const auto& image : set.images)
        if (sha256_digest(view_of(image.document.text)) != image.document.digest) std::abort();
    } catch (const Error&) {
    }
  }
  return 0;
}

#include "image/image_set.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "image/platform.hpp"

namespace imgbuild {
namespace {

constexpr int most_depth = 4;
constexpr std::size_t most_manifests = 10'000;

std::string listed(const std::set<std::string>& words) {
  std::vector<std::string> shown;
  for (const auto& word : words) shown.push_back(printable(word));
  return join(shown, ", ");
}

class Chooser {
 public:
  Chooser(ImageStore& store, const Choice& choice) : store_(store), choice_(choice) {}

  ImageSet choose() {
    const ImageStore::Root root = store_.root();
    const Document document{root.name, sha256_digest(view_of(root.text)), root.text};
    std::optional<Manifest> manifest;
    checked(root.name, "", nullptr, [&] {
      manifest = parse_manifest(root.text);
      if (root.layout && manifest->kind != Manifest::Kind::index) throw Error("no index of images");
    });
    if (!set_.damaged.empty()) return std::move(set_);
    try {
      if (root.layout) {
        set_.indexes.push_back(document);
        layout(*manifest);
      } else {
        take(document, *manifest, nullptr, 0);
      }
      if (absent_ > 0 && set_.images.empty()) throw Error("none of the images that were chosen is here");
    } catch (const Error& error) {
      throw error.within(printable(root.name));
    }
    return std::move(set_);
  }

 private:
  /// Calls `check`, which throws what is wrong with a document: that is told in its place.
  template <class Check>
  void checked(const std::string& name, const std::string& what, const Descriptor* attestation, Check check) {
    try {
      check();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      set_.damaged.push_back({name, what + error.what(), attestation != nullptr});
    }
  }

  /// The entries of a layout's index.json: each an image of its own, but for several that share the wanted name.
  void layout(const Manifest& index) {
    std::vector<Descriptor> entries;
    std::set<std::string> names;
    for (const Descriptor& entry : index.manifests) {
      const std::string name = entry.annotation("org.opencontainers.image.ref.name");
      if (!name.empty()) names.insert(name);
      if (choice_.reference.empty() || choice_.reference == name || choice_.reference == entry.digest ||
          choice_.reference == entry.annotation("io.containerd.image.name"))
        entries.push_back(entry);
    }
    if (entries.empty() && is_sha256_digest(choice_.reference)) {  // one that an index within names
      follow(descriptor_of(choice_.reference), nullptr, 1);
      if (!set_.damaged.empty() && set_.images.empty()) throw Error(set_.damaged.front().why);
      return;
    }
    if (choice_.reference.empty() && entries.empty()) throw Error("names no image");
    if (entries.empty())
      throw Error("no image is called " + printable(choice_.reference),
                  names.empty() ? "its images have no names: say their digest (@sha256:...)"
                                : "its images are called " + listed(names));
    const auto platformed = std::count_if(entries.begin(), entries.end(), [](const Descriptor& entry) {
      return !entry.platform.empty() && !entry.attestation();
    });
    const bool attested =
        std::any_of(entries.begin(), entries.end(), [](const auto& one) { return one.attestation(); });
    if (attested || (!choice_.reference.empty() && platformed > 1)) return children(entries, 0);
    for (const Descriptor& entry : entries) follow(entry, nullptr, 1);
  }

  /// Of an index's entries those for the wanted platform, and every attestation.
  void children(const std::vector<Descriptor>& entries, int depth) {
    const std::string wanted = choice_.platform.empty() ? host_platform() : choice_.platform;
    std::set<std::string> platforms;
    bool exact = false, any = false, images = false;
    for (const Descriptor& entry : entries) {
      if (entry.attestation()) continue;
      images = true;
      if (!entry.platform.empty()) platforms.insert(entry.platform);
      exact = exact || entry.platform == wanted;
      any = any || entry.platform.empty() || platform_fits(entry.platform, wanted);
    }
    if (images && !any && !choice_.all_platforms)
      throw Error("no image for " + printable(wanted) + (choice_.platform.empty() ? ", this machine's platform" : ""),
                  "it has " + listed(platforms) + ": choose one with --platform, or take --all-platforms");
    std::string taken;  // of several that would do, the first, with all of the same platform
    for (const Descriptor& entry : entries) {
      if (entry.attestation()) {
        follow(entry, &entry, depth + 1);
        continue;
      }
      bool fits = choice_.all_platforms || entry.platform.empty() || entry.platform == wanted;
      if (!fits && !exact && platform_fits(entry.platform, wanted)) {
        if (taken.empty()) taken = entry.platform;
        fits = entry.platform == taken;
      }
      if (fits)
        follow(entry, nullptr, depth + 1);
      else
        set_.left_out.insert(entry.platform);
    }
  }

  void follow(const Descriptor& descriptor, const Descriptor* attestation, int depth) {
    if (depth > most_depth) throw Error("indexes nested deeper than " + std::to_string(most_depth));
    if (!seen_.insert(descriptor.digest).second) return;
    if (seen_.size() > most_manifests) throw Error("more than " + std::to_string(most_manifests) + " manifests");
    std::optional<Manifest> manifest;
    Document document{descriptor.path(), descriptor.digest, {}};
    checked(document.name, "manifest " + descriptor.digest + ": ", attestation, [&] {
      auto text = store_.manifest(descriptor);
      if (!text && store_.partial()) {
        ++absent_;
        return;
      }
      if (!text) throw Error("is missing");
      const std::string digest = sha256_digest(view_of(*text));
      if (digest != descriptor.digest || (descriptor.sized && descriptor.size != text->size()))
        throw Error("its bytes are not what names it: expected " + descriptor.digest +
                    (descriptor.sized ? " (" + std::to_string(descriptor.size) + " bytes)" : "") + ", got " + digest +
                    " (" + std::to_string(text->size()) + " bytes)");
      manifest = parse_manifest(*text);
      document.text = std::move(*text);
    });
    if (!manifest) return;
    try {
      take(std::move(document), *manifest, attestation, depth);
    } catch (const Error& error) {
      const std::string said = error.what();
      throw said.starts_with("manifest ") || said.starts_with("no image for ")
          ? error
          : error.within("manifest " + descriptor.digest);
    }
  }

  void take(Document document, const Manifest& manifest, const Descriptor* attestation, int depth) {
    if (manifest.kind == Manifest::Kind::index) {
      set_.indexes.push_back(std::move(document));
      return children(manifest.manifests, depth);
    }
    ImageParts parts{std::move(document), manifest, {}, attestation != nullptr};
    if (attestation != nullptr) parts.about = attestation->annotation("vnd.docker.reference.digest");
    (attestation != nullptr ? set_.attestations : set_.images).push_back(std::move(parts));
  }

  ImageStore& store_;
  const Choice& choice_;
  ImageSet set_;
  std::set<std::string> seen_;
  std::size_t absent_ = 0;
};

}  // namespace

ImageSet choose_what_is_there(ImageStore& store, const Choice& choice) {
  ImageSet set = Chooser(store, choice).choose();
  // Attestations without an image: they are what was asked for.
  if (set.images.empty()) std::swap(set.images, set.attestations);
  if (set.images.empty() && set.damaged.empty()) throw Error("names no image");
  return set;
}

ImageSet choose_images(ImageStore& store, const Choice& choice) {
  ImageSet set = choose_what_is_there(store, choice);
  if (set.damaged.empty()) return set;
  const DamagedDocument& first = set.damaged.front();
  throw first.name.starts_with("blobs/") ? Error(first.why) : Error(first.why).within(printable(first.name));
}

std::vector<Descriptor> orphaned_blobs(ImageStore& store, const ImageSet& chosen) {
  std::vector<std::string> all = store.all_blobs();
  if (all.empty()) return {};
  std::set<std::string> reached;
  const auto reach = [&reached](const ImageSet& set) {
    for (const Document& index : set.indexes) reached.insert(index.digest);
    for (const auto* images : {&set.images, &set.attestations})
      for (const ImageParts& image : *images) {
        reached.insert({image.document.digest, image.manifest.config.digest});
        for (const Descriptor& layer : image.manifest.layers) reached.insert(layer.digest);
      }
  };
  reach(chosen);
  try {
    Choice every;
    every.all_platforms = true;
    reach(choose_what_is_there(store, every));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // what another platform's image lacks is not asked for; what it has is looked at
  }
  std::erase_if(all, [&](const std::string& digest) { return reached.contains(digest); });
  std::sort(all.begin(), all.end());
  std::vector<Descriptor> orphans;
  for (const std::string& digest : all) orphans.push_back(descriptor_of(digest));
  return orphans;
}

}  // namespace imgbuild

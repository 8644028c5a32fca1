#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "image/manifest.hpp"

namespace imgbuild {

/// Where images' manifests and blobs are had by their digests: an OCI layout in a folder or in a tar, a registry.
class ImageStore {
 public:
  virtual ~ImageStore() = default;

  /// What choosing begins with.
  struct Root {
    std::string name;     ///< "index.json", or what a registry was asked for
    std::string text;     ///< an index or a manifest
    bool layout = false;  ///< of an OCI layout: its entries are images of their own, chosen by their names
  };
  virtual Root root() = 0;
  /// A manifest's bytes; nullopt where it is not there. Throws Error where it cannot be read, or is over 8 MiB.
  virtual std::optional<std::string> manifest(const Descriptor& descriptor) = 0;

  /// A blob's bytes as stored: in memory that lasts as long as the store, or to be pulled.
  struct Blob {
    View mapped;
    std::unique_ptr<Source> stream;  ///< null: `mapped` has them all
    std::string identity;            ///< of a file: changes when its content may have; empty: none
  };
  /// Is asking for a blob cheap, and its digest only a claim? Else the store is asked for no blob that is known.
  virtual bool local() const { return true; }
  /// Digests of all blobs that lie there, where it can tell: of a layout. Some may be no image's.
  virtual std::vector<std::string> all_blobs() const { return {}; }
  /// May it lack images that its indexes name, because nobody fetched them? Those are passed over, not missed.
  virtual bool partial() const { return false; }
  /// nullopt where it is not there. Throws Error. Any thread.
  virtual std::optional<Blob> blob(const Descriptor& descriptor) = 0;
};

/// A manifest may be so long: registries take no longer ones.
constexpr std::size_t most_manifest = std::size_t{8} << 20;

/// Which images of those that a store has.
struct Choice {
  std::string reference;       ///< of a layout: an entry's name, or a digest; empty: every entry
  std::string platform;        ///< of an index: "linux/arm64"; empty: this machine's
  bool all_platforms = false;  ///< of an index: every one
};

/// The text of an index or manifest that was read on the way.
struct Document {
  std::string name;  ///< "index.json", "blobs/sha256/HEX"
  std::string digest;
  std::string text;
};

/// An image, or an artifact: the manifest that names its parts.
struct ImageParts {
  Document document;
  Manifest manifest;
  std::string about;         ///< of an attestation: the digest of the image manifest that it describes
  bool attestation = false;  ///< goes with images, is none
};

/// A manifest or an index that is missing, cannot be read, is not what its digest says, or is none.
struct DamagedDocument {
  std::string name;  ///< "index.json", "blobs/sha256/HEX"
  std::string why;   ///< names the digest
  bool attestation = false;
};

struct ImageSet {
  std::vector<Document> indexes;
  std::vector<ImageParts> images;        ///< in the store's order, none twice
  std::vector<ImageParts> attestations;  ///< of every platform, whatever was chosen
  std::set<std::string> left_out;        ///< platforms that the indexes have as well
  std::vector<DamagedDocument> damaged;  ///< of choose_what_is_there: in whose place there is nothing
};

/// Follows the store's indexes to what was chosen. Every manifest's digest and size are checked. Throws Error where
/// nothing fits the choice (with what there is), where a manifest is missing, is not what its digest says, or is none.
ImageSet choose_images(ImageStore& store, const Choice& choice);

/// The same, but a damaged manifest keeps nobody from the others: there may be no image in the end, where something is
/// damaged. Throws Error where nothing fits the choice.
ImageSet choose_what_is_there(ImageStore& store, const Choice& choice);

/// The blobs that lie in a store and that none of its indexes leads to, whatever the platform: left behind when a name
/// moved on. They go wherever the folder goes. In the order of their digests.
std::vector<Descriptor> orphaned_blobs(ImageStore& store, const ImageSet& chosen);

}  // namespace imgbuild

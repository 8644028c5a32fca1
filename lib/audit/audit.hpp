#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "image/image.hpp"
#include "image/image_set.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

/// From an image to a verdict: one streaming pass over every byte, in bounded memory.
namespace imgbuild {

struct AuditOptions {
  std::shared_ptr<const Scanner> scanner;
  const ValueMatcher* values = nullptr;  ///< exact values to look for
  Vault* found = nullptr;                ///< found values join it, so that the report can be redacted; never null
  Policy policy;
  unsigned threads = 0;                               ///< 0: as many as there are processors
  std::string source;                                 ///< what reports call the image: "archive:app.tar"
  std::vector<std::string> agent_keys;                ///< fingerprints of the user's agent: "this key is yours"
  std::function<void(std::uint64_t bytes)> progress;  ///< so many more were read; any thread; may be empty
  std::string base;                                   ///< what the image was made from, for its report
  std::size_t base_layers = 0;                        ///< how many of its layers are that one's
  bool cache = false;  ///< records of layers that were read before may be used, and are kept for later (LayerCache)
};

/// Opens layer `index`'s uncompressed bytes; null: they cannot be had this way. Any thread.
using LayerOpener = std::function<std::unique_ptr<Source>(std::size_t index)>;

class Workshop;

/// Audits one target after the other with the same threads; a layer that one of them had is not looked at again in
/// another: where its bytes are at hand they are hashed, and a registry is not asked for them. One thread.
///
/// Each method throws Error where the target is no image, where a part is missing, cut or not what its digest or size
/// says, or where it cannot be read; the message says which part, and what was expected.
class Auditor {
 public:
  /// `options.source` is not used: each target has its own.
  explicit Auditor(const AuditOptions& options);
  ~Auditor();

  /// Every image of a docker-archive (`docker save`, layouts before and since Engine 25) or an OCI layout in a tar,
  /// given as a stream in whatever order its members come, itself compressed (gzip, zstd, xz, bzip2, lz4) or not.
  /// Members that belong to no image are looked at, too. Of several platforms all, unless the choice names one.
  std::vector<Audit> archive(Source& archive, const std::string& source, const std::string& platform = {});
  /// The same for a file: where it is not compressed, layers are looked at side by side.
  std::vector<Audit> archive_file(const std::string& path, const std::string& source, const std::string& platform = {});
  /// Images of an OCI layout: a folder, or a tar of one (compressed or not).
  std::vector<Audit> oci(const std::string& path, const std::string& source, const Choice& choice);
  /// Images of any other store. `from_cache`: so many of their oldest layers may be taken from the cache also where a
  /// build's secrets are looked for.
  std::vector<Audit> images(ImageStore& store, const std::string& source, const Choice& choice,
                            std::size_t from_cache = 0);
  /// An image of an engine, whose own store answers for its diff ids: of its oldest `from_cache` layers those that the
  /// cache has are not read. nullopt where another layer cannot be had, or its bytes are not what its diff id says:
  /// what the engine saves is to be audited then.
  std::optional<Audit> stored(const ImageConfig& config, const std::string& source, const LayerOpener& open,
                              std::size_t from_cache);
  /// A document of an image (its config, a manifest) as an earlier run found it, and found nothing in it; nullopt where
  /// none did, or the options want no cache. Its digest is right. Any thread.
  std::optional<std::string> remembered(const std::string& digest) const;
  /// An unpacked root file system: a record without id, platform and layers. What cannot be read is a gap; a file that
  /// changes while it is read is an Error.
  Audit tree(const std::string& path, const std::string& source);

 private:
  std::unique_ptr<Workshop> workshop_;
};

/// Auditor::archive for one target alone, called options.source.
std::vector<Audit> audit_archive(Source& archive, const AuditOptions& options);
/// Auditor::archive_file for one target alone.
std::vector<Audit> audit_archive_file(const std::string& path, const AuditOptions& options);

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild {

/// What a manifest says of one blob or of another manifest (OCI image-spec descriptor.md).
struct Descriptor {
  std::string digest;  ///< "sha256:...", checked for its form
  std::uint64_t size = 0;
  bool sized = true;  ///< false: nobody said how large it is
  std::string media_type;
  std::string platform;           ///< "linux/arm/v7"; empty where none is said
  std::vector<std::string> urls;  ///< where else the bytes are; never fetched
  std::map<std::string, std::string> annotations;

  std::string annotation(const std::string& name) const;
  /// Bytes that a push need not send: they may be missing without a fault of anybody.
  bool foreign() const;
  /// A descriptor in an index that describes another of its images: provenance, an SBOM (BuildKit's convention).
  bool attestation() const;
  /// "blobs/sha256/HEX": its place in an OCI layout.
  std::string path() const;
};

/// A descriptor of which nothing is known but the digest.
Descriptor descriptor_of(const std::string& digest);

/// A manifest of any kind.
struct Manifest {
  enum class Kind {
    index,     ///< OCI image index, Docker manifest list
    image,     ///< OCI manifest, Docker schema 2, with the config of an image
    artifact,  ///< the same with anything else: a chart, an SBOM, a signature, an attestation
    schema1    ///< Docker's first schema, which names no config
  };
  Kind kind = Kind::image;
  std::vector<Descriptor> manifests;  ///< of an index
  Descriptor config;                  ///< of an image or an artifact; of the latter without a digest where it has none
  std::vector<Descriptor> layers;     ///< oldest first; of an artifact: its blobs
};

/// Is it "sha256:" and 64 lower-case hexadecimal digits? No other digest is used: what it names could not be checked.
bool is_sha256_digest(std::string_view text);

/// Reads a manifest (OCI image-spec 1.1 manifest.md, image-index.md, Docker's schema 1 and 2). Its kind is known by its
/// fields, never by what somebody calls it. Throws Error on what is none, and where a reader that ignores case, as
/// engines' readers do, could read something else in it.
Manifest parse_manifest(std::string_view text);

/// Throws Error where two keys of one object differ by their case only, or not at all. Annotations and labels may.
void refuse_ambiguous_keys(std::string_view json);

}  // namespace imgbuild

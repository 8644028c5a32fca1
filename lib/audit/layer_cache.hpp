#pragma once
#include <memory>
#include <optional>
#include <string>

#include "audit/layer.hpp"
#include "audit/record_store.hpp"

namespace imgbuild {

/// Of the program that runs: another one may look at other things. From the ELF note NT_GNU_BUILD_ID.
std::string build_of_this_program();

/// What was found in layers that were read before, so that a base image is audited once. A layer is known by the digest
/// of its bytes as stored, which somebody has read and hashed: this run, or, for the layers of an engine's own store,
/// the engine.
///
/// A record holds no value of a secret, so a layer is not kept, or kept and not used, where a report would need one:
/// where anything but a key (which is known by its fingerprint) was found that is a leak under this run's policy. Nor
/// does it say whether a build's own secrets were in the layer. Records of other rules, or of another build of this
/// program, are not found. Any thread.
class LayerCache {
 public:
  /// Null where there is no place for one (RecordStore::open).
  static std::unique_ptr<LayerCache> open(const Scanner& scanner);

  /// The layer of that digest ("sha256:..."), with `cached` set; null where it is not known.
  std::shared_ptr<MemberRecord> find(const std::string& digest, const Policy& policy) const;
  /// Keeps a layer that was read to its end.
  void keep(const MemberRecord& layer) const;

 private:
  LayerCache(std::unique_ptr<RecordStore> store, const Scanner& scanner)
      : store_(std::move(store)), scanner_(scanner), maker_(build_of_this_program() + "\n" + scanner.digest()) {}
  std::string name_of(const std::string& digest) const;

  const std::unique_ptr<RecordStore> store_;
  const Scanner& scanner_;
  const std::string maker_;  ///< this program and its rules
};

/// A layer's record as bytes (CBOR, RFC 8949), for this machine only, and back. Reading throws Error on what
/// write_layer() has not written, or names a rule that the scanner does not have.
Bytes write_layer(const MemberRecord& layer);
std::shared_ptr<MemberRecord> read_layer(View record, const Scanner& scanner);

}  // namespace imgbuild

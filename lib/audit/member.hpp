#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/content.hpp"
#include "audit/layer.hpp"
#include "audit/packed_around.hpp"
#include "audit/pool.hpp"

namespace imgbuild {

/// Reads one member of an image archive as it streams by. What is a layer is decided by content: a tar, compressed or
/// not. One thread; the looking is done by the desk's pool.
class MemberReader {
 public:
  /// `kind`: what is found in it is, where it is no layer.
  MemberReader(const Desk& desk, std::string name, Location::Kind kind = Location::Kind::annotation);
  ~MemberReader();
  /// The piece's memory must last (stable or owned).
  void feed(const Piece& piece);
  std::shared_ptr<MemberRecord> finish();
  /// Must live until the pool has done, or dropped, what looks at it: also where the reading is given up.
  const std::shared_ptr<MemberRecord>& member() const { return member_; }

 private:
  void decide();
  void pass(const Piece& piece);
  void unpacked(const Piece& piece);
  void decide_unpacked();
  void begin_other(std::vector<std::string> decoded, int depth);
  void unpack_spool();
  template <class Work>
  void guarded(Work work);

  static constexpr std::uint64_t most_unpacked = std::uint64_t{256} << 30;

  const Desk& desk_;
  std::shared_ptr<MemberRecord> member_;
  Run head_;  ///< until what it is has been decided; then of what it unpacks to
  bool decided_ = false, unpacked_decided_ = false;
  Container packing_ = Container::none;
  Hashing stored_hash_, unpacked_hash_;
  std::shared_ptr<std::uint8_t[]> buffer_;
  std::optional<Inflater> inflater_;
  std::optional<ContentSpool> spool_;
  std::optional<Cutter> raw_;           ///< of a compressed layer that is kept: its bytes as stored
  std::optional<PackedAround> around_;  ///< of one that streams by
  std::optional<LayerReader> layer_;
  std::optional<ContentReader> other_;
};

}  // namespace imgbuild

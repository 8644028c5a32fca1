#pragma once
#include <functional>
#include <string>

#include "base/whole.hpp"
#include "git/repository.hpp"

namespace imgbuild {

/// What a pack holds, object by object. Any method may throw to stop the reading.
class PackVisitor {
 public:
  virtual ~PackVisitor() = default;
  /// An object's id, as bytes: the hash over "TYPE SIZE", a zero byte, and the content.
  virtual Bytes id_of(GitObject::Type type, const Whole& content) = 0;
  /// An object with its deltas resolved; each once. `content` lasts until it returns.
  virtual void object(GitObject::Type type, const Bytes& id, const Whole& content) = 0;
  /// So many bytes have been unpacked since the last call.
  virtual void unpacked(std::uint64_t bytes) = 0;
  /// Objects are missing: "damaged git pack", "deltas of objects that are elsewhere (a thin pack)".
  virtual void unreadable(const std::string& why) = 0;
};

const char* name_of(GitObject::Type type);

/// Reads a pack (gitformat-pack, versions 2 and 3) without its index: all objects, those that nothing refers to as
/// well. `id_size`: bytes of an object's id, 20 or 32. Memory is bounded by the number of objects (16 bytes each, three
/// million at most), not by their sizes. What is damaged goes to unreadable().
void read_pack(const Whole& pack, std::size_t id_size, PackVisitor& visitor);

/// Does this zlib stream begin as a loose object does ("blob 12", a zero byte)?
bool begins_loose_object(View head);

/// The type and content size that the unpacked text of a loose object begins with, and how long that beginning is.
struct LooseHead {
  GitObject::Type type;
  std::uint64_t size;
  std::size_t length;
};
std::optional<LooseHead> read_loose_head(View text);

}  // namespace imgbuild

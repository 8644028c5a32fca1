#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "tar/container.hpp"

namespace imgbuild {

/// What a PDF says of its encryption (ISO 32000-1, 7.6; ISO 32000-2, 7.6).
struct PdfSeal {
  enum class Cipher { none, rc4, aes };
  int revision = 0;
  std::size_t key_size = 5;  ///< bytes
  std::uint32_t permissions = 0;
  bool metadata = true;  ///< the metadata's streams are encrypted, too
  Bytes owner, user, user_key, id;
  Cipher streams = Cipher::rc4, strings = Cipher::rc4;
};
/// A string or a stream of an object, as it was before.
using PdfDecrypt = std::function<Bytes(PdfSeal::Cipher cipher, std::uint32_t object, std::uint32_t generation, View)>;
/// Opens what everybody can read, for it has an empty password; empty: it has another one. (Cryptography is
/// lib/crypto's, which this room does not know.)
using PdfOpener = std::function<PdfDecrypt(const PdfSeal&)>;

/// A file of a database or a log, whose values are packed in blocks (blocks.hpp): read from front to back, as it
/// streams by. Known by its first bytes; what does not fit further back is passed over, for the file's own bytes are
/// looked at anyway. One thread.
class BlockFile {
 public:
  /// What a block unpacks to; `alone`: nothing of it goes on in the next one.
  using Sink = std::function<void(View block, bool alone)>;

  /// What begins like this: of a stream's first container_head_size bytes, or all there are; null: nothing known.
  static std::unique_ptr<BlockFile> of(View head, const PdfOpener& opener = nullptr);
  /// snappy, xerial, svndiff and nsis, from their magic number on, wherever they stand; null: of another kind.
  static std::unique_ptr<BlockFile> stream(Container kind);

  virtual ~BlockFile() = default;
  virtual const char* packing() const = 0;  ///< "LZF"

  struct Step {
    std::uint64_t taken = 0;  ///< more than was shown: what follows is passed over, too
    std::size_t wanted = 0;   ///< where nothing was taken: how many bytes must be shown; more than was
  };
  /// How many bytes a step is shown, but at the end.
  virtual std::size_t usual() const = 0;
  /// Goes on at the front of `left`; `last`: no more will be shown, whatever is wanted. Throws TooLarge, and Error
  /// "damaged snappy stream" where something has an end that it must come to.
  virtual Step step(View left, bool last, const Sink& sink) = 0;

  /// Nothing follows.
  virtual void finish(const Sink&) {}

  /// When all is read: what of it could not be looked at, and why; empty: nothing.
  const std::string& why_not() const { return why_not_; }

  static constexpr Step take(std::uint64_t count) { return {count, 0}; }
  static constexpr Step want(std::size_t count) { return {0, count}; }
  static constexpr Step enough() { return {UINT64_MAX, 0}; }

 protected:
  void cannot(std::string why) {
    if (why_not_.empty()) why_not_ = std::move(why);
  }
  /// A block is longer than most_unblocked, packed or not.
  void too_large() { cannot("holds a packed block larger than 8 MiB"); }
  void damaged() { cannot("holds a block that cannot be unpacked"); }

 private:
  std::string why_not_;
};

/// Those of databases, of databases in pages, of logs and tables, Parquet's and PDF; null: it is none of them.
std::unique_ptr<BlockFile> database_of(View head);
std::unique_ptr<BlockFile> pages_of(View head);
std::unique_ptr<BlockFile> log_of(View head);
std::unique_ptr<BlockFile> parquet_of(View head);
std::unique_ptr<BlockFile> pdf_of(View head, const PdfOpener& opener);

}  // namespace imgbuild

#pragma once
#include <cstddef>

#include "base/bytes.hpp"

/// Blocks of packed bytes without a header that tells what they are: databases and logs put them into files of their
/// own (block_file.hpp). Any thread; nothing throws but where there is no memory.
namespace imgbuild {

/// How the unpacking of a block's first bytes ended.
struct Unblocked {
  enum class How { whole, damaged, cut_off };
  How how = How::damaged;
  std::size_t taken = 0;  ///< of a whole one: how many bytes it has
  bool whole() const { return how == How::whole; }
};

/// Nothing longer is unpacked.
constexpr std::size_t most_unblocked = std::size_t{8} << 20;

/// Is that as much as is taken of a block that unpacks to more?
inline bool fills_bound(View out) { return out.size() > most_unblocked - (std::size_t{64} << 10); }

/// Snappy (google/snappy, format_description.txt), whose length, at most `most`, stands first. Adds to `out` what came,
/// of a block that is not whole too, as do the others.
Unblocked unpack_snappy(View from, Bytes& out, std::size_t most = most_unblocked);

/// LZ4 (lz4_Block_format.md) of `size` bytes.
Unblocked unpack_lz4(View from, std::size_t size, Bytes& out, std::size_t most = most_unblocked);
/// The same where its own end is known, and not how much comes out.
Unblocked unpack_lz4_to_its_end(View block, Bytes& out);

/// LZF (liblzf) of `size` bytes.
Unblocked unpack_lzf(View from, std::size_t size, Bytes& out, std::size_t most = most_unblocked);

/// PostgreSQL's pglz (common/pg_lzcompress.c) of `size` bytes.
Unblocked unpack_pglz(View from, std::size_t size, Bytes& out, std::size_t most = most_unblocked);

/// Is what began to unpack so one that is longer than what was shown of it, and no accident?
inline bool is_surely_packed(const Unblocked& result, View out) {
  constexpr std::size_t enough = 1024;
  return result.how == Unblocked::How::cut_off && out.size() >= enough;
}

/// Deflate (RFC 1951), without a header, of at most `most` bytes.
Unblocked unpack_deflate(View from, Bytes& out, std::size_t most = most_unblocked);
/// brotli (RFC 7932), likewise.
Unblocked unpack_brotli(View from, Bytes& out, std::size_t most = most_unblocked);

}  // namespace imgbuild

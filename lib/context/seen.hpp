#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace imgbuild {

/// Says which file in which state was looked at: of its path, device, inode, size, and both its times in nanoseconds.
using FileMark = std::array<std::uint8_t, 16>;

/// A MAC of a tar under a key of its own (crypto/gmac.hpp): whoever has it need not digest the tar again.
struct TarSeal {
  std::array<std::uint8_t, 32> key{};
  std::array<std::uint8_t, 16> tag{};
  bool operator==(const TarSeal&) const = default;
};

/// A whole tree in which nothing was found, and what it was staged as.
struct SeenTree {
  std::array<std::uint8_t, 32> state{};  ///< of all items, as FileMark is of one, and the time that they were given
  std::array<std::uint8_t, 32> digest{};
  TarSeal seal;                        ///< of the tar of that digest
  std::uint64_t files = 0, bytes = 0;  ///< as in Context
  std::uint64_t looked_at = 0;         ///< files with something in them
  bool operator==(const SeenTree&) const = default;
};

/// Files of a tree in which nothing was found, when it was staged before and now. What is known of a file in its
/// present state is not looked for again. Only what no rule saw anything in is marked, so that no policy changes the
/// answer; rules and program must be those of then. Kept by whoever stages (build/seen_files.hpp).
struct SeenFiles {
  std::vector<FileMark> before;  ///< sorted
  std::vector<FileMark> now;     ///< stage() fills it
  std::optional<SeenTree> tree_before, tree_now;
};

}  // namespace imgbuild

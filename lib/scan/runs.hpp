#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// A stretch of base64, base32 or hex in a text, or one that is escaped (escapes.hpp), decoded, and the way back from a
/// decoded byte to the text.
struct DecodedRun {
  const char* encoding =
      "";  ///< "base64", "base32" or "hex"; "percent", "unicode", "html", "concatenation", "utf-16", "utf-32"...
  std::string bytes;
  bool wrapped = false;  ///< it went over several lines
  bool shaped = false;   ///< only rules with a shape of their own count in it: the pieces may not belong together
  bool plain = false;    ///< its pieces say where bytes stand, whatever it was decoded from
  std::size_t lead = 0;  ///< bytes of the line before what was put together, which they begin with
  /// Where the text puts it together, if that is not where its pieces stand; what is found in it ends where the piece
  /// does that it begins in. nowhere (literals.hpp): only a part of what is put together there.
  std::optional<std::size_t> use;
  bool backwards = false;  ///< its first byte is the last of a stretch of the text, and so on
  std::size_t position_of(std::size_t decoded) const;  ///< in the text, of the first character that makes a byte
  std::size_t end_of(std::size_t decoded_end) const;   ///< behind the last character that makes the byte before it

  std::size_t end_of_piece(
      std::size_t decoded) const;  ///< in the text, of the piece that makes the byte; of plain ones

  /// Pieces of the run: encoded characters from `encoded` on stand at `text` and behind.
  struct Piece {
    std::size_t encoded, text;
  };
  std::vector<Piece> pieces;
  std::size_t skipped = 0;  ///< characters of the run before the first that was decoded

 private:
  std::size_t text_of(std::size_t character) const;
  bool is_base64() const { return !plain && encoding[0] == 'b' && encoding[4] == '6'; }
  bool is_base32() const { return !plain && encoding[0] == 'b' && encoding[4] == '3'; }
  bool is_hex() const { return !plain && encoding[0] == 'h' && encoding[1] == 'e'; }
  bool is_wide() const { return !plain && encoding[0] == 'u' && encoding[1] == 't'; }
  std::size_t width() const { return encoding[4] == '3' ? 4 : 2; }  ///< bytes of a wide character
};

/// Decodes what is owned by blocks that overlap [begin, end) of `text`, where text[0] is at stream position `offset`.
/// `see` is given each decoded run that could hold text, with the range of positions [owned_begin, owned_end) of `text`
/// in which findings count: what is found does not depend on where `text` was cut out of its stream, if that has
/// run_reach bytes around [begin, end) or the stream's end.
struct OwnedRange {
  std::size_t begin, end;
};
void decode_runs(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                 const std::function<void(DecodedRun&, OwnedRange)>& see);

/// A block of the stream, as positions of the text that is shown of it: what it answers for, and what it sees.
struct StreamBlock {
  std::size_t own_begin, own_end, low, high;
};

/// Shows the blocks that overlap [begin, end), for lists and dumps: cut at multiples of 32 KiB of the stream whatever
/// `text` shows of it, each sees 4 KiB before it and 20 KiB behind it. `text` and `offset` as of decode_runs().
template <class Each>
void each_block(View text, std::uint64_t offset, std::size_t begin, std::size_t end, Each each) {
  constexpr std::uint64_t block = std::uint64_t{32} << 10, back = std::uint64_t{4} << 10,
                          ahead = std::uint64_t{20} << 10;
  if (begin >= end) return;
  const auto in_text = [&](std::uint64_t position) {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(position, offset, offset + text.size()) - offset);
  };
  for (std::uint64_t at = (offset + begin) / block * block; at < offset + end; at += block)
    each(StreamBlock{in_text(at), in_text(at + block), in_text(at - std::min(at, back)), in_text(at + block + ahead)});
}

inline constexpr std::size_t run_reach = std::size_t{56} << 10;

}  // namespace imgbuild

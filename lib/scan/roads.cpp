// Follows the words that put texts together. The first stage has found them on its way (road_words.hpp), so that a text
// without them costs nothing; here the literals around each are read as most languages write them.
//
// That nothing depends on where the stream was cut, and that nothing is read over and over: the stream is divided into
// cells of 4 KiB. What was read for one sign is not read again for another of the same road and the same cell; a cell
// begins anew. Signs that matter to a finding are seen with their whole cells, for a look collects more to both sides.
#include "scan/roads.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/text.hpp"
#include "scan/coded.hpp"
#include "scan/decoders.hpp"
#include "scan/letters.hpp"
#include "scan/lists.hpp"
#include "scan/literals.hpp"
#include "scan/named.hpp"
#include "scan/road_words.hpp"
#include "scan/statements.hpp"
#include "scan/tables.hpp"
#include "scan/turned.hpp"
#include "scan/uses.hpp"
#include "scan/written_lines.hpp"

namespace imgbuild {
namespace {

constexpr std::uint64_t cell = std::uint64_t{4} << 10;
constexpr std::size_t back = Definitions::reach + 600;  // of a cell's begin: where its names are given something
constexpr std::size_t beyond = std::size_t{2} << 10;    // of a cell's end: how far is read
constexpr unsigned most_heads = 24;                     // of tables in a cell: each may be read up to its border
constexpr std::size_t rows = std::size_t{4} << 10;      // the same of tables, on top

// `use`: where the parts are put together, if they stand elsewhere; of a part of what is, `whole` is false.
void show(View text, const JoinedTexts& reading, const std::function<void(DecodedRun&, OwnedRange)>& see,
          std::optional<std::size_t> use = {}, bool whole = true) {
  if (reading.parts.size() < 2) return;
  // A password is short, and says nothing of itself: its line does.
  constexpr std::size_t lead = 100, longest_password = 100;
  const std::size_t first = use.value_or(reading.parts.front().begin), low = first - std::min(first, lead);
  std::size_t size = 0;
  for (const auto& part : reading.parts) size += part.end - part.begin;
  const bool named = whole && size <= longest_password && says_secret(text_of(text.subspan(low, first - low)));
  if (!named && !may_join_token(text, reading.parts)) return;
  Together together(text, "concatenation");
  together.lead(first);
  for (const auto& part : reading.parts) together.add(part);
  if (use) together.run().use = whole ? *use : nowhere;
  if (together.finish(reading.parts.back().end) || named) see(together.run(), {0, text.size()});
}

// The texts that the names have there; where one has none that is known, what stands to its sides is shown alone.
void show(View text, const Use& use, Definitions& definitions,
          const std::function<void(DecodedRun&, OwnedRange)>& see) {
  JoinedTexts reading;
  bool whole = use.whole, any = false;
  const auto flush = [&] {
    if (any) show(text, reading, see, use.begin, whole);
    reading.parts.clear();
    any = false;
  };
  for (const auto& operand : use.operands) {
    const bool is_literal = operand.literal.begin > 0;
    const auto part =
        is_literal ? std::optional(operand.literal) : definitions.value(operand.name, use.begin, use.bare);
    if (!part) {
      whole = false;
      flush();
      continue;
    }
    any = any || !is_literal;
    reading.parts.push_back(*part);
  }
  flush();
}

}  // namespace

void follow_roads(View text, std::uint64_t offset, std::vector<Sign>& signs,
                  const std::function<void(DecodedRun&, OwnedRange)>& see) {
  std::sort(signs.begin(), signs.end(), [](const Sign& a, const Sign& b) { return a.at < b.at; });
  struct Done {
    std::uint64_t cell = UINT64_MAX;
    std::size_t before = 0;
    unsigned heads = 0;  // in the cell, that were read
  };
  std::array<Done, 20> done{};
  struct Known {
    std::uint64_t cell;
    Definitions definitions;
  };
  std::optional<Known> known;  // of the cell that was last asked for it
  const auto show_use = [&](const Use& use, std::uint64_t here) {
    if (!use.joins(text)) return;
    if (!known || known->cell != here) {
      const std::size_t low = here * cell > offset + back ? here * cell - back - offset : 0;
      known.emplace(Known{here, Definitions(text, low, (here + 1) * cell - offset)});
    }
    const auto may_be_known = [&](const Use::Operand& operand) {
      return operand.name.index != nowhere || known->definitions.has_text(operand.name.name);
    };
    if (use.bare || std::any_of(use.operands.begin(), use.operands.end(), may_be_known))
      show(text, use, known->definitions, see);
  };
  for (const auto& sign : signs) {
    const RoadWord& word = road_words[sign.word];
    Done& mine = done[static_cast<std::size_t>(word.road)];
    const std::uint64_t here = (offset + sign.at) / cell;
    if (mine.cell == here && sign.at < mine.before) continue;
    if (mine.cell != here) mine = {here, 0, 0};
    const bool heads = word.road == Road::column || word.road == Road::pairs;
    if (heads && ++mine.heads > most_heads) continue;
    const std::size_t behind = sign.at + word.width;
    const std::size_t limit = std::min<std::uint64_t>(text.size(), (here + 1) * cell - offset + beyond);
    JoinedTexts reading;
    Use use;
    switch (word.road) {
      case Road::concat:
        reading = read_concat(text, sign.at, behind, limit);
        if (reading.parts.size() < 2) use = read_named_concat(text, sign.at, behind, limit);
        break;
      case Road::join:
        reading = read_join(text, sign.at, behind, limit);
        if (reading.parts.size() < 2) use = read_named_join(text, sign.at, behind, limit);
        break;
      case Road::format:
        reading = read_format(text, sign.at, behind, limit);
        if (reading.parts.size() < 2) use = read_named_format(text, sign.at, limit);
        break;
      case Road::append:
        reading = read_append(text, sign.at, behind, limit);
        if (reading.parts.size() < 2) use = read_named_append(text, sign.at, limit);
        break;
      case Road::more:
        reading = read_more(text, sign.at, limit);
        break;
      case Road::batch:
        reading = read_batch(text, sign.at, limit);
        if (reading.parts.size() < 2) use = read_template(text, sign.at, limit);
        break;
      case Road::operate:
        reading = read_operated(text, sign.at, limit);
        break;
      case Road::sum:
        use = read_sum(text, sign.at, limit);
        break;
      case Road::within:
        use = read_template(text, sign.at, limit);
        break;
      case Road::reverse:
        reading.end = std::max(show_reversed(text, sign.at, see), show_decoded(text, sign.at, see));
        break;
      case Road::rot13:
        reading.end = std::max(show_rot13(text, sign.at, see), show_decoded(text, sign.at, see));
        break;
      case Road::decode:
        reading.end = show_decoded(text, sign.at, see);
        break;
      case Road::code:
        reading.end = show_coded(text, sign.at, see);
        break;
      case Road::cast:
        reading.end = show_cast(text, sign.at, limit, see);
        break;
      case Road::halves:
        reading.end = show_halves(text, sign.at, see);
        break;
      case Road::lines:
        reading.end = show_written_lines(text, sign.at, limit, see);
        break;
      case Road::drop:
        reading.end = show_dropped(text, sign.at, limit, see);
        break;
      case Road::wrap:
        reading.end = show_wrapped(text, sign.at, see);
        break;
      case Road::column:
        reading.end = show_column(text, sign.at, behind, std::min(text.size(), limit + rows), see);
        break;
      case Road::pairs:
        reading.end = show_pairs(text, behind, std::min(text.size(), limit + rows), see);
        break;
    }
    show(text, reading, see);
    show_use(use, here);
    if (const std::size_t end = std::max(reading.end, use.end); end > sign.at) mine.before = end;
  }
}

}  // namespace imgbuild

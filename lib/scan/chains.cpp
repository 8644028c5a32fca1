#include "scan/chains.hpp"

#include <algorithm>
#include <array>

#include "scan/letters.hpp"
#include "scan/literals.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t back = std::size_t{4} << 10;
constexpr std::size_t farthest = 60;  // from a quote to its operator

// What may lead on to a literal: its quote (or a letter before it, if there is one), a comment, a bracket, the end of
// the line.
enum : std::uint8_t { leads_not = 0, leads_on = 1, leads_with_quote = 2 };
constexpr std::array<std::uint8_t, 256> make_leading() {
  std::array<std::uint8_t, 256> is{};
  for (const char c : {'"', '\'', '`', '/', '#', '(', '_', '\\'}) is[static_cast<std::uint8_t>(c)] = leads_on;
  for (const char c : {'r', 'R', 'b', 'B', 'u', 'U', 'f', 'F', 'L', 'N', '$', '@'})
    is[static_cast<std::uint8_t>(c)] = leads_with_quote;
  return is;
}
constexpr auto leading = make_leading();

bool may_lead_on(View text, std::size_t at) {
  if (at >= text.size()) return false;
  if (leading[text[at]] == leads_with_quote) return quote_at(text, at) != nowhere;
  if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '\\' || text[at + 1] == 'n')) return true;  // JSON
  if (text[at] == '_' || text[at] == '\\') return at + 1 < text.size() && is_space(text[at + 1]);
  if (text[at] == '/') return at + 1 < text.size() && (text[at + 1] == '/' || text[at + 1] == '*');
  return leading[text[at]] == leads_on;
}

}  // namespace

std::size_t joining_quote(View text, std::size_t place) {
  std::size_t at = place;
  if (is_quote(char_at(text, place))) return at;
  std::size_t next = place + 1;
  if (next < text.size() && text[next] == text[place]) ++next;  // ||
  for (std::size_t i = 0; i < 2 * farthest && next < text.size() && is_space(text[next]); ++i) ++next;
  if (!may_lead_on(text, next)) return nowhere;
  const std::size_t low = at - std::min(at, farthest);
  const auto pass = [&] {
    while (at > low && is_space(text[at - 1])) --at;
  };
  pass();
  if (at > low + 3 && text[at - 1] == '/' && text[at - 2] == '*') {
    for (at -= 3; at > low && !(text[at - 1] == '/' && text[at] == '*'); --at) {
    }
    if (at > low) --at;
    pass();
  }
  if (at > low && text[at - 1] == ')') {
    --at;
    pass();
  }
  return at > low && is_quote(char_at(text, at - 1)) ? at - 1 : nowhere;
}

void decode_chains(View text, std::uint64_t offset, std::size_t begin, std::size_t end,
                   std::vector<std::size_t>& quotes, const std::function<void(DecodedRun&, OwnedRange)>& see) {
  if (quotes.empty()) return;
  if (!std::is_sorted(quotes.begin(), quotes.end())) std::sort(quotes.begin(), quotes.end());
  std::vector<Part> parts;
  each_block(text, offset, begin, end, [&](const StreamBlock& block) {
    const auto& [own_begin, own_end, low, high] = block;
    std::size_t covered = low;
    const std::size_t limit = std::min(high, own_end + back);
    for (auto quote = std::lower_bound(quotes.begin(), quotes.end(), low); quote != quotes.end() && *quote < limit;
         ++quote) {
      if (*quote < covered) continue;
      // What is behind it, before what is before it: most have nothing.
      parts.assign(1, {0, *quote});
      const std::size_t next = next_joined(text, *quote + 1, high);
      if (next == nowhere) continue;
      const std::size_t open = opening_quote(text, *quote, covered);
      if (open == nowhere) continue;
      parts.front().begin = open + 1;
      const std::size_t behind = read_joined(text, next, high, parts);
      if (behind == nowhere) continue;
      covered = behind;
      if (behind <= own_begin || open >= own_end || !may_join_token(text, parts)) continue;
      Together together(text, "concatenation");
      together.lead(open + 1);
      for (const auto& part : parts) together.add(part);
      if (together.finish(parts.back().end)) see(together.run(), {own_begin, own_end});
    }
  });
}

}  // namespace imgbuild

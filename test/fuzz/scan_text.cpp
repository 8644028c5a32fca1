// Any bytes as a stream: whole, in pieces and in tiles it must give the same hits. The first byte says where to cut; an
// odd one, that they are a program's.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <tuple>
#include <vector>

#include "scan/scanner.hpp"

using namespace imgbuild;

namespace {

using Shown =
    std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, const Rule*, std::vector<std::string>>>;

Shown shown(const std::vector<Hit>& hits) {
  Shown out;
  for (const auto& hit : hits) out.emplace_back(hit.begin, hit.end, hit.line, hit.rule, hit.decoded);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const auto scanner = Scanner::builtin();
  const std::size_t step = data[0] + 1u;
  const View text(data + 1, size - 1);
  const Scanner::Subject subject{.path = "",
                                 .matter = data[0] % 2 == 1 ? Scanner::Matter::program : Scanner::Matter::plain};
  const Shown whole = shown(scanner->scan(text, subject));

  if (subject.matter == Scanner::Matter::plain) {
    Scan pieces(*scanner, "", nullptr, nullptr);
    for (std::size_t at = 0; at < text.size(); at += step)
      pieces.feed(text.subspan(at, std::min(step, text.size() - at)));
    if (shown(pieces.finish()) != whole) std::abort();
  }

  std::vector<Hit> tiles;
  const std::size_t home = std::max<std::size_t>(step, text.size() / 8 + 1);
  for (std::size_t at = 0; at < text.size(); at += home) {
    const std::size_t low = at - std::min(at, Scanner::reach);
    const std::size_t high = std::min(text.size(), at + home + Scanner::reach);
    for (auto& hit : scanner->scan_part(text.subspan(low, high - low), at - low, std::min(home + at, text.size()) - low,
                                        low, subject)) {
      hit.line +=
          static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(low), '\n'));
      tiles.push_back(std::move(hit));
    }
  }
  if (shown(tiles) != whole) std::abort();
  return 0;
}

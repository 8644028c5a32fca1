// A file's content from a stranger: what is found in it, and what cannot be opened, is the same whether it lies in
// memory or streams by in pieces of whatever size. The first byte says how it is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "audit/content.hpp"
#include "base/text.hpp"

using namespace imgbuild;

namespace {

/// What there is to say of it; nothing where nothing is to be compared: a limit falls where pieces end.
std::vector<std::string> look(View content, std::size_t piece) {
  static const auto scanner = Scanner::builtin();
  Vault found;
  Buffers buffers;
  Pool pool(1, std::size_t{1} << 20);
  Sightings record;
  const Desk desk{*scanner, nullptr, &found, pool, buffers, {}};
  Where where;
  where.record = &record;
  where.path = "srv/file";
  if (piece == 0) {
    look_at_whole(desk, where, {content, nullptr, true});
  } else {
    ContentReader reader(desk, where);
    for (; !content.empty(); content = content.subspan(std::min(piece, content.size())))
      reader.feed({content.first(std::min(piece, content.size())), nullptr, false});
    reader.finish();
  }
  pool.drain();
  std::vector<std::string> all;
  for (const auto& one : record.found)
    all.push_back(one.hit.rule->id + " " + join(one.inside, "!") + " " + join(one.hit.decoded, "/") + " " +
                  std::to_string(one.hit.begin));
  for (const auto& gap : record.gaps) {
    if (gap.why.starts_with("holds more than")) return {};
    all.push_back(gap.path + ": " + gap.why);
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const View content(data + 1, size - 1);
  const auto whole = look(content, 0), cut = look(content, 1 + data[0]);
  if (!whole.empty() && !cut.empty() && whole != cut) std::abort();
  return 0;
}

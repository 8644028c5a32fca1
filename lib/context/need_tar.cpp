// The tar of a tree that is known: nothing was found in it, so that all of it is staged, and there is nothing to look
// at. What tells whether it is the same tar is its seal. Members are put together by several threads, many to a piece,
// and this one writes the pieces one after another.
#include <algorithm>
#include <mutex>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "context/in_order.hpp"
#include "context/spool.hpp"
#include "context/stage.hpp"
#include "context/tree.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

constexpr std::uint64_t piece_size = std::uint64_t{512} << 10;
constexpr std::uint64_t most_held = std::uint64_t{16} << 20;
constexpr std::uint64_t header = 1024;  // and padding, about

// Items [begin, end), with some bytes more than they hold together. A piece of one item may be of any size.
struct Piece {
  std::size_t begin = 0, end = 0;
  std::uint64_t size = 0;
  bool streamed() const { return size > 2 * piece_size; }
};

std::vector<Piece> pieces_of(const std::vector<Item>& items) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::uint64_t size = items[i].size + header;
    if (pieces.empty() || pieces.back().size + size > piece_size) pieces.push_back({i, i, 0});
    pieces.back().end = i + 1;
    pieces.back().size += size;
  }
  return pieces;
}

void put(TarWriter& writer, const Item& item, std::int64_t time) {
  interrupt::check();
  writer.entry(member_of(item, item.size, time));
  if (item.kind == Item::Kind::file) item.shelf->read(item, [&](View bytes) { writer.data(bytes); });
}

// Buffers that were used once have their memory already.
class Buffers {
 public:
  Bytes take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    Bytes buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give_back(Bytes buffer) {
    buffer.clear();
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<Bytes> free_;
};

}  // namespace

void need_tar(Context& context, const StageOptions& options) {
  if (!context.tree) return;
  const auto& items = context.tree->items;
  const auto pieces = pieces_of(items);
  Buffers buffers;
  Spool spool(options.folder, context.seal);
  TarWriter writer([&](View bytes) { spool.write(bytes); });
  in_order(
      pieces.size(), most_held, [&](std::size_t i) { return pieces[i].streamed() ? 0 : pieces[i].size; },
      [&](std::size_t i) {
        Bytes made;
        if (pieces[i].streamed()) return made;
        made = buffers.take();
        made.reserve(2 * piece_size);
        TarWriter part(made);
        for (std::size_t item = pieces[i].begin; item < pieces[i].end; ++item) put(part, items[item], context.time);
        part.flush();
        return made;
      },
      [&](std::size_t i, Bytes made) {
        if (pieces[i].streamed()) {
          put(writer, items[pieces[i].begin], context.time);
          writer.flush();
        } else {
          spool.write(made);
          buffers.give_back(std::move(made));
        }
      });
  writer.finish();
  spool.digest();
  if (spool.seal() != context.seal)
    throw Error(printable(options.root) + ": changed while it was staged",
                "stop what writes to it, or stage a commit with --ref");
  context.tar = spool.take();
  context.tree.reset();
}

}  // namespace imgbuild

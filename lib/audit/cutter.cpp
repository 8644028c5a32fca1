// A long stream is cut into parts of 1 MiB, each scanned with the context that a rule may look at (Scanner::reach) to
// both sides. Lines are counted per part, and added up when the last part is done: only then is it known how many
// stand before each.
#include <algorithm>
#include <cstring>
#include <utility>

#include "audit/content.hpp"

namespace imgbuild {

struct Cutter::Parts {
  struct Part {
    std::uint64_t lines_before_home = 0, lines_in_home = 0;
    std::vector<Hit> hits;
  };
  Where where;
  std::mutex mutex;
  std::deque<Part> parts;  ///< a deque: threads fill old parts while new ones come
  std::size_t open = 0;
  bool ended = false;

  void done_if_last(std::unique_lock<std::mutex>& lock) {
    if (!ended || open > 0) return;
    lock.unlock();
    std::uint64_t before = 0;
    for (auto& part : parts) {
      for (auto& hit : part.hits) {
        const std::uint64_t line = before + hit.line - std::min<std::uint64_t>(part.lines_before_home, before);
        hit.line = static_cast<std::uint32_t>(std::min<std::uint64_t>(line, UINT32_MAX));
        where.add(std::move(hit));
      }
      before += part.lines_in_home;
    }
    parts.clear();
  }
};

namespace {

/// Newlines, counted in blocks whose sum fits a byte, which is what a compiler makes vector code of.
std::uint64_t lines_in(View text) {
  constexpr std::size_t block = 128;
  std::uint64_t lines = 0;
  for (; text.size() >= block; text = text.subspan(block)) {
    std::uint8_t count = 0;
    for (std::size_t i = 0; i < block; ++i) count = static_cast<std::uint8_t>(count + (text[i] == '\n' ? 1 : 0));
    lines += count;
  }
  return lines + static_cast<std::uint64_t>(std::count(text.begin(), text.end(), std::uint8_t{'\n'}));
}

/// Zeros and nothing else, as large files hold them.
bool is_empty(View text) {
  return !text.empty() && text[0] == 0 && std::memcmp(text.data(), text.data() + 1, text.size() - 1) == 0;
}

}  // namespace

Cutter::Cutter(const Desk& desk, Where where) : desk_(desk), parts_(std::make_shared<Parts>()) {
  parts_->where = std::move(where);
}
Cutter::~Cutter() = default;

void Cutter::feed(const Piece& piece) {
  // A transient piece may be larger than what should ever be copied at once.
  const bool lasts = piece.stable || piece.owner != nullptr;
  View left = piece.bytes;
  while (!left.empty()) {
    const View now = lasts ? left : left.first(std::min(left.size(), part_size));
    left = left.subspan(now.size());
    run_.append(piece.part(now));
    while (run_begin_ + run_.size() >= home_begin_ + part_size + Scanner::reach) cut(part_size, false);
  }
}

void Cutter::finish() {
  const std::uint64_t end = run_begin_ + run_.size();
  if (home_begin_ == 0) {  // never cut: a whole
    if (!run_.empty()) {
      auto run = std::make_shared<Run>(std::move(run_));
      desk_.pool.submit(run->size(), [&desk = desk_, run, parts = parts_] { desk.scan(run->view(), parts->where); });
    }
    return;
  }
  if (end > home_begin_) cut(static_cast<std::size_t>(end - home_begin_), true);
  std::unique_lock lock(parts_->mutex);
  parts_->ended = true;
  parts_->done_if_last(lock);
}

void Cutter::cut(std::size_t home, bool last) {
  const std::size_t home_at = static_cast<std::size_t>(home_begin_ - run_begin_);
  const std::size_t end = last ? run_.size() : home_at + home + Scanner::reach;
  const std::size_t keep_from = home_at + home - std::min(home_at + home, Scanner::reach);
  Run rest = last ? Run() : run_.from(keep_from);
  auto run = std::make_shared<Run>(std::exchange(run_, std::move(rest)));
  Parts::Part* part = nullptr;
  {
    const std::lock_guard lock(parts_->mutex);
    part = &parts_->parts.emplace_back();
    ++parts_->open;
  }
  const std::uint64_t offset = run_begin_;
  desk_.pool.submit(end, [&desk = desk_, run, part, parts = parts_, home_at, home, end, offset] {
    const View text = run->view().first(end);
    std::vector<Hit> hits;
    if (!is_empty(text))
      hits = desk.scanner.scan_part(text, home_at, home_at + home, offset,
                                    desk.subject(parts->where.name(), parts->where.matter));
    std::unique_lock lock(parts->mutex);
    part->lines_before_home = lines_in(text.first(home_at));
    part->lines_in_home = lines_in(text.subspan(home_at, home));
    part->hits = std::move(hits);
    --parts->open;
    parts->done_if_last(lock);
  });
  home_begin_ += home;
  if (!last) run_begin_ += keep_from;
}

}  // namespace imgbuild

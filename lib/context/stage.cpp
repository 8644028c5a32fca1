// Staging. The tree is listed, then its files are read, looked at and written in the order of their paths: several
// threads read and look ahead, this one writes. Every file is read once: the bytes in the tar are the bytes that were
// looked at, whatever happens to the file meanwhile. A large one cannot wait in memory for its verdict; it goes to the
// tar while it is looked at, and is cut off again where it must not ship.
#include "context/stage.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "context/in_order.hpp"
#include "context/judge.hpp"
#include "context/record.hpp"
#include "context/spool.hpp"
#include "context/tree.hpp"
#include "crypto/digest.hpp"
#include "git/history.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

using Fate = Remark::Fate;

constexpr std::uint64_t large = std::uint64_t{4} << 20;       // from here on a file is not held in memory
constexpr std::uint64_t most_held = std::uint64_t{64} << 20;  // of small ones that wait for their turn
constexpr std::int64_t fallback_time = 315619200;             // 1980-01-02: zip knows nothing earlier than 1980

// What is known about an item when its turn comes.
struct Looked {
  std::vector<Remark> remarks;
  bool seen_before = false;
  std::optional<FileMark> mark;  // nothing was found, nor will be while the file stays as it is
  Bytes content;                 // of a small file that is staged, as it is written
};

const std::string& called(const Item& item) { return item.shown.empty() ? item.path : item.shown; }

Location place_of_item(const Item& item) {
  Location place;
  place.layer = 0;
  place.path = called(item);
  if (item.kind == Item::Kind::symlink) place.kind = Location::Kind::link;
  return place;
}

void append(std::vector<Remark>& to, std::vector<Remark> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

// The text without the lines that are to be left out.
Bytes without_lines(View content, const std::vector<Remark>& remarks) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
  for (const auto& remark : remarks)
    if (remark.fate == Fate::line) out.emplace_back(remark.place.line, std::max(remark.place.line, remark.last_line));
  Bytes kept;
  std::uint32_t number = 1;
  for (std::size_t at = 0; at < content.size(); ++number) {
    const auto newline = std::find(content.begin() + static_cast<std::ptrdiff_t>(at), content.end(), '\n');
    const std::size_t end = static_cast<std::size_t>(newline - content.begin()) + (newline != content.end() ? 1 : 0);
    const bool leave = std::any_of(out.begin(), out.end(),
                                   [&](const auto& lines) { return lines.first <= number && number <= lines.second; });
    if (!leave)
      kept.insert(kept.end(), content.begin() + static_cast<std::ptrdiff_t>(at),
                  content.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
  }
  return kept;
}

/// What earlier stagings know of a tree's files, and what this one learns. Any thread.
class Memory {
 public:
  Memory(const SeenFiles* seen, const Judge& judge) : seen_(judge.knows_values() ? nullptr : seen) {}

  /// nullopt: the file has no lasting state. One that was written just now may be written again within what its file
  /// system takes for the same time.
  std::optional<FileMark> mark_of(const Item& item) const {
    if (!lasts(item)) return {};
    std::string state = item.path + '\0';
    for (const std::uint64_t one : {item.device, item.inode, item.size, static_cast<std::uint64_t>(item.changed),
                                    static_cast<std::uint64_t>(item.status_changed)})
      state += std::to_string(one) + ' ';
    const auto digest = sha256(view_of(state));
    FileMark mark;
    std::copy_n(digest.begin(), mark.size(), mark.begin());
    return mark;
  }
  bool lasts(const Item& item) const {
    return seen_ != nullptr && item.inode != 0 && std::max(item.changed, item.status_changed) <= settled_;
  }
  bool has(const FileMark& mark) const { return std::binary_search(seen_->before.begin(), seen_->before.end(), mark); }

 private:
  const SeenFiles* seen_;
  std::int64_t settled_ = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              (std::chrono::system_clock::now() - std::chrono::seconds(2)).time_since_epoch())
                              .count();
};

// What a tree is staged as depends on nothing else, where nothing is found in it.
std::array<std::uint8_t, 32> state_of(const std::vector<Item>& items, std::int64_t time) {
  std::string state;
  state.reserve(items.size() * 128);
  const auto add = [&](const auto& number) { state.append(reinterpret_cast<const char*>(&number), sizeof number); };
  add(time);
  for (const Item& item : items) {
    state.append(item.path) += '\0';
    state.append(item.link) += '\0';
    add(item.kind);
    add(item.executable);
    for (const std::uint64_t one : {item.device, item.inode, item.size}) add(one);
    add(item.changed);
    add(item.status_changed);
  }
  return sha256(view_of(state));
}

Looked look_at(const Item& item, const Judge& judge, const Memory& memory) {
  interrupt::check();
  Looked looked;
  const auto read = [&] {
    looked.content.reserve(static_cast<std::size_t>(item.size));
    item.shelf->read(item,
                     [&](View piece) { looked.content.insert(looked.content.end(), piece.begin(), piece.end()); });
  };
  const bool small_file = item.kind == Item::Kind::file && item.size <= large;
  if (small_file && item.size > 0) looked.mark = memory.mark_of(item);
  looked.seen_before = looked.mark && memory.has(*looked.mark);
  if (looked.seen_before) {
    if (small_file) read();
    return looked;
  }
  if (item.kind == Item::Kind::folder) {
    looked.remarks = judge.name(item.path);
    for (auto& remark : looked.remarks)
      if (remark.fate >= Fate::line) remark.fate = Fate::refuse;  // a folder is not left out with all that it holds
    return looked;
  }
  looked.remarks = judge.name(item.path);
  if (item.kind == Item::Kind::symlink) {
    append(looked.remarks, judge.text(view_of(item.link), place_of_item(item)));
    for (auto& remark : looked.remarks)
      if (remark.fate == Fate::line) remark.fate = Fate::refuse;
    return looked;
  }
  if (!small_file) return looked;
  read();
  if (looked.content.empty()) return looked;
  append(looked.remarks, judge.text(looked.content, place_of_item(item)));
  if (!looked.remarks.empty()) looked.mark.reset();

  if (strictest(looked.remarks) != Fate::line) return looked;
  Bytes kept = without_lines(looked.content, looked.remarks);
  auto again = judge.text(kept, place_of_item(item));
  if (strictest(again)) {
    // What is left gives a secret away all the same: nobody but the owner can mend it.
    append(looked.remarks, std::move(again));
    for (auto& remark : looked.remarks)
      if (remark.fate >= Fate::line) remark.fate = Fate::refuse;
  }
  wipe(looked.content.data(), looked.content.size());
  looked.content = std::move(kept);
  return looked;
}

class Stager {
 public:
  Stager(const StageOptions& options, std::int64_t time)
      : judge_(options.scanner, *options.vault, options.policy),
        memory_(options.seen, judge_),
        seen_(options.seen),
        time_(time),
        spool_(options.folder) {
    restart();
  }

  void take(const std::vector<Item>& items) {
    in_order(
        items.size(), most_held, [&](std::size_t i) { return items[i].size > large ? 0 : items[i].size; },
        [&](std::size_t i) { return look_at(items[i], judge_, memory_); },
        [&](std::size_t i, Looked looked) { put(items[i], std::move(looked)); });
  }

  // Looks at all that a history gives away. A commit's own text (who, when, why) is looked at as well.
  void look_at_history(const GitRepository& repository, const GitHistory& history) {
    const auto& objects = history.objects();
    in_order(
        objects.size(), most_held, [](std::size_t) { return std::uint64_t{1} << 16; },
        [&](std::size_t i) {
          interrupt::check();
          Location place;
          place.layer = 0;
          place.kind = Location::Kind::git;
          place.path = ".git";
          place.inside = {objects[i].id};
          if (!objects[i].path.empty()) place.inside.push_back(objects[i].path);
          return judge_.object(repository.read(objects[i].id), place, objects[i].path);
        },
        [&](std::size_t, const std::vector<Remark>& remarks) { record_.add(remarks, ".git"); });
  }

  bool refused() const { return record_.refused(); }

  /// The context of a tree that is known, without its tar; nullopt: it is not.
  std::optional<Context> known(const std::vector<Item>& items) const {
    if (judge_.knows_values() || seen_ == nullptr || !seen_->tree_before) return std::nullopt;
    const SeenTree& tree = *seen_->tree_before;
    if (tree.state != state_of(items, time_)) return std::nullopt;
    seen_->now = seen_->before;
    seen_->tree_now = tree;
    Context context;
    context.digest = "sha256:" + hex(tree.digest);
    context.files = tree.files;
    context.bytes = tree.bytes;
    context.seen_before = tree.looked_at;
    context.time = time_;
    context.seal = tree.seal;
    return context;
  }
  /// Keeps what the tree was staged as, where the next time it need not be read for that.
  void remember(const std::vector<Item>& items, const Context& context) const {
    if (context.refused() || !context.withheld.empty() || !context.allowed.empty() || !context.notes.empty()) return;
    if (!std::all_of(items.begin(), items.end(),
                     [&](const Item& item) { return item.kind != Item::Kind::file || memory_.lasts(item); }))
      return;
    const auto digest = unhex(std::string_view(context.digest).substr(7));
    SeenTree tree{state_of(items, time_), {}, context.seal, context.files, context.bytes, seen_->now.size()};
    std::copy_n(digest->begin(), tree.digest.size(), tree.digest.begin());
    seen_->tree_now = tree;
  }

  Context finish() {
    Context context;
    record_.give(context);
    context.time = time_;
    context.seen_before = seen_before_;
    if (record_.refused()) return context;
    writer_->finish();
    context.digest = spool_.digest();
    context.seal = spool_.seal();
    context.files = files_;
    context.bytes = spool_.size();
    context.tar = spool_.take();
    return context;
  }

 private:
  void restart() {
    writer_ = std::make_unique<TarWriter>([this](View bytes) { spool_.write(bytes); });
  }

  void put(const Item& item, Looked looked) {
    interrupt::check();
    if (item.kind == Item::Kind::file && item.size > large) return put_large(item, std::move(looked.remarks));
    remember(looked.mark, looked.seen_before);
    const auto fate = record_.add(looked.remarks, called(item));
    const bool stays = !fate || *fate == Fate::line;
    if (!stays || record_.refused()) return;  // once refused there will be no tar: the rest is only looked at
    writer_->entry(member_of(item, looked.content.size(), time_));
    writer_->data(looked.content);
    if (item.kind == Item::Kind::file) ++files_;
    spool_.settle();
  }

  void remember(const std::optional<FileMark>& mark, bool seen_before) {
    if (mark) seen_->now.push_back(*mark);
    seen_before_ += seen_before ? 1 : 0;
  }

  void put_large(const Item& item, std::vector<Remark> remarks) {
    writer_->flush();
    spool_.settle();
    writer_->entry(member_of(item, item.size, time_));
    writer_->flush();
    const std::uint64_t start = spool_.size();
    const auto mark = memory_.mark_of(item);
    const bool seen_before = mark && memory_.has(*mark);
    Scan scan = judge_.scan(item.path);
    item.shelf->read(item, [&](View piece) {
      interrupt::check();
      writer_->data(piece);
      if (!seen_before) scan.feed(piece);
    });
    writer_->flush();
    auto found = judge_.stream(scan.finish(), place_of_item(item), [&](std::uint64_t begin, std::uint64_t end) {
      return spool_.read(start + begin, static_cast<std::size_t>(end - begin));
    });
    if (found.empty()) remember(mark, seen_before);
    append(remarks, std::move(found));
    const auto fate = record_.add(remarks, item.path);
    if (fate || record_.refused()) {
      spool_.cut_back();
      restart();
      return;
    }
    ++files_;
    spool_.settle();
  }

  Judge judge_;
  Memory memory_;
  SeenFiles* seen_;
  std::int64_t time_;
  Spool spool_;
  std::unique_ptr<TarWriter> writer_;
  Record record_;
  std::uint64_t files_ = 0, seen_before_ = 0;
};

std::int64_t time_of(const Tree& tree) {
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr && *epoch != '\0') {
    char* end = nullptr;
    errno = 0;
    const long long seconds = std::strtoll(epoch, &end, 10);
    if (errno != 0 || *end != '\0' || seconds < 0 || *epoch < '0' || *epoch > '9')
      throw usage_error("SOURCE_DATE_EPOCH: not a number of seconds since 1970: " + printable(epoch));
    return seconds;
  }
  if (tree.repository && !tree.commit.empty()) return tree.repository->time_of(tree.commit);
  return fallback_time;
}

// The files of a `.git` made anew below `folder`, as items.
std::vector<Item> synthetic_git(const GitHistory& history, const std::string& folder, const DiskShelf& shelf,
                                const Tree& tree) {
  const auto staged = [&](const std::string& path) {
    const auto at = std::lower_bound(tree.items.begin(), tree.items.end(), path,
                                     [](const Item& item, const std::string& wanted) { return item.path < wanted; });
    return at != tree.items.end() && at->path == path;
  };
  std::filesystem::create_directory(folder + "/.git");
  history.write(folder + "/.git",
                [&](const std::string& path) { return !staged(path) && tree.docker_ignore.ignores(path); });
  std::vector<Item> items;
  Item top;
  top.kind = Item::Kind::folder;
  top.path = ".git";
  items.push_back(std::move(top));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder + "/.git")) {
    const std::string path = entry.path().string().substr(folder.size() + 1);
    items.push_back(shelf.item_at(shelf.folder().get(), path.c_str(), path));
    items.back().executable = false;
  }
  return items;
}

// The Dockerfile as it was read, in its place; or, where it is ignored or lies elsewhere, under a name that is nobody
// else's. What is built is what was looked at, whatever happens to the file meanwhile.
std::string put_dockerfile(const DockerContext& docker, Tree& tree) {
  const auto put = [&](Item& item) {
    tree.shelves.push_back(std::make_unique<TextShelf>(docker.text));
    item.kind = Item::Kind::file;
    item.size = docker.text.size();
    item.link.clear();
    item.shelf = tree.shelves.back().get();
  };
  for (Item& item : tree.items)
    if (!docker.dockerfile.empty() && item.path == docker.dockerfile) {
      put(item);
      return item.path;
    }
  Item item;
  item.path = ".imgbuild.dockerfile";
  item.shown = docker.shown;
  put(item);
  const std::string path = item.path;
  tree.items.push_back(std::move(item));
  arrange(tree.items);
  return path;
}

}  // namespace

bool Context::refused() const {
  return std::any_of(withheld.begin(), withheld.end(),
                     [](const Withheld& one) { return one.action == Withheld::Action::refuse; });
}

Context stage(const StageOptions& options) {
  Includes includes(options.include);
  const DockerContext* docker = options.docker ? &*options.docker : nullptr;
  Tree tree = options.ref.empty() ? read_work_tree(options.root, std::move(includes), docker)
                                  : read_commit(options.root, options.ref, std::move(includes));
  const std::string dockerfile = docker == nullptr ? std::string() : put_dockerfile(*docker, tree);
  const std::int64_t time = time_of(tree);
  Stager stager(options, time);
  if (options.later && !options.with_git)
    if (auto known = stager.known(tree.items)) {
      known->tree = std::make_shared<const Tree>(std::move(tree));
      return std::move(*known);
    }

  const TempDir made;
  if (options.with_git) {
    if (!tree.repository || tree.commit.empty())
      throw usage_error("--with-git: " + printable(options.root) + " has no git history");
    const std::string root = std::filesystem::canonical(options.root).string();
    if (root != tree.repository->work_tree())
      throw usage_error("--with-git: " + printable(options.root) + " is not the top of its work tree",
                        "stage " + printable(tree.repository->work_tree()));
    const GitHistory history(*tree.repository, tree.commit, tree.branch);
    stager.look_at_history(*tree.repository, history);
    if (!stager.refused()) {  // a history with a secret in it is not written anywhere
      auto shelf = std::make_unique<DiskShelf>(made.path());
      for (auto& item : synthetic_git(history, made.path(), *shelf, tree)) tree.items.push_back(std::move(item));
      tree.shelves.push_back(std::move(shelf));
      arrange(tree.items);
    }
  }
  stager.take(tree.items);
  Context context = stager.finish();
  context.dockerfile = dockerfile;
  if (options.seen != nullptr && docker == nullptr && options.ref.empty() && !options.with_git)
    stager.remember(tree.items, context);
  return context;
}

}  // namespace imgbuild

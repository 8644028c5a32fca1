#include "audit/layer.hpp"

#include <algorithm>

#include "base/interrupt.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_gathered = std::size_t{8} << 20;  // a file that is held whole for a task
constexpr std::size_t batch_bytes = std::size_t{512} << 10;
constexpr std::size_t batch_files = 256;
constexpr std::uint64_t most_record = std::uint64_t{512} << 20;  // a package record; larger is none

}  // namespace

/// Small files that one task looks at.
struct LayerReader::Batch {
  struct File {
    Where where;
    Run content;
  };
  std::vector<File> files;
  std::size_t bytes = 0;
};

LayerReader::LayerReader(const Desk& desk, MemberRecord& member)
    : desk_(desk), member_(member), tar_(*this), texts_(desk) {}
LayerReader::~LayerReader() = default;

Where LayerReader::where(Location::Kind kind) const {
  Where where;
  where.record = &member_.record;
  where.kind = kind;
  where.entry = ordinal_;
  where.path = entry_.path;
  return where;
}

void LayerReader::feed(const Piece& piece) {
  const std::uint64_t begin = member_.bytes;
  member_.bytes += piece.bytes.size();
  if (damage_) return look_at_tail(piece);
  current_ = &piece;
  try {
    tar_.feed(piece.bytes);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    damage_ = error;
    look_at_tail({tar_.unread(), nullptr, false});
    look_at_tail(piece.part(piece.bytes.subspan(static_cast<std::size_t>(tar_.position() - begin))));
  }
  current_ = nullptr;
}

void LayerReader::content(const Piece& piece) {
  member_.bytes += piece.bytes.size();
  current_ = &piece;
  data(piece.bytes);
  current_ = nullptr;
}

void LayerReader::finish_entries() {
  // What a truncated or damaged layer did hold is looked at before that is told.
  if (way_ == Way::undecided) way_ = Way::gathered;
  if (way_ != Way::none) end_entry();
  if (!header_strays_.empty()) texts_.add(where(Location::Kind::tail), std::exchange(header_strays_, {}));
  if (tail_) tail_->finish();
  flush();
  texts_.flush();
  member_.index.finish();
}

void LayerReader::finish() {
  finish_entries();
  if (damage_) throw Error(*damage_);
  tar_.finish();
}

void LayerReader::entry(const TarEntry& entry) {
  entry_ = entry;
  ++ordinal_;
  const bool file = entry.type == TarEntry::Type::file;
  member_.index.add(entry.path, entry.type == TarEntry::Type::directory, file ? entry.size : 0);
  if (file) note_large(entry);
  texts_.add(where(Location::Kind::name), entry.path);
  if (!entry.link.empty()) texts_.add(where(Location::Kind::link), entry.link);
  if (entry.type == TarEntry::Type::hard_link) {
    std::string_view target = entry.link;
    while (target.starts_with("./") || target.starts_with("/")) target.remove_prefix(target[0] == '.' ? 2 : 1);
    member_.hard_links.push_back({ordinal_, entry.path, std::string(target)});
  }
  for (const auto& [key, value] : entry.xattrs) texts_.add(where(Location::Kind::xattr), key + "=" + value);
  for (const auto& [key, value] : entry.pax) texts_.add(where(Location::Kind::pax), key + "=" + value);
  for (const auto* name : {&entry.user, &entry.group})
    if (name->size() >= 8) texts_.add(where(Location::Kind::pax), *name);
  if (!header_strays_.empty()) texts_.add(where(Location::Kind::tail), std::exchange(header_strays_, {}));
  came_ = 0;
  way_ = entry.size == 0 ? Way::none : entry.size <= most_gathered ? Way::gathered : Way::undecided;
}

// The few largest files, in a list that is always in order.
void LayerReader::note_large(const TarEntry& entry) {
  constexpr std::size_t most = 5;
  auto& largest = member_.largest;
  if (entry.size == 0 || (largest.size() == most && largest.back().second >= entry.size)) return;
  const auto at =
      std::find_if(largest.begin(), largest.end(), [&](const auto& one) { return one.second < entry.size; });
  largest.insert(at, {entry.path, entry.size});
  if (largest.size() > most) largest.pop_back();
}

void LayerReader::data(View bytes) {
  const Piece piece = current_->part(bytes);
  came_ += bytes.size();
  if (way_ == Way::gathered) return gathered_.append(piece);
  if (way_ == Way::undecided) {
    gathered_.append(piece);
    if (gathered_.size() < container_head_size) return;
    decide_large();
    if (way_ == Way::streamed) stream(gathered_.piece());
    gathered_ = Run();
    return;
  }
  if (way_ == Way::streamed) stream(piece);
}

void LayerReader::stream(const Piece& piece) {
  look_->feed(piece);
  if (packages_) packages_->append(piece);
}

/// A large file is looked at as it streams by, but for what must be opened whole and lies in memory that lasts: that is
/// opened where it lies.
void LayerReader::decide_large() {
  const View content = gathered_.view();
  const Container kind = container_of(content.first(container_head_size));
  in_place_ = current_->stable ? content.data() : nullptr;
  if (in_place_ != nullptr && !is_streamed(kind)) {
    way_ = Way::in_place;
    return;
  }
  Where place = where(Location::Kind::file);
  if (kind != Container::none) place.budget = std::make_shared<Budget>(entry_.size);
  way_ = Way::streamed;
  if (entry_.size <= most_record && is_package_record(entry_.path)) packages_.emplace();
  look_.emplace(desk_, std::move(place));
  if (in_place_ != nullptr) look_->leave_zip();
}

void LayerReader::look_in_place() {
  const View content(in_place_, came_);
  desk_.pool.submit(most_gathered, [&desk = desk_, content, place = where(Location::Kind::file)] {
    look_at_whole(desk, place, {content, nullptr, true});
    if (desk.release) desk.release(content);
  });
}

void LayerReader::end_entry() {
  if (way_ == Way::gathered && !gathered_.empty()) {
    if (!batch_) batch_ = std::make_shared<Batch>();
    batch_->bytes += gathered_.size();
    batch_->files.push_back({where(Location::Kind::file), std::move(gathered_)});
    if (batch_->bytes >= batch_bytes || batch_->files.size() >= batch_files) flush();
  } else if (way_ == Way::in_place) {
    look_in_place();
  } else if (way_ == Way::streamed) {
    // A zip behind a program is known at its end only: in memory that lasts it can be opened then.
    const bool zip = in_place_ != nullptr && ends_as_zip({in_place_, came_}, came_);
    look_->finish();
    if (zip) look_in_place();
    if (packages_) member_.record.packages.add(entry_.path, packages_->whole());
  }
  look_.reset();
  packages_.reset();
  gathered_ = Run();
  way_ = Way::none;
}

void LayerReader::flush() {
  if (!batch_) return;
  const std::size_t bytes = batch_->bytes;
  desk_.pool.submit(bytes, [&desk = desk_, batch = std::exchange(batch_, nullptr)] {
    for (const auto& file : batch->files) look_at_whole(desk, file.where, {file.content.view(), batch, false});
  });
}

void LayerReader::stray(View piece, const char* what) {
  const std::string_view kind(what);
  if (kind == "header") {
    header_strays_ += text_of(piece);
    header_strays_ += '\n';
  } else if (kind == "padding") {
    texts_.add(where(Location::Kind::tail), text_of(piece));
  } else {
    look_at_tail(current_->part(piece));
  }
}

void LayerReader::look_at_tail(const Piece& piece) {
  if (!tail_) {
    Where place = where(Location::Kind::tail);
    place.path.clear();
    place.entry = ordinal_ + 1;
    tail_.emplace(desk_, std::move(place));
  }
  tail_->feed(piece);
}

}  // namespace imgbuild

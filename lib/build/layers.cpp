// What an engine saves names its layers in as many ways as there are engines. By their bytes they are found in all.
#include "build/layers.hpp"

#include <optional>

#include "base/made_source.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "tar/inflate.hpp"
#include "tar/reader.hpp"

namespace imgbuild {
namespace {

// A member's bytes, inflated where they are compressed.
class Unpacked {
 public:
  explicit Unpacked(std::function<void(View)> sink) : sink_(std::move(sink)), room_(std::size_t{1} << 16) {}
  void feed(View piece) {
    if (decided_) return pass(piece);
    head_.insert(head_.end(), piece.begin(), piece.end());
    if (head_.size() >= container_head_size) decide();
  }
  void finish() {
    if (!decided_) decide();
    if (inflater_) inflater_->finish();
  }

 private:
  void decide() {
    decided_ = true;
    const Bytes head = std::exchange(head_, {});
    const Container kind = container_of(head);
    if (Inflater::knows(kind))
      inflater_.emplace(
          kind, [this] { return std::span<std::uint8_t>(room_); }, sink_);
    pass(head);
  }
  void pass(View piece) {
    if (inflater_)
      inflater_->feed(piece);
    else if (!piece.empty())
      sink_(piece);
  }

  std::function<void(View)> sink_;
  Bytes room_, head_;
  std::optional<Inflater> inflater_;
  bool decided_ = false;
};

// The diff id of every member.
class Finder : public TarVisitor {
 public:
  std::map<std::string, std::string> members;
  void entry(const TarEntry& entry) override {
    unpacked_.reset();
    if (entry.type != TarEntry::Type::file || entry.size == 0) return;
    name_ = entry.path;
    digest_ = std::make_unique<Sha256>();
    unpacked_.emplace([this](View bytes) { digest_->update(bytes); });
  }
  void data(View piece) override {
    interrupt::check();
    if (unpacked_) guarded([&] { unpacked_->feed(piece); });
  }
  void end_entry() override {
    if (unpacked_) guarded([&] { unpacked_->finish(); });
    if (unpacked_) members.emplace(digest_->finish_digest(), name_);
    unpacked_.reset();
  }
  void stray(View, const char*) override {}

 private:
  // What does not inflate is no layer.
  template <class Work>
  void guarded(Work work) {
    try {
      work();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      unpacked_.reset();
    }
  }
  std::string name_;
  std::unique_ptr<Sha256> digest_;
  std::optional<Unpacked> unpacked_;
};

class SavedMember : public MadeSource, public TarVisitor {
 public:
  SavedMember(std::unique_ptr<Source> saved, std::string name)
      : saved_(std::move(saved)),
        name_(std::move(name)),
        reader_(*this),
        unpacked_([this](View bytes) { make(bytes); }) {}
  void entry(const TarEntry& entry) override { inside_ = !over_ && entry.path == name_; }
  void data(View piece) override {
    if (inside_) unpacked_.feed(piece);
  }
  void end_entry() override {
    if (!inside_) return;
    unpacked_.finish();
    inside_ = false;
    over_ = true;
  }
  void stray(View, const char*) override {}

 private:
  void step() override {
    const View piece = saved_->next();
    if (piece.empty()) throw Error("the engine saved another image");
    reader_.feed(piece);
  }

  std::unique_ptr<Source> saved_;
  const std::string name_;
  TarReader reader_;
  Unpacked unpacked_;
  bool inside_ = false;
};

// A layer of the engine's own files, packed as it may be there (containerd's store keeps what was sent to it).
class StoredLayer : public MadeSource {
 public:
  explicit StoredLayer(std::unique_ptr<Source> stored)
      : stored_(std::move(stored)), unpacked_([this](View bytes) { make(bytes); }) {}

 private:
  void step() override {
    const View piece = stored_->next();
    over_ = piece.empty();
    if (over_)
      unpacked_.finish();
    else
      unpacked_.feed(piece);
  }

  std::unique_ptr<Source> stored_;
  Unpacked unpacked_;
};

class Checked : public Source {
 public:
  Checked(std::unique_ptr<Source> source, std::string diff_id)
      : source_(std::move(source)), diff_id_(std::move(diff_id)) {}
  View next() override {
    interrupt::check();
    const View piece = source_->next();
    if (!piece.empty())
      digest_.update(piece);
    else if (!std::exchange(ended_, true) && digest_.finish_digest() != diff_id_)
      throw Error("it is not what its diff id says");
    return piece;
  }

 private:
  std::unique_ptr<Source> source_;
  const std::string diff_id_;
  Sha256 digest_;
  bool ended_ = false;
};

}  // namespace

void measure(NewLayer& layer) {
  Sha256 digest;
  const auto once = layer.open();
  for (View piece = once->next(); !piece.empty(); piece = once->next()) {
    digest.update(piece);
    layer.size += piece.size();
  }
  layer.diff_id = digest.finish_digest();
}

void Layers::find_members() {
  Finder finder;
  const auto saved = engine_.save(handle_);
  read_tar(*saved, finder);
  members_ = std::move(finder.members);
}

std::unique_ptr<Source> Layers::open(std::size_t index) {
  const std::string& diff_id = diff_ids_.at(index);
  std::unique_ptr<Source> source;
  if (auto stored = engine_.stored_layer(handle_, diff_ids_, index)) {
    source = std::make_unique<StoredLayer>(std::move(stored));
  } else {
    if (members_.empty()) find_members();
    const auto member = members_.find(diff_id);
    if (member == members_.end()) throw Error("the engine does not save it");
    source = std::make_unique<SavedMember>(engine_.save(handle_), member->second);
  }
  return std::make_unique<Checked>(std::move(source), diff_id);
}

}  // namespace imgbuild

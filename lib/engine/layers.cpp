// What an engine saves names its layers in as many ways as there are engines. By their bytes they are found in all.
#include "engine/layers.hpp"

#include <optional>
#include <set>

#include "base/byte_store.hpp"
#include "base/made_source.hpp"
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

// Puts aside those members that are layers which are wanted, as they are there.
class Keeper : public TarVisitor {
 public:
  explicit Keeper(std::set<std::string> wanted) : wanted_(std::move(wanted)) {}
  void entry(const TarEntry& entry) override {
    unpacked_.reset();
    if (entry.type != TarEntry::Type::file || entry.size == 0 || wanted_.empty()) return;
    digest_ = std::make_unique<Sha256>();
    bytes_ = std::make_shared<ByteStore>();
    unpacked_.emplace([this](View bytes) { digest_->update(bytes); });
  }
  void data(View piece) override {
    interrupt::check();
    if (!unpacked_) return;
    bytes_->append(piece);
    guarded([&] { unpacked_->feed(piece); });
  }
  void end_entry() override {
    if (unpacked_) guarded([&] { unpacked_->finish(); });
    if (unpacked_)
      if (const std::string diff_id = digest_->finish_digest(); wanted_.erase(diff_id) > 0)
        kept.emplace(diff_id, bytes_);
    unpacked_.reset();
    bytes_.reset();
  }
  void stray(View, const char*) override {}
  std::map<std::string, std::shared_ptr<const ByteStore>> kept;

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
      bytes_.reset();
    }
  }
  std::set<std::string> wanted_;
  std::unique_ptr<Sha256> digest_;
  std::shared_ptr<ByteStore> bytes_;
  std::optional<Unpacked> unpacked_;
};

class KeptBytes : public Source {
 public:
  explicit KeptBytes(std::shared_ptr<const ByteStore> bytes) : bytes_(std::move(bytes)), source_(*bytes_) {}
  View next() override { return source_.next(); }

 private:
  std::shared_ptr<const ByteStore> bytes_;
  WholeSource source_;
};

// A layer as it may be there, packed (containerd's store keeps what was sent to it).
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

void Layers::keep_saved() {
  Keeper keeper({diff_ids_.begin() + static_cast<std::ptrdiff_t>(from_), diff_ids_.end()});
  const auto saved = engine_.save(handle_);
  read_tar(*saved, keeper);
  kept_ = std::move(keeper.kept);
  saved_ = true;
}

std::unique_ptr<Source> Layers::open(std::size_t index) {
  const std::string& diff_id = diff_ids_.at(index);
  auto stored = engine_.stored_layer(handle_, diff_ids_, index);
  if (!stored) {
    if (!saved_) keep_saved();
    const auto kept = kept_.find(diff_id);
    if (kept == kept_.end()) throw Error("the engine does not save it");
    stored = std::make_unique<KeptBytes>(kept->second);
  }
  return std::make_unique<Checked>(std::make_unique<StoredLayer>(std::move(stored)), diff_id);
}

}  // namespace imgbuild

#include "build/engine_helper.hpp"

#include <algorithm>
#include <thread>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "engine/content_store.hpp"
#include "image/json.hpp"
#include "relay/session.hpp"
#include "tar/archive.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

constexpr const char* program_name = "relay";
constexpr std::size_t most_mounts = std::size_t{1} << 20;

// A layer that holds the program, as bytes.
std::string layer_of(View program) {
  std::string tar;
  TarWriter writer([&](View piece) { tar += text_of(piece); });
  TarEntry entry;
  entry.path = program_name;
  entry.size = program.size();
  entry.mode = 0755;
  writer.entry(entry);
  writer.data(program);
  writer.finish();
  return tar;
}

}  // namespace

// What is lent of the helper: a conversation with it, which goes back when it is not needed any more.
class EngineHelper::Lent : public Fetch {
 public:
  Lent(EngineHelper& helper, Channel channel) : helper_(helper), channel_(std::move(channel)) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() override { helper_.take_back(std::move(channel_)); }
  void want(const std::string& folder, const std::string& path) override { channel_.files->want(folder, path); }
  std::optional<std::uint64_t> begin() override { return channel_.files->begin(); }
  std::size_t read(std::span<std::uint8_t> into) override { return channel_.files->read(into); }
  const std::string& why() const override { return channel_.files->why(); }

 private:
  EngineHelper& helper_;
  Channel channel_;
};

EngineHelper::EngineHelper(Engine& engine, std::function<void(const std::string&)> warn)
    : engine_(engine), warn_(std::move(warn)) {
  engine_.read_files_by([this] { return lend(); });
}

EngineHelper::~EngineHelper() { engine_.read_files_by({}); }

std::unique_ptr<Fetch> EngineHelper::lend() {
  std::unique_lock hold(mutex_);
  if (!std::exchange(started_, true)) try {
      start();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      free_.clear();
      warn_("the engine's files cannot be read by a helper, so that the engine sends all of the image: " +
            std::string(error.what()));
    }
  returned_.wait(hold, [this] { return !free_.empty() || lent_ == 0; });
  if (free_.empty()) return nullptr;
  Channel channel = std::move(free_.back());
  free_.pop_back();
  ++lent_;
  return std::make_unique<Lent>(*this, std::move(channel));
}

// One that was left in the middle of an answer is of no use to anybody.
void EngineHelper::take_back(Channel channel) {
  const std::lock_guard hold(mutex_);
  --lent_;
  if (channel.files->idle()) free_.push_back(std::move(channel));
  returned_.notify_all();
}

void EngineHelper::start() {
  const EngineFacts& facts = engine_.facts();
  const View program = relay_program(facts.architecture);
  if (program.empty()) throw Error("there is no relay for " + printable(facts.architecture));
  traces_ = std::make_unique<Traces>(engine_, warn_);

  const std::string tar = layer_of(program);
  const NewLayer layer{sha256_digest(view_of(tar)), tar.size(),
                       [&tar] { return std::make_unique<ViewSource>(view_of(tar)); }};
  const Json config = {{"architecture", facts.architecture},
                       {"os", "linux"},
                       {"config", {{"Labels", traces_->labels()}}},
                       {"rootfs", {{"type", "layers"}, {"diff_ids", {layer.diff_id}}}},
                       {"history", {{{"created_by", "imgbuild: engine helper"}}}}};
  traces_->load_base(layer, config.dump());
  open({});
  // Where the engine's containerd has its folder nobody tells but the helper's own mounts.
  const std::vector<std::string> usual = engine_.containerd_roots();
  if (usual.empty()) return;
  const auto mounts = fetch_whole(*free_.front().files, "/proc", "self/mountinfo", most_mounts);
  const std::string root = containerd_root_in(mounts.value_or(""));
  if (root.empty() || std::find(usual.begin(), usual.end(), root) != usual.end()) return;
  free_.clear();
  open(root);
}

void EngineHelper::open(const std::string& containerd) {
  const std::vector<std::string> command{std::string("/") + program_name, relay_serves};
  traces_->open_helper(command, containerd);
  // As many as there are threads that may read layers side by side.
  const unsigned channels = std::max(2U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < channels; ++i) {
    Channel channel;
    channel.exec = engine_.exec(traces_->builder(), {command});
    channel.files = std::make_unique<RelayFetch>(*channel.exec);
    free_.push_back(std::move(channel));
  }
}

}  // namespace imgbuild

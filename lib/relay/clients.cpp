#include "relay/clients.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "relay/wire.hpp"

namespace imgbuild {

struct RelayClients::Client {
  Client(AgentAnswer answer, int ready) : answer_(std::move(answer)), ready_(ready), thread_([this] { serve(); }) {}
  ~Client() {
    end();
    thread_.join();
  }

  // False where the client has sent more than is held for it.
  bool take(View bytes) {
    const std::lock_guard hold(mutex_);
    if (in_.size() + bytes.size() > wire::most_unread) return false;
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    wake_.notify_one();
    return true;
  }
  void end() {
    const std::lock_guard hold(mutex_);
    ended_ = true;
    wake_.notify_one();
  }
  Answer answer(std::uint32_t channel) {
    const std::lock_guard hold(mutex_);
    return {channel, std::exchange(out_, {}), dropped_};
  }
  bool done() {
    const std::lock_guard hold(mutex_);
    return done_;
  }

 private:
  void serve() noexcept {
    std::unique_lock hold(mutex_);
    for (;;) {
      wake_.wait(hold, [&] { return ended_ || !in_.empty(); });
      if (ended_) break;
      const Bytes bytes = std::exchange(in_, {});
      hold.unlock();
      Bytes out;
      bool dropped = false;
      try {
        out = answer_(bytes);
      } catch (const std::exception&) {
        dropped = true;
      }
      hold.lock();
      out_.insert(out_.end(), out.begin(), out.end());
      dropped_ = dropped_ || dropped || out_.size() > wire::most_unread;
      if (dropped_) ended_ = true;
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto n = ::write(ready_, &one, sizeof one);
    }
    done_ = true;
  }

  AgentAnswer answer_;
  int ready_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Bytes in_, out_;
  bool ended_ = false, dropped_ = false, done_ = false;
  std::thread thread_;  // last: it uses all of the above
};

RelayClients::RelayClients() : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ready_) throw system_error("eventfd", errno);
}

RelayClients::~RelayClients() { finish(); }

void RelayClients::open(std::uint32_t channel, AgentAnswer answer) {
  std::erase_if(leaving_, [](const auto& client) { return client->done(); });
  if (leaving_.size() >= 4 * wire::most_clients) throw Error("too many clients of the agent at once");
  clients_[channel] = std::make_unique<Client>(std::move(answer), ready_.get());
}

bool RelayClients::take(std::uint32_t channel, View bytes) {
  const auto at = clients_.find(channel);
  if (at == clients_.end() || at->second->take(bytes)) return true;
  close(channel);
  return false;
}

void RelayClients::close(std::uint32_t channel) {
  const auto at = clients_.find(channel);
  if (at == clients_.end()) return;
  at->second->end();
  leaving_.push_back(std::move(at->second));
  clients_.erase(at);
}

std::vector<RelayClients::Answer> RelayClients::answers() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(ready_.get(), &count, sizeof count);
  std::vector<Answer> all;
  for (const auto& [channel, client] : clients_)
    if (Answer answer = client->answer(channel); !answer.bytes.empty() || answer.closed)
      all.push_back(std::move(answer));
  for (const Answer& answer : all)
    if (answer.closed) close(answer.channel);
  return all;
}

void RelayClients::finish() {
  for (const auto& [channel, client] : clients_) client->end();
  clients_.clear();
  leaving_.clear();
}

}  // namespace imgbuild

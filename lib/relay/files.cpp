#include "relay/files.hpp"

#include <poll.h>

#include <cerrno>
#include <chrono>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "relay/session.hpp"

namespace imgbuild {
namespace {

using wire::Kind;
using Clock = std::chrono::steady_clock;
constexpr auto most_silence = std::chrono::minutes(5);

void add(Bytes& queue, Kind kind, std::string_view payload = {}) {
  std::uint8_t head[wire::header_size];
  wire::put_header(head, kind, 0, payload.size());
  queue.insert(queue.end(), head, head + sizeof head);
  queue.insert(queue.end(), payload.begin(), payload.end());
}

}  // namespace

std::vector<std::string> relay_files_command(const std::string& home) { return {home + "/relay", "tell"}; }

RelayFiles::RelayFiles(Stream& exec, const std::string& path, const std::vector<std::string>& within) : exec_(exec) {
  add(asked_, Kind::wanted, path);
  for (const auto& each : within) add(asked_, Kind::within, each);
  add(asked_, Kind::run);
  wait();
}

View RelayFiles::next() {
  if (over_) return {};
  if (!waiting_) wait();
  waiting_ = false;
  return over_ ? View() : View(piece_.payload);
}

// For a piece of the tar, or the end.
void RelayFiles::wait() {
  do piece_ = frame();
  while (!over_ && (piece_.kind != Kind::output || piece_.payload.empty()));
  waiting_ = true;
}

RelayFrame RelayFiles::frame() {
  auto heard = Clock::now();
  while (true) {
    interrupt::check();
    if (auto next = frames_.next()) {
      if (next->kind == Kind::failed) throw Error("the builder: " + printable(text_of(next->payload)));
      if (next->kind == Kind::ended) {
        over_ = true;
        found_ = wire::get_u32(next->payload.data()) == 0;
      } else if (next->kind != Kind::output && next->kind != Kind::hello && next->kind != Kind::running) {
        throw Error("the builder's relay was disturbed");
      }
      return std::move(*next);
    }
    while (sent_ < asked_.size()) {
      const std::size_t n = exec_.write(View(asked_).subspan(sent_));
      if (n == 0) break;
      sent_ += n;
    }
    Bytes piece(65536);
    const auto n = exec_.read(piece);
    if (n && *n == 0) throw RelayGone("the builder's relay ended before it had told all");
    if (n) {
      heard = Clock::now();
      frames_.feed(View(piece).first(*n));
      continue;
    }
    if (Clock::now() - heard > most_silence) throw RelayGone("the builder's relay does not answer");
    pollfd waits[] = {{exec_.fd(), static_cast<short>(POLLIN | (sent_ < asked_.size() ? POLLOUT : 0)), 0},
                      {interrupt::fd(), POLLIN, 0}};
    if (::poll(waits, 2, 1000) < 0 && errno != EINTR) throw system_error("poll", errno);
  }
}

}  // namespace imgbuild

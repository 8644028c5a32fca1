#include "relay/asking.hpp"

#include <poll.h>

#include <cerrno>
#include <chrono>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "relay/session.hpp"

namespace imgbuild {

using wire::Kind;
using Clock = std::chrono::steady_clock;
constexpr auto most_silence = std::chrono::minutes(5);

void RelayAsking::ask(Kind kind, std::string_view payload) {
  if (sent_ == asked_.size()) {
    asked_.clear();
    sent_ = 0;
  }
  std::uint8_t head[wire::header_size];
  wire::put_header(head, kind, 0, payload.size());
  asked_.insert(asked_.end(), head, head + sizeof head);
  asked_.insert(asked_.end(), payload.begin(), payload.end());
}

RelayFrame RelayAsking::answer() {
  auto heard = Clock::now();
  while (true) {
    interrupt::check();
    while (sent_ < asked_.size()) {
      const std::size_t n = exec_.write(View(asked_).subspan(sent_));
      if (n == 0) break;
      sent_ += n;
    }
    if (auto next = frames_.next()) {
      if (next->kind == Kind::failed) throw Error("the builder: " + printable(text_of(next->payload)));
      if (next->kind == Kind::hello || next->kind == Kind::running) continue;
      return std::move(*next);
    }
    const auto n = exec_.read(piece_);
    if (n && *n == 0) throw RelayGone("the builder's relay ended before it had told all");
    if (n) {
      heard = Clock::now();
      frames_.feed(View(piece_).first(*n));
      continue;
    }
    if (Clock::now() - heard > most_silence) throw RelayGone("the builder's relay does not answer");
    pollfd waits[] = {{exec_.fd(), static_cast<short>(POLLIN | (sent_ < asked_.size() ? POLLOUT : 0)), 0},
                      {interrupt::fd(), POLLIN, 0}};
    if (::poll(waits, 2, 1000) < 0 && errno != EINTR) throw system_error("poll", errno);
  }
}

}  // namespace imgbuild

#include "base/interrupt.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace imgbuild::interrupt {
namespace {

std::atomic<int> arrived{0};
std::atomic<int> event{-1};

void on_signal(int number) {
  const int before = errno;
  int none = 0;
  arrived.compare_exchange_strong(none, number == SIGINT ? SIGINT : SIGTERM);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(event, &one, sizeof one);
  errno = before;
}

}  // namespace

void watch() {
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    // A signal that our parent made us ignore (nohup, a background job) stays ignored.
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    ::sigaction(number, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

int pending() noexcept { return arrived; }
int fd() noexcept { return event; }
void check() {
  if (const int number = arrived) throw Interrupted(number);
}

}  // namespace imgbuild::interrupt

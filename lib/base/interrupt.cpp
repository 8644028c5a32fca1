#include "base/interrupt.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

namespace imgbuild::interrupt {
namespace {

std::atomic<int> arrived{0};
std::atomic<int> event{-1};
std::atomic<int> count{0};
std::atomic<std::time_t> first{0};  // of the monotonic clock
constexpr std::time_t patience = 30;

std::time_t seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void on_signal(int number) {
  const int before = errno;
  int none = 0;
  arrived.compare_exchange_strong(none, number == SIGINT ? SIGINT : SIGTERM);
  if (count.fetch_add(1) == 0) first = seconds_now();
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
bool urgent() noexcept { return count > 1 || (count == 1 && seconds_now() - first >= patience); }
void check() {
  if (const int number = arrived) throw Interrupted(number);
}

}  // namespace imgbuild::interrupt

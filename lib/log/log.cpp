#include "log/log.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_held = std::size_t{16} << 20;     // bytes of lines that wait for one sink
constexpr std::size_t longest_line = std::size_t{64} << 10;  // a line without an end is let go
constexpr auto pause_after_failure = std::chrono::milliseconds(250);

LogLine line_of(std::string_view text, int severity) {
  LogLine line;
  ::clock_gettime(CLOCK_REALTIME, &line.time);
  line.severity = severity;
  line.text = log_text(text);
  return line;
}

std::string lines_lost(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " line" : " lines") + " of the log " + (count == 1 ? "was" : "were") +
         " lost";
}

}  // namespace

/// One sink and what waits for it. Shared with the thread, which may outlive the log: a file system that hangs can be
/// neither waited for nor interrupted.
struct Log::Lane {
  Lane(LogTarget to, std::unique_ptr<LogSink> into)
      : target(std::move(to)), sink(std::move(into)), stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!stop) throw system_error("eventfd", errno);
  }

  void put(const LogLine& line) {
    const std::lock_guard hold(mutex);
    if (held + line.text.size() > most_held) {
      ++missing;
      ++lost;
      if (why.empty()) why = "it is too slow";
      return;
    }
    tell_missing();
    waiting.push_back({line, true});
    held += line.text.size() + sizeof(LogLine);
    wake.notify_one();
  }

  // Where lines are missing, that is the next line.
  void tell_missing() {
    if (missing > 0) waiting.push_back({line_of(lines_lost(missing) + " here", 4), false});
    missing = 0;
  }

  void serve() noexcept {
    std::unique_lock hold(mutex);
    int failures = 0;  // since the end
    for (;;) {
      wake.wait(hold, [&] { return ended || given_up || !waiting.empty(); });
      if (waiting.empty() || given_up) break;
      const LogLine line = waiting.front().first;
      hold.unlock();
      std::string failure;
      std::size_t before = 0;
      try {
        before = sink->write(line, stop.get());
      } catch (const std::exception& error) {
        failure = error.what();
      }
      hold.lock();
      if (before > 0) note_lost(before);
      if (given_up) break;
      if (failure.empty()) {
        if (waiting.front().second) held -= line.text.size() + sizeof(LogLine);
        waiting.pop_front();
        continue;
      }
      why = failure;
      if (ended && ++failures == 3) break;
      wake.wait_for(hold, pause_after_failure, [&] { return given_up; });
    }
    if (waiting.empty() && !given_up) {
      hold.unlock();
      const std::size_t before = sink->finish();
      hold.lock();
      if (before > 0) note_lost(before);
    }
    done = true;
    wake.notify_all();
  }

  void note_lost(std::size_t count) {
    lost += count;
    if (why.empty()) why = "nobody listens";
  }

  const LogTarget target;
  const std::unique_ptr<LogSink> sink;
  const Fd stop;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::pair<LogLine, bool>> waiting;  // true: of the build
  std::size_t held = 0;
  std::uint64_t missing = 0, lost = 0;
  std::string why;
  bool ended = false, given_up = false, done = false;
};

Log::Log(const std::vector<LogTarget>& targets, const LogLimits& limits) {
  for (const LogTarget& target : targets)
    lanes_.push_back(std::make_shared<Lane>(target, open_log_sink(target, limits)));
  for (const auto& lane : lanes_) std::thread([lane] { lane->serve(); }).detach();
}

Log::~Log() { end(std::chrono::milliseconds(0)); }

void Log::flush(int severity) {
  const LogLine line = line_of(partial_, severity);
  partial_.clear();
  for (const auto& lane : lanes_) lane->put(line);
}

void Log::text(std::string_view piece, int severity) {
  const std::lock_guard hold(mutex_);
  if (ended_) return;
  while (!piece.empty()) {
    const std::size_t plain =
        std::min({piece.find_first_of("\r\n"), piece.size(), longest_line - std::min(partial_.size(), longest_line)});
    if (plain > 0) {
      partial_ += piece.substr(0, plain);
      piece.remove_prefix(plain);
      after_return_ = false;
      if (partial_.size() >= longest_line) flush(severity);
      continue;
    }
    const char c = piece.front();
    piece.remove_prefix(1);
    // "\r\n" is one end, and a "\r" where nothing stands moves nothing.
    const bool ends = c == '\r' ? !partial_.empty() : !(partial_.empty() && after_return_);
    after_return_ = c == '\r' && ends;
    if (ends) flush(severity);
  }
}

void Log::line(const LogLine& line) {
  const std::lock_guard hold(mutex_);
  if (ended_) return;
  for (const auto& lane : lanes_) lane->put(line);
}

std::vector<std::string> Log::end(std::chrono::milliseconds patience) {
  {
    const std::lock_guard hold(mutex_);
    if (ended_) return {};
    if (!partial_.empty()) flush(6);
    ended_ = true;
  }
  for (const auto& lane : lanes_) {
    const std::lock_guard hold(lane->mutex);
    lane->tell_missing();
    lane->ended = true;
    lane->wake.notify_all();
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  std::vector<std::string> told;
  for (const auto& lane : lanes_) {
    std::unique_lock hold(lane->mutex);
    lane->wake.wait_until(hold, until, [&] { return lane->done; });
    if (!lane->done) {
      lane->given_up = true;
      if (lane->why.empty()) lane->why = "it is too slow";
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto n = ::write(lane->stop.get(), &one, sizeof one);
      lane->wake.notify_all();
      lane->wake.wait_for(hold, std::chrono::milliseconds(200), [&] { return lane->done; });
    }
    lane->lost += static_cast<std::size_t>(
        std::count_if(lane->waiting.begin(), lane->waiting.end(), [](const auto& one) { return one.second; }));
    if (lane->lost > 0)
      told.push_back("--log " + printable(lane->target.said) + ": " + lines_lost(lane->lost) + " (" + lane->why + ")");
  }
  return told;
}

}  // namespace imgbuild

#pragma once
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "log/sink.hpp"

namespace imgbuild {

/// A build's log: every line, in order, to each sink, by a thread of its own. Nothing here waits for a sink but end():
/// what one does not take in time is held, up to 16 MiB, then dropped and counted; the sink is told how many lines are
/// missing where they are, and end() tells the user. Redaction is the caller's: what comes in is what goes out.
/// Any thread.
class Log {
 public:
  /// Throws usage Error (open_log_sink).
  Log(const std::vector<LogTarget>& targets, const LogLimits& limits);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  /// Text as it is printed, cut anywhere: a line goes out with its end ("\n", or "\r" where a terminal begins anew).
  void text(std::string_view piece, int severity = 6);
  /// A line that comes whole, with a time, severity and origin of its own.
  void line(const LogLine& line);
  /// No more lines. Waits for the sinks, at most `patience`; returns what each of them has lost: "syslog:udp:...: 12
  /// lines of the log were lost (why)".
  std::vector<std::string> end(std::chrono::milliseconds patience);

 private:
  struct Lane;
  void flush(int severity);

  std::mutex mutex_;
  std::string partial_;
  bool ended_ = false, after_return_ = false;
  std::vector<std::shared_ptr<Lane>> lanes_;
};

}  // namespace imgbuild

#pragma once
#include <time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace imgbuild {

/// One line of a build's log: without its end, and without control characters.
struct LogLine {
  timespec time{};
  int severity = 6;               ///< 0 (emergency) to 7 (debug), RFC 5424
  int facility = 1;               ///< 1: user
  std::string from = "imgbuild";  ///< the program: a script's own where it logs through /dev/log
  std::string text;
};

/// Where a log goes: DIR, "syslog" (/dev/log), "syslog:unix:PATH", "syslog:udp:HOST:PORT", "syslog:tcp:HOST:PORT",
/// "journald", "journald:PATH".
struct LogTarget {
  enum class Kind { folder, syslog_unix, syslog_udp, syslog_tcp, journald };
  Kind kind = Kind::folder;
  std::string said;
  std::string path;        ///< of a folder or a socket
  std::string host, port;  ///< of a server
};
/// Throws usage Error.
LogTarget parse_log_target(const std::string& said);

/// How much a folder of logs may hold.
struct LogLimits {
  std::size_t keep = 20;            ///< files; the oldest go
  std::uint64_t size = 10'000'000;  ///< bytes of a file; a longer log goes on in another
};

/// Takes lines. One thread, of its own.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Returns when the line was taken; how many of those before it are known by now not to have arrived after all.
  /// Throws Error where it was not taken, and may be tried again. Gives up, by throwing, when `stop` becomes readable.
  virtual std::size_t write(const LogLine& line, int stop) = 0;
  /// The last line was written: as write() returns.
  virtual std::size_t finish() { return 0; }
};

/// Opens nothing yet but a folder, which is made where it is missing; throws usage Error where that cannot be.
std::unique_ptr<LogSink> open_log_sink(const LogTarget& target, const LogLimits& limits);

/// The line as a message of RFC 5424, section 6, without framing.
std::string syslog_message(const LogLine& line, std::string_view host, std::string_view process);
/// The line as journald's native protocol has it (systemd, "Native Journal Protocol"): a field a line.
std::string journal_message(const LogLine& line);
/// "2026-01-31T12:34:56.789012Z".
std::string log_time(const timespec& time);

/// A datagram that a program wrote to /dev/log, as a line (RFC 3164 as syslog(3) writes it: "<13>Jan  1 00:00:00
/// tag[7]: text"). What is none is a line as it stands. The text has no control characters.
LogLine parse_syslog(std::string_view datagram, const timespec& now);
/// The text for a line: terminal sequences taken out, other control characters but tabs as \xNN.
std::string log_text(std::string_view text);

}  // namespace imgbuild

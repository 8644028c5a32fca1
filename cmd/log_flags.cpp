#include "log_flags.hpp"

#include "base/text.hpp"
#include "verdict/weight.hpp"

namespace imgbuild {

void LogFlags::offer(CLI::App& app) {
  add_several(app, "--log", targets, "WHERE",
              "log what is printed: DIR, syslog, syslog:udp:HOST:PORT, syslog:tcp:HOST:PORT, journald");
  add_value(app, "--log-keep", keep, "N", "of a DIR: files that are kept (default: 20)");
  add_value(app, "--log-size", size, "SIZE", "of a DIR: a longer log goes on in another file (default: 10MB)");
}

std::shared_ptr<Log> LogFlags::open() const {
  LogLimits limits;
  if (!keep.empty()) {
    if (keep.size() > 6 || keep.find_first_not_of("0123456789") != std::string::npos || std::stoul(keep) == 0)
      throw usage_error("--log-keep: " + printable(keep) + ": must be a number of files");
    limits.keep = std::stoul(keep);
  }
  if (!size.empty()) {
    const auto bytes = size_of_text(size);
    if (!bytes || *bytes < 1000)
      throw usage_error("--log-size: " + printable(size) + ": must be like 10MB, 1kB at least");
    limits.size = *bytes;
  }
  std::vector<LogTarget> places;
  for (const std::string& said : targets) places.push_back(parse_log_target(said));
  return places.empty() ? nullptr : std::make_shared<Log>(places, limits);
}

}  // namespace imgbuild

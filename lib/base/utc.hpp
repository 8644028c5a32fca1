#pragma once
#include <ctime>
#include <string>

namespace imgbuild {

/// A time in UTC, in a form of strftime(3): "2026-01-31T12:00:00Z" where none is said.
inline std::string utc(std::time_t time, const char* form = "%Y-%m-%dT%H:%M:%SZ") {
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

}  // namespace imgbuild

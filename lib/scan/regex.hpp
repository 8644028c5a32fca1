#pragma once
#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {

/// How patterns of rules are compiled: over bytes, saying nothing themselves. Hundreds of them are in memory at once,
/// so what one may keep, its program and its automata, is a quarter of what RE2 would give it.
inline RE2::Options regex_options() {
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  options.set_max_mem(std::int64_t{2} << 20);
  return options;
}

/// Throws Error that says what RE2 has against the pattern.
inline std::unique_ptr<const RE2> compiled_regex(const std::string& pattern) {
  auto regex = std::make_unique<const RE2>(pattern, regex_options());
  if (!regex->ok()) throw Error(printable(regex->error()));
  return regex;
}

}  // namespace imgbuild

#pragma once
#include <string>
#include <vector>

#include "build/build.hpp"
#include "session.hpp"

namespace imgbuild {

/// The flags of `build` that say what of it ships, and how large it may be.
struct LeanFlags {
  std::vector<std::string> artifacts;
  std::string onto, max_size;
  bool squash = false;

  void offer(CLI::App& app);
  /// Settled into the plan. Throws usage Error.
  void settle(Plan& plan) const;
};

/// Bytes of --max-size; 0 where it is not given. Throws usage Error.
std::uint64_t max_size_flag(const std::string& said);
/// On standard error, why an image is too large.
void tell_too_large(const std::vector<std::string>& why, const Session& session);

}  // namespace imgbuild

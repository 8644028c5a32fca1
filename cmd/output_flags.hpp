#pragma once
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "push/output.hpp"
#include "session.hpp"

namespace imgbuild {

/// The flags of `build` that say where an image goes once it was cleared.
struct OutputFlags {
  std::vector<std::string> said;
  bool push = false, load = false;

  void offer(CLI::App& app);
  /// What was said, read; each can be written. Throws usage Error.
  std::vector<Output> outputs() const;
};

/// Names that outputs in the engine give beside those of -t.
std::vector<std::string> names_of(const std::vector<Output>& outputs);
/// Is a name wanted in the engine, or does nothing of the image stay there?
bool stays(const std::vector<Output>& outputs, const OutputFlags& flags);
/// The names that are pushed.
std::vector<std::string> pushed_names(const std::vector<Output>& outputs, bool push,
                                      const std::vector<std::string>& names);
/// What --dry-run says of them, a line each.
std::vector<std::string> describe(const std::vector<Output>& outputs);
/// Does the image go to standard output?
bool take_stdout(const std::vector<Output>& outputs);

}  // namespace imgbuild

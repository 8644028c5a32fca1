#pragma once
#include <string>
#include <vector>

namespace imgbuild {

/// What a build is about to leave in an engine, written down before it does: one small file per build under
/// $XDG_STATE_HOME/imgbuild/builds (else ~/.local/state), found by `imgbuild gc` when the build did not end in order.
struct JournalEntry {
  std::string build;                ///< its id, and the file's name
  std::string engine;               ///< the endpoint
  std::vector<std::string> images;  ///< handles
  bool kept = false;                ///< --keep: not to be removed unless asked for
};

/// Throws Error where it cannot be written.
void write_journal(const JournalEntry& entry);
/// Gone, or never there: no error.
void forget_journal(const std::string& build) noexcept;
/// All entries; files that are none are passed over.
std::vector<JournalEntry> read_journal();

}  // namespace imgbuild

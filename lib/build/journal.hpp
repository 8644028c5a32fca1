#pragma once
#include <string>
#include <vector>

#include "base/fd.hpp"

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
/// Two builds of the same content (a Dockerfile whose steps are cached, SOURCE_DATE_EPOCH) make one image, and the one
/// that does not come to its end must not take it from the other. Who has written an image into its journal claims it,
/// until this goes or the process ends. Of the builds of one user on one machine: they share the folder. One thread.
class ImageClaim {
 public:
  /// Waits while somebody removes it. Throws Interrupted.
  explicit ImageClaim(const std::string& image);
  /// Has nobody else a claim on it? Then it may be removed, and nobody gets one meanwhile; else it is left to them, and
  /// this claim is given up.
  bool alone();

 private:
  bool lock(short kind);

  Fd file_;  // none: there is no place for it
  long long at_ = 0;
};

/// Gone, or never there: no error.
void forget_journal(const std::string& build) noexcept;
/// All entries; files that are none are passed over.
std::vector<JournalEntry> read_journal();

}  // namespace imgbuild

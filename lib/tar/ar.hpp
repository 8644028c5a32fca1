#pragma once
#include <memory>

#include "tar/reader.hpp"

namespace imgbuild {

/// Reads an ar archive (ar(5): static libraries, .deb) that is pushed: GNU and BSD long names, symbol tables as members
/// of the name that they have ("/", "//"). Every byte between its first and its last is shown once: a member's headers
/// as stray("header"), its data as views into the fed piece. What it shows does not depend on where the pieces are cut,
/// but for the cuts of data(). One thread at a time.
class ArReader {
 public:
  /// Of an entry only path, type (file) and size are set.
  explicit ArReader(TarVisitor& visitor);
  ~ArReader();
  /// Throws Error "damaged ar header at byte N"; bytes from there on have not been shown.
  void feed(View piece);
  /// The end of the stream. Throws Error "truncated ar archive". Once.
  void finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

#pragma once
#include <memory>
#include <string>

#include "audit/beginnings.hpp"
#include "audit/sightings.hpp"

namespace imgbuild {

/// Looks at what stands packed in the midst of a stream that is no container: a tar.gz behind a script, the streams of
/// a PDF, a kernel, a journal's entries, a picture's texts, a zip in a disk's image, user data in base64; and at what
/// is encoded there in another way, packed or not: uuencode, Ascii85, a binary patch of git's. What only seemed to be
/// that, or breaks off, is looked at as far as it goes, and is no gap: the file never said that it is there. What is
/// found does not depend on where the stream's pieces were cut. One thread.
class Embedded {
 public:
  Embedded(const Desk& desk, Where where);
  ~Embedded();
  void feed(View bytes);  ///< throws Limit
  void finish();          ///< throws Limit

  /// When it is finished: what says of itself that it cannot be looked at; empty: nothing.
  const std::string& why_not() const { return why_not_; }

  /// Instead of both, of content that lies together in memory.
  void whole(View content);  ///< throws Limit

 private:
  class Opened;
  class Packed;
  class Blocked;
  class Zipped;
  class Encoded;
  void look(View window, std::size_t at, std::size_t to);
  std::size_t open(View window, const Beginning& beginning, std::size_t to);
  std::size_t give(View bytes);
  Where within(const char* decoded) const;

  const Desk& desk_;
  Where where_;
  Bytes window_;            ///< what was fed: at most beginning_behind, a step and beginning_ahead
  std::size_t behind_ = 0;  ///< how much of it stands before the step
  std::unique_ptr<Opened> open_;
  std::string why_not_;
  std::unique_ptr<class ContentReader> rest_;  ///< from the first archive or pack on that needs its whole at hand
};

/// The same of content that lies together in memory; a limit ends as a gap.
void look_at_embedded(const Desk& desk, const Where& where, View content);

}  // namespace imgbuild

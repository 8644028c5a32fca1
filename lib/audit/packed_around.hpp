#pragma once
#include <memory>

#include "audit/content.hpp"
#include "tar/inflate.hpp"

namespace imgbuild {

/// Looks at what of a packed archive is not in the archive: the packed bytes as they are (a name in gzip's header),
/// what follows them, and what unpacking skips. One thread.
class PackedAround {
 public:
  PackedAround(const Desk& desk, Where where);
  /// Before the inflater is fed. It must not be fed when this is gone.
  void look_at_skipped(Inflater& inflater);
  /// `own`: how many bytes of the piece were packed.
  void feed(const Piece& piece, std::size_t own);
  void finish();

 private:
  void end_skipped();

  const Desk& desk_;
  const Where where_;
  Cutter raw_;
  ContentReader behind_;
  std::unique_ptr<ContentReader> skipped_;
};

}  // namespace imgbuild

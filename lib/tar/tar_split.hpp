#pragma once
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/fetch.hpp"

namespace imgbuild {

/// A layer's tar put together again, byte by byte as it was, from what an engine keeps of it: the record of everything
/// that is no file's content (tar-split's JSON lines, gzip; github.com/vbatts/tar-split, tar/storage/entry.go), and the
/// folder that it was unpacked into. Docker's classic stores and containers/storage keep both.
///
/// Whether these are the bytes of the layer is for the reader to check: their sha256 is its diff id, or somebody has
/// changed a file behind the engine's back. Throws Error where either cannot be read or they do not fit together. No
/// link leads out of the folder. One thread.
class TarSplitSource : public Source {
 public:
  /// `record`: its bytes, which errors call `name`. The files are fetched below `folder`.
  TarSplitSource(std::unique_ptr<Source> record, std::string name, std::unique_ptr<Fetch> files, std::string folder);
  ~TarSplitSource() override;
  View next() override;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

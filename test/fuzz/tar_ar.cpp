// The ar reader shows the same of whatever it is given, however that is cut.
#include "tar/ar.hpp"

#include <cstdint>
#include <cstdlib>

#include "diary.hpp"

using namespace imgbuild;

namespace {

// An ar's strays are never cut: their zeros and kinds are compared, too.
class WithZeros : public Diary {
 public:
  void stray(View piece, const char* what) override { text += what + std::string(text_of(piece)); }
};

std::string shown(View bytes, std::size_t cut) { return read<ArReader, WithZeros>(bytes, cut); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  if (shown(bytes, size + 1) != shown(bytes, 7)) std::abort();
  return 0;
}

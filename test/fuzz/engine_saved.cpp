// A save stream from a hostile engine. The first line of the input is the handle that is looked for, the rest the
// stream. Whatever is found has the digest that was asked for, when that digest is a config's.
#include <cstdlib>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "crypto/digest.hpp"
#include "engine/archives.hpp"

using namespace imgbuild;

namespace {

class Once : public Source {
 public:
  explicit Once(View bytes) : bytes_(bytes) {}
  View next() override { return std::exchange(bytes_, View{}); }

 private:
  View bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = text_of({data, size});
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  Once source(view_of(input.substr(line + 1)));
  const std::string handle(input.substr(0, line));
  try {
    const SavedImage image = find_saved(source, handle, "linux/amd64");
    if (image.layers.is_null() && sha256_digest(view_of(image.config)) != handle) std::abort();
  } catch (const Error&) {
  }
  return 0;
}

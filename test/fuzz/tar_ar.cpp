// The ar reader shows the same of whatever it is given, however that is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "tar/ar.hpp"

using namespace imgbuild;

namespace {

class Diary : public TarVisitor {
 public:
  std::string text;
  void entry(const TarEntry& entry) override { text += "[" + entry.path + "]" + std::to_string(entry.size); }
  void data(View piece) override { text += text_of(piece); }
  void end_entry() override { text += ";"; }
  void stray(View piece, const char* what) override { text += what + std::string(text_of(piece)); }
};

std::string read(View bytes, std::size_t cut) {
  Diary diary;
  ArReader reader(diary);
  try {
    for (View left = bytes; !left.empty(); left = left.subspan(std::min(cut, left.size())))
      reader.feed(left.first(std::min(cut, left.size())));
    reader.finish();
  } catch (const Error& error) {
    diary.text += error.what();
  }
  return diary.text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  if (read(bytes, size + 1) != read(bytes, 7)) std::abort();
  return 0;
}

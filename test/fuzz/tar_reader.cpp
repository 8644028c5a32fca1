// The tar reader accounts for every byte of whatever it is given, and shows the same however that is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "tar/inflate.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;

namespace {

class Diary : public TarVisitor {
 public:
  std::string text;
  void entry(const TarEntry& entry) override { text += "[" + entry.path + "]" + std::to_string(entry.size); }
  void data(View piece) override { text += text_of(piece); }
  void end_entry() override { text += ";"; }
  // Stray pieces of zeros only are left out, and which those are depends on the cuts: they are compared without zeros.
  void stray(View piece, const char*) override {
    for (const std::uint8_t byte : piece)
      if (byte != 0) text += static_cast<char>(byte);
  }
};

std::string read(View bytes, std::size_t cut) {
  Diary diary;
  TarReader reader(diary);
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
  container_of(bytes.first(std::min<std::size_t>(size, 512)));
  return 0;
}

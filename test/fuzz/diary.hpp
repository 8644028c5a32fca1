#pragma once
#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

/// What a reader of members shows of an archive, in a form that does not depend on where it was cut.
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

/// The diary of TarReader or ArReader that is fed pieces of so many bytes.
template <class Reader, class Shown = Diary>
std::string read(View bytes, std::size_t cut) {
  Shown diary;
  Reader reader(diary);
  try {
    for (View left = bytes; !left.empty(); left = left.subspan(std::min(cut, left.size())))
      reader.feed(left.first(std::min(cut, left.size())));
    reader.finish();
  } catch (const Error& error) {
    diary.text += error.what();
  }
  return diary.text;
}

}  // namespace imgbuild

// The tar reader accounts for every byte of whatever it is given, and shows the same however that is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "diary.hpp"
#include "tar/inflate.hpp"
#include "tar/reader.hpp"

using namespace imgbuild;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  if (read<TarReader>(bytes, size + 1) != read<TarReader>(bytes, 7)) std::abort();
  container_of(bytes.first(std::min<std::size_t>(size, 512)));
  return 0;
}

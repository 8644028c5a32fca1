#include "tar/gzip.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <new>

namespace imgbuild {

struct Gzip::Inside {
  explicit Inside(std::function<void(View)> to) : sink(std::move(to)) {
    isal_deflate_init(&stream);
    stream.level = 1;
    stream.level_buf = memory.data();
    stream.level_buf_size = static_cast<std::uint32_t>(memory.size());
    stream.gzip_flag = IGZIP_GZIP;
  }

  void pack(View piece, bool last) {
    do {
      const View part = piece.first(std::min(piece.size(), std::size_t{1} << 30));
      piece = piece.subspan(part.size());
      stream.next_in = const_cast<std::uint8_t*>(part.data());
      stream.avail_in = static_cast<std::uint32_t>(part.size());
      stream.end_of_stream = last && piece.empty() ? 1 : 0;
      do {
        stream.next_out = out.data();
        stream.avail_out = static_cast<std::uint32_t>(out.size());
        if (isal_deflate(&stream) != COMP_OK) throw std::bad_alloc();  // its one failure: too small a level_buf
        if (const std::size_t made = out.size() - stream.avail_out; made > 0) sink(View(out).first(made));
      } while (stream.avail_out == 0 || stream.avail_in > 0);
    } while (!piece.empty());
  }

  std::function<void(View)> sink;
  isal_zstream stream = {};
  Bytes memory = Bytes(ISAL_DEF_LVL1_DEFAULT), out = Bytes(std::size_t{256} << 10);
};

Gzip::Gzip(std::function<void(View)> sink) : inside_(std::make_unique<Inside>(std::move(sink))) {}
Gzip::~Gzip() = default;
void Gzip::feed(View piece) { inside_->pack(piece, false); }
void Gzip::finish() { inside_->pack({}, true); }

}  // namespace imgbuild

// gzip by ISA-L (four times as fast as zlib), zstd by its own library, both pushed: the pieces come as the stream
// brings them, the output goes into memory that the caller lends, so that nothing is copied on the way to the scanner.
#include "tar/inflate.hpp"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <string>

#include "base/error.hpp"
#include "base/owned.hpp"

namespace imgbuild {

struct Inflater::Inside {
  Container kind;
  std::function<std::span<std::uint8_t>()> room;
  std::function<void(View)> sink;
  std::span<std::uint8_t> buffer;
  std::size_t filled = 0;
  bool started = false;  ///< a member or frame has begun and has not ended
  bool any = false;      ///< one has ended well
  bool ended = false;    ///< what follows is no further one

  std::unique_ptr<inflate_state> gzip;
  std::size_t magic_seen = 0;  ///< bytes of the next member's magic number that have come
  Owned<ZSTD_DStream, ZSTD_freeDStream> zstd;

  [[noreturn]] void damaged() const { throw Error(std::string("damaged ") + name_of(kind) + " stream"); }

  void make_room() {
    if (filled < buffer.size()) return;
    flush();
    buffer = room();
  }
  void flush() {
    if (filled > 0) sink({buffer.data(), filled});
    buffer = {};
    filled = 0;
  }
  void feed_gzip(View piece);
  void feed_zstd(View piece);
};

/// After a member's end the next two bytes decide: a magic number begins another member, anything else is not ours.
void Inflater::Inside::feed_gzip(View piece) {
  static constexpr std::uint8_t magic[2] = {0x1f, 0x8b};
  while (!piece.empty() && !ended) {
    if (!started) {
      if (piece[0] != magic[magic_seen]) {
        if (!any) damaged();
        ended = true;
        return;
      }
      piece = piece.subspan(1);
      if (++magic_seen < 2) continue;
      magic_seen = 0;
      started = true;
      isal_inflate_reset(gzip.get());
      gzip->crc_flag = ISAL_GZIP;
      std::uint8_t again[2] = {magic[0], magic[1]};
      gzip->next_in = again;
      gzip->avail_in = 2;
      std::uint8_t none = 0;
      gzip->next_out = &none;
      gzip->avail_out = 0;
      if (isal_inflate(gzip.get()) < 0) damaged();
    }
    gzip->next_in = const_cast<std::uint8_t*>(piece.data());
    gzip->avail_in = static_cast<std::uint32_t>(std::min<std::size_t>(piece.size(), std::size_t{1} << 30));
    const std::uint32_t given = gzip->avail_in;
    do {
      make_room();
      gzip->next_out = buffer.data() + filled;
      gzip->avail_out = static_cast<std::uint32_t>(buffer.size() - filled);
      const int outcome = isal_inflate(gzip.get());
      filled = buffer.size() - gzip->avail_out;
      if (outcome < 0) damaged();
    } while (gzip->block_state != ISAL_BLOCK_FINISH && (gzip->avail_in > 0 || gzip->avail_out == 0));
    piece = piece.subspan(given - gzip->avail_in);
    if (gzip->block_state == ISAL_BLOCK_FINISH) {
      started = false;
      any = true;
    }
  }
}

void Inflater::Inside::feed_zstd(View piece) {
  ZSTD_inBuffer in{piece.data(), piece.size(), 0};
  while (!ended) {
    make_room();
    ZSTD_outBuffer out{buffer.data() + filled, buffer.size() - filled, 0};
    const std::size_t before = in.pos;
    const std::size_t outcome = ZSTD_decompressStream(zstd.get(), &out, &in);
    filled += out.pos;
    if (ZSTD_isError(outcome) != 0) {
      const std::string_view why = ZSTD_getErrorName(outcome);
      if (any && !started && why == "Unknown frame descriptor") {
        ended = true;
        return;
      }
      if (why.find("memory") != std::string_view::npos) throw Error("zstd window larger than 128 MiB");
      damaged();
    }
    if (in.pos > before || out.pos > 0) started = outcome != 0;
    if (outcome == 0) any = true;
    if (in.pos == in.size && filled < buffer.size()) return;
  }
}

Inflater::Inflater(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink)
    : inside_(std::make_unique<Inside>()) {
  inside_->kind = kind;
  inside_->room = std::move(room);
  inside_->sink = std::move(sink);
  if (kind == Container::gzip) {
    inside_->gzip = std::make_unique<inflate_state>();
    isal_inflate_init(inside_->gzip.get());
  } else if (kind == Container::zstd) {
    inside_->zstd.reset(ZSTD_createDStream());
    if (!inside_->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(inside_->zstd.get(), ZSTD_d_windowLogMax, 27)) != 0)
      throw Error("zstd cannot be started");
  } else {
    throw Error(std::string(name_of(kind)) + " is not inflated in a stream");
  }
}

Inflater::~Inflater() = default;

void Inflater::feed(View piece) {
  if (piece.empty() || inside_->ended) return;
  if (inside_->gzip)
    inside_->feed_gzip(piece);
  else
    inside_->feed_zstd(piece);
}

void Inflater::flush() { inside_->flush(); }

void Inflater::finish() {
  inside_->flush();
  if (!inside_->any || inside_->started) throw Error(std::string("truncated ") + name_of(inside_->kind) + " stream");
}

}  // namespace imgbuild

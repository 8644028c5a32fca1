// Packed streams, pushed: the pieces come as the stream brings them, the output goes into memory that the caller lends,
// so that nothing is copied on the way to the scanner. gzip by ISA-L (four times as fast as zlib), zstd, xz, lz4 and
// bzip2 by their own libraries, which can be told how much memory a stranger's stream may ask for.
//
// All of them are rows of streams: one ends, and the next bytes begin another, or are something else, which is then
// none of ours.
#include "tar/inflate.hpp"

#include <brotli/decode.h>
#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "base/owned.hpp"
#include "tar/decoder.hpp"

namespace imgbuild {
namespace {

constexpr int most_window_log = 26;
constexpr std::uint64_t most_lzma_memory = std::uint64_t{66} << 20;  // a dictionary of 64 MiB and what goes with it

}  // namespace

/// gzip, whose members may follow each other, zlib and what both hold. After a member's end the next two bytes decide:
/// a magic number begins another one, anything else is not ours.
class Inflater::Deflated : public Decoder {
 public:
  using Decoder::Decoder;

 private:
  static constexpr std::uint8_t magic[2] = {0x1f, 0x8b};

  bool may_begin(View& piece) override { return kind() == Container::gzip && piece[0] == magic[0]; }
  bool undecided() const override { return kind() == Container::gzip && magic_seen_ < 2; }
  void restart() override {
    if (!state_) {
      state_.reset(new inflate_state);  // of 90 KiB, most of which need not be zeroed
      isal_inflate_init(state_.get());
    }
    isal_inflate_reset(state_.get());
    state_->crc_flag = kind() == Container::gzip ? ISAL_GZIP : kind() == Container::zlib ? ISAL_ZLIB : ISAL_DEFLATE;
    magic_seen_ = 0;
  }
  void step(View& piece) override {
    if (kind() == Container::gzip && magic_seen_ < 2) {
      if (piece[0] != magic[magic_seen_]) return any() ? none_of_ours() : damaged();
      piece = piece.subspan(1);
      if (++magic_seen_ < 2) return;
      std::uint8_t again[2] = {magic[0], magic[1]}, none = 0;
      state_->next_in = again;
      state_->avail_in = 2;
      state_->next_out = &none;
      state_->avail_out = 0;
      if (isal_inflate(state_.get()) < 0) damaged();
      if (piece.empty()) return;
    }
    state_->next_in = const_cast<std::uint8_t*>(piece.data());
    state_->avail_in = static_cast<std::uint32_t>(std::min<std::size_t>(piece.size(), std::size_t{1} << 30));
    const std::uint32_t given = state_->avail_in;
    do {
      const auto space = room();
      state_->next_out = space.data();
      state_->avail_out = static_cast<std::uint32_t>(space.size());
      const int outcome = isal_inflate(state_.get());
      fill(space.size() - state_->avail_out);
      if (outcome < 0) damaged();
    } while (state_->block_state != ISAL_BLOCK_FINISH && (state_->avail_in > 0 || state_->avail_out == 0));
    std::size_t taken = given - state_->avail_in;
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      // Behind a checksum of zlib's it keeps whole bytes that it read ahead.
      taken -= std::min<std::size_t>(taken, static_cast<std::size_t>(state_->read_in_length) / 8);
      stream_ended();
    }
    piece = piece.subspan(taken);
  }

  std::unique_ptr<inflate_state> state_;
  std::size_t magic_seen_ = 0;  ///< bytes of the member's magic number that have come
};

class Inflater::Zstandard : public Decoder {
 public:
  Zstandard(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink)
      : Decoder(kind, std::move(room), std::move(sink)), state_(ZSTD_createDStream()) {
    if (!state_ || ZSTD_isError(ZSTD_DCtx_setParameter(state_.get(), ZSTD_d_windowLogMax, most_window_log)) != 0)
      throw Error("zstd cannot be started");
  }

 private:
  static constexpr std::uint8_t frame_magic[] = {0x28, 0xb5, 0x2f, 0xfd}, skipped_magic[] = {0x50, 0x2a, 0x4d, 0x18};
  enum class In { head, frame, skipped };

  bool may_begin(View&) override { return true; }
  void restart() override {
    ZSTD_DCtx_reset(state_.get(), ZSTD_reset_session_only);
    in_ = In::head;
    head_.clear();
  }
  void show_skipped(std::function<void(View, bool)>&& sink) override { skipped_ = std::move(sink); }
  void step(View& piece) override {
    switch (in_) {
      case In::head:
        return begin(piece);
      case In::frame:
        return unpack(piece);
      case In::skipped:
        return skip(piece);
    }
  }
  /// A magic number, and of a skippable frame (RFC 8878, 3.1.2) its size.
  void begin(View& piece) {
    const std::size_t at = head_.size();
    head_.push_back(piece[0]);
    piece = piece.subspan(1);
    const bool skippable = (head_[0] & 0xf0) == skipped_magic[0];
    const std::uint8_t masked = at == 0 && skippable ? skipped_magic[0] : head_[at];
    if (at < 4 && masked != (skippable ? skipped_magic : frame_magic)[at]) return any() ? none_of_ours() : damaged();
    if (!skippable && at == 3) {
      in_ = In::frame;
      View magic = head_;
      unpack(magic);
    } else if (at == 7) {
      left_ = head_[4] | head_[5] << 8 | head_[6] << 16 | static_cast<std::uint32_t>(head_[7]) << 24;
      in_ = In::skipped;
      begins_ = true;
      if (left_ == 0) stream_ended();
    }
  }
  void skip(View& piece) {
    const View part = piece.first(std::min<std::size_t>(piece.size(), left_));
    if (skipped_) skipped_(part, std::exchange(begins_, false));
    left_ -= static_cast<std::uint32_t>(part.size());
    piece = piece.subspan(part.size());
    if (left_ == 0) stream_ended();
  }
  void unpack(View& piece) {
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    for (bool more = true; more;) {
      const auto space = room();
      ZSTD_outBuffer out{space.data(), space.size(), 0};
      const std::size_t outcome = ZSTD_decompressStream(state_.get(), &out, &in);
      fill(out.pos);
      if (ZSTD_isError(outcome) != 0) {
        const std::string_view why = ZSTD_getErrorName(outcome);
        if (why.find("memory") != std::string_view::npos) throw TooLarge("zstd window larger than 64 MiB");
        damaged();
      }
      if (outcome == 0) {
        stream_ended();
        break;
      }
      more = in.pos < in.size || out.pos == out.size;
    }
    piece = piece.subspan(in.pos);
  }

  Owned<ZSTD_DStream, ZSTD_freeDStream> state_;
  In in_ = In::head;
  Bytes head_;
  std::function<void(View, bool)> skipped_;
  std::uint32_t left_ = 0;  ///< of a skippable frame
  bool begins_ = false;     ///< nothing of it has been shown
};

/// xz, lzma and lzip.
class Inflater::Lempel : public Decoder {
 public:
  using Decoder::Decoder;
  ~Lempel() override { lzma_end(&state_); }

 private:
  bool may_begin(View& piece) override {
    if (kind() == Container::lzma) return false;
    while (kind() == Container::xz && !piece.empty() && piece[0] == 0) piece = piece.subspan(1);  // stream padding
    return piece.empty() || piece[0] == (kind() == Container::xz ? 0xfd : 'L');
  }
  void restart() override {
    const lzma_ret outcome = kind() == Container::xz     ? lzma_stream_decoder(&state_, most_lzma_memory, 0)
                             : kind() == Container::lzip ? lzma_lzip_decoder(&state_, most_lzma_memory, 0)
                                                         : lzma_alone_decoder(&state_, most_lzma_memory);
    if (outcome != LZMA_OK) throw Error("liblzma cannot be started");
  }
  void step(View& piece) override {
    state_.next_in = piece.data();
    state_.avail_in = piece.size();
    lzma_ret outcome = LZMA_OK;
    do {
      const auto space = room();
      state_.next_out = space.data();
      state_.avail_out = space.size();
      outcome = lzma_code(&state_, LZMA_RUN);
      fill(space.size() - state_.avail_out);
    } while (outcome == LZMA_OK && (state_.avail_in > 0 || state_.avail_out == 0));
    piece = piece.subspan(piece.size() - state_.avail_in);
    if (outcome == LZMA_STREAM_END) return stream_ended();
    if (outcome == LZMA_MEMLIMIT_ERROR) throw TooLarge(std::string(name_of(kind())) + " dictionary larger than 64 MiB");
    if (outcome == LZMA_FORMAT_ERROR && any()) return none_of_ours();
    if (outcome != LZMA_OK && outcome != LZMA_BUF_ERROR) damaged();
  }

  lzma_stream state_ = LZMA_STREAM_INIT;
};

/// Frames of lz4, and blocks in the legacy format, which has no end: what is no block's size is what follows it.
class Inflater::Lz4 : public Decoder {
 public:
  Lz4(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink)
      : Decoder(kind, std::move(room), std::move(sink)) {
    LZ4F_dctx* state = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&state, LZ4F_VERSION)) != 0) throw Error("lz4 cannot be started");
    state_.reset(state);
  }

 private:
  static constexpr std::uint32_t frame_magic = 0x184d2204, skippable_magic = 0x184d2a50, legacy_magic = 0x184c2102;
  static constexpr std::uint32_t most_block = 8u << 20, most_packed = LZ4_COMPRESSBOUND(most_block);
  enum class In { word, frame, block, skipped_size, skipped };

  void show_skipped(std::function<void(View, bool)>&& sink) override { skipped_ = std::move(sink); }
  bool may_begin(View&) override { return true; }
  bool undecided() const override { return in_ == In::word; }
  void restart() override {
    LZ4F_resetDecompressionContext(state_.get());
    in_ = In::word;
    word_.clear();
  }
  void step(View& piece) override {
    switch (in_) {
      case In::word:
        return begin(piece);
      case In::frame:
        return frame(piece);
      case In::block:
        return block(piece);
      case In::skipped_size:
      case In::skipped:
        return skip(piece);
    }
  }
  /// A magic number, or a block's size.
  void begin(View& piece) {
    take(piece, word_, 4);
    if (word_.size() < 4) return;
    const std::uint32_t word = word_[0] | word_[1] << 8 | word_[2] << 16 | static_cast<std::uint32_t>(word_[3]) << 24;
    if (word == legacy_magic) {
      legacy_ = true;
      word_.clear();
    } else if (legacy_ && word > 0 && word <= most_packed) {
      packed_.clear();
      packed_size_ = word;
      in_ = In::block;
    } else if (word >> 4 == skippable_magic >> 4) {
      legacy_ = false;
      word_.clear();
      in_ = In::skipped_size;
    } else if (word == frame_magic) {
      legacy_ = false;
      in_ = In::frame;
      View magic = word_;
      frame(magic);
    } else {
      return any() ? none_of_ours() : damaged();
    }
  }
  void frame(View& piece) {
    for (bool more = true; more;) {
      const auto space = room();
      std::size_t taken = piece.size(), made = space.size();
      const std::size_t outcome = LZ4F_decompress(state_.get(), space.data(), &made, piece.data(), &taken, nullptr);
      if (LZ4F_isError(outcome) != 0) damaged();
      fill(made);
      piece = piece.subspan(taken);
      if (outcome == 0) return stream_ended();
      more = !piece.empty() || made == space.size();
    }
  }
  void block(View& piece) {
    take(piece, packed_, packed_size_);
    if (packed_.size() < packed_size_) return;
    if (unpacked_.empty()) unpacked_.resize(most_block);
    const int size =
        LZ4_decompress_safe(reinterpret_cast<const char*>(packed_.data()), reinterpret_cast<char*>(unpacked_.data()),
                            static_cast<int>(packed_.size()), static_cast<int>(unpacked_.size()));
    if (size < 0) damaged();
    for (View left = View(unpacked_).first(static_cast<std::size_t>(size)); !left.empty();) {
      const auto space = room();
      const View part = left.first(std::min(left.size(), space.size()));
      std::copy(part.begin(), part.end(), space.begin());
      fill(part.size());
      left = left.subspan(part.size());
    }
    stream_ended();
  }
  /// A skippable frame's size, and what it holds.
  void skip(View& piece) {
    if (in_ == In::skipped_size) {
      take(piece, word_, 4);
      if (word_.size() < 4) return;
      left_ = static_cast<std::uint32_t>(little_endian(word_, 0, 4));
      in_ = In::skipped;
      begins_ = true;
    }
    const View part = piece.first(std::min<std::size_t>(piece.size(), left_));
    if (skipped_ && !part.empty()) skipped_(part, std::exchange(begins_, false));
    left_ -= static_cast<std::uint32_t>(part.size());
    piece = piece.subspan(part.size());
    if (left_ == 0) stream_ended();
  }
  static void take(View& piece, Bytes& into, std::size_t size) {
    const View part = piece.first(std::min(piece.size(), size - into.size()));
    into.insert(into.end(), part.begin(), part.end());
    piece = piece.subspan(part.size());
  }

  Owned<LZ4F_dctx, LZ4F_freeDecompressionContext> state_;
  In in_ = In::word;
  bool legacy_ = false;  ///< what comes next may be a block's size
  Bytes word_, packed_, unpacked_;
  std::uint32_t packed_size_ = 0, left_ = 0;
  bool begins_ = false;  ///< a skippable frame
  std::function<void(View, bool)> skipped_;
};

class Inflater::Burrows : public Decoder {
 public:
  using Decoder::Decoder;
  ~Burrows() override { BZ2_bzDecompressEnd(&state_); }

 private:
  bool may_begin(View& piece) override { return piece[0] == 'B'; }
  void restart() override {
    BZ2_bzDecompressEnd(&state_);
    state_ = {};
    if (BZ2_bzDecompressInit(&state_, 0, 0) != BZ_OK) throw Error("bzip2 cannot be started");
  }
  void step(View& piece) override {
    const auto given = static_cast<unsigned>(std::min<std::size_t>(piece.size(), std::size_t{1} << 30));
    state_.next_in = reinterpret_cast<char*>(const_cast<std::uint8_t*>(piece.data()));
    state_.avail_in = given;
    int outcome = BZ_OK;
    do {
      const auto space = room();
      state_.next_out = reinterpret_cast<char*>(space.data());
      state_.avail_out = static_cast<unsigned>(space.size());
      outcome = BZ2_bzDecompress(&state_);
      fill(space.size() - state_.avail_out);
    } while (outcome == BZ_OK && (state_.avail_in > 0 || state_.avail_out == 0));
    piece = piece.subspan(given - state_.avail_in);
    if (outcome == BZ_STREAM_END) return stream_ended();
    if (outcome == BZ_DATA_ERROR_MAGIC && any()) return none_of_ours();
    if (outcome != BZ_OK) damaged();
  }

  bz_stream state_{};
};

class Inflater::Brotli : public Decoder {
 public:
  using Decoder::Decoder;

 private:
  bool may_begin(View&) override { return false; }
  void restart() override {
    state_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state_) throw Error("brotli cannot be started");
  }
  void step(View& piece) override {
    const std::uint8_t* in = piece.data();
    std::size_t in_left = piece.size();
    for (auto outcome = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT; outcome == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;) {
      const auto space = room();
      std::uint8_t* out = space.data();
      std::size_t out_left = space.size();
      outcome = BrotliDecoderDecompressStream(state_.get(), &in_left, &in, &out_left, &out, nullptr);
      fill(space.size() - out_left);
      if (outcome == BROTLI_DECODER_RESULT_ERROR) damaged();
      if (outcome == BROTLI_DECODER_RESULT_SUCCESS) stream_ended();
    }
    piece = piece.last(in_left);
  }

  Owned<BrotliDecoderState, BrotliDecoderDestroyInstance> state_;
};

bool Inflater::knows(Container kind) {
  switch (kind) {
    case Container::gzip:
    case Container::zlib:
    case Container::deflate:
    case Container::brotli:
    case Container::zstd:
    case Container::xz:
    case Container::lzma:
    case Container::lzip:
    case Container::lz4:
    case Container::bzip2:
      return true;
    default:
      return false;
  }
}

Inflater::Inflater(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink) {
  switch (kind) {
    case Container::gzip:
    case Container::zlib:
    case Container::deflate:
      decoder_ = std::make_unique<Deflated>(kind, std::move(room), std::move(sink));
      break;
    case Container::zstd:
      decoder_ = std::make_unique<Zstandard>(kind, std::move(room), std::move(sink));
      break;
    case Container::xz:
    case Container::lzma:
    case Container::lzip:
      decoder_ = std::make_unique<Lempel>(kind, std::move(room), std::move(sink));
      break;
    case Container::brotli:
      decoder_ = std::make_unique<Brotli>(kind, std::move(room), std::move(sink));
      break;
    case Container::lz4:
      decoder_ = std::make_unique<Lz4>(kind, std::move(room), std::move(sink));
      break;
    case Container::bzip2:
      decoder_ = std::make_unique<Burrows>(kind, std::move(room), std::move(sink));
      break;
    default:
      throw Error(std::string(name_of(kind)) + " is not inflated in a stream");
  }
}

Inflater::~Inflater() = default;
std::size_t Inflater::feed(View piece) { return decoder_->feed(piece); }
void Inflater::show_skipped(std::function<void(View, bool)> sink) { decoder_->show_skipped(std::move(sink)); }
void Inflater::flush() { decoder_->flush(); }
void Inflater::finish() { decoder_->finish(); }

}  // namespace imgbuild

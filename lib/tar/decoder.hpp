#pragma once
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "tar/inflate.hpp"

/// What the decoders of an Inflater share. Room-internal.
namespace imgbuild {

/// One kind of packed stream: rows of them, one behind the other, and output into memory that is lent. One thread.
class Inflater::Decoder {
 public:
  Decoder(Container kind, std::function<std::span<std::uint8_t>()> room, std::function<void(View)> sink)
      : kind_(kind), room_(std::move(room)), sink_(std::move(sink)) {}
  virtual ~Decoder() = default;

  std::size_t feed(const View all) {
    std::size_t own = 0;  // up to the end of the last stream
    for (View piece = all; !ended_;) {
      if (piece.empty()) return all.size();
      if (!started_ && any_ && !may_begin(piece)) {
        ended_ = true;
        break;
      }
      if (piece.empty()) return all.size();
      if (!started_) {
        restart();
        started_ = true;
      }
      step(piece);
      if (!started_ && !ended_) own = all.size() - piece.size();
    }
    return own;
  }
  virtual void show_skipped(std::function<void(View, bool)>&&) {}
  void flush() {
    if (filled_ > 0) sink_({buffer_.data(), filled_});
    buffer_ = {};
    filled_ = 0;
  }
  void finish() {
    flush();
    if (!any_ || (started_ && !ended_ && !(any_ && undecided())))
      throw Error(std::string("truncated ") + name_of(kind_) + " stream");
  }

 protected:
  /// What follows a stream that has ended: does another begin? May take what only fills up.
  virtual bool may_begin(View& piece) = 0;
  /// Begins a stream.
  virtual void restart() = 0;
  /// Has too little come of what may be another stream to tell?
  virtual bool undecided() const { return false; }
  /// Takes what it can from the front of `piece`; calls stream_ended(). Throws.
  virtual void step(View& piece) = 0;

  [[noreturn]] void damaged() const { throw Error(std::string("damaged ") + name_of(kind_) + " stream"); }
  std::span<std::uint8_t> room() {
    if (filled_ == buffer_.size()) {
      flush();
      buffer_ = room_();
    }
    return buffer_.subspan(filled_);
  }
  void fill(std::size_t count) { filled_ += count; }
  void stream_ended() {
    started_ = false;
    any_ = true;
  }
  /// What seemed to begin another stream was none.
  void none_of_ours() { ended_ = true; }
  bool any() const { return any_; }
  Container kind() const { return kind_; }

 private:
  const Container kind_;
  std::function<std::span<std::uint8_t>()> room_;
  std::function<void(View)> sink_;
  std::span<std::uint8_t> buffer_;
  std::size_t filled_ = 0;
  bool started_ = false;  ///< a stream has begun and has not ended
  bool any_ = false;      ///< one has ended well
  bool ended_ = false;    ///< what follows is no further one
};

}  // namespace imgbuild

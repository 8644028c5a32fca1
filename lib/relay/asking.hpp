#pragma once
#include <string_view>

#include "base/bytes.hpp"
#include "base/stream.hpp"
#include "relay/frames.hpp"

namespace imgbuild {

/// Questions to a relay that runs no script, and its answers, in order. One thread.
class RelayAsking {
 public:
  /// `exec` is that of the relay, just started, and must outlive this.
  explicit RelayAsking(Stream& exec) : exec_(exec) {}
  /// Is sent when an answer is waited for.
  void ask(wire::Kind kind, std::string_view payload = {});
  /// The next frame behind its greeting. Throws Error "the builder: why" where it fails, or where the conversation
  /// breaks off, makes no sense, or stands still for minutes; Interrupted.
  RelayFrame answer();

 private:
  Stream& exec_;
  Bytes asked_;
  std::size_t sent_ = 0;
  RelayFrames frames_;
  Bytes piece_ = Bytes(std::size_t{64} << 10);
};

}  // namespace imgbuild

#pragma once
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "relay/wire.hpp"

namespace imgbuild {

/// What is thrown where a relay says what it would not.
Error relay_disturbed();

/// What the relay said. The payload is the builder's: not to be trusted in anything.
struct RelayFrame {
  wire::Kind kind{};
  std::uint32_t channel = 0;
  Bytes payload;
};

/// Cuts the relay's output into frames and holds them against the order that the conversation has. Pure; throws Error
/// "the builder's relay was disturbed" on anything that a relay does not say. Holds at most one frame and a piece.
class RelayFrames {
 public:
  void feed(View bytes);
  std::optional<RelayFrame> next();
  /// `ended` or `failed` has come: nothing may follow.
  bool over() const { return stage_ == Stage::over; }
  /// The script has been started.
  bool running() const { return stage_ == Stage::running; }

 private:
  enum class Stage { silent, greeted, running, over };
  void expect(const RelayFrame& frame);

  Bytes held_;
  std::size_t at_ = 0;
  Stage stage_ = Stage::silent;
  std::size_t named_ = 0;
};

}  // namespace imgbuild

#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "image/json.hpp"

namespace imgbuild {

/// Takes an exec's output apart. Without a terminal an engine sends standard output and error over one connection in
/// frames: a byte that says which (1 output, 2 error, 3 the engine's own words), three zero bytes, the length as 32
/// bits, most significant byte first, then so many bytes (Docker Engine API, "ContainerAttach", stream format).
class Demux {
 public:
  /// Takes the next bytes of the connection, cut anywhere, and appends what is standard output. Throws Error on a frame
  /// that is none, and with the engine's words where it sends some.
  void feed(View bytes, Bytes& output);
  /// Standard error so far, its first 64 KiB.
  const std::string& errors() const noexcept { return errors_; }
  /// May the connection end here?
  bool whole() const noexcept { return have_ == 0 && left_ == 0; }

 private:
  void begin_frame();

  std::uint8_t header_[8] = {};
  std::size_t have_ = 0;    // bytes of header_
  std::uint32_t left_ = 0;  // bytes of the frame still to come
  int which_ = 0;
  std::string errors_, engine_says_;
};

/// The first `most` bytes of an engine's words on one line, printable.
std::string one_line(std::string_view text, std::size_t most = 600);

/// Reads the JSON messages that an engine sends while it pulls, loads or builds: objects one after the other, whatever
/// stands between them. It answers 200 before it knows whether it will succeed; a failure is a message.
class Messages {
 public:
  /// `each` gets every message; it may be empty. One of more than `most` bytes is refused.
  explicit Messages(std::function<void(const Json&)> each = {}, std::size_t most = std::size_t{1} << 20)
      : each_(std::move(each)), most_(most) {}
  /// Takes the next bytes, cut anywhere. Throws Error on what is no such stream.
  void feed(View bytes);
  /// The stream has ended. Throws Error where it ended within a message.
  void finish() const;
  /// The first failure that it told, on one line; empty: none.
  const std::string& failure() const noexcept { return failure_; }

 private:
  void take(const std::string& message);

  std::function<void(const Json&)> each_;
  std::size_t most_;
  std::string message_;
  int depth_ = 0;
  bool quoted_ = false, escaped_ = false;
  std::string failure_;
};

/// Gives the messages all of an answer's body. Throws Error "engine: WHAT: ...".
void read_messages(Source& body, Messages& messages, const std::string& what);

}  // namespace imgbuild

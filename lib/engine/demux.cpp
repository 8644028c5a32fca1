#include "engine/demux.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {
constexpr std::size_t most_errors = std::size_t{64} << 10;
}  // namespace

std::string one_line(std::string_view text, std::size_t most) {
  std::string line(trim(text.substr(0, most)));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return printable(line);
}

void Demux::begin_frame() {
  have_ = 0;
  if (header_[0] > 3 || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
    // An engine that could not start the command may say so in plain text.
    throw Error("not a frame: \"" + one_line(text_of(header_)) + "...\"");
  }
  which_ = header_[0];
  left_ =
      std::uint32_t{header_[4]} << 24 | std::uint32_t{header_[5]} << 16 | std::uint32_t{header_[6]} << 8 | header_[7];
}

void Demux::feed(View bytes, Bytes& output) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      const std::size_t n = std::min(bytes.size(), sizeof header_ - have_);
      std::copy_n(bytes.begin(), n, header_ + have_);
      have_ += n;
      bytes = bytes.subspan(n);
      if (have_ == sizeof header_) begin_frame();
      continue;
    }
    const View piece = bytes.first(std::min<std::size_t>(bytes.size(), left_));
    if (which_ <= 1) {
      output.insert(output.end(), piece.begin(), piece.end());
    } else {
      std::string& text = which_ == 2 ? errors_ : engine_says_;
      text += text_of(piece.first(std::min(piece.size(), most_errors - text.size())));
    }
    left_ -= static_cast<std::uint32_t>(piece.size());
    bytes = bytes.subspan(piece.size());
    if (left_ == 0 && which_ == 3) throw Error(one_line(engine_says_));
  }
}

void Messages::feed(View bytes) {
  for (const char c : text_of(bytes)) {
    if (depth_ == 0 && c != '{') continue;
    message_ += c;
    if (message_.size() > most_) throw Error("a message of more than " + std::to_string(most_ >> 20) + " MiB");
    if (quoted_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        quoted_ = false;
      }
    } else if (c == '"') {
      quoted_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}' && --depth_ == 0) {
      take(message_);
      message_.clear();
    }
  }
}

void Messages::finish() const {
  if (depth_ != 0) throw Error("the answer ended within a message");
}

void Messages::take(const std::string& message) {
  const Json json = parse_json(message, "the engine's message");
  if (each_) each_(json);
  if (!failure_.empty()) return;
  std::string text = text_at(at(json, "errorDetail"), "message");
  if (text.empty()) text = text_at(json, "error");
  if (text.empty() && (json.contains("errorDetail") || json.contains("error"))) text = "it failed and does not say why";
  failure_ = one_line(text);
}

void read_messages(Source& body, Messages& messages, const std::string& what) {
  try {
    for (View piece = body.next(); !piece.empty(); piece = body.next()) messages.feed(piece);
    messages.finish();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    const std::string said = error.what();
    throw said.starts_with("engine: ") ? error : error.within("engine: " + what);
  }
}

}  // namespace imgbuild

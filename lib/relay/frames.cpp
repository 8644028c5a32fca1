#include "relay/frames.hpp"

#include "base/text.hpp"

namespace imgbuild {

Error relay_disturbed() {
  return Error("the builder's relay was disturbed", "something in the builder wrote into the relay's output");
}

void RelayFrames::feed(View bytes) {
  if (at_ > 0) {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
  }
  held_.insert(held_.end(), bytes.begin(), bytes.end());
}

std::optional<RelayFrame> RelayFrames::next() {
  const std::size_t left = held_.size() - at_;
  if (left == 0) return std::nullopt;
  if (over()) throw relay_disturbed();
  const View here = View(held_).subspan(at_);
  if (stage_ == Stage::silent && here[0] != 0)  // words, not a frame: a shell or the engine says why
    throw Error("the builder's relay did not start: " + printable(trim(text_of(here).substr(0, 400))));
  if (left < wire::header_size) return std::nullopt;
  const std::uint8_t* head = held_.data() + at_;
  const std::size_t length = wire::payload_length(head);
  if (length > wire::most_payload) throw relay_disturbed();
  if (left < wire::header_size + length) return std::nullopt;
  RelayFrame frame;
  frame.kind = static_cast<wire::Kind>(head[4]);
  frame.channel = wire::get_u32(head + 5);
  frame.payload.assign(head + wire::header_size, head + wire::header_size + length);
  at_ += wire::header_size + length;
  expect(frame);
  return frame;
}

void RelayFrames::expect(const RelayFrame& frame) {
  using wire::Kind;
  const std::size_t size = frame.payload.size();
  bool good = false;
  switch (frame.kind) {
    case Kind::hello:
      good = stage_ == Stage::silent && text_of(frame.payload) == wire::version;
      stage_ = Stage::greeted;
      break;
    case Kind::running:
      good = stage_ == Stage::greeted && size == 0;
      stage_ = Stage::running;
      break;
    case Kind::output:
    case Kind::errors:
    case Kind::logged:
      good = stage_ == Stage::running && frame.channel == 0;
      break;
    case Kind::killed:
    case Kind::written:
    case Kind::replaced:
      good = stage_ == Stage::running && size > 0 && size <= 8192 && ++named_ <= 2 * wire::most_killed;
      break;
    case Kind::fetched:
      good = stage_ == Stage::running && size == 8;
      break;
    case Kind::not_fetched:
      good = stage_ == Stage::running && size <= 8192;
      break;
    case Kind::cached:
    case Kind::cached_bytes:
      good = stage_ == Stage::running && size > 0;
      break;
    case Kind::cached_all:
      good = stage_ == Stage::running && size == 0;
      break;
    case Kind::open:
    case Kind::data:
    case Kind::close:
      good = stage_ == Stage::running && frame.channel != 0;
      break;
    case Kind::ended:
      good = stage_ == Stage::running && size == 4;
      stage_ = Stage::over;
      break;
    case Kind::failed:
      good = stage_ != Stage::silent && size <= 8192;
      stage_ = Stage::over;
      break;
    default:
      break;
  }
  if (!good) throw relay_disturbed();
}

}  // namespace imgbuild

#include "relay/frames.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace imgbuild;
using wire::Kind;

namespace {
Bytes frame(Kind kind, std::string_view payload = {}, std::uint32_t channel = 0) {
  Bytes out(wire::header_size);
  wire::put_header(out.data(), kind, channel, payload.size());
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}
Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
int count(const Bytes& bytes) {
  RelayFrames frames;
  frames.feed(bytes);
  int n = 0;
  while (frames.next()) ++n;
  return n;
}
const Bytes hello = frame(Kind::hello, wire::version), running = frame(Kind::running);
}  // namespace

TEST_CASE("frames are the same however the bytes are cut") {
  const Bytes all = hello + running + frame(Kind::output, "text") + frame(Kind::open, {}, 3) +
                    frame(Kind::ended, std::string(4, '\0'));
  for (std::size_t step = 1; step < 20; ++step) {
    RelayFrames frames;
    int n = 0;
    for (std::size_t at = 0; at < all.size(); at += step) {
      frames.feed(View(all).subspan(at, std::min(step, all.size() - at)));
      while (frames.next()) ++n;
    }
    CHECK(n == 5);
  }
}

TEST_CASE("what no relay says is a disturbance") {
  const std::string ended(4, '\0');
  const std::vector<Bytes> odd = {
      frame(Kind::output, "before hello"),
      frame(Kind::hello, "another relay"),
      hello + hello,
      hello + frame(Kind::output, "before the script"),
      hello + running + running,
      hello + running + frame(Kind::run),
      hello + running + frame(static_cast<Kind>(200)),
      hello + running + frame(Kind::data, "x", 0),
      hello + running + frame(Kind::ended, "12345"),
      hello + running + frame(Kind::cached_all, "x"),
      hello + frame(Kind::cached, "1 c/file"),
      hello + frame(Kind::ended, ended),
      hello + running + frame(Kind::ended, ended) + frame(Kind::output, "after the end"),
      hello + Bytes{0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0},
      Bytes{0, 0, 0, 1, 1, 0, 0, 0, 0},
  };
  for (const Bytes& each : odd) CHECK_THROWS_WITH(count(each), "the builder's relay was disturbed");
}

TEST_CASE("words in the place of a relay are told: the shell or the engine says why it did not start") {
  CHECK_THROWS_WITH(count(Bytes{'s', 'h', ':', ' ', 'n', 'o', '\n'}), "the builder's relay did not start: sh: no");
}

// An exec's frames and an engine's JSON messages, from a hostile engine: no input crashes, and what they say does not
// depend on where the connection cut them.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "engine/demux.hpp"

using namespace imgbuild;

namespace {

struct Heard {
  std::string output, errors, failure, refused;
  bool operator==(const Heard&) const = default;
};

Heard demux(View bytes, std::size_t cut) {
  Heard heard;
  Demux demux;
  Bytes output;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += cut)
      demux.feed(bytes.subspan(at, std::min(cut, bytes.size() - at)), output);
    if (!demux.whole()) heard.refused = "not whole";
  } catch (const Error& error) {
    heard.refused = error.what();
  }
  heard.output = text_of(output);
  heard.errors = demux.errors();
  if (heard.errors.size() > 65536) std::abort();
  return heard;
}

Heard messages(View bytes, std::size_t cut) {
  Heard heard;
  Messages messages;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += cut)
      messages.feed(bytes.subspan(at, std::min(cut, bytes.size() - at)));
    messages.finish();
  } catch (const Error& error) {
    heard.refused = error.what();
  }
  heard.failure = messages.failure();
  if (heard.failure.find_first_of("\n\r\x1b") != std::string::npos) std::abort();
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  const std::size_t whole = size > 0 ? size : 1;
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}}) {
    if (demux(bytes, cut) != demux(bytes, whole)) std::abort();
    if (messages(bytes, cut) != messages(bytes, whole)) std::abort();
  }
  return 0;
}

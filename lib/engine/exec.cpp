#include "engine/exec.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace imgbuild {

std::optional<std::size_t> EngineExec::read(std::span<std::uint8_t> into) {
  try {
    while (at_ == output_.size()) {
      output_.clear();
      at_ = 0;
      std::uint8_t piece[65536];
      const auto n = connection_->read(piece);
      if (!n) return std::nullopt;
      if (*n == 0) {
        if (!demux_.whole()) throw Error("the connection ended within a frame");
        return 0;
      }
      demux_.feed({piece, *n}, output_);
    }
  } catch (const Error& error) {
    throw error.within("engine: exec");
  }
  const std::size_t n = std::min(into.size(), output_.size() - at_);
  std::copy_n(output_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
  at_ += n;
  return n;
}

std::size_t EngineExec::write(View bytes) {
  try {
    return connection_->write(bytes);
  } catch (const Error& error) {
    throw error.within("engine: exec");
  }
}

int EngineExec::exit_code() {
  // The stream ends a moment before the engine has noted how the process did.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (true) {
    const Json json = api_.demand("exec", "GET", "/exec/" + id_ + "/json");
    const Json& code = at(json, "ExitCode");
    if (at(json, "Running") == Json(false) && code.is_number_integer()) return code.get<int>();
    if (std::chrono::steady_clock::now() > until) throw Error("engine: exec: it does not know the exit status");
    ::usleep(10'000);
  }
}

}  // namespace imgbuild

#include "relay/files.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace imgbuild {

using wire::Kind;

std::vector<std::string> relay_files_command(const std::string& home) { return {home + "/relay", "tell"}; }

RelayFiles::RelayFiles(Stream& exec, const std::string& path, const std::vector<std::string>& within) : relay_(exec) {
  relay_.ask(Kind::wanted, path);
  for (const auto& each : within) relay_.ask(Kind::within, each);
  relay_.ask(Kind::run);
  wait();
}

View RelayFiles::next() {
  if (over_) return {};
  if (!waiting_) wait();
  waiting_ = false;
  return over_ ? View() : View(piece_.payload);
}

// For a piece of the tar, or the end.
void RelayFiles::wait() {
  do {
    piece_ = relay_.answer();
    if (piece_.kind == Kind::ended) {
      over_ = true;
      found_ = wire::get_u32(piece_.payload.data()) == 0;
    } else if (piece_.kind != Kind::output) {
      throw relay_disturbed();
    }
  } while (!over_ && piece_.payload.empty());
  waiting_ = true;
}

void RelayFetch::want(const std::string& folder, const std::string& path) {
  if (folder != folder_) relay_.ask(Kind::folder, folder_ = folder);
  relay_.ask(Kind::fetch, path);
  ++wanted_;
}

std::optional<std::uint64_t> RelayFetch::begin() {
  const RelayFrame answer = relay_.answer();
  --wanted_;
  if (answer.kind == Kind::not_fetched) {
    why_ = printable(text_of(answer.payload));
    return std::nullopt;
  }
  if (answer.kind != Kind::fetched) throw relay_disturbed();
  return left_ = std::uint64_t{wire::get_u32(answer.payload.data())} << 32 | wire::get_u32(answer.payload.data() + 4);
}

std::size_t RelayFetch::read(std::span<std::uint8_t> into) {
  std::size_t filled = 0;
  while (filled < into.size() && left_ > 0) {
    if (piece_at_ == piece_.payload.size()) {
      piece_ = relay_.answer();
      piece_at_ = 0;
      if (piece_.kind != Kind::output || piece_.payload.size() > left_) throw relay_disturbed();
    }
    const std::size_t n = std::min(into.size() - filled, piece_.payload.size() - piece_at_);
    std::copy_n(piece_.payload.begin() + static_cast<std::ptrdiff_t>(piece_at_), n, into.begin() + filled);
    piece_at_ += n;
    filled += n;
    left_ -= n;
  }
  return filled;
}

}  // namespace imgbuild

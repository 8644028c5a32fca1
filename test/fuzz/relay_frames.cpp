// What a hostile builder may send in the relay's place: the first byte says how it is cut, the rest is the stream. The
// whole session acts on it, agent clients included.
#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "relay/session.hpp"

namespace {

class Given : public imgbuild::Stream {
 public:
  Given(imgbuild::View bytes, std::size_t step) : bytes_(bytes), step_(step), ends_(imgbuild::Fd::pipe()) {
    ends_.second.reset();  // always readable
  }
  int fd() const override { return ends_.first.get(); }
  std::optional<std::size_t> read(std::span<std::uint8_t> into) override {
    const std::size_t n = std::min({step_, into.size(), bytes_.size()});
    std::copy_n(bytes_.begin(), n, into.begin());
    bytes_ = bytes_.subspan(n);
    return n;
  }
  std::size_t write(imgbuild::View bytes) override { return bytes.size(); }

 private:
  imgbuild::View bytes_;
  std::size_t step_;
  std::pair<imgbuild::Fd, imgbuild::Fd> ends_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Given stream({data + 1, size - 1}, data[0] + std::size_t{1});
  imgbuild::RelayTask task;
  task.lend = true;
  task.script = "true";
  task.volumes = {"/data"};
  imgbuild::RelayEvents events;
  events.output = events.errors = [](std::string_view) {};
  events.client = [] { return [](imgbuild::View bytes) { return imgbuild::Bytes(bytes.begin(), bytes.end()); }; };
  imgbuild::RelaySession session(stream, {});
  try {
    const auto result = session.run(task, events);
    for (const auto& path : result.written)
      if (path != "/data") std::abort();
  } catch (const imgbuild::Error&) {
  }
  return 0;
}

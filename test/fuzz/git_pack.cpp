// A pack from a stranger: every object is shown at most once, and the reading ends.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "git/pack.hpp"

using namespace imgbuild;

namespace {

class Counter : public PackVisitor {
 public:
  Bytes id_of(GitObject::Type type, const Whole& content) override {
    Bytes id(20, static_cast<std::uint8_t>(type));
    const Bytes front = content.part(0, 19);
    std::copy(front.begin(), front.end(), id.begin() + 1);
    return id;
  }
  void object(GitObject::Type, const Bytes& id, const Whole&) override {
    if (id.size() != 20 || ++objects > (1 << 20)) std::abort();
  }
  void unpacked(std::uint64_t bytes) override {
    made += bytes;
    if (made > (std::uint64_t{16} << 20)) throw Error("too much");
  }
  void unreadable(const std::string& why) override {
    if (why.empty()) std::abort();
  }

 private:
  std::uint64_t made = 0;
  int objects = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  begins_loose_object(bytes);
  read_loose_head(bytes);
  try {
    Counter counter;
    read_pack(ViewWhole(bytes), 20, counter);
  } catch (const Error&) {
  }
  return 0;
}

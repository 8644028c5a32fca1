// An archive or packed stream of any kind from a stranger: what is shown is in order, and the reading ends.
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "tar/archive.hpp"

using namespace imgbuild;

namespace {

class Order : public ArchiveVisitor {
 public:
  void member(const std::string&, const std::string&) override {
    if (open || ++members > 1000) open ? std::abort() : throw Error("too many");
    open = true;
  }
  void data(View piece) override {
    if (!open || piece.empty()) std::abort();
    made += piece.size();
    if (made > (std::size_t{16} << 20)) throw Error("too much");
  }
  void end_member() override {
    if (!open) std::abort();
    open = false;
  }
  void unreadable(const std::string& why) override {
    if (why.empty()) std::abort();
  }

 private:
  bool open = false;
  int members = 0;
  std::size_t made = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  const Container kind = container_of(bytes.first(std::min(size, container_head_size)));
  ends_as_zip(bytes, size);
  try {
    if (Inflater::knows(kind) || kind == Container::lz4 || kind == Container::compress) {
      ViewSource packed(bytes);
      const auto source = unpack(packed, kind);
      for (std::size_t made = 0; made < (std::size_t{16} << 20);) {
        const View piece = source->next();
        if (piece.empty()) break;
        made += piece.size();
      }
    } else if (kind != Container::none && kind != Container::tar && kind < Container::git_pack) {
      Order order;
      read_archive(bytes, kind, order);
    }
  } catch (const Error&) {
  }
  return 0;
}

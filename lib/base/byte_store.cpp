#include "base/byte_store.hpp"

#include <atomic>

#include "base/error.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_of_one = std::size_t{8} << 20;
constexpr std::uint64_t most_memory = std::uint64_t{24} << 20, most_disk = std::uint64_t{32} << 30;
std::atomic<std::uint64_t> memory_taken{0}, disk_taken{0};

bool take(std::atomic<std::uint64_t>& taken, std::uint64_t count, std::uint64_t most) {
  if (taken.fetch_add(count) + count <= most) return true;
  taken.fetch_sub(count);
  return false;
}

}  // namespace

ByteStore::~ByteStore() {
  memory_taken.fetch_sub(memory_.size());
  disk_taken.fetch_sub(on_disk_);
}

void ByteStore::append(View bytes) {
  if (bytes.empty()) return;
  if (!file_) {
    if (memory_.size() + bytes.size() <= most_of_one && take(memory_taken, bytes.size(), most_memory)) {
      // Doubling would hold up to twice of what is counted for as long as it grows.
      if (memory_.capacity() < memory_.size() + bytes.size())
        memory_.reserve(std::max(memory_.size() + bytes.size(), memory_.size() + memory_.size() / 2));
      memory_.insert(memory_.end(), bytes.begin(), bytes.end());
      size_ += bytes.size();
      return;
    }
    Fd file = Fd::unnamed_file_on_disk();
    if (!take(disk_taken, memory_.size(), most_disk)) throw Error("larger than the 32 GiB that may be put aside");
    on_disk_ = memory_.size();
    write_full(file.get(), memory_, "temporary file");
    file_ = std::move(file);
    memory_taken.fetch_sub(memory_.size());
    memory_ = Bytes();
  }
  if (!take(disk_taken, bytes.size(), most_disk)) throw Error("larger than the 32 GiB that may be put aside");
  on_disk_ += bytes.size();
  write_full(file_.get(), bytes, "temporary file");
  size_ += bytes.size();
}

std::size_t ByteStore::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  if (file_) return read_full_at(file_.get(), offset, into, "temporary file");
  return ViewWhole(memory_).read(offset, into);
}

}  // namespace imgbuild

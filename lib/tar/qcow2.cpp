// A disk image of QEMU's (docs/interop/qcow2.txt). Tables in two levels say for each cluster of the disk where it lies
// in the file, and whether it is packed: by itself, with deflate or zstd.
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "tar/archive.hpp"

namespace imgbuild {
namespace {

class Disk : public Source {
 public:
  explicit Disk(const Whole& file) : file_(file) {
    Bytes head = file.part(0, 112);
    head.resize(112);
    constexpr std::uint64_t separate_data = 4, other_packing = 8, wide_entries = 16;  // features
    const std::uint64_t version = big_endian(head, 4, 4), features = version >= 3 ? big_endian(head, 72, 8) : 0;
    if (version < 2) throw Error("no reader for qcow of version 1");
    if (big_endian(head, 32, 4) != 0) throw Error("encrypted");
    if ((features & separate_data) != 0) throw Error("qcow2 without its data file");
    bits_ = static_cast<unsigned>(big_endian(head, 20, 4));
    if (bits_ < 9 || bits_ > 21) damaged();
    first_left_ = big_endian(head, 36, 4);
    first_at_ = big_endian(head, 40, 8);
    has_snapshots_ = big_endian(head, 60, 4) != 0;
    is_zstd_ = (features & other_packing) != 0 && head[104] == 1;
    entry_size_ = (features & wide_entries) != 0 ? 16 : 8;
    cluster_.resize(std::size_t{1} << bits_);
    tables_left_ = file.size() / cluster_.size() + 1;
  }

  View next() override {
    constexpr std::uint64_t is_packed = std::uint64_t{1} << 62;
    while (at_ < table_.size() || next_table()) {
      const std::uint64_t entry = big_endian(table_, at_, 8);
      at_ += entry_size_;
      if ((entry & is_packed) != 0) return unpacked(entry);
      if ((entry & offset) == 0) continue;
      return View(cluster_).first(file_.read(entry & offset, cluster_));
    }
    if (has_snapshots_) throw Error("qcow2 image whose snapshots are not read");
    return {};
  }

 private:
  static constexpr std::uint64_t offset = 0x00fffffffffffe00;

  [[noreturn]] static void damaged() { throw Error("damaged qcow2 image"); }

  /// A table is a cluster of its own: no more of them are followed than there are clusters.
  bool next_table() {
    for (; first_left_ > 0; --first_left_, first_at_ += 8) {
      const Bytes entry = file_.part(first_at_, 8);
      if (entry.size() < 8) damaged();
      const std::uint64_t table = big_endian(entry, 0, 8) & offset;
      if (table == 0) continue;
      if (tables_left_-- == 0) damaged();
      table_ = file_.part(table, cluster_.size());
      if (table_.size() < cluster_.size()) damaged();
      at_ = 0;
      --first_left_;
      first_at_ += 8;
      return true;
    }
    return false;
  }

  View unpacked(std::uint64_t entry) {
    const unsigned position_bits = 62 - (bits_ - 8);
    const auto low = [](std::uint64_t value, unsigned bits) { return value & ((std::uint64_t{1} << bits) - 1); };
    const std::uint64_t position = low(entry, position_bits);
    const std::uint64_t sectors = low(entry >> position_bits, bits_ - 8) + 1;
    const Bytes packed = file_.part(position, static_cast<std::size_t>(sectors * 512 - position % 512));
    if (is_zstd_) {
      const std::size_t size = ZSTD_findFrameCompressedSize(packed.data(), packed.size());
      if (ZSTD_isError(size) != 0 ||
          ZSTD_decompress(cluster_.data(), cluster_.size(), packed.data(), size) != cluster_.size())
        damaged();
      return cluster_;
    }
    if (!state_) state_ = std::make_unique<inflate_state>();
    isal_inflate_init(state_.get());
    state_->next_in = const_cast<std::uint8_t*>(packed.data());
    state_->avail_in = static_cast<std::uint32_t>(packed.size());
    state_->next_out = cluster_.data();
    state_->avail_out = static_cast<std::uint32_t>(cluster_.size());
    if (isal_inflate_stateless(state_.get()) < 0 || state_->avail_out != 0) damaged();
    return cluster_;
  }

  const Whole& file_;
  unsigned bits_ = 0;  // of a position in a cluster
  bool is_zstd_ = false, has_snapshots_ = false;
  std::size_t entry_size_ = 8;
  std::uint64_t first_at_ = 0, first_left_ = 0, tables_left_ = 0;  // of the first level
  Bytes table_;                                                    // of the second
  std::size_t at_ = 0;
  Bytes cluster_;
  std::unique_ptr<inflate_state> state_;
};

}  // namespace

std::unique_ptr<Source> read_qcow2(const Whole& file) { return std::make_unique<Disk>(file); }

}  // namespace imgbuild

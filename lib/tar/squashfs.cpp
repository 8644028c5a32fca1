// A SquashFS image through libsquashfs, which checks what it reads but trusts the folders to be a tree: here no folder
// is entered more than 128 deep, and whoever visits counts the members, so that a folder that holds itself ends.
#include "tar/squashfs.hpp"

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/error.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>

#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/numbers.hpp"
#include "base/owned.hpp"

namespace imgbuild {
namespace {

struct Destroy {
  void operator()(void* object) const noexcept { sqfs_destroy(object); }
};
struct Free {
  void operator()(void* memory) const noexcept { sqfs_free(memory); }
};
using Compressor = std::unique_ptr<sqfs_compressor_t, Destroy>;
using DirReader = std::unique_ptr<sqfs_dir_reader_t, Destroy>;
using DataReader = std::unique_ptr<sqfs_data_reader_t, Destroy>;
using Inode = std::unique_ptr<sqfs_inode_generic_t, Free>;

constexpr std::size_t most_depth = 128;

/// A Whole as libsquashfs reads it. No exception goes through C.
struct File : sqfs_file_t {
  const Whole* whole = nullptr;
  std::exception_ptr failure;

  explicit File(const Whole& bytes) : sqfs_file_t{}, whole(&bytes) {
    base.destroy = [](sqfs_object_t*) {};
    read_at = [](sqfs_file_t* self, sqfs_u64 offset, void* buffer, std::size_t size) -> int {
      auto& mine = *static_cast<File*>(self);
      try {
        const bool all = mine.whole->read(offset, {static_cast<std::uint8_t*>(buffer), size}) == size;
        return all ? 0 : SQFS_ERROR_OUT_OF_BOUNDS;
      } catch (...) {
        mine.failure = std::current_exception();
        return SQFS_ERROR_IO;
      }
    };
    write_at = [](sqfs_file_t*, sqfs_u64, const void*, std::size_t) -> int { return SQFS_ERROR_UNSUPPORTED; };
    get_size = [](const sqfs_file_t* self) -> sqfs_u64 { return static_cast<const File*>(self)->whole->size(); };
    truncate = [](sqfs_file_t*, sqfs_u64) -> int { return SQFS_ERROR_UNSUPPORTED; };
  }
};

class Tree {
 public:
  Tree(File& file, const sqfs_super_t& super, sqfs_compressor_t* compressor, ArchiveVisitor& visitor)
      : file_(file), super_(super), compressor_(compressor), visitor_(visitor) {
    dirs_.reset(sqfs_dir_reader_create(&super, compressor, &file, 0));
    data_.reset(sqfs_data_reader_create(&file, super.block_size, compressor, 0));
    if (!dirs_ || !data_) throw Error("libsquashfs cannot be started");
  }

  bool walk() {
    Inode root;
    if (sqfs_data_reader_load_fragment_table(data_.get(), &super_) != 0 ||
        sqfs_dir_reader_get_root_inode(dirs_.get(), out(root)) != 0)
      return false;
    std::vector<Folder> waiting;
    waiting.push_back({"", std::move(root), 0});
    while (!waiting.empty()) {
      const Folder folder = std::move(waiting.back());
      waiting.pop_back();
      enter(folder, waiting);
    }
    show_attributes();
    return true;
  }

 private:
  struct Folder {
    std::string path;
    Inode inode;
    std::size_t depth;
  };

  void enter(const Folder& folder, std::vector<Folder>& waiting) {
    if (folder.depth > most_depth) return damaged("squashfs folders lie too deep");
    if (sqfs_dir_reader_open_dir(dirs_.get(), folder.inode.get(), 0) != 0) return damaged();
    for (;;) {
      std::unique_ptr<sqfs_dir_entry_t, Free> entry;
      const int outcome = sqfs_dir_reader_read(dirs_.get(), out(entry));
      if (outcome > 0) return;
      Inode inode;
      if (outcome < 0 || sqfs_dir_reader_get_inode(dirs_.get(), out(inode)) != 0) return damaged();
      const std::string name(reinterpret_cast<const char*>(entry->name), std::size_t{entry->size} + 1);
      const std::string path = folder.path.empty() ? name : folder.path + "/" + name;
      show(path, *inode);
      const auto type = inode->base.type;
      if (type == SQFS_INODE_DIR || type == SQFS_INODE_EXT_DIR)
        waiting.push_back({path, std::move(inode), folder.depth + 1});
    }
  }

  void show(const std::string& path, const sqfs_inode_generic_t& inode) {
    std::string link;
    const auto type = inode.base.type;
    if (type == SQFS_INODE_SLINK || type == SQFS_INODE_EXT_SLINK)
      link.assign(reinterpret_cast<const char*>(inode.extra), inode.payload_bytes_used);
    visitor_.member(path, link);
    if (type == SQFS_INODE_FILE || type == SQFS_INODE_EXT_FILE) show_content(inode);
    visitor_.end_member();
  }

  /// The blocks that hold all keys and values. (libsquashfs would give them one by one, and take as much memory as a
  /// value claims to be long.)
  void show_attributes() {
    constexpr std::size_t table_head = 16, most_block = 8192;
    constexpr std::uint64_t is_plain = 0x8000;
    if ((super_.flags & SQFS_FLAG_NO_XATTRS) != 0 || super_.xattr_id_table_start == UINT64_MAX) return;
    const Bytes table = file_.whole->part(super_.xattr_id_table_start, table_head + 8);
    const std::uint64_t count = little_endian(table, 8, 4);
    if (table.size() < table_head) return damaged();
    if (count == 0) return;
    const std::uint64_t end = little_endian(table, table_head, 8);  // where the first block of its index is
    Bytes unpacked(most_block);
    for (std::uint64_t at = little_endian(table, 0, 8); at < end;) {
      const std::uint64_t head = little_endian(file_.whole->part(at, 2), 0, 2), size = head & (is_plain - 1);
      const Bytes block = file_.whole->part(at + 2, static_cast<std::size_t>(size));
      if (size == 0 || size > most_block || block.size() < size) return damaged();
      at += 2 + size;
      if ((head & is_plain) != 0) {
        visitor_.attributes(block);
        continue;
      }
      const auto made = compressor_->do_block(compressor_, block.data(), static_cast<sqfs_u32>(block.size()),
                                              unpacked.data(), static_cast<sqfs_u32>(unpacked.size()));
      if (made <= 0) return damaged();
      visitor_.attributes(View(unpacked).first(static_cast<std::size_t>(made)));
    }
  }

  void show_content(const sqfs_inode_generic_t& inode) {
    sqfs_u64 size = 0;
    if (sqfs_inode_get_file_size(&inode, &size) != 0) return damaged();
    Bytes buffer(std::size_t{256} << 10);
    for (sqfs_u64 at = 0; at < size;) {
      const auto read =
          sqfs_data_reader_read(data_.get(), &inode, at, buffer.data(), static_cast<sqfs_u32>(buffer.size()));
      if (read <= 0) return damaged();
      visitor_.data(View(buffer).first(static_cast<std::size_t>(read)));
      at += static_cast<sqfs_u64>(read);
    }
  }

  void damaged(const char* why = "damaged squashfs archive") {
    if (file_.failure) std::rethrow_exception(file_.failure);
    visitor_.unreadable(why);
  }

  File& file_;
  const sqfs_super_t& super_;
  sqfs_compressor_t* const compressor_;
  ArchiveVisitor& visitor_;
  DirReader dirs_;
  DataReader data_;
};

}  // namespace

bool read_squashfs(const Whole& whole, ArchiveVisitor& visitor) {
  File file(whole);
  sqfs_super_t super{};
  if (sqfs_super_read(&super, &file) != 0 || super.bytes_used > whole.size()) return false;
  sqfs_compressor_config_t config{};
  Compressor compressor;
  if (sqfs_compressor_config_init(&config, static_cast<SQFS_COMPRESSOR>(super.compression_id), super.block_size,
                                  SQFS_COMP_FLAG_UNCOMPRESS) != 0 ||
      sqfs_compressor_create(&config, out(compressor)) != 0)
    return false;
  const bool any = Tree(file, super, compressor.get(), visitor).walk();
  if (any && super.bytes_used < whole.size()) visitor.outside(super.bytes_used, whole.size());
  return any;
}

}  // namespace imgbuild

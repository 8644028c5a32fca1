#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "context/dockerignore.hpp"
#include "context/stage.hpp"
#include "git/repository.hpp"
#include "tar/reader.hpp"

namespace imgbuild {

struct Item;

/// Where the content of items lies. Any thread.
class Shelf {
 public:
  virtual ~Shelf() = default;
  /// Shows a file's content piece by piece, exactly item.size bytes. Throws Error "PATH: why", also where the file is
  /// not what it was when the item was made.
  virtual void read(const Item& item, const std::function<void(View)>& piece) const = 0;
};

/// Something to be staged.
struct Item {
  enum class Kind { folder, file, symlink };
  Kind kind = Kind::file;
  std::string path;   ///< in the context
  std::string shown;  ///< what findings in it call it; empty: its path
  bool executable = false;
  std::uint64_t size = 0;        ///< of a file
  std::string link;              ///< a symlink's target
  const Shelf* shelf = nullptr;  ///< a file's content
  std::string at;                ///< what the shelf knows it by, where that is not its path
  std::uint64_t device = 0, inode = 0;
  std::int64_t changed = 0, status_changed = 0;  ///< of a file on disk: its mtime and ctime, nanoseconds
};

/// An item as a tar has it, with as many bytes of content.
TarEntry member_of(const Item& item, std::uint64_t size, std::int64_t time);

/// One file that lies in memory.
class TextShelf : public Shelf {
 public:
  explicit TextShelf(std::string text) : text_(std::move(text)) {}
  void read(const Item&, const std::function<void(View)>& piece) const override { piece(view_of(text_)); }

 private:
  std::string text_;
};

/// Files of a folder on disk, by their path below it. Links are not followed.
class DiskShelf : public Shelf {
 public:
  explicit DiskShelf(const std::string& folder);
  void read(const Item& item, const std::function<void(View)>& piece) const override;
  const Fd& folder() const { return folder_; }
  /// The item at `path`, with what tells whether it changes; nullopt: neither file, folder nor link (`what` says so).
  Item item_at(int folder, const char* name, std::string path) const;

 private:
  Fd folder_;
};

/// Blobs of a repository, by their ids, as they are stored: no filter is run. Refuses what stands for a file that only
/// a filter could give (Git LFS, git-crypt).
class BlobShelf : public Shelf {
 public:
  explicit BlobShelf(std::unique_ptr<GitRepository> repository) : repository_(std::move(repository)) {}
  void read(const Item& item, const std::function<void(View)>& piece) const override;
  const GitRepository& repository() const { return *repository_; }

 private:
  std::unique_ptr<GitRepository> repository_;
};

/// What --include lets in again.
class Includes {
 public:
  explicit Includes(const std::vector<std::string>& globs);
  bool take(const std::string& path);  ///< does one match? it is then counted as used
  bool may_lie_below(const std::string& folder) const;
  void check_used() const;  ///< throws usage Error on one that matched nothing

 private:
  struct Glob {
    std::string text;
    std::string beginning;  // what every match begins with
    bool used = false;
  };
  std::vector<Glob> globs_;
};

/// What a context is made of.
struct Tree {
  std::vector<Item> items;  ///< sorted by path, folders before what lies in them
  std::vector<std::unique_ptr<Shelf>> shelves;
  std::unique_ptr<GitRepository> repository;  ///< the root's, where it lies in a git work tree
  std::string commit;                         ///< HEAD, or what --ref names; empty: none
  std::string branch;                         ///< that the commit was named by, "refs/heads/..."; empty: none
  DockerIgnore docker_ignore;
};

/// The files of a work tree as they lie there: tracked or not, but for what .dockerignore or git ignores. Submodules
/// and repositories within are looked at by their own rules. `.git` is never among them.
/// `docker`: git has no say, and the ignore rules may stand elsewhere.
Tree read_work_tree(const std::string& root, Includes includes, const DockerContext* docker = nullptr);
/// The files of a commit, of its submodules too, but for what the commit's .dockerignore ignores.
Tree read_commit(const std::string& root, const std::string& ref, Includes includes);

/// Sorts the items and adds the folders that they lie in. Throws Error where two would stand in one place.
void arrange(std::vector<Item>& items);

}  // namespace imgbuild

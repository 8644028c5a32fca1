// A work tree, walked folder by folder through descriptors, so that a link which takes a folder's place meanwhile leads
// nowhere. git is asked only about what its index does not have: a tracked file is never ignored.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.hpp"
#include "base/folder.hpp"
#include "base/interrupt.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"
#include "context/tree.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_rules = std::size_t{1} << 20;

DockerIgnore rules_of(int root) {
  const Fd file(::openat(root, ".dockerignore", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return {};
    if (errno == ELOOP) throw Error(".dockerignore: a link, which could lead anywhere", "put the file itself there");
    throw system_error(".dockerignore", errno);
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) throw Error(".dockerignore: not a file");
  std::string text(most_rules + 1, '\0');
  text.resize(read_full(file.get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, ".dockerignore"));
  if (text.size() > most_rules) throw Error(".dockerignore: larger than 1 MiB");
  return DockerIgnore::parse(text);
}

class Walk {
 public:
  Walk(std::string root, const DiskShelf& shelf, const DockerIgnore& docker, Includes& includes, bool ask_git)
      : root_(std::move(root)), shelf_(shelf), docker_(docker), includes_(includes), ask_git_(ask_git) {}

  // A folder of the tree, and what holds for all that lies in it.
  struct Folder {
    int fd;
    std::string path;                 // with a '/' at its end; empty: the root
    const GitRepository* repository;  // null: none
    std::string in_repository;        // its path there, like `path`
    bool git_ignored = false;
    bool included = false;
    DockerIgnore::Matched matched;
  };

  void walk(const Folder& folder) {
    interrupt::check();
    for (const auto& [name, type] : entries_of(folder.fd, printable(folder.path.empty() ? root_ : folder.path))) {
      if (name == ".git") continue;
      const std::string path = folder.path + name;
      Folder inner{-1, path + "/", folder.repository, folder.in_repository + name + "/", false, false, {}};
      const bool docker_ignored = docker_.ignores(path, folder.matched, inner.matched);
      inner.included = includes_.take(path) || folder.included;
      const bool is_folder = type == DT_UNKNOWN ? folder_at(folder.fd, name, path) : type == DT_DIR;
      inner.git_ignored = git_ignores(folder, name, is_folder);
      const bool left_out = !inner.included && (docker_ignored || inner.git_ignored);

      if (!is_folder) {
        if (!left_out) items.push_back(shelf_.item_at(folder.fd, name, path));
        continue;
      }
      const bool may_return = includes_.may_lie_below(path) || (!inner.git_ignored && docker_.may_return_below(path));
      if (left_out && !may_return) continue;
      // git knows no empty folders but those of submodules: a clone of a clone is the same tree.
      if (!left_out && (folder.repository == nullptr || folder.repository->tracks(folder.in_repository + name)))
        items.push_back(shelf_.item_at(folder.fd, name, path));
      const Fd opened(::openat(folder.fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!opened) {
        const Error error = system_error(printable(path), errno);
        throw Error(error.what(), "make it readable, or name it in .dockerignore");
      }
      inner.fd = opened.get();
      std::unique_ptr<GitRepository> own;
      if (ask_git_ && ::faccessat(opened.get(), ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        own = GitRepository::at(root_ + "/" + path);
        if (own) {
          inner.repository = own.get();
          inner.in_repository.clear();
        }
      }
      walk(inner);
    }
  }

  std::vector<Item> items;

 private:
  static bool folder_at(int folder, const std::string& name, const std::string& path) {
    struct stat facts {};
    if (::fstatat(folder, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) throw system_error(printable(path), errno);
    return S_ISDIR(facts.st_mode);
  }

  static bool git_ignores(const Folder& folder, const std::string& name, bool is_folder) {
    if (folder.repository == nullptr) return false;
    const std::string path = folder.in_repository + name;
    if (folder.repository->tracks(path) || (is_folder && folder.repository->tracks_below(path))) return false;
    return folder.git_ignored || folder.repository->ignores(path);
  }

  std::string root_;
  const DiskShelf& shelf_;
  const DockerIgnore& docker_;
  Includes& includes_;
  bool ask_git_;  // repositories within have a say in what lies in them
};

}  // namespace

Tree read_work_tree(const std::string& root, Includes includes, const DockerContext* docker) {
  const Owned<char, std::free> resolved(::realpath(root.c_str(), nullptr));
  if (!resolved) throw system_error(printable(root), errno);
  const std::string top = resolved.get();
  Tree tree;
  auto shelf = std::make_unique<DiskShelf>(top);
  tree.docker_ignore =
      docker != nullptr && docker->ignore ? DockerIgnore::parse(*docker->ignore) : rules_of(shelf->folder().get());

  Walk::Folder folder{shelf->folder().get(), "", nullptr, "", false, false, {}};
  tree.repository = GitRepository::discover(top);
  if (tree.repository) {
    if (top != tree.repository->work_tree()) {
      const std::string inside =
          top.substr(tree.repository->work_tree() == "/" ? 1 : tree.repository->work_tree().size() + 1);
      // A folder that git ignores as a whole (build output) is no part of the work tree: then git has no say in it.
      if (!tree.repository->tracks_below(inside) && tree.repository->ignores(inside))
        tree.repository.reset();
      else
        folder.in_repository = inside + "/";
    }
  }
  if (tree.repository) {
    if (docker == nullptr) folder.repository = tree.repository.get();
    tree.commit = tree.repository->head().value_or("");
    tree.branch = tree.repository->branch_of("HEAD");
  }

  Walk walk(top, *shelf, tree.docker_ignore, includes, docker == nullptr);
  walk.walk(folder);
  includes.check_used();
  tree.items = std::move(walk.items);
  tree.shelves.push_back(std::move(shelf));
  arrange(tree.items);
  return tree;
}

}  // namespace imgbuild

// A work tree, walked folder by folder through descriptors, so that a link which takes a folder's place meanwhile leads
// nowhere. git is asked only about what its index does not have: a tracked file is never ignored. What the files are is
// asked by a second thread while the walk goes on: that takes as long as the rest of it.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

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

using OpenFolder = std::shared_ptr<const Fd>;

// Makes items of paths, folder by folder. A failure is thrown by the next call of the walking thread, or by items().
class Items {
 public:
  explicit Items(const DiskShelf& shelf) : shelf_(shelf), thread_([this] { work(); }) {}
  Items(const Items&) = delete;
  Items& operator=(const Items&) = delete;
  ~Items() { end(); }

  void add(OpenFolder folder, std::vector<std::string> paths) {
    if (paths.empty()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || jobs_.size() < most_jobs; });
    if (failure_) std::rethrow_exception(failure_);
    jobs_.push_back({std::move(folder), std::move(paths)});
    changed_.notify_all();
  }
  /// All, in the order of the calls. Once.
  std::vector<Item> items() {
    end();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(items_);
  }

 private:
  static constexpr std::size_t most_jobs = 64;  // each holds a descriptor
  struct Job {
    OpenFolder folder;
    std::vector<std::string> paths;
  };

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return complete_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      changed_.notify_all();
      try {
        for (std::string& path : job.paths) {
          const std::string name = path.substr(path.rfind('/') + 1);
          items_.push_back(shelf_.item_at(job.folder->get(), name.c_str(), std::move(path)));
        }
      } catch (...) {
        lock.lock();
        failure_ = std::current_exception();
        changed_.notify_all();
        return;
      }
    }
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      complete_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  const DiskShelf& shelf_;
  std::vector<Item> items_;  // the thread's until it has ended
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // under mutex_, as all below
  bool complete_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses all of the above
};

class Walk {
 public:
  Walk(std::string root, const DiskShelf& shelf, const DockerIgnore& docker, Includes& includes, bool ask_git)
      : root_(std::move(root)), docker_(docker), includes_(includes), ask_git_(ask_git), items_(shelf) {}

  // A folder of the tree, and what holds for all that lies in it.
  struct Folder {
    OpenFolder fd;
    std::string path;                 // with a '/' at its end; empty: the root
    const GitRepository* repository;  // null: none
    std::string in_repository;        // its path there, like `path`
    bool git_ignored = false;
    bool included = false;
    DockerIgnore::Matched matched;
  };

  void walk(const Folder& folder) {
    interrupt::check();
    std::vector<std::string> found;
    for (const auto& [name, type] :
         entries_of(folder.fd->get(), printable(folder.path.empty() ? root_ : folder.path))) {
      if (name == ".git") continue;
      const std::string path = folder.path + name;
      Folder inner{nullptr, {}, folder.repository, {}, false, false, {}};
      const bool docker_ignored = docker_.ignores(path, folder.matched, inner.matched);
      inner.included = includes_.take(path) || folder.included;
      const bool is_folder = type == DT_UNKNOWN ? folder_at(folder.fd->get(), name, path) : type == DT_DIR;
      inner.git_ignored = git_ignores(folder, name, is_folder);
      const bool left_out = !inner.included && (docker_ignored || inner.git_ignored);

      if (!is_folder) {
        if (!left_out) found.push_back(path);
        continue;
      }
      const bool may_return = includes_.may_lie_below(path) || (!inner.git_ignored && docker_.may_return_below(path));
      if (left_out && !may_return) continue;
      // git knows no empty folders but those of submodules: a clone of a clone is the same tree.
      if (!left_out && (folder.repository == nullptr || folder.repository->tracks(folder.in_repository + name)))
        found.push_back(path);
      Fd opened(::openat(folder.fd->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!opened) {
        const Error error = system_error(printable(path), errno);
        throw Error(error.what(), "make it readable, or name it in .dockerignore");
      }
      inner.path = path + "/";
      inner.in_repository = folder.in_repository + name + "/";
      std::unique_ptr<GitRepository> own;
      if (ask_git_ && ::faccessat(opened.get(), ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        own = GitRepository::at(root_ + "/" + path);
        if (own) {
          inner.repository = own.get();
          inner.in_repository.clear();
        }
      }
      inner.fd = std::make_shared<const Fd>(std::move(opened));
      items_.add(folder.fd, std::exchange(found, {}));
      walk(inner);
    }
    items_.add(folder.fd, std::move(found));
  }

  std::vector<Item> items() { return items_.items(); }

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
  const DockerIgnore& docker_;
  Includes& includes_;
  bool ask_git_;  // repositories within have a say in what lies in them
  Items items_;
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

  Walk::Folder folder{OpenFolder(OpenFolder(), &shelf->folder()), "", nullptr, "", false, false, {}};
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
  tree.items = walk.items();
  tree.shelves.push_back(std::move(shelf));
  arrange(tree.items);
  return tree;
}

}  // namespace imgbuild

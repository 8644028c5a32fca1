// A commit as a context, without a checkout: no filter runs, no file is written, and what lies in the work tree,
// changed or not, has no part in it.
#include <sys/stat.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"
#include "context/tree.hpp"

namespace imgbuild {
namespace {

class Commit {
 public:
  Commit(Tree& tree, Includes& includes) : tree_(tree), includes_(includes) {}

  // Takes the files below `folder` ("" or "sub/") of a commit, to stand at `at`.
  void take(const BlobShelf& shelf, const std::string& commit, const std::string& folder, const std::string& at) {
    const auto files = shelf.repository().files_of(commit);
    if (at.empty()) read_rules(shelf, files, folder);
    for (const auto& file : files) {
      if (!file.path.starts_with(folder)) continue;
      const std::string path = at + file.path.substr(folder.size());
      const bool included = include(path);
      if (!included && tree_.docker_ignore.ignores(path)) {
        if (file.kind != GitFile::Kind::submodule ||
            !(includes_.may_lie_below(path) || tree_.docker_ignore.may_return_below(path)))
          continue;
      }
      interrupt::check();
      Item item;
      item.path = path;
      item.at = file.id;
      item.shelf = &shelf;
      switch (file.kind) {
        case GitFile::Kind::submodule:
          submodule(shelf, file, path);
          continue;
        case GitFile::Kind::symlink:
          item.kind = Item::Kind::symlink;
          item.link = text_of(shelf.repository().read(file.id));
          if (item.link.empty() || item.link.find('\0') != item.link.npos)
            throw Error(printable(path) + ": a link without a target");
          break;
        case GitFile::Kind::executable:
          item.executable = true;
          [[fallthrough]];
        case GitFile::Kind::file:
          item.size = shelf.repository().size_of(file.id);
          break;
      }
      tree_.items.push_back(std::move(item));
    }
  }

 private:
  void read_rules(const BlobShelf& shelf, const std::vector<GitFile>& files, const std::string& folder) {
    for (const auto& file : files)
      if (file.path == folder + ".dockerignore" && file.kind != GitFile::Kind::submodule) {
        if (file.kind == GitFile::Kind::symlink)
          throw Error(".dockerignore: a link, which could lead anywhere", "put the file itself there");
        tree_.docker_ignore = DockerIgnore::parse(text_of(shelf.repository().read(file.id)));
      }
  }

  // The path or a folder that it lies in.
  bool include(const std::string& path) {
    bool found = includes_.take(path);
    for (std::size_t cut = path.find('/'); cut != path.npos; cut = path.find('/', cut + 1))
      found = includes_.take(path.substr(0, cut)) || found;
    return found;
  }

  void submodule(const BlobShelf& shelf, const GitFile& file, const std::string& path) {
    auto repository = shelf.repository().submodule(file.path);
    if (!repository)
      throw Error(printable(path) + ": the submodule was never fetched",
                  "run `git submodule update --init --recursive`");
    auto inner = std::make_unique<BlobShelf>(std::move(repository));
    const BlobShelf& held = *inner;
    tree_.shelves.push_back(std::move(inner));
    Item folder;
    folder.kind = Item::Kind::folder;
    folder.path = path;
    tree_.items.push_back(std::move(folder));
    try {
      take(held, file.id, "", path + "/");
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      const Error outer = error.within("submodule " + printable(path));
      throw Error(outer.what(), error.hint().empty() ? "run `git submodule update --init --recursive`" : error.hint(),
                  error.status());
    }
  }

  Tree& tree_;
  Includes& includes_;
};

}  // namespace

Tree read_commit(const std::string& root, const std::string& ref, Includes includes) {
  const Owned<char, std::free> resolved(::realpath(root.c_str(), nullptr));
  if (!resolved) throw system_error(printable(root), errno);
  const std::string top = resolved.get();
  Tree tree;
  tree.repository = GitRepository::discover(top);
  if (!tree.repository) throw usage_error("--ref " + printable(ref) + ": " + printable(root) + " is no git work tree");
  const std::string& work_tree = tree.repository->work_tree();
  const std::string folder = top == work_tree ? "" : top.substr(work_tree == "/" ? 1 : work_tree.size() + 1) + "/";
  tree.commit = tree.repository->resolve(ref);
  tree.branch = tree.repository->branch_of(ref);

  auto shelf = std::make_unique<BlobShelf>(GitRepository::discover(top));
  const BlobShelf& held = *shelf;
  tree.shelves.push_back(std::move(shelf));
  Commit(tree, includes).take(held, tree.commit, folder, "");
  includes.check_used();
  arrange(tree.items);
  return tree;
}

}  // namespace imgbuild

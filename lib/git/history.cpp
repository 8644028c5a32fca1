// A `.git` made anew. What a build script asks of one (git describe, log, rev-parse, status) needs objects, HEAD, tags
// and an index; everything else in a real one is private: remotes with credentials in their URLs, http.extraHeader,
// hooks, reflogs of what was rebased away, stashes, the branches of unfinished work.
//
// The objects are found by our own walk, not libgit2's, which does not know shallow clones. They enter the pack sorted
// by id and by one thread, so that the pack's bytes depend on them alone.
#include "git/history.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "git/handles.hpp"

namespace imgbuild {
namespace {

using GitTag = Owned<git_tag, git_tag_free>;
using GitPackBuilder = Owned<git_packbuilder, git_packbuilder_free>;
using GitReferences = Owned<git_reference_iterator, git_reference_iterator_free>;

// The commits whose parents were not fetched.
std::set<std::string> shallow_commits(const std::string& common_dir) {
  std::set<std::string> commits;
  const std::string path = common_dir + "shallow";
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return commits;
  for (const auto& line : split(read_file(path), '\n'))
    if (!line.empty()) commits.emplace(trim(line));
  return commits;
}

// Walks commits and their trees, each object once.
class Reach {
 public:
  explicit Reach(const GitRepository& repository, git_repository* repo, std::set<std::string> shallow)
      : repository_(repository), repo_(repo), shallow_(std::move(shallow)) {}

  void commits(const std::string& first) {
    std::vector<std::string> waiting{first};
    while (!waiting.empty()) {
      interrupt::check();
      const std::string id = std::move(waiting.back());
      waiting.pop_back();
      if (!objects.emplace(id, GitObject{GitObject::Type::commit, id, ""}).second) continue;
      GitCommit commit;
      const git_oid oid = parse(id);
      check(git_commit_lookup(out(commit), repo_, &oid), id);
      tree(*git_commit_tree_id(commit.get()), "");
      if (shallow_.contains(id)) {
        shallow_reached.push_back(id);
        continue;
      }
      for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i)
        waiting.push_back(hex_of(*git_commit_parent_id(commit.get(), i)));
    }
  }

  std::map<std::string, GitObject> objects;
  std::vector<std::string> shallow_reached;

 private:
  void tree(const git_oid& id, const std::string& path) {
    const std::string hex = hex_of(id);
    if (!objects.emplace(hex, GitObject{GitObject::Type::tree, hex, path}).second) return;
    if (++depth_ > 4096) throw Error(printable(path) + ": folders lie too deep");
    GitTree found;
    check(git_tree_lookup(out(found), repo_, &id), hex);
    for (std::size_t i = 0; i < git_tree_entrycount(found.get()); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(found.get(), i);
      const git_oid& entry_id = *git_tree_entry_id(entry);
      const std::string entry_path = (path.empty() ? "" : path + "/") + git_tree_entry_name(entry);
      if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
        tree(entry_id, entry_path);
      else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
        objects.emplace(hex_of(entry_id), GitObject{GitObject::Type::blob, hex_of(entry_id), entry_path});
    }
    --depth_;
  }

  static git_oid parse(const std::string& hex) {
    git_oid id;
    git_oid_fromstr(&id, hex.c_str());
    return id;
  }
  void check(int result, const std::string& what) const {
    if (result >= 0) return;
    const git_error* error = git_error_last();
    throw Error(printable(repository_.work_tree()) + ": object " + what + ": " +
                    (error != nullptr ? printable(error->message) : "cannot be read"),
                "the history is not all here; fetch it whole, or stage without --with-git");
  }

  const GitRepository& repository_;
  git_repository* repo_;
  std::set<std::string> shallow_;
  int depth_ = 0;
};

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0) throw system_error(path, errno);
}

}  // namespace

GitHistory::GitHistory(const GitRepository& repository, const std::string& commit, const std::string& branch)
    : repository_(repository), commit_(commit), branch_(branch) {
  const auto& inside = *repository.inside_;
  git_repository* repo = inside.repo.get();
  Reach reach(repository, repo, shallow_commits(repository.common_dir()));
  reach.commits(commit);

  GitReferences references;
  inside.check(git_reference_iterator_glob_new(out(references), repo, "refs/tags/*"), "tags");
  for (;;) {
    GitReference reference;
    const int result = git_reference_next(out(reference), references.get());
    if (result == GIT_ITEROVER) break;
    inside.check(result, "tags");
    const git_oid* id = git_reference_target(reference.get());
    if (id == nullptr) continue;  // a symbolic one says nothing that its target does not
    // A tag may name a tag; all of the chain comes along, where it ends in the history.
    std::vector<GitObject> chain;
    git_oid at = *id;
    GitTag tag;
    while (git_tag_lookup(out(tag), repo, &at) == 0) {
      chain.push_back({GitObject::Type::tag, hex_of(at), git_reference_name(reference.get())});
      at = *git_tag_target_id(tag.get());
    }
    const auto end = reach.objects.find(hex_of(at));
    if (end == reach.objects.end() || end->second.type != GitObject::Type::commit) continue;
    tags_.push_back({git_reference_name(reference.get()), hex_of(*id), chain.empty() ? "" : hex_of(at)});
    for (auto& object : chain) reach.objects.emplace(object.id, object);
  }
  std::sort(tags_.begin(), tags_.end(), [](const Tag& a, const Tag& b) { return a.name < b.name; });
  for (auto& [id, object] : reach.objects) objects_.push_back(std::move(object));
  shallow_ = std::move(reach.shallow_reached);
  std::sort(shallow_.begin(), shallow_.end());
}

void GitHistory::write(const std::string& folder, const std::function<bool(const std::string&)>& absent) const {
  const auto& inside = *repository_.inside_;
  git_repository* repo = inside.repo.get();
  for (const char* name : {"/objects", "/objects/pack", "/objects/info", "/refs", "/refs/heads", "/refs/tags"})
    make_folder(folder + name);
  write_file(folder + "/HEAD", branch_.empty() ? commit_ + "\n" : "ref: " + branch_ + "\n");
  write_file(folder + "/config", "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n");

  std::map<std::string, std::string> refs;
  if (!branch_.empty()) refs[branch_] = commit_ + " " + branch_ + "\n";
  for (const Tag& tag : tags_)
    refs[tag.name] = tag.id + " " + tag.name + "\n" + (tag.peeled.empty() ? "" : "^" + tag.peeled + "\n");
  std::string packed = "# pack-refs with: peeled fully-peeled sorted \n";
  for (const auto& [name, line] : refs) packed += line;
  write_file(folder + "/packed-refs", packed);
  if (!shallow_.empty()) write_file(folder + "/shallow", join(shallow_, "\n") + "\n");

  GitPackBuilder pack;
  inside.check(git_packbuilder_new(out(pack), repo), "pack");
  git_packbuilder_set_threads(pack.get(), 1);
  for (const GitObject& object : objects_) {
    interrupt::check();
    const git_oid id = inside.id(object.id);
    inside.check(git_packbuilder_insert(pack.get(), &id, object.path.empty() ? nullptr : object.path.c_str()),
                 object.id);
  }
  inside.check(git_packbuilder_write(pack.get(), (folder + "/objects/pack").c_str(), 0644, nullptr, nullptr), "pack");

  // The index says what the commit has, with no times or sizes: git looks at the files and finds them as they are.
  GitIndex index;
  inside.check(git_index_open(out(index), (folder + "/index").c_str()), "index");
  for (const GitFile& file : repository_.files_of(commit_)) {
    git_index_entry entry{};
    switch (file.kind) {
      case GitFile::Kind::file:
        entry.mode = GIT_FILEMODE_BLOB;
        break;
      case GitFile::Kind::executable:
        entry.mode = GIT_FILEMODE_BLOB_EXECUTABLE;
        break;
      case GitFile::Kind::symlink:
        entry.mode = GIT_FILEMODE_LINK;
        break;
      case GitFile::Kind::submodule:
        entry.mode = GIT_FILEMODE_COMMIT;
        break;
    }
    entry.id = inside.id(file.id);
    entry.path = file.path.c_str();
    if (absent(file.path)) entry.flags_extended = GIT_INDEX_ENTRY_SKIP_WORKTREE;
    inside.check(git_index_add(index.get(), &entry), file.path);
  }
  inside.check(git_index_write(index.get()), "index");
}

}  // namespace imgbuild

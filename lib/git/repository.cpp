// Repositories through libgit2, which reads and never runs anything: no hooks, no external filters, no fsmonitor, no
// programs named in a configuration. A context may be a stranger's checkout, or (a build as root) another user's, so
// libgit2's refusal of foreign owners, meant for programs that do obey the configuration, is off.
#include "git/repository.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "git/handles.hpp"

namespace imgbuild {
namespace {

constexpr const char* mend_hint = "mend the repository, or take its .git away to stage the folder as it is";

void start_library() {
  static const bool started = [] {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    // Extensions that change nothing for a reader of objects, refs and the index.
    const char* harmless[] = {"worktreeconfig", "partialclone", "preciousobjects"};
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, harmless, std::size(harmless));
    return true;
  }();
  static_cast<void>(started);
}

std::string last_words() {
  const git_error* error = git_error_last();
  return error != nullptr && error->message != nullptr ? printable(error->message) : "failed";
}

std::string real_path(const std::string& path) {
  const Owned<char, std::free> resolved(::realpath(path.c_str(), nullptr));
  return resolved ? resolved.get() : "";
}

}  // namespace

std::string hex_of(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &id);
}

void GitRepository::Inside::check(int result, const std::string& what) const {
  if (result < 0) throw Error(printable(name) + ": " + (what.empty() ? "" : printable(what) + ": ") + last_words());
}

git_oid GitRepository::Inside::id(const std::string& hex) const {
  git_oid id;
  check(git_oid_fromstr(&id, hex.c_str()), hex);
  return id;
}

GitRepository::GitRepository(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {
  Inside& in = *inside_;
  in.check(git_repository_odb(out(in.odb), in.repo.get()));
  if (git_repository_is_bare(in.repo.get()) != 0) return;
  const char* top = git_repository_workdir(in.repo.get());
  in.work_tree = real_path(top != nullptr ? top : "");
  if (in.work_tree.empty()) throw Error(printable(in.name) + ": its work tree does not exist");
  in.check(git_repository_index(out(in.index), in.repo.get()));
}

GitRepository::~GitRepository() = default;

namespace {

// Opens; false where there is no repository.
bool open_at(GitRepo& repo, const std::string& folder, unsigned flags) {
  start_library();
  const int result = git_repository_open_ext(out(repo), folder.c_str(), flags, nullptr);
  if (result == GIT_ENOTFOUND) return false;
  if (result < 0) throw Error(printable(folder) + ": git repository: " + last_words(), mend_hint);
  return true;
}

bool lies_in(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" || (path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace

std::unique_ptr<GitRepository> GitRepository::discover(const std::string& folder) {
  struct stat facts {};
  const bool own = ::lstat((folder + "/.git").c_str(), &facts) == 0;
  auto inside = std::make_unique<Inside>();
  if (!open_at(inside->repo, folder, own ? GIT_REPOSITORY_OPEN_NO_SEARCH : 0)) {
    if (own) throw Error(printable(folder) + "/.git: leads to no repository", mend_hint);
    return nullptr;
  }
  inside->name = folder;
  std::unique_ptr<GitRepository> found(new GitRepository(std::move(inside)));
  if (found->work_tree().empty()) return nullptr;
  // core.worktree is the repository's own word; one that leads elsewhere says nothing about this folder.
  if (!lies_in(real_path(folder), found->work_tree()))
    throw Error(printable(folder) + ": its git repository names another work tree (core.worktree)",
                "run `git config --unset core.worktree` in it");
  return found;
}

std::unique_ptr<GitRepository> GitRepository::at(const std::string& folder) {
  auto found = discover(folder);
  if (found && found->work_tree() != real_path(folder))
    throw Error(printable(folder) + ": its git repository names another work tree (core.worktree)",
                "run `git config --unset core.worktree` in it");
  return found;
}

std::unique_ptr<GitRepository> GitRepository::open(const std::string& folder) {
  auto inside = std::make_unique<Inside>();
  if (!open_at(inside->repo, folder, GIT_REPOSITORY_OPEN_NO_SEARCH)) return nullptr;
  inside->name = folder;
  return std::unique_ptr<GitRepository>(new GitRepository(std::move(inside)));
}

const std::string& GitRepository::work_tree() const { return inside_->work_tree; }

std::string GitRepository::common_dir() const { return git_repository_commondir(inside_->repo.get()); }

bool GitRepository::tracks(const std::string& path) const {
  return inside_->index && git_index_find(nullptr, inside_->index.get(), path.c_str()) == 0;
}

bool GitRepository::tracks_below(const std::string& folder) const {
  const std::string prefix = folder + "/";
  return inside_->index && git_index_find_prefix(nullptr, inside_->index.get(), prefix.c_str()) == 0;
}

bool GitRepository::ignores(const std::string& path) const {
  int ignored = 0;
  inside_->check(git_ignore_path_is_ignored(&ignored, inside_->repo.get(), path.c_str()), path);
  return ignored != 0;
}

std::optional<std::string> GitRepository::head() const {
  const int unborn = git_repository_head_unborn(inside_->repo.get());
  inside_->check(unborn, "HEAD");
  if (unborn == 1) return std::nullopt;
  return resolve("HEAD");
}

std::string GitRepository::resolve(const std::string& revision) const {
  GitObjectHandle named, commit;
  const int result = git_revparse_single(out(named), inside_->repo.get(), revision.c_str());
  if (result == GIT_ENOTFOUND || result == GIT_EINVALIDSPEC)
    throw Error(printable(inside_->name) + ": no such commit: " + printable(revision),
                "`git log --all` shows what there is; a shallow clone may lack it");
  inside_->check(result, revision);
  inside_->check(git_object_peel(out(commit), named.get(), GIT_OBJECT_COMMIT), revision);
  return hex_of(*git_object_id(commit.get()));
}

std::string GitRepository::branch_of(const std::string& revision) const {
  GitReference reference;
  if (revision == "HEAD") {
    if (git_repository_head(out(reference), inside_->repo.get()) != 0) return {};
  } else if (git_reference_dwim(out(reference), inside_->repo.get(), revision.c_str()) != 0) {
    return {};
  }
  return git_reference_is_branch(reference.get()) == 1 ? git_reference_name(reference.get()) : "";
}

std::int64_t GitRepository::time_of(const std::string& commit) const {
  const git_oid id = inside_->id(commit);
  GitCommit found;
  inside_->check(git_commit_lookup(out(found), inside_->repo.get(), &id), commit);
  return git_commit_time(found.get());
}

std::vector<GitFile> GitRepository::files_of(const std::string& commit) const {
  const git_oid id = inside_->id(commit);
  GitCommit found;
  GitTree tree;
  inside_->check(git_commit_lookup(out(found), inside_->repo.get(), &id), commit);
  inside_->check(git_commit_tree(out(tree), found.get()), commit);

  struct Walk {
    std::vector<GitFile> files;
    std::exception_ptr thrown;
  } walk;
  const auto visit = [](const char* folder, const git_tree_entry* entry, void* payload) -> int {
    auto& into = *static_cast<Walk*>(payload);
    try {
      // Names that git itself refuses to check out; a made-up tree can hold them.
      const std::string_view name = git_tree_entry_name(entry);
      if (name.empty() || name == "." || name == ".." || lower(name) == ".git" || name.find('/') != name.npos)
        throw Error(printable(std::string(folder) + git_tree_entry_name(entry)) +
                    ": not a name for a file of a commit");
      if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) return 0;
      GitFile file;
      switch (git_tree_entry_filemode(entry)) {
        case GIT_FILEMODE_BLOB_EXECUTABLE:
          file.kind = GitFile::Kind::executable;
          break;
        case GIT_FILEMODE_LINK:
          file.kind = GitFile::Kind::symlink;
          break;
        case GIT_FILEMODE_COMMIT:
          file.kind = GitFile::Kind::submodule;
          break;
        default:
          break;
      }
      file.path = std::string(folder) + git_tree_entry_name(entry);
      file.id = hex_of(*git_tree_entry_id(entry));
      into.files.push_back(std::move(file));
      return 0;
    } catch (...) {
      into.thrown = std::current_exception();
      return -1;
    }
  };
  const int result = git_tree_walk(tree.get(), GIT_TREEWALK_PRE, visit, &walk);
  if (walk.thrown) std::rethrow_exception(walk.thrown);
  inside_->check(result, commit);
  std::sort(walk.files.begin(), walk.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return std::move(walk.files);
}

std::uint64_t GitRepository::size_of(const std::string& id) const {
  const std::lock_guard lock(inside_->reading);
  const git_oid wanted = inside_->id(id);
  std::size_t size = 0;
  git_object_t type{};
  inside_->check(git_odb_read_header(&size, &type, inside_->odb.get(), &wanted), id);
  return size;
}

Bytes GitRepository::read(const std::string& id) const {
  const std::lock_guard lock(inside_->reading);
  const git_oid wanted = inside_->id(id);
  GitOdbObject object;
  inside_->check(git_odb_read(out(object), inside_->odb.get(), &wanted), id);
  const auto* data = static_cast<const std::uint8_t*>(git_odb_object_data(object.get()));
  return Bytes(data, data + git_odb_object_size(object.get()));
}

std::unique_ptr<GitRepository> GitRepository::submodule(const std::string& path) const {
  if (!inside_->work_tree.empty())
    if (auto found = open(inside_->work_tree + "/" + path)) return found;
  // Not checked out, but perhaps fetched once: git keeps it by name, which is the path unless it was moved.
  return open(common_dir() + "modules/" + path);
}

}  // namespace imgbuild

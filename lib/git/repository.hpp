#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace imgbuild {

/// A file of a commit.
struct GitFile {
  enum class Kind { file, executable, symlink, submodule };
  Kind kind = Kind::file;
  std::string path;  ///< from the top of the tree, the repository's own bytes
  std::string id;    ///< of the blob; of a submodule: the commit
};

/// An object on its way out of a repository, checked against its id.
struct GitObject {
  enum class Type { commit, tree, blob, tag };
  Type type = Type::blob;
  std::string id;    ///< 40 hex digits
  std::string path;  ///< of a blob or tree: one path that it has, or had
};

/// A git repository, read. Nothing of it is ever run: no hook, no filter, no fsmonitor; and it may belong to anybody
/// (owner validation is off). Throws Error "REPOSITORY: why"; one thread at a time but for read().
class GitRepository {
 public:
  /// The repository whose work tree holds `folder`; null where there is none. A `.git` that leads nowhere is an error:
  /// what is ignored cannot be told.
  static std::unique_ptr<GitRepository> discover(const std::string& folder);
  /// The repository whose work tree `folder` is the top of, which has a `.git`; null where that is a bare one.
  static std::unique_ptr<GitRepository> at(const std::string& folder);
  /// The repository at `folder`: a work tree, a git directory, or where a `.git` file leads. Null: none is there.
  static std::unique_ptr<GitRepository> open(const std::string& folder);
  ~GitRepository();

  /// The top of the work tree, absolute, links resolved, without a '/' at its end; empty for a bare repository.
  const std::string& work_tree() const;
  /// The git directory that all work trees share, with a '/' at its end.
  std::string common_dir() const;

  // Paths here are relative to the work tree.
  bool tracks(const std::string& path) const;          ///< a file or submodule of the index
  bool tracks_below(const std::string& folder) const;  ///< something of the index lies in it
  bool ignores(const std::string& path) const;         ///< .gitignore, info/exclude, core.excludesFile; tracked or not

  std::optional<std::string> head() const;  ///< the commit; nullopt before the first one
  /// The commit that a branch, tag, id or other revision names.
  std::string resolve(const std::string& revision) const;
  /// "refs/heads/main" where that is what `revision` ("HEAD" too) names, else empty.
  std::string branch_of(const std::string& revision) const;
  std::int64_t time_of(const std::string& commit) const;  ///< the committer's
  /// All files of a commit, sorted by path. Submodules are not looked into.
  std::vector<GitFile> files_of(const std::string& commit) const;
  std::uint64_t size_of(const std::string& id) const;  ///< of a blob, bytes; any thread
  /// An object's content, whole, as it is stored: no filter is applied. Any thread.
  Bytes read(const std::string& id) const;
  /// The submodule at `path` of this one's tree, wherever its repository is; null where it was never fetched.
  std::unique_ptr<GitRepository> submodule(const std::string& path) const;

 private:
  friend class GitHistory;
  struct Inside;
  explicit GitRepository(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace imgbuild

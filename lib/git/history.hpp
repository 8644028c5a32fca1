#pragma once
#include <functional>
#include <string>
#include <vector>

#include "git/repository.hpp"

namespace imgbuild {

/// A commit and all that can be reached from it, to be given away: a `.git` made anew, without configuration, remotes,
/// hooks, reflogs, stashes and other branches. Tags that point into the history come along (`git describe`); a shallow
/// clone stays shallow. The same commit and tags give the same bytes.
class GitHistory {
 public:
  /// `branch`: what HEAD is on ("refs/heads/main"); empty: detached. The repository must outlive this.
  GitHistory(const GitRepository& repository, const std::string& commit, const std::string& branch);

  /// Every object that write() would give away, sorted by id. To be looked at first.
  const std::vector<GitObject>& objects() const { return objects_; }

  /// Writes the content of the `.git` folder below `folder`, which exists. `absent`: is a path of the commit left out
  /// of the work tree on purpose? git is then told not to miss it. Throws Error.
  void write(const std::string& folder, const std::function<bool(const std::string&)>& absent) const;

 private:
  struct Tag {
    std::string name, id, peeled;  // refs/tags/NAME, what it names, and the commit where that is a tag object
  };
  const GitRepository& repository_;
  std::string commit_, branch_;
  std::vector<GitObject> objects_;
  std::vector<Tag> tags_;
  std::vector<std::string> shallow_;
};

}  // namespace imgbuild

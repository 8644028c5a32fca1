#pragma once
// What lib/git keeps to itself: libgit2's handles, and its errors as ours. Not to be included from elsewhere.
#include <git2.h>

#include <mutex>
#include <string>

#include "base/owned.hpp"
#include "git/repository.hpp"

namespace imgbuild {

using GitRepo = Owned<git_repository, git_repository_free>;
using GitIndex = Owned<git_index, git_index_free>;
using GitObjectHandle = Owned<git_object, git_object_free>;
using GitCommit = Owned<git_commit, git_commit_free>;
using GitTree = Owned<git_tree, git_tree_free>;
using GitReference = Owned<git_reference, git_reference_free>;
using GitOdb = Owned<git_odb, git_odb_free>;
using GitOdbObject = Owned<git_odb_object, git_odb_object_free>;

struct GitRepository::Inside {
  GitRepo repo;
  GitIndex index;  // empty where bare
  GitOdb odb;
  std::string name;  // for messages
  std::string work_tree;
  mutable std::mutex reading;

  /// Throws Error "NAME: WHAT: libgit2's words" where a call failed; their interrupting callbacks aside.
  void check(int result, const std::string& what = {}) const;
  git_oid id(const std::string& hex) const;
};

std::string hex_of(const git_oid& id);

}  // namespace imgbuild

#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "context/seen.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

/// From a work tree to a credential-free, canonical tar.
namespace imgbuild {

/// A context for an engine's own builder: what `docker build` would send. git's ignore rules have no say in it.
struct DockerContext {
  std::string dockerfile;             ///< its path in the context; empty: it lies elsewhere
  std::string shown;                  ///< what it is called where it is not found in the context
  std::string text;                   ///< what stands in it: staged as it was read, also where it is ignored
  std::optional<std::string> ignore;  ///< what stands in its own `.dockerignore`, which then counts alone
};

struct StageOptions {
  std::string root;                  ///< the tree
  std::string ref;                   ///< --ref: stage a commit instead of the work tree
  std::vector<std::string> include;  ///< --include globs: over ignore rules, never over a scrub
  bool with_git = false;             ///< --with-git: a synthetic .git
  std::shared_ptr<const Scanner> scanner;
  Vault* vault = nullptr;  ///< withheld values join it; never null
  Policy policy;           ///< allow-entries let a refused file through
  std::optional<DockerContext> docker;
  SeenFiles* seen = nullptr;  ///< null: every file is looked at. So it is where values are in the vault
  bool later = false;         ///< of a tree that is as it was when it was staged before the tar is not made: need_tar()
  /// The folder that the tar will get a name in; empty: none. It lies there then, where that can be, so that linkat(2)
  /// can give it one, with the mode that a new file has.
  std::string folder;
};

struct Tree;

/// A staged context. Its bytes live in an unnamed file, or in memory when small.
struct Context {
  Fd tar;                               ///< positioned at 0; no secret is in it. Perhaps none yet: need_tar()
  std::string digest;                   ///< "sha256:..." of the tar
  TarSeal seal;                         ///< of the same
  std::uint64_t files = 0, bytes = 0;   ///< regular files; bytes of the tar
  std::uint64_t seen_before = 0;        ///< files that were not looked at again
  std::int64_t time = 0;                ///< mtime of every entry
  std::string dockerfile;               ///< StageOptions::docker: where it stands in the tar
  std::vector<Withheld> withheld;       ///< what was left out (and, where refused, why nothing was made)
  std::vector<Finding> allowed, notes;  ///< staged all the same, and why
  std::shared_ptr<const Tree> tree;     ///< where there is no tar yet: what it is to be made of
  bool refused() const;                 ///< a refusal is among `withheld`: there is no tar
};

/// Stages. Throws Error on a tree that cannot be read, a socket or device in it, a file that changes meanwhile.
Context stage(const StageOptions& options);

/// Makes the tar where stage() did not, by the same options. Throws as that does, and where the tree has changed
/// meanwhile.
void need_tar(Context& context, const StageOptions& options);

}  // namespace imgbuild

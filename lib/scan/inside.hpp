#pragma once
#include <hs/hs.h>
#include <re2/re2.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/owned.hpp"
#include "scan/anchors.hpp"
#include "scan/globs.hpp"
#include "scan/pack.hpp"
#include "scan/scanner.hpp"

namespace imgbuild {

/// A place where the first stage says that a pattern may be.
struct Candidate {
  std::uint32_t anchor;
  std::size_t at;
};

/// What one look needs and the next can use again.
struct Workspace {
  Owned<hs_scratch_t, hs_free_scratch> scratch;
  std::vector<Candidate> candidates;
};

/// What a Scanner is made of. Const but for the pool and the patterns compiled on first use; any thread.
struct Scanner::Inside {
  Inside(Knowledge known, Owned<hs_database_t, hs_free_database> (*load)(const ScanPlan&));

  /// RE2 of a pattern, compiled when it is first needed: most never are.
  const RE2& regex(std::uint32_t pattern) const;
  /// The same without_border() (borders.hpp).
  const RE2& borderless(std::uint32_t pattern) const;
  /// A workspace of nobody else's; give it back.
  std::unique_ptr<Workspace> borrow() const;
  void give_back(std::unique_ptr<Workspace> workspace) const;

  std::vector<Rule> rules;
  ScanPlan plan;
  std::string digest;
  Owned<hs_database_t, hs_free_database> database;  ///< null where no rule has an anchor
  std::vector<std::uint32_t> everywhere;            ///< patterns that are tried at each byte of the files they name
  RuleGlobs globs;
  std::vector<std::uint8_t> rank;  ///< by rule: gives way to one of a lower rank; 0: to none
  std::vector<bool> own_secret;    ///< by rule: takes_its_own_secret(proof)

 private:
  struct Compiled {
    std::once_flag once, borderless_once;
    std::unique_ptr<RE2> regex, borderless;
  };
  mutable std::unique_ptr<Compiled[]> regexes_;  // by pattern
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> spare_;
};

}  // namespace imgbuild

#pragma once
#include <re2/re2.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

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

/// What a Scanner is made of. Const but for the patterns compiled on first use; any thread.
struct Scanner::Inside {
  explicit Inside(Knowledge known);

  /// RE2 of a pattern, compiled when it is first needed: most never are.
  const RE2& regex(std::uint32_t pattern) const;
  /// The same without_border() (borders.hpp).
  const RE2& borderless(std::uint32_t pattern) const;

  std::vector<Rule> rules;
  ScanPlan plan;
  std::string digest;
  Words words;                            ///< of the plan
  std::vector<std::uint32_t> everywhere;  ///< patterns that are tried at each byte of the files they name
  RuleGlobs globs;
  std::vector<std::uint8_t> rank;  ///< by rule: gives way to one of a lower rank; 0: to none
  std::vector<bool> own_secret;    ///< by rule: takes_its_own_secret(proof)

 private:
  struct Compiled {
    std::once_flag once, borderless_once;
    std::unique_ptr<const RE2> regex, borderless;
  };
  mutable std::unique_ptr<Compiled[]> regexes_;  // by pattern
};

}  // namespace imgbuild

#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "scan/rule.hpp"

namespace imgbuild {

/// The `path` globs of all rules, held against a path at once. Looks into the rules: they outlive it, where they are.
class RuleGlobs {
 public:
  explicit RuleGlobs(const std::vector<Rule>& rules);

  /// Positions of the rules, one of whose globs takes the path; ascending.
  std::vector<std::uint32_t> taking(std::string_view path) const;

 private:
  struct Glob {
    std::string_view text, tail;  // tail: what is behind the last wildcard, which the path must end in
    std::string_view word;        // what the path must hold
    std::uint32_t rule;
  };
  struct List {
    std::vector<std::array<std::uint16_t, 2>> grams;  // of each glob, what its path has two of; see globs.cpp
    std::vector<Glob> globs;
  };
  std::array<List, 256> by_last_byte_;
  List without_tail_;
};

/// Does each glob of the rule hold a name ("**/.npmrc", "**/asterisk/**/*.conf"), or an ending that few files have?
bool names_files(const Rule& rule);

}  // namespace imgbuild

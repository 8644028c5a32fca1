#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/verdict.hpp"

namespace imgbuild {

class Exceptions;

/// What the stager does with a file of the context in which a rule found something.
enum class Scrub { line, file, refuse };  // from the mildest to the strictest

/// One kind of credential, as its family's TOML file says it (design section 7; README, "How to add a family").
struct Rule {
  std::string id;                 ///< "npm.access-token": family.thing, unique, never renamed
  std::string says;               ///< what it is and what its holder can do, one line
  std::vector<std::string> see;   ///< where the format is documented
  std::vector<std::string> text;  ///< RE2 patterns; group 1 (else the whole match) is the secret; bounded width
  std::vector<std::string> path;  ///< globs over the path: with `text`, where to look; alone, the name gives it away
  std::vector<std::string> near;  ///< words, one of which must stand within 96 bytes of the match (caseless)
  double entropy = 0;             ///< least bits per character of the secret; 0: not asked
  std::string proof;              ///< a check in code, from the closed set of proof.hpp; empty: none
  Scrub scrub = Scrub::refuse;
  Severity severity = Severity::high;
  std::string rotate;
  std::string fix;                           ///< what to do instead, one sentence; empty: a general one
  std::vector<std::string> leak, safe;       ///< examples; `{{}}` in them is nothing. Of a path-only rule: paths
  std::string family;                        ///< the file's name without .toml
  std::shared_ptr<const Exceptions> except;  ///< of a rule of gitleaks: where it is not meant (except.hpp)
};

/// Reads one family (TOML). Throws usage Error "FILE: rule ID: what" on anything malformed or unknown, on a rule
/// without a `leak` and a `safe` example, on a pattern that RE2 refuses or whose width is not bounded. A configuration
/// of gitleaks is read as gitleaks.hpp says; its rules have no examples.
std::vector<Rule> read_rules(std::string_view toml, const std::string& file);

/// All rules that are compiled in, in the order of their ids.
const std::vector<Rule>& builtin_rules();

/// What an example does: every `leak` must be found by its rule, no `safe` may be. One line per failure; empty: good.
std::vector<std::string> check_examples(const std::vector<Rule>& rules);

}  // namespace imgbuild

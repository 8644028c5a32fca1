#pragma once
#include <toml++/toml.h>

#include <string>
#include <vector>

#include "scan/rule.hpp"

namespace imgbuild {

/// Is a document a configuration of gitleaks? Its rules are `[[rules]]`; without any it has [extend] or an allowlist.
bool is_gitleaks(const toml::table& document);

/// Its rules as ours: gitleaks.ID, without examples, severity high. What an unbounded repetition may take at most is
/// 256 bytes, less where repetitions are nested. Of `keywords` one must be near (64 bytes) where nothing in the pattern
/// is rare enough to look for. `[extend] path` is read too, from the working directory, two deep as gitleaks does;
/// `useDefault` adds nothing, for our own rules are there. Allowlists: paths, regexes, stopwords; `commits` say nothing
/// of files. Source: gitleaks' README, "Configuration". Throws usage Error "FILE: rule ID: what". Room-internal.
std::vector<Rule> gitleaks_rules(const toml::table& document, const std::string& file, int depth = 0);

}  // namespace imgbuild

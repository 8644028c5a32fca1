// Nearly every glob of a rule ends in a name or in an extension, and nearly every path in none of them: the last byte
// and the tail say so at once.
#include "scan/globs.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {

RuleGlobs::RuleGlobs(const std::vector<Rule>& rules) {
  for (std::uint32_t r = 0; r < rules.size(); ++r)
    for (const std::string_view glob : rules[r].path) {
      const std::size_t wild = glob.find_last_of("*?[]{}\\");
      const std::string_view behind = wild == std::string_view::npos ? glob : glob.substr(wild + 1);
      // "**/" matches nothing at all, too.
      const std::string_view tail = behind.size() < glob.size() && behind.starts_with("/") ? behind.substr(1) : behind;
      auto& list = tail.empty() ? without_tail_ : by_last_byte_[static_cast<std::uint8_t>(tail.back())];
      list.push_back({glob, tail, r});
    }
}

std::vector<std::uint32_t> RuleGlobs::taking(std::string_view path) const {
  std::vector<std::uint32_t> rules;
  const auto ask = [&](const std::vector<Glob>& globs) {
    for (const auto& glob : globs)
      if (path.ends_with(glob.tail) && (rules.empty() || rules.back() != glob.rule) && glob_matches(glob.text, path))
        rules.push_back(glob.rule);
  };
  if (!path.empty()) ask(by_last_byte_[static_cast<std::uint8_t>(path.back())]);
  ask(without_tail_);
  std::sort(rules.begin(), rules.end());
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  return rules;
}

bool names_files(const Rule& rule) {
  return !rule.path.empty() && std::all_of(rule.path.begin(), rule.path.end(), [](const std::string_view glob) {
    const std::size_t slash = glob.rfind('/');
    return glob.substr(slash == std::string_view::npos ? 0 : slash + 1).find_first_of("*?[]{}\\") ==
           std::string_view::npos;
  });
}

}  // namespace imgbuild

// Nearly every glob of a rule ends in a name or in an extension, and nearly every path in none of them: the last byte
// and the tail say so at once. The others, and those that end as many paths do ("**/.config/x/*.json"), have some other
// word that a path must hold.
#include "scan/globs.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::string_view wildcards = "*?[]{}\\";

// The longest text that stands in every path that the glob takes, but for slashes at its ends ("**/" matches nothing at
// all, too). Empty where alternatives or escapes would have to be read.
std::string_view word_of(std::string_view glob) {
  if (glob.find_first_of("[]{}\\") != std::string_view::npos) return {};
  std::string_view longest;
  while (!glob.empty()) {
    std::string_view word = glob.substr(0, glob.find_first_of(wildcards));
    glob.remove_prefix(std::min(word.size() + 1, glob.size()));
    while (word.starts_with('/')) word.remove_prefix(1);
    while (word.ends_with('/')) word.remove_suffix(1);
    if (word.size() > longest.size()) longest = word;
  }
  return longest;
}

}  // namespace

RuleGlobs::RuleGlobs(const std::vector<Rule>& rules) {
  for (std::uint32_t r = 0; r < rules.size(); ++r)
    for (const std::string_view glob : rules[r].path) {
      const std::size_t wild = glob.find_last_of(wildcards);
      const std::string_view behind = wild == std::string_view::npos ? glob : glob.substr(wild + 1);
      const std::string_view tail = behind.size() < glob.size() && behind.starts_with("/") ? behind.substr(1) : behind;
      auto& list = tail.empty() ? without_tail_ : by_last_byte_[static_cast<std::uint8_t>(tail.back())];
      list.push_back({glob, tail, word_of(glob), r});
    }
}

std::vector<std::uint32_t> RuleGlobs::taking(std::string_view path) const {
  std::vector<std::uint32_t> rules;
  const auto ask = [&](const std::vector<Glob>& globs) {
    for (const auto& glob : globs)
      if (path.ends_with(glob.tail) && (rules.empty() || rules.back() != glob.rule) &&
          path.find(glob.word) != std::string_view::npos && glob_matches(glob.text, path))
        rules.push_back(glob.rule);
  };
  if (!path.empty()) ask(by_last_byte_[static_cast<std::uint8_t>(path.back())]);
  ask(without_tail_);
  std::sort(rules.begin(), rules.end());
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  return rules;
}

namespace {

// A file's name, a folder's, or most of one: "**/asterisk/**/*.conf", "**/*bitwarden*.csv"; or how few files end.
bool names_something(std::string_view glob) {
  static constexpr std::string_view common[] = {
      ".c",          ".cc",   ".cfg", ".conf", ".config", ".cpp",  ".cs", ".css", ".csv", ".go",  ".h",    ".html",
      ".ini",        ".java", ".js",  ".json", ".key",    ".log",  ".md", ".pem", ".php", ".pl",  ".py",   ".rb",
      ".properties", ".rs",   ".sh",  ".sql",  ".tf",     ".toml", ".ts", ".tsv", ".txt", ".xml", ".yaml", ".yml"};
  constexpr std::size_t enough = 3;
  const std::string_view name = glob.substr(glob.rfind('/') == std::string_view::npos ? 0 : glob.rfind('/') + 1);
  if (name.starts_with("*.") && name.size() > 3 && name.find_first_of("*?[{", 1) == std::string_view::npos &&
      std::find(std::begin(common), std::end(common), name.substr(1)) == std::end(common))
    return true;
  for (std::size_t at = 0; at < glob.size();) {
    const std::size_t end = std::min(glob.find('/', at), glob.size());
    const std::string_view part = glob.substr(at, end - at);
    at = end + 1;
    std::size_t known = 0;
    bool in_set = false;
    for (std::size_t i = part.starts_with("*.") ? part.find_first_of("*?[{", 1) : 0; i < part.size(); ++i) {
      in_set = part[i] == '[' || (in_set && part[i] != ']');
      known += !in_set && std::string_view("*?]{},\\").find(part[i]) == std::string_view::npos;
    }
    if (known >= enough) return true;
  }
  return false;
}

}  // namespace

bool names_files(const Rule& rule) {
  return !rule.path.empty() && std::all_of(rule.path.begin(), rule.path.end(), names_something);
}

}  // namespace imgbuild

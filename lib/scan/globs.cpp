// Nearly every glob of a rule ends in a name or in an extension, and nearly every path in none of them. The globs of a
// path's last byte are asked by two of the four-byte texts that the path must hold (of its longest word, be it
// "docker-compose.y" or "/.config/x/"), which are two bits of a set made of the path once.
#include "scan/globs.hpp"

#include <algorithm>
#include <bitset>
#include <cstring>

#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::string_view wildcards = "*?[]{}\\";

// The longest text that stands in every path that the glob takes, but for slashes at its ends ("**/" matches nothing at
// all, too). Empty where escapes, or sets that begin with what is special in them, would have to be read.
std::string_view word_of(std::string_view glob) {
  for (const std::string_view hard : {"{", "}", "\\", "[!", "[^", "[]"})
    if (glob.find(hard) != std::string_view::npos) return {};
  std::string_view longest;
  while (!glob.empty()) {
    std::string_view word = glob.substr(0, glob.find_first_of(wildcards));
    const bool set = word.size() < glob.size() && glob[word.size()] == '[';
    const std::size_t behind = set ? glob.find(']', word.size()) : word.size();
    glob.remove_prefix(std::min(behind, glob.size() - 1) + 1);
    while (word.starts_with('/')) word.remove_prefix(1);
    while (word.ends_with('/')) word.remove_suffix(1);
    if (word.size() > longest.size()) longest = word;
  }
  return longest;
}

// Four bytes side by side as one of a few thousand numbers; two texts may share one. 0 is no text's.
constexpr unsigned gram_bits = 12;
std::uint16_t gram_at(std::string_view text, std::size_t at) {
  std::uint32_t four = 0;
  std::memcpy(&four, text.data() + at, sizeof four);
  return static_cast<std::uint16_t>(1 + (four * 2654435761u >> (32 - gram_bits)));
}
using Grams = std::bitset<(std::size_t{1} << gram_bits) + 1>;

// Two that stand in every path which holds the text; 0 where it is too short for any.
std::array<std::uint16_t, 2> grams_of(std::string_view text) {
  if (text.size() < 4) return {0, 0};
  return {gram_at(text, 0), gram_at(text, text.size() / 2 - 2)};
}

}  // namespace

RuleGlobs::RuleGlobs(const std::vector<Rule>& rules) {
  for (std::uint32_t r = 0; r < rules.size(); ++r)
    for (const std::string_view glob : rules[r].path) {
      const std::size_t wild = glob.find_last_of(wildcards);
      const std::string_view behind = wild == std::string_view::npos ? glob : glob.substr(wild + 1);
      const std::string_view tail = behind.size() < glob.size() && behind.starts_with("/") ? behind.substr(1) : behind;
      auto& list = tail.empty() ? without_tail_ : by_last_byte_[static_cast<std::uint8_t>(tail.back())];
      const std::string_view word = word_of(glob);
      list.globs.push_back({glob, tail, word, r});
      list.grams.push_back(grams_of(word.size() < tail.size() ? tail : word));
    }
}

std::vector<std::uint32_t> RuleGlobs::taking(std::string_view path) const {
  std::vector<std::uint32_t> rules;
  Grams held;
  held.set(0);
  for (std::size_t at = 0; at + 4 <= path.size(); ++at) held.set(gram_at(path, at));
  const auto ask = [&](const List& list) {
    for (std::size_t i = 0; i < list.grams.size(); ++i) {
      if (!held[list.grams[i][0]] || !held[list.grams[i][1]]) continue;
      const Glob& glob = list.globs[i];
      if (path.ends_with(glob.tail) && (rules.empty() || rules.back() != glob.rule) &&
          path.find(glob.word) != std::string_view::npos && glob_matches(glob.text, path))
        rules.push_back(glob.rule);
    }
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

// Rules are data, and their examples are their tests: what users run as `imgbuild rules check`, and our own build too.
#include <algorithm>

#include "base/text.hpp"
#include "scan/rule.hpp"
#include "scan/scanner.hpp"

namespace imgbuild {
namespace {

// A path that a glob takes, for examples of rules that look in certain files only.
std::string path_for(const std::string& glob) {
  std::string path;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    if (glob.compare(i, 3, "**/") == 0) {
      i += 2;
    } else if (glob[i] == '*') {
      while (i + 1 < glob.size() && glob[i + 1] == '*') ++i;
      path += 'x';
    } else if (glob[i] == '?') {
      path += 'x';
    } else if (glob[i] == '[') {
      const std::size_t end = glob.find(']', i + 2);
      path += i + 1 < glob.size() ? glob[i + 1] : 'x';
      if (end == std::string::npos) break;
      i = end;
    } else if (glob[i] == '\\' && i + 1 < glob.size()) {
      path += glob[++i];
    } else {
      path += glob[i];
    }
  }
  return path;
}

}  // namespace

std::vector<std::string> check_examples(const std::vector<Rule>& rules) {
  const auto scanner = Scanner::of(rules);
  std::vector<std::string> failures;
  for (const Rule& rule : scanner->rules()) {
    const bool name_alone = rule.text.empty();
    const std::string path = rule.path.empty() ? "" : path_for(rule.path.front());
    const auto found = [&](const std::string& example) {
      const auto hits =
          name_alone ? scanner->scan_name(example) : scanner->scan(view_of(example), {path, nullptr, nullptr});
      return std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.rule == &rule; });
    };
    for (std::size_t i = 0; i < rule.leak.size(); ++i)
      if (!found(rule.leak[i])) failures.push_back(rule.id + ": leak " + std::to_string(i + 1) + " is not found");
    for (std::size_t i = 0; i < rule.safe.size(); ++i)
      if (found(rule.safe[i])) failures.push_back(rule.id + ": safe " + std::to_string(i + 1) + " is found");
  }
  return failures;
}

}  // namespace imgbuild

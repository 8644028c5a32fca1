// gitleaks' rules are for Go's regular expressions, which are RE2's; what is different is that theirs may be as wide as
// they like, that the secret may be in any group, and that they say where they are not meant.
#include "scan/gitleaks.hpp"

#include <algorithm>
#include <optional>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "scan/anchors.hpp"
#include "scan/except.hpp"
#include "scan/letters.hpp"
#include "scan/regex.hpp"
#include "scan/toml_table.hpp"

namespace imgbuild {
namespace {

constexpr int most_depth = 2;

std::string id_of(std::string_view id) {
  std::string out = "gitleaks.";
  for (const char c : lower(id)) {
    if (is_alphanumeric(c))
      out += c;
    else if (out.back() != '-' && out.back() != '.')
      out += '-';
  }
  while (out.back() == '-') out.pop_back();
  return out;
}

// The pattern with every repetition bounded, and no group captured but the `group`th (0: as they are).
std::string rewritten(std::string_view pattern, int bound, int group) {
  std::string out;
  const std::string most = std::to_string(bound);
  bool in_class = false;
  int groups = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && pattern.substr(i, 2) == "\\Q") {
      const std::size_t end = std::min(pattern.find("\\E", i), pattern.size());
      out += pattern.substr(i, end + 2 - i);
      i = end + 1;
    } else if (c == '\\' && i + 1 < pattern.size()) {
      out += c;
      out += pattern[++i];
    } else if (in_class) {
      if (pattern.substr(i, 2) == "[:") {
        const std::size_t end = std::min(pattern.find(":]", i), pattern.size() - 1);
        out += pattern.substr(i, end + 1 - i);
        i = end;
        continue;
      }
      in_class = c != ']';
      out += c;
    } else if (c == '[') {
      in_class = true;
      out += c;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out += pattern[++i];
    } else if (c == '*' || c == '+') {
      out += (c == '*' ? "{0," : "{1,") + most + "}";
    } else if (c == '{') {
      const std::size_t end = pattern.find('}', i);
      const std::string_view body = pattern.substr(i + 1, end == std::string_view::npos ? 0 : end - i - 1);
      const std::string_view least = body.substr(0, body.find(','));
      out += c;
      if (body.size() >= 2 && body.back() == ',' && std::all_of(least.begin(), least.end(), is_digit)) {
        out += body;
        out += std::to_string(std::max(bound, std::atoi(std::string(least).c_str())));  // NOLINT: RE2 judges it
        i = end - 1;
      }
    } else if (c == '(' && (pattern.substr(i + 1, 1) != "?" || pattern.substr(i + 1, 3) == "?P<")) {
      ++groups;
      if (group == 0 || groups == group) {
        out += c;
        continue;
      }
      out += "(?:";
      if (pattern.substr(i + 1, 3) == "?P<") i = std::min(pattern.find('>', i), pattern.size() - 1);
    } else {
      out += c;
    }
  }
  return out;
}

struct Allowlist {
  Exceptions::Allowed allowed;
  std::vector<std::string> targets;  // rules; none: all
};

std::vector<Allowlist> allowlists(const TomlTable& table) {
  std::vector<Allowlist> all;
  for (const char* key : {"allowlist", "allowlists"})
    for (const TomlTable& from : table.tables(key)) {
      from.only({"description", "condition", "commits", "paths", "regexes", "regexTarget", "stopwords", "targetRules"});
      Allowlist list;
      list.allowed.paths = from.texts("paths");
      list.allowed.regexes = from.texts("regexes");
      list.allowed.stopwords = from.texts("stopwords");
      list.targets = from.texts("targetRules");
      const std::string condition = lower(from.text("condition")), target = from.text("regexTarget");
      if (!condition.empty() && condition != "or" && condition != "and" && condition != "||" && condition != "&&")
        throw from.wrong("`condition` is neither OR nor AND");
      list.allowed.all = condition == "and" || condition == "&&";
      // Of a commit nothing is known here: with AND it never fits.
      if (list.allowed.all && !from.texts("commits").empty()) continue;
      if (target == "match")
        list.allowed.target = Exceptions::Target::match;
      else if (target == "line")
        list.allowed.target = Exceptions::Target::line;
      else if (!target.empty() && target != "secret")
        throw from.wrong("`regexTarget` is none of secret, match, line");
      all.push_back(std::move(list));
    }
  return all;
}

// The pattern as narrow as it must be for us. Throws what RE2 or the plan has against it.
void fit(Rule& rule, const std::string& pattern, int group, const std::vector<std::string>& keywords,
         const TomlTable& table) {
  const RE2 as_written(pattern, regex_options());
  // A pattern that is too large as it stands may do once it is bounded; what is wrong with it otherwise stays wrong.
  if (!as_written.ok() && as_written.error_code() != RE2::ErrorPatternTooLarge &&
      as_written.error_code() != RE2::ErrorRepeatSize)
    throw table.wrong("regex: " + printable(as_written.error()));
  if (group > as_written.NumberOfCapturingGroups())
    throw table.wrong("no group " + std::to_string(group) + " in `regex`");
  std::string why;
  for (const int bound : {256, 64, 16, 4}) {
    rule.text = {rewritten(pattern, bound, group)};
    const RE2 regex(rule.text[0], regex_options());
    why = regex.ok() ? "" : printable(regex.error());
    for (const bool near : {false, true}) {
      if (!regex.ok()) break;
      rule.near = near ? keywords : std::vector<std::string>{};
      try {
        const ScanPlan plan(std::vector<Rule>{rule});
        return;
      } catch (const Error& error) {
        const std::string_view what(error.what());
        why = what.substr(std::min(what.size(), what.rfind(": ") == std::string_view::npos ? 0 : what.rfind(": ") + 2));
        if (near || keywords.empty() || why.find("rare enough") == std::string::npos) break;
      }
    }
    if (why.find("rare enough") != std::string::npos) break;
  }
  throw table.wrong("regex: " + why);
}

std::optional<Rule> rule_of(const TomlTable& table, const std::vector<Allowlist>& global, const std::string& id) {
  table.only({"id", "description", "regex", "secretGroup", "entropy", "keywords", "path", "tags", "allowlist",
              "allowlists", "skipReport"});
  if (const auto* skipped = table.table().get("skipReport"); skipped != nullptr && skipped->value_or(false)) return {};
  Rule rule;
  rule.family = "gitleaks";
  rule.id = id_of(id);
  rule.says = table.text("description");
  if (rule.says.empty()) rule.says = printable(id) + ", as a rule of gitleaks has it";
  rule.entropy = table.number("entropy", 8);
  std::vector<std::string> keywords = table.texts("keywords");
  keywords.erase(std::remove_if(keywords.begin(), keywords.end(),
                                [](const std::string& word) { return word.size() < 3 || word.size() > 64; }),
                 keywords.end());
  std::vector<Exceptions::Allowed> allowed;
  for (auto& list : allowlists(table)) allowed.push_back(std::move(list.allowed));
  for (const auto& list : global)
    if (list.targets.empty() || std::find(list.targets.begin(), list.targets.end(), id) != list.targets.end())
      allowed.push_back(list.allowed);
  const std::string path = table.text("path"), pattern = table.text("regex");
  if (pattern.empty() && path.empty()) throw table.wrong("neither `regex` nor `path`");
  try {
    if (!path.empty() || !allowed.empty()) rule.except = std::make_shared<const Exceptions>(path, std::move(allowed));
  } catch (const Error& error) {
    throw table.wrong(error.what());
  }
  if (pattern.empty())
    rule.path = {"**/*"};
  else
    fit(rule, pattern, static_cast<int>(table.number("secretGroup", 99)), keywords, table);
  return rule;
}

}  // namespace

bool is_gitleaks(const toml::table& document) {
  return document.contains("rules") || document.contains("extend") || document.contains("allowlist") ||
         document.contains("allowlists");
}

std::vector<Rule> gitleaks_rules(const toml::table& document, const std::string& file, int depth) {
  const TomlTable top(document, file);
  top.only({"title", "description", "minVersion", "extend", "rules", "allowlist", "allowlists"});
  std::vector<Rule> rules;
  const auto global = allowlists(top);
  for (const TomlTable& extend : top.tables("extend")) {
    extend.only({"path", "useDefault", "disabledRules", "url"});
    const std::string path = extend.text("path");
    if (path.empty()) continue;
    if (depth == most_depth) throw extend.wrong("more than two files deep");
    std::string text;
    try {
      text = read_file(path, std::size_t{16} << 20);
    } catch (const Error& error) {
      throw extend.wrong(error.what());
    }
    const toml::table base = parse_toml(text, printable(path));
    const auto disabled = extend.texts("disabledRules");
    for (auto& rule : gitleaks_rules(base, printable(path), depth + 1))
      if (std::none_of(disabled.begin(), disabled.end(), [&](const std::string& id) { return id_of(id) == rule.id; }))
        rules.push_back(std::move(rule));
  }
  for (const TomlTable& from : top.tables("rules")) {
    const std::string id = TomlTable(from.table(), file + ": a rule").text("id", true);
    if (id_of(id) == "gitleaks.") throw usage_error(file + ": a rule: no `id`");
    const auto rule = rule_of(TomlTable(from.table(), file + ": rule " + printable(id)), global, id);
    if (!rule) continue;
    // One of the same name is this one's base, and gives way to it.
    std::erase_if(rules, [&](const Rule& other) { return other.id == rule->id; });
    rules.push_back(*rule);
  }
  return rules;
}

}  // namespace imgbuild

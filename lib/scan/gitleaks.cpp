// gitleaks' rules are for Go's regular expressions, which are RE2's; what is different is that theirs may be as wide as
// they like, that the secret may be in any group, and that they say where they are not meant.
#include "scan/gitleaks.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "scan/anchors.hpp"
#include "scan/except.hpp"
#include "scan/letters.hpp"

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

class Table {
 public:
  Table(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}

  Error wrong(const std::string& what) const { return usage_error(where_ + ": " + what); }
  const toml::table& table() const { return table_; }
  const std::string& where() const { return where_; }

  void only(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : table_)
      if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end())
        throw wrong("`" + printable(std::string_view(key)) + "` is not read here");
  }
  std::string text(const char* key) const {
    const auto* node = table_.get(key);
    if (node == nullptr) return {};
    const auto value = node->value_exact<std::string>();
    if (!value) throw wrong(std::string("`") + key + "` is no text");
    return *value;
  }
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> all;
    const auto* node = table_.get(key);
    if (node == nullptr) return all;
    const auto* list = node->as_array();
    if (list == nullptr) throw wrong(std::string("`") + key + "` is no list of texts");
    for (const auto& item : *list) {
      auto value = item.value_exact<std::string>();
      if (!value) throw wrong(std::string("`") + key + "` is no list of texts");
      all.push_back(std::move(*value));
    }
    return all;
  }
  double number(const char* key, double most) const {
    const auto* node = table_.get(key);
    if (node == nullptr) return 0;
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !(*value >= 0 && *value <= most)) throw wrong(std::string("`") + key + "` is no number of its kind");
    return *value;
  }
  /// The tables under a key, one or a list.
  std::vector<Table> tables(const char* key) const {
    std::vector<Table> all;
    const auto* node = table_.get(key);
    if (node == nullptr) return all;
    const std::string where = where_ + ": " + key;
    if (const auto* one = node->as_table()) {
      all.emplace_back(*one, where);
    } else if (const auto* list = node->as_array()) {
      for (const auto& item : *list) {
        if (!item.is_table()) throw wrong(std::string("`") + key + "` is no list of tables");
        all.emplace_back(*item.as_table(), where);
      }
    } else {
      throw wrong(std::string("`") + key + "` is no table");
    }
    return all;
  }

 private:
  const toml::table& table_;
  std::string where_;
};

struct Allowlist {
  Exceptions::Allowed allowed;
  std::vector<std::string> targets;  // rules; none: all
};

std::vector<Allowlist> allowlists(const Table& table) {
  std::vector<Allowlist> all;
  for (const char* key : {"allowlist", "allowlists"})
    for (const Table& from : table.tables(key)) {
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
         const Table& table) {
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  const RE2 as_written(pattern, options);
  // A pattern that is too large as it stands may do once it is bounded; what is wrong with it otherwise stays wrong.
  if (!as_written.ok() && as_written.error_code() != RE2::ErrorPatternTooLarge &&
      as_written.error_code() != RE2::ErrorRepeatSize)
    throw table.wrong("regex: " + printable(as_written.error()));
  if (group > as_written.NumberOfCapturingGroups())
    throw table.wrong("no group " + std::to_string(group) + " in `regex`");
  std::string why;
  for (const int bound : {256, 64, 16, 4}) {
    rule.text = {rewritten(pattern, bound, group)};
    const RE2 regex(rule.text[0], options);
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

std::optional<Rule> rule_of(const Table& table, const std::vector<Allowlist>& global, const std::string& id) {
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
  const Table top(document, file);
  top.only({"title", "description", "minVersion", "extend", "rules", "allowlist", "allowlists"});
  std::vector<Rule> rules;
  const auto global = allowlists(top);
  for (const Table& extend : top.tables("extend")) {
    extend.only({"path", "useDefault", "disabledRules", "url"});
    const std::string path = extend.text("path");
    if (path.empty()) continue;
    if (depth == most_depth) throw extend.wrong("more than two files deep");
    toml::table base;
    try {
      base = toml::parse(read_file(path, std::size_t{16} << 20));
    } catch (const toml::parse_error& error) {
      throw usage_error(printable(path) + ":" + std::to_string(error.source().begin.line) + ": " +
                        printable(error.description()));
    } catch (const Error& error) {
      throw extend.wrong(error.what());
    }
    const auto disabled = extend.texts("disabledRules");
    for (auto& rule : gitleaks_rules(base, printable(path), depth + 1))
      if (std::none_of(disabled.begin(), disabled.end(), [&](const std::string& id) { return id_of(id) == rule.id; }))
        rules.push_back(std::move(rule));
  }
  for (const Table& from : top.tables("rules")) {
    const std::string id = Table(from.table(), file + ": a rule").text("id");
    if (id.empty() || id_of(id) == "gitleaks.") throw usage_error(file + ": a rule: no `id`");
    const auto rule = rule_of(Table(from.table(), file + ": rule " + printable(id)), global, id);
    if (!rule) continue;
    // One of the same name is this one's base, and gives way to it.
    std::erase_if(rules, [&](const Rule& other) { return other.id == rule->id; });
    rules.push_back(*rule);
  }
  return rules;
}

}  // namespace imgbuild

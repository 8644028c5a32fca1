// Reads a family of rules. Strict: an unknown key is an error, for a misspelt `entropi` would otherwise be a rule that
// finds too much for ever.
#include "scan/rule.hpp"

#include <algorithm>

#include "crypto/digest.hpp"
#include "scan/anchors.hpp"
#include "scan/gitleaks.hpp"
#include "scan/proof.hpp"
#include "scan/regex.hpp"
#include "scan/toml_table.hpp"

namespace imgbuild {
namespace {

bool is_id(std::string_view id) {
  const std::size_t dot = id.find('.');
  const auto word = [](std::string_view part) {
    return !part.empty() && part.front() != '-' && part.back() != '-' &&
           std::all_of(part.begin(), part.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  };
  return dot != std::string_view::npos && word(id.substr(0, dot)) && word(id.substr(dot + 1));
}

// `{{}}` in an example is nothing.
std::string example_of(std::string text) {
  for (std::size_t at = text.find("{{}}"); at != std::string::npos; at = text.find("{{}}", at)) text.erase(at, 4);
  return text;
}

Rule read_rule(const toml::table& from, const std::string& file, const std::string& family) {
  static const std::vector<std::string_view> known = {"id",    "says",  "see",      "text",   "path", "near", "entropy",
                                                      "proof", "scrub", "severity", "rotate", "fix",  "leak", "safe"};
  Rule rule;
  rule.family = family;
  rule.id = TomlTable(from, file + ": a rule").text("id", true);
  const TomlTable table(from, file + ": rule " + printable(rule.id));
  if (!is_id(rule.id)) throw table.wrong("`id` is not family.thing in lower case");
  for (const auto& [key, value] : from)
    if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end())
      throw table.wrong("unknown key `" + printable(std::string_view(key)) + "`");
  rule.says = table.text("says", true);
  rule.see = table.texts("see", 1);
  rule.text = table.texts("text", 1);
  rule.path = table.texts("path", 1);
  rule.near = table.texts("near", 1);
  rule.entropy = table.number("entropy", 8);
  rule.proof = table.text("proof");
  rule.rotate = table.text("rotate");
  rule.fix = table.text("fix");
  rule.leak = table.texts("leak", 1);
  rule.safe = table.texts("safe", 1);
  if (rule.text.empty() && rule.path.empty()) throw table.wrong("neither `text` nor `path`");
  if (!rule.proof.empty() && !is_proof(rule.proof)) throw table.wrong("unknown proof `" + printable(rule.proof) + "`");
  for (const auto& word : rule.near)
    if (word.size() < 3 || word.size() > 64) throw table.wrong("a `near` word has 3 to 64 bytes");
  const std::string scrub = table.text("scrub");
  if (scrub == "line")
    rule.scrub = Scrub::line;
  else if (scrub == "file")
    rule.scrub = Scrub::file;
  else if (!scrub.empty() && scrub != "refuse")
    throw table.wrong("`scrub` is none of line, file, refuse");
  if (const std::string name = table.text("severity"); !name.empty()) {
    const auto severity = severity_of(name);
    if (!severity) throw table.wrong("`severity` is none of low, medium, high, critical");
    rule.severity = *severity;
  }
  if (rule.leak.empty() || rule.safe.empty())
    throw table.wrong(rule.leak.empty() ? "no `leak` example" : "no `safe` example");
  for (auto* list : {&rule.leak, &rule.safe})
    for (auto& text : *list) text = example_of(std::move(text));
  return rule;
}

// NAME = ["word", ...]: a service whose keys have no shape of their own. What a machine made, of any alphabet that keys
// have, is one where a word stands near it and something says that it is a key (proof service-key). The examples are
// the same for all, so they are made here: a text as random as a hash of the name.
Rule service_rule(const std::string& name, const toml::node& words, const std::string& file) {
  Rule rule;
  rule.family = "service";
  rule.id = name + ".key";
  const std::string where = file + ": service " + printable(name);
  if (!is_id(rule.id)) throw usage_error(where + ": its name is not in lower case");
  const auto* list = words.as_array();
  if (list == nullptr || list->empty()) throw usage_error(where + ": no list of words");
  for (const auto& item : *list) {
    auto word = item.value_exact<std::string>();
    if (!word || word->size() < 3 || word->size() > 64) throw usage_error(where + ": a word has 3 to 64 bytes");
    rule.near.push_back(std::move(*word));
  }
  rule.says = "key or token of " + rule.near.front() + ", by the name that stands near it";
  rule.text = {R"((?:^|[^A-Za-z0-9_+/.-])([A-Za-z0-9][A-Za-z0-9_.+/-]{14,90}=?=?)(?:[^A-Za-z0-9_+/=.-]|$))"};
  rule.proof = "service-key";
  rule.severity = Severity::medium;
  rule.fix = "read it from the environment or a mounted file";
  const std::string digest = sha256_digest(view_of(name)).substr(7, 32);
  rule.leak = {"# " + rule.near.front() + " api key\n" + digest, rule.near.front() + "_token = '" + digest + "'"};
  rule.safe = {rule.near.front() + " checksum " + digest, rule.near.front() + "_api_key = 'your-api-key-goes-here'"};
  return rule;
}

// Every pattern is one that RE2 takes, of bounded width, and has somewhere to be looked for.
void check_patterns(const std::vector<Rule>& rules, const std::string& file) {
  for (const auto& rule : rules)
    for (std::size_t i = 0; i < rule.text.size(); ++i) {
      const RE2 pattern(rule.text[i], regex_options());
      const std::string where = file + ": rule " + rule.id + ": text " + std::to_string(i + 1) + ": ";
      if (!pattern.ok()) throw usage_error(where + printable(pattern.error()));
      if (pattern.Match("", 0, 0, RE2::ANCHOR_BOTH, nullptr, 0)) throw usage_error(where + "matches the empty text");
    }
  try {
    const ScanPlan plan(rules);
  } catch (const Error& e) {
    throw Error(file + ": " + e.what(), e.hint(), e.status());
  }
}

std::string family_of(const std::string& file) {
  const std::string name = file.substr(file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1);
  return name.size() > 5 && name.compare(name.size() - 5, 5, ".toml") == 0 ? name.substr(0, name.size() - 5) : name;
}

std::vector<Rule> read_unchecked_rules(std::string_view toml, const std::string& file) {
  const toml::table document = parse_toml(toml, file);
  if (is_gitleaks(document)) return gitleaks_rules(document, file);
  for (const auto& [key, value] : document)
    if (std::string_view(key) != "rule" && std::string_view(key) != "service")
      throw usage_error(file + ": unknown key `" + printable(std::string_view(key)) + "`",
                        "a family is a list of [[rule]], or a table [service]");
  std::vector<Rule> rules;
  if (document.contains("service")) {
    const auto* services = document["service"].as_table();
    if (services == nullptr) throw usage_error(file + ": `service` is no table");
    for (const auto& [name, near] : *services) rules.push_back(service_rule(std::string(name), near, file));
    if (!document.contains("rule")) return rules;
  }
  const auto* list = document["rule"].as_array();
  if (list == nullptr || list->empty()) throw usage_error(file + ": no [[rule]]");
  for (const auto& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) throw usage_error(file + ": `rule` is no list of tables");
    rules.push_back(read_rule(*table, file, family_of(file)));
  }
  return rules;
}

}  // namespace

std::vector<Rule> read_rules(std::string_view toml, const std::string& file) {
  std::vector<Rule> rules = read_unchecked_rules(toml, file);
  check_patterns(rules, file);
  return rules;
}

}  // namespace imgbuild

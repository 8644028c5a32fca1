// A Scanner is a plan (anchors.hpp), its database, and the patterns of the second stage. The compiled-in one takes its
// database as the rule compiler made it, for the best processor level that this processor has; nothing else is ever
// deserialised.
#include "scan/scanner.hpp"

#include "scan/borders.hpp"
#include "scan/builtin.hpp"
#include "scan/except.hpp"
#include "scan/inside.hpp"
#include "scan/look.hpp"
#include "scan/proof.hpp"

namespace imgbuild {
namespace {

using Database = Owned<hs_database_t, hs_free_database>;

// Families that know a secret by where it stands, not by its own shape: a provider's rule for the same text goes first.
bool knows_no_shape(std::string_view family) {
  static constexpr std::string_view families[] = {"generic", "queries", "sources", "testing"};
  return std::find(std::begin(families), std::end(families), family) != std::end(families);
}

Database deserialized(std::string_view bytes) {
  hs_database_t* made = nullptr;
  if (hs_deserialize_database(bytes.data(), bytes.size(), &made) != HS_SUCCESS) return nullptr;
  return Database(made);
}

void need_processor() {
  if (hs_valid_platform() != HS_SUCCESS)
    throw Error("this processor lacks SSSE3", "imgbuild needs an x86-64 processor made since 2006");
}

Database compiled_now(const ScanPlan& plan) {
  hs_platform_info_t here{};
  if (hs_populate_platform(&here) != HS_SUCCESS) throw Error("this processor is not known");
  const std::string bytes = compile_database(plan, here.cpu_features);
  Database database = bytes.empty() ? nullptr : deserialized(bytes);
  if (!bytes.empty() && !database) throw Error("the pattern database does not load");
  return database;
}

Database compiled_in(const ScanPlan& plan) {
  if (plan.expressions.empty()) return nullptr;
  hs_platform_info_t here{};
  if (hs_populate_platform(&here) == HS_SUCCESS) {
    const auto& all = builtin().databases;
    for (auto best = all.rbegin(); best != all.rend(); ++best) {
      if ((best->level & ~here.cpu_features) != 0) continue;
      if (Database database = deserialized(best->bytes)) return database;
    }
  }
  // Another Hyperscan than the one it was made with: half a second, once per run.
  return compiled_now(plan);
}

}  // namespace

Scanner::Inside::Inside(Knowledge known, Database (*load)(const ScanPlan&))
    : rules(std::move(known.rules)), plan(std::move(known.plan)), digest(std::move(known.digest)), globs(rules) {
  need_processor();
  database = load(plan);
  regexes_ = std::make_unique<Compiled[]>(plan.patterns.size());
  for (std::uint32_t p = 0; p < plan.patterns.size(); ++p)
    if (plan.patterns[p].everywhere) everywhere.push_back(p);
  for (std::uint32_t r = 0; r < rules.size(); ++r) {
    own_secret.push_back(takes_its_own_secret(rules[r].proof));
    rank.push_back(knows_no_shape(rules[r].family) ? 2 : rules[r].family == "service" ? 1 : 0);
  }
}

namespace {

std::unique_ptr<RE2> compiled(const std::string& pattern) {
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  return std::make_unique<RE2>(pattern, options);
}

}  // namespace

const RE2& Scanner::Inside::regex(std::uint32_t pattern) const {
  Compiled& one = regexes_[pattern];
  std::call_once(one.once, [&] {
    const auto& planned = plan.patterns[pattern];
    one.regex = compiled(rules[planned.rule].text[planned.text]);
  });
  return *one.regex;
}

const RE2& Scanner::Inside::borderless(std::uint32_t pattern) const {
  Compiled& one = regexes_[pattern];
  std::call_once(one.borderless_once, [&] {
    const auto& planned = plan.patterns[pattern];
    one.borderless = compiled(without_border(rules[planned.rule].text[planned.text]));
  });
  return *one.borderless;
}

std::unique_ptr<Workspace> Scanner::Inside::borrow() const {
  {
    const std::lock_guard hold(mutex_);
    if (!spare_.empty()) {
      auto workspace = std::move(spare_.back());
      spare_.pop_back();
      return workspace;
    }
  }
  auto workspace = std::make_unique<Workspace>();
  if (hs_alloc_scratch(database.get(), out(workspace->scratch)) != HS_SUCCESS) throw std::bad_alloc();
  return workspace;
}

void Scanner::Inside::give_back(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard hold(mutex_);
  spare_.push_back(std::move(workspace));
}

Scanner::Scanner() = default;
Scanner::~Scanner() = default;

std::shared_ptr<const Scanner> Scanner::builtin() {
  static const std::shared_ptr<const Scanner> one = [] {
    std::shared_ptr<Scanner> made(new Scanner);
    made->inside_ = std::make_unique<Inside>(unpacked(imgbuild::builtin().knowledge), compiled_in);
    return made;
  }();
  return one;
}

std::shared_ptr<const Scanner> Scanner::with(std::vector<Rule> more) {
  std::vector<Rule> all = builtin_rules();
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return of(std::move(all));
}

std::shared_ptr<const Scanner> Scanner::of(std::vector<Rule> rules) {
  std::shared_ptr<Scanner> made(new Scanner);
  made->inside_ = std::make_unique<Inside>(Knowledge::of(std::move(rules)), compiled_now);
  return made;
}

const std::vector<Rule>& Scanner::rules() const { return inside_->rules; }
const std::string& Scanner::digest() const { return inside_->digest; }

std::vector<Hit> Scanner::scan(View text, const Subject& subject) const {
  return scan_part(text, 0, text.size(), 0, subject);
}

std::vector<Hit> Scanner::scan_part(View part, std::size_t home_begin, std::size_t home_end, std::uint64_t offset,
                                    const Subject& subject) const {
  return Look(*inside_, subject).hits(part, home_begin, home_end, offset);
}

std::vector<Hit> Scanner::scan_name(std::string_view path) const {
  std::vector<Hit> hits;
  for (const auto r : inside_->globs.taking(path)) {
    const Rule& rule = inside_->rules[r];
    if (!rule.text.empty() || (rule.except && rule.except->excuse_path(path))) continue;
    Hit hit;
    hit.rule = &rule;
    hit.end = path.size();
    hit.severity = rule.severity;
    hit.identity = Vault::identify(path);
    hits.push_back(std::move(hit));
  }
  return hits;
}

const Rule& vault_rule() {
  static const Rule one = [] {
    Rule rule;
    rule.id = "vault.value";
    rule.says = "a secret that this build handed out, or withheld from its context";
    rule.scrub = Scrub::refuse;
    rule.severity = Severity::critical;
    rule.fix = "keep it under $BUILD_SECRETS, and write nothing of it to a file that ships";
    rule.family = "vault";
    return rule;
  }();
  return one;
}

const std::vector<Rule>& builtin_rules() { return Scanner::builtin()->rules(); }

}  // namespace imgbuild

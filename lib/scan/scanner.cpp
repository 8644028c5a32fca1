// A Scanner is a plan (anchors.hpp), its words, and the patterns of the second stage. The compiled-in one has the plan
// that the rule compiler made.
#include "scan/scanner.hpp"

#include "scan/borders.hpp"
#include "scan/builtin.hpp"
#include "scan/except.hpp"
#include "scan/inside.hpp"
#include "scan/look.hpp"
#include "scan/proof.hpp"
#include "scan/regex.hpp"

namespace imgbuild {
namespace {

// Families that know a secret by where it stands, not by its own shape: a provider's rule for the same text goes first.
bool knows_no_shape(std::string_view family) {
  static constexpr std::string_view families[] = {"generic", "queries", "sources", "testing"};
  return std::find(std::begin(families), std::end(families), family) != std::end(families);
}

// Escapes and magic numbers are looked for with it.
void need_processor() {
  if (!__builtin_cpu_supports("ssse3"))
    throw Error("this processor lacks SSSE3", "imgbuild needs an x86-64 processor made since 2006");
}

}  // namespace

Scanner::Inside::Inside(Knowledge known)
    : rules(std::move(known.rules)),
      plan(std::move(known.plan)),
      digest(std::move(known.digest)),
      words(plan.words, plan.choices),
      globs(rules) {
  need_processor();
  regexes_ = std::make_unique<Compiled[]>(plan.patterns.size());
  for (std::uint32_t p = 0; p < plan.patterns.size(); ++p)
    if (plan.patterns[p].everywhere) everywhere.push_back(p);
  for (std::uint32_t r = 0; r < rules.size(); ++r) {
    own_secret.push_back(takes_its_own_secret(rules[r].proof));
    rank.push_back(knows_no_shape(rules[r].family) ? 2 : rules[r].family == "service" ? 1 : 0);
  }
}

const RE2& Scanner::Inside::regex(std::uint32_t pattern) const {
  Compiled& one = regexes_[pattern];
  std::call_once(one.once, [&] {
    const auto& planned = plan.patterns[pattern];
    one.regex = compiled_regex(rules[planned.rule].text[planned.text]);
  });
  return *one.regex;
}

const RE2& Scanner::Inside::borderless(std::uint32_t pattern) const {
  Compiled& one = regexes_[pattern];
  std::call_once(one.borderless_once, [&] {
    const auto& planned = plan.patterns[pattern];
    one.borderless = compiled_regex(without_border(rules[planned.rule].text[planned.text]));
  });
  return *one.borderless;
}

Scanner::Scanner() = default;
Scanner::~Scanner() = default;

std::shared_ptr<const Scanner> Scanner::builtin() {
  static const std::shared_ptr<const Scanner> one = [] {
    std::shared_ptr<Scanner> made(new Scanner);
    made->inside_ = std::make_unique<Inside>(unpacked(imgbuild::builtin()));
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
  made->inside_ = std::make_unique<Inside>(Knowledge::of(std::move(rules)));
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

// imgbuild rules: the knowledge, as it is compiled in.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "config/nearest.hpp"
#include "scan/scanner.hpp"
#include "session.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
Examples:
  imgbuild rules list
  imgbuild rules explain npm.access-token
  imgbuild rules check my-rules.toml
  git diff | imgbuild rules test -

Exit status: check: 1 where an example fails; test: 1 where something was found; 2 usage; 3 a file cannot be read.)";

const char* name_of(Scrub scrub) {
  static constexpr const char* names[] = {"line", "file", "refuse"};
  return names[static_cast<int>(scrub)];
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + "  ";
}

int list() {
  std::size_t widest = 0;
  for (const auto& rule : builtin_rules()) widest = std::max(widest, rule.id.size());
  std::string out;
  for (const auto& rule : builtin_rules())
    out +=
        padded(rule.id, widest) + padded(name_of(rule.severity), 8) + padded(name_of(rule.scrub), 6) + rule.says + "\n";
  put_result(out);
  return 0;
}

const Rule& rule_called(const std::string& id) {
  std::vector<std::string> ids;
  for (const auto& rule : builtin_rules()) {
    if (rule.id == id) return rule;
    ids.push_back(rule.id);
  }
  const std::string near = nearest(id, ids);
  throw usage_error("rules: no rule " + printable(id),
                    near.empty() ? "`imgbuild rules list` shows them" : "did you mean " + near + "?");
}

// The rule's own data.
int show(const std::string& id) {
  const Rule& rule = rule_called(id);
  std::string out;
  const auto field = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) out += padded(name, 8) + value + "\n";
  };
  const auto fields = [&](const std::string& name, const std::vector<std::string>& values) {
    for (const auto& value : values) field(name, printable(value));
  };
  field("id", rule.id);
  field("family", rule.family);
  field("says", rule.says);
  field("severity", name_of(rule.severity));
  field("scrub", name_of(rule.scrub));
  fields("text", rule.text);
  fields("path", rule.path);
  fields("near", rule.near);
  if (rule.entropy > 0) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", rule.entropy);
    field("entropy", text);
  }
  field("proof", rule.proof);
  fields("see", rule.see);
  field("fix", rule.fix);
  field("rotate", rule.rotate);
  fields("leak", rule.leak);
  fields("safe", rule.safe);
  put_result(out);
  return 0;
}

// The same for somebody who has just met it in a report.
int explain(const std::string& id) {
  const Rule& rule = rule_called(id);
  std::string out = rule.id + ": " + rule.says + "\n\n";
  out += "Severity " + std::string(name_of(rule.severity)) + ". In a context, ";
  switch (rule.scrub) {
    case Scrub::file:
      out += "a file that is this credential, or is known to hold it, is left out; elsewhere it is refused.";
      break;
    case Scrub::line:
      out += "the lines that hold it are left out.";
      break;
    case Scrub::refuse:
      out += "a file that holds it is refused: nothing is staged until it is gone or allowed.";
      break;
  }
  out += " In an image it is a leak.\n\nRecognised by ";
  if (rule.text.empty())
    out += "the name of the file alone";
  else
    out += "its text";
  if (!rule.text.empty() && !rule.path.empty()) out += ", in files called " + join(rule.path, ", ");
  if (rule.text.empty()) out += ": " + join(rule.path, ", ");
  if (!rule.near.empty()) out += ", near one of the words " + join(rule.near, ", ");
  if (rule.entropy > 0) out += ", where it looks random enough";
  if (!rule.proof.empty()) out += ", and proved by a check in code (" + rule.proof + ")";
  out +=
      ".\n\nWhat to do: " +
      (rule.fix.empty() ? "take it out of the image's sources, hand it to the build with --secret, and make a new one"
                        : rule.fix) +
      "\n";
  if (!rule.rotate.empty()) out += "Revoke it: " + rule.rotate + "\n";
  for (const auto& link : rule.see) out += "See: " + link + "\n";
  out += "Where it is meant: paste the [[allow]] entry that the report prints into imgbuild.toml, with a reason.\n";
  put_result(out);
  return 0;
}

int check(const std::vector<std::string>& files) {
  std::vector<Rule> rules;
  if (files.empty()) rules = builtin_rules();
  for (const auto& file : files)
    for (auto& rule : read_rules(read_file(file, std::size_t{16} << 20), printable(file)))
      rules.push_back(std::move(rule));
  const auto failures = check_examples(rules);
  std::string out;
  for (const auto& failure : failures) out += failure + "\n";
  std::size_t examples = 0;
  for (const auto& rule : rules) examples += rule.leak.size() + rule.safe.size();
  const auto exempt =
      std::count_if(rules.begin(), rules.end(), [](const Rule& rule) { return rule.family == "gitleaks"; });
  out += std::to_string(rules.size()) + " rules, " + std::to_string(examples) +
         " examples: " + (failures.empty() ? "all as they say" : std::to_string(failures.size()) + " not as they say") +
         "\n";
  if (exempt > 0) out += std::to_string(exempt) + " of them from gitleaks files, which have no examples\n";
  put_result(out);
  return failures.empty() ? 0 : 1;
}

int test(const std::string& file, const std::vector<std::string>& rule_files, Session& session) {
  session.load_scanner(rule_files);
  const Fd opened = file == "-" ? Fd() : Fd::open(file, O_RDONLY);
  const int fd = file == "-" ? STDIN_FILENO : opened.get();
  const std::string name = file == "-" ? "" : file;
  Scan scan(*session.scanner, name, nullptr, &session.vault);
  Bytes buffer(std::size_t{1} << 20);
  while (const std::size_t n = read_full(fd, buffer, printable(file))) {
    interrupt::check();
    scan.feed({buffer.data(), n});
  }
  auto hits = scan.finish();
  if (!name.empty())
    for (auto& hit : session.scanner->scan_name(name)) hits.push_back(std::move(hit));
  std::string out;
  for (const auto& hit : hits) {
    out += printable(session.redacted(file)) + (hit.line > 0 ? ":" + std::to_string(hit.line) : "") + ": " +
           hit.rule->id + " (" + name_of(hit.severity) + "): " + hit.rule->says;
    for (const auto& encoding : hit.decoded) out += ", in " + encoding;
    if (hit.key && !hit.key->fingerprint.empty()) out += ", " + hit.key->fingerprint;
    out += "\n";
  }
  put_result(out);
  if (hits.empty()) say("rules: " + printable(file) + ": nothing found");
  return hits.empty() ? 0 : 1;
}

}  // namespace

Work offer_rules(CLI::App& app, Session& session) {
  struct Flags {
    std::string id, file;
    std::vector<std::string> files, rules;
  };
  const auto flags = std::make_shared<Flags>();
  app.require_subcommand(0, 1);
  CLI::App* lists = app.add_subcommand("list", "one line per rule");
  CLI::App* shows = app.add_subcommand("show", "a rule's data");
  shows->add_option("ID", flags->id, "of the rule")->required();
  CLI::App* checks =
      app.add_subcommand("check", "does every rule do what its examples say? (default: those compiled in)");
  checks->add_option("FILE", flags->files, "rules in TOML");
  CLI::App* explains = app.add_subcommand("explain", "a rule for somebody who met it in a report");
  explains->add_option("ID", flags->id, "of the rule")->required();
  CLI::App* tests = app.add_subcommand("test", "what the rules find in a file");
  tests->add_option("FILE", flags->file, "the file, or - for standard input")->required();
  add_several(*tests, "--rules", flags->rules, "FILE", "more rules, from FILE");
  app.footer(footer);
  return [=, &session] {
    if (lists->parsed()) return list();
    if (shows->parsed()) return show(flags->id);
    if (checks->parsed()) return check(flags->files);
    if (explains->parsed()) return explain(flags->id);
    if (tests->parsed()) return test(flags->file, flags->rules, session);
    throw usage_error("rules: no command", "list, show ID, check [FILE...], explain ID or test FILE");
  };
}

}  // namespace imgbuild

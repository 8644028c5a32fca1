#include "build/dockerfile_check.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "build/ending.hpp"
#include "build/script.hpp"
#include "build/seen_files.hpp"
#include "dockerfile/lint.hpp"
#include "scan/redactor.hpp"

namespace imgbuild {

DockerfileCheck::DockerfileCheck(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
                                 const BuildTalk& talk)
    : plan_(plan),
      asked_(*plan.dockerfile),
      scanner_(scanner),
      vault_(vault),
      talk_(talk),
      file_(parse_dockerfile(asked_.text)) {}

std::string DockerfileCheck::safe(const std::string& text) const { return printable(redact(text, *scanner_, vault_)); }

void DockerfileCheck::check_target() const {
  if (file_.stage(asked_.target) == nullptr)
    throw usage_error(printable(asked_.shown) +
                      (asked_.target.empty() ? ": has no FROM" : ": has no stage " + printable(asked_.target)));
}

bool DockerfileCheck::stage(Outcome& outcome, Context& context) {
  know_secrets(plan_, scanner_, vault_, outcome);
  say(talk_, "staging " + printable(plan_.context));
  StageOptions staging{plan_.context, {}, plan_.include, plan_.with_git, scanner_, &vault_, plan_.policy, {}};
  staging.docker = DockerContext{asked_.path, asked_.shown, asked_.text, asked_.ignore};
  SeenFilesRecord seen(plan_.context, *scanner_, plan_.cache);
  staging.seen = seen.files();
  context = imgbuild::stage(staging);
  seen.keep();
  auto refused = refusals(context.withheld);
  advise();
  return take_staged(outcome, context, std::move(refused), talk_);
}

void DockerfileCheck::advise() const {
  LintFacts facts;
  facts.scanner = scanner_.get();
  facts.has_ignore = asked_.has_ignore;
  facts.lends_agent = !plan_.ssh.hosts.empty();
  for (const auto& secret : plan_.secrets) facts.secrets.insert(secret.id);
  if (facts.lends_agent) facts.secrets.insert("known_hosts");
  if (!plan_.git_tokens.empty()) facts.secrets.insert("gitconfig");
  if (!plan_.certificates.empty()) facts.secrets.insert("ca_certs");
  for (const Advice& one : lint(file_, facts))
    if (talk_.warn)
      talk_.warn(safe(asked_.shown + ":" + std::to_string(one.line) + ": " + one.says) + " (" + one.rule +
                 "); better: " + safe(one.better));
}

// Reasons not to begin: a build argument that is a credential, which would stay in the history; and a COPY of a file
// that was withheld, which could only fail.
std::vector<Withheld> DockerfileCheck::refusals(const std::vector<Withheld>& withheld) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [name, value] : asked_.args) texts.emplace_back("--build-arg " + name, name + "=" + value);
  for (const auto& label : plan_.image_labels) texts.emplace_back("--label " + label.substr(0, label.find('=')), label);
  auto refused = refusals_in(texts, plan_.policy, scanner_, vault_);
  for (const auto& instruction : file_.instructions) {
    const DockerInstruction& real = instruction.inner.empty() ? instruction : instruction.inner.front();
    if ((real.name != "COPY" && real.name != "ADD") || !real.flag("from").empty()) continue;
    auto sources = real.paths();
    if (!sources.empty()) sources.pop_back();
    for (std::string source : sources) {
      while (source.starts_with("./")) source.erase(0, 2);
      while (source.starts_with('/')) source.erase(0, 1);
      for (const Withheld& each : withheld) {
        if (each.action != Withheld::Action::file || source.empty()) continue;
        if (each.path != source && !glob_matches(source, each.path)) continue;
        Withheld copy = each;
        copy.action = Withheld::Action::refuse;
        copy.path = asked_.shown;
        copy.line = instruction.line;
        copy.says = real.name + " of " + each.path + ", which is withheld: " + each.says;
        if (std::none_of(refused.begin(), refused.end(), [&](const Withheld& one) {
              return one.path == copy.path && one.line == copy.line && one.says == copy.says;
            }))
          refused.push_back(std::move(copy));
      }
    }
  }
  return refused;
}

Outcome rehearse(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault, const BuildTalk& talk) {
  Outcome outcome;
  outcome.status = Status::clean;
  if (!plan.dockerfile) return outcome;
  DockerfileCheck check(plan, scanner, vault, talk);
  check.check_target();
  Context context;
  check.stage(outcome, context);
  return outcome;
}

}  // namespace imgbuild

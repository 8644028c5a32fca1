#include "build/ending.hpp"

#include <algorithm>
#include <iterator>

#include "audit/audit.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "build/engine_image.hpp"
#include "context/judge.hpp"
#include "report/report.hpp"
#include "verdict/weight.hpp"

namespace imgbuild {
namespace {

// One engine call a name. Where a later one fails, those before it stand: they name what was cleared, and what they
// named before cannot be had back. It is said.
void name_all(Engine& engine, const Cleared& cleared, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    try {
      engine.tag(cleared, names[i]);
    } catch (const Error& error) {
      if (i == 0) throw;
      throw error.within("named " + join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i)}, ", ") +
                         ", but not " + names[i]);
    }
  }
}

// A whole file is no secret: its copy in the image would be told though nothing in it matters. Where a rule knows the
// secret of a line, the judge has put that into the vault, and the line need not be looked for.
void know_file(const HandedFile& file, const Judge& judge, Vault& vault) {
  const std::string_view text = file.content.reveal();
  Location place;
  place.path = file.place;
  const auto remarks = judge.text(view_of(text), place);
  std::uint32_t number = 0;
  for (std::size_t from = 0; from < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string_view line = trim(text.substr(from, end - from));
    from = end + 1;
    const bool known = std::any_of(remarks.begin(), remarks.end(), [&](const Remark& remark) {
      return remark.place.line <= number + 1 && number + 1 <= std::max(remark.place.line, remark.last_line);
    });
    if (!known && may_hold_secret(line)) vault.add(line, "config file " + file.place, Origin::handed_out);
  }
}

}  // namespace

void know_secrets(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault, Outcome& outcome) {
  for (const HandedSecret& secret : plan.secrets) {
    if (secret.weak) {
      outcome.weak_secrets.push_back(secret.id);
      continue;
    }
    if (is_weak(secret.value.reveal()))
      throw usage_error("secret " + printable(secret.id) + ": too short or too common to be looked for in the image",
                        "--weak-secret " + printable(secret.id) + " hands it out all the same");
    vault.add(secret.value.reveal(), "secret " + secret.id, Origin::handed_out);
  }
  const Judge judge(scanner, vault, plan.policy);
  for (const HandedFile& file : plan.config_files)
    if (file.asked.empty()) know_file(file, judge, vault);
}

void say(const BuildTalk& talk, const std::string& line) {
  interrupt::check();
  if (talk.step) talk.step(line);
}

bool take_staged(Outcome& outcome, const Context& context, std::vector<Withheld> refusals, const BuildTalk& talk) {
  outcome.withheld = context.withheld;
  std::move(refusals.begin(), refusals.end(), std::back_inserter(outcome.withheld));
  if (talk.withheld) std::for_each(outcome.withheld.begin(), outcome.withheld.end(), talk.withheld);
  if (std::any_of(outcome.withheld.begin(), outcome.withheld.end(),
                  [](const Withheld& each) { return each.action == Withheld::Action::refuse; })) {
    outcome.status = Status::leak;
    return false;
  }
  outcome.context_digest = context.digest;
  outcome.context_files = context.files;
  outcome.context_bytes = context.bytes;
  say(talk, staged_line(context.files, context.bytes, context.digest, outcome.withheld.size(), context.seen_before));
  return true;
}

std::unique_ptr<Gateway> lend(const Plan& plan, const BuildTalk& talk) {
  if (plan.ssh.hosts.empty()) return nullptr;
  auto gateway = std::make_unique<Gateway>(plan.ssh);
  if (talk.signature) gateway->on_signature(talk.signature);
  if (talk.warn)
    for (const auto& line : gateway->warnings()) talk.warn(line);
  say(talk, "lending " + join(gateway->granted_keys(), ", ") + " for " + join(gateway->granted_hosts(), ", "));
  return gateway;
}

Audit audit_of(const std::string& handle, const std::string& config, const BaseLayers& base, std::size_t from_cache,
               const Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
               std::vector<std::string> agent_keys) {
  const ImageConfig written = parse_config(config);
  const ValueMatcher values(vault, {Origin::handed_out, Origin::withheld});
  AuditOptions options;
  options.scanner = scanner;
  options.values = &values;
  options.found = &vault;
  options.policy = plan.policy;
  options.source = plan.tags.empty() ? handle : plan.tags.front();
  options.agent_keys = std::move(agent_keys);
  options.cache = plan.cache;
  options.base = base.count > 0 ? base.name : "";
  options.base_layers = base.count;
  Auditor auditor(options);
  std::vector<Audit> audits;
  try {
    audits = audit_engine_image(auditor, engine, handle, options.source, {}, from_cache);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw error.within("audit");
  }
  if (audits.size() != 1) throw Error("audit: the engine saved " + std::to_string(audits.size()) + " images, not one");
  const ImageRecord& record = audits.front().record();
  const bool same =
      record.id == written.id &&
      std::equal(record.layers.begin(), record.layers.end(), written.diff_ids.begin(), written.diff_ids.end(),
                 [](const LayerFacts& layer, const std::string& id) { return layer.diff_id == id; });
  // (What is damaged is told by the report, and gets no name.)
  if (!same && record.damages().empty())
    throw Error("audit: the engine saved another image than the one that was built");
  return std::move(audits.front());
}

bool name_cleared(Outcome& outcome, const std::string& handle, const Plan& plan, Engine& engine) {
  outcome.too_large = too_large(outcome.audit->record(), plan.max_size);
  if (!outcome.too_large.empty()) return false;
  const auto cleared = outcome.audit->clear(handle);
  if (!cleared) return false;
  interrupt::check();
  name_all(engine, *cleared, plan.tags);
  outcome.status = Status::clean;
  outcome.handle = handle;
  return true;
}

void name_or_refuse(Outcome& outcome, const std::string& handle, const Plan& plan, Engine& engine,
                    const std::shared_ptr<Traces>& traces) {
  if (name_cleared(outcome, handle, plan, engine)) {
    if (plan.tags.empty())
      outcome.unnamed = traces;
    else
      traces->release();
    return;
  }
  outcome.status = outcome.audit->verdict() == Verdict::incomplete ? Status::failed : Status::leak;
  if (plan.keep) {
    traces->keep();
    outcome.handle = handle;
  }
}

}  // namespace imgbuild

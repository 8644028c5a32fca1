// The driver. Each step's comment says what holds from there on; whatever happens between two of them, Traces undoes
// what was made.
#include "build/build.hpp"

#include <algorithm>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "build/artifacts.hpp"
#include "build/dockerfile_build.hpp"
#include "build/ending.hpp"
#include "build/final_config.hpp"
#include "build/remembered.hpp"
#include "build/script.hpp"
#include "build/seen_files.hpp"
#include "build/stubs.hpp"
#include "build/traces.hpp"
#include "report/report.hpp"

namespace imgbuild {
namespace {

// The VOLUMEs of the base that the user says are to be written to, and not to ship.
std::vector<std::string> ignored_volumes(const Plan& plan, const ImageConfig& base) {
  const auto plain = [](std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
  };
  std::vector<std::string> ignored;
  for (const std::string& path : base.volumes)
    if (std::any_of(plan.ignore_volumes.begin(), plan.ignore_volumes.end(),
                    [&](const std::string& each) { return plain(each) == plain(path); }))
      ignored.push_back(path);
  return ignored;
}

// Throws where the script wrote to a VOLUME of the base and nobody said that this is meant.
void check_volumes(const std::vector<std::string>& ignored, const RelayResult& ran, const BuildTalk& talk) {
  for (const std::string& path : ran.written) {
    const std::string what = "the script wrote to " + printable(path) + ", a VOLUME of the base: that does not ship";
    if (std::find(ignored.begin(), ignored.end(), path) == ignored.end())
      throw Error(what, "write elsewhere, or --ignore-volume " + printable(path) + " where that is meant");
    if (talk.warn) talk.warn(what);
  }
}

}  // namespace

Outcome build(Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
              const BuildTalk& talk) {
  if (plan.dockerfile) return build_by_dockerfile(plan, engine, scanner, vault, talk);
  Outcome outcome;
  const timespec created = time_of_creation();
  const std::time_t began = std::time(nullptr);
  know_secrets(plan, scanner, vault, outcome);

  // 1. Stage. From here on what is handed over is fixed, and holds nothing that a rule knows; or nothing was made.
  say(talk, "staging " + printable(plan.context));
  StageOptions staging{plan.context, plan.ref, plan.include, plan.with_git, scanner, &vault, plan.policy};
  SeenFilesRecord seen(plan.context, *scanner, plan.cache);
  staging.seen = seen.files();
  staging.later = true;
  Context context = stage(staging);
  seen.keep();
  if (!take_staged(outcome, context, refusals_of_script(plan, scanner, vault), talk)) return outcome;

  // 2. Lend. From here on every grant is known to be good: agent, keys, hosts.
  const std::unique_ptr<Gateway> gateway = lend(plan, talk);

  // 3. Create. From here on there is a builder: inert, gone with this process, and undone with `traces`.
  const EngineImage image = engine.find_image(plan.from, plan.platform, plan.pull);
  const ImageConfig base = engine.config_of(image.handle);
  if (base.os != "linux" || relay_program(base.architecture).empty())
    throw Error("a base for " + printable(base.platform()) + " cannot be built on",
                "imgbuild builds for linux/amd64 and linux/arm64");
  std::optional<EngineImage> onto;
  if (!plan.onto.empty()) onto = engine.find_image(plan.onto, plan.platform, plan.pull);
  const ImageConfig below = onto ? engine.config_of(onto->handle) : base;
  const BaseLayers shipped_base{onto ? plan.onto : plan.from, below.diff_ids.size()};
  const Remembered remembered(plan, base, onto ? onto->handle : "", context, gateway.get(), *scanner,
                              engine.facts().endpoint);
  if (const auto known = remembered.find(engine)) {
    say(talk, "unchanged since " + shown_time(known->began) + ": nothing is run, and the image of then is taken" +
                  (gateway || !plan.git_tokens.empty() || plan.network != "none"
                       ? "; what the script would fetch may be newer (--no-cache builds anew)"
                       : ""));
    outcome.audit =
        audit_of(known->handle, known->config, shipped_base, parse_config(known->config).diff_ids.size(), plan, engine,
                 scanner, vault, gateway ? gateway->granted_keys() : std::vector<std::string>());
    say(talk, std::string("audit: ") + name_of(outcome.audit->verdict()));
    if (name_cleared(outcome, known->handle, plan, engine)) {
      outcome.unchanged = known->began;
      return outcome;
    }
    outcome.audit.reset();
  }
  need_tar(context, staging);
  say(talk, "building on " + printable(plan.from) + " (" + printable(base.platform()) + ")");
  const auto owned = std::make_shared<Traces>(
      engine, talk.warn ? talk.warn : [](const std::string&) {});
  Traces& traces = *owned;
  const std::vector<std::string> ignored = ignored_volumes(plan, base);
  std::string from = image.handle;
  if (ignored.size() < base.volumes.size())
    from = traces.load_base(from, builder_config(base, ignored, traces.labels()));
  traces.open_builder({from, plan.network, plan.platform, {}, plan.add_hosts, plan.memory, plan.cpus, plan.caches});

  // 4. Run. From here on the script has ended, and so has everything that it started.
  say(talk, "running " + (plan.command.empty() ? printable(plan.script_name) : printable(plan.command.front())));
  const RelayResult ran =
      run_script(plan, base, context, gateway.get(), engine, traces.builder(), scanner, vault, talk);
  outcome.killed = ran.killed;
  for (const std::string& each : ran.killed)
    if (talk.warn) talk.warn("the script left running, and it was ended: " + each);

  for (const std::string& place : ran.replaced)
    if (talk.warn)
      talk.warn("the script wrote a file of its own to " + printable(place) +
                ", where one was lent: that does not ship");

  // 5. Beyond this point nothing can be signed, and nothing runs.
  if (gateway) {
    gateway->close();
    outcome.ledger = gateway->ledger();
  }
  if (ran.status != 0) {
    outcome.status = Status::script;
    outcome.script_status = ran.status;
    return outcome;
  }
  if (!onto) check_volumes(ignored, ran, talk);
  if (!engine.running(traces.builder()))
    throw Error("the builder ended before it could be committed", "was it stopped, or out of memory?");

  // 6. Commit. From here on there is an image without a name, whose config is ours to the last byte.
  std::string config, handle;
  if (onto) {
    say(talk, "packing " + std::to_string(plan.artifacts.size()) +
                  (plan.artifacts.size() == 1 ? " artifact" : " artifacts") + " onto " + printable(plan.onto));
    NewLayer layer;
    traces.with_still({onto->handle, plan.network, plan.platform, {}}, [&](const std::string& still) {
      layer = pack_artifacts(plan.artifacts, files_of_builder(engine, traces.builder(), ignored), engine, still,
                             created.tv_sec);
    });
    std::vector<std::string> diff_ids = below.diff_ids;
    diff_ids.push_back(layer.diff_id);
    config = final_config(below, diff_ids, plan, created);
    handle = traces.load(onto->handle, layer, config);
  } else {
    say(talk, "committing");
    const std::string committed = traces.commit();
    interrupt::check();
    config = final_config(base, engine.config_of(committed).diff_ids, plan, created);
    handle = traces.load(committed, config);
    if (engine.facts().kind == EngineFacts::Kind::podman || !ignored.empty())
      outcome.stubs = stubs_of(engine, handle, parse_config(config).diff_ids, ignored);
  }

  // 7. Audit. From here on every byte that a push would send has been looked at.
  say(talk, "auditing " + handle);
  outcome.audit = audit_of(handle, config, shipped_base, below.diff_ids.size(), plan, engine, scanner, vault,
                           gateway ? gateway->granted_keys() : std::vector<std::string>());
  say(talk, std::string("audit: ") + name_of(outcome.audit->verdict()));

  // 8. Name it, given its permission; else it goes, or is kept without a name.
  name_or_refuse(outcome, handle, plan, engine, owned);
  if (outcome.status == Status::clean && !outcome.unnamed) remembered.keep(handle, config, began);
  return outcome;
}

}  // namespace imgbuild

// imgbuild audit: which images, and the one report on them all.
#include "audit/audit.hpp"

#include <algorithm>
#include <ctime>

#include "audit_flags.hpp"
#include "audit_report.hpp"
#include "audit_target.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "engine/engine.hpp"
#include "lean_flags.hpp"
#include "session.hpp"
#include "verdict/weight.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
Targets:
  NAME, docker:NAME    an image of the engine
  podman:NAME          an image of podman (its socket: CONTAINER_HOST, else where podman puts it)
  archive:FILE, ./FILE what `docker save` wrote, compressed or not
  -                    the same on standard input
  oci:DIR[:REF]        an OCI layout, a folder or a tar of one; REF: a name, or @sha256:...; else every image
  registry:HOST/NAME[:TAG|@DIGEST]   an image of a registry, as `docker login` lets you
  dir:DIR              an unpacked root file system

Of an image for several platforms, oci: and registry: take this machine's: --platform, --all-platforms.

Examples:
  imgbuild audit app:1
  docker save app:1 | imgbuild audit -
  imgbuild audit --all-platforms registry:registry.example/team/app:1.0
  imgbuild audit --report sarif=leaks.sarif --report gitlab=gl-secret-detection-report.json archive:app.tar
  imgbuild audit --write-baseline known.json app:1; imgbuild audit --baseline known.json app:2
  id=$(imgbuild audit --quiet docker:app:1) && docker tag "$id" app:1 && docker push app:1

Exit status, over all targets: 1 a leak; else 3 something could not be looked at; else 0 clean. 2 usage. An image that
is damaged is 3, whatever the rest of it leaks: that is in the report.)";

struct Flags {
  std::vector<std::string> targets;
  AuditFlags audit;
  bool all_platforms = false;
  std::string max_size, base;
  AuditReporting reporting;
};

// The layers of an image that the engine has.
std::vector<std::string> layers_of_image(const std::string& name, const std::string& engine_said,
                                         const std::string& platform) {
  const auto engine = connect_engine(engine_said);
  return engine->config_of(engine->find_image(name, platform, Pull::never).handle).diff_ids;
}

// One line on what of a target is damaged, as where nothing of it can be read; the report says the rest.
void tell_damage(const AuditTarget& target, const std::vector<Audit>& audits, const Session& session) {
  std::vector<std::string> damages;
  for (const Audit& audit : audits)
    for (std::string& line : audit.record().damages())
      if (std::find(damages.begin(), damages.end(), line) == damages.end()) damages.push_back(std::move(line));
  if (damages.empty()) return;
  const std::string more = damages.size() == 1 ? "" : " (and " + std::to_string(damages.size() - 1) + " more)";
  say(Error("audit: " + target.said + ": " + printable(damages.front()) + more,
            "all else of it was looked at; pull, save or copy it again"),
      session);
}

void set_base(ImageRecord& image, const std::string& name, const std::vector<std::string>& base) {
  if (name.empty()) return;
  std::size_t same = 0;
  while (same < base.size() && same < image.layers.size() && image.layers[same].diff_id == base[same]) ++same;
  image.base = name;
  image.base_layers = same;
}

int work(Flags& flags, Session& session) {
  const std::vector<AuditTarget> targets = audit_targets(flags.targets);
  if (flags.all_platforms && !flags.audit.platform.empty())
    throw usage_error("audit: --platform and --all-platforms contradict each other");

  Progress progress;
  AuditSettings settings = audit_settings(flags.audit, session);
  if (flags.all_platforms) settings.platform.clear();  // a flag wins over files
  flags.reporting.check(settings.all);
  const std::uint64_t most =
      max_size_flag(flags.max_size.empty() ? settings.all.text("max_size").value_or("") : flags.max_size);
  AuditOptions& options = settings.options;
  if (flags.reporting.shows_progress()) options.progress = [&progress](std::uint64_t bytes) { progress(bytes); };

  std::vector<std::string> base;  // its layers, before anything takes long
  if (!flags.base.empty()) base = layers_of_image(flags.base, settings.engine, settings.platform);
  Report report;
  report.started = std::time(nullptr);
  std::vector<std::string> ids;
  TargetReader reader(options, {settings.engine, settings.platform, flags.all_platforms, settings.engine_helper});
  for (const auto& target : targets) {
    try {
      progress.begin(size_of(target));
      const AuditedTarget audited = reader.audit(target);
      progress.clear();
      tell_damage(target, audited.audits, session);
      for (const auto& audit : audited.audits) {
        report.images.push_back(audit.record());
        ids.push_back(audited.handle.empty() ? audit.record().id : audited.handle);
      }
    } catch (const Interrupted&) {
      progress.clear();
      throw;
    } catch (const Error& error) {
      progress.clear();
      // With one target it is the whole story; with several, one that cannot be read hides no leak of another.
      if (targets.size() == 1 || error.status() == Status::usage) throw;
      say(error, session);
      report.not_audited.push_back(target.said + ": " + error.what());
    }
  }
  progress.clear();
  report.ended = std::time(nullptr);
  for (auto& image : report.images) {
    set_base(image, flags.base, base);
    for (auto& line : too_large(image, most)) report.too_large.push_back(std::move(line));
  }
  return flags.reporting.tell(std::move(report), ids, options.policy, session);
}

}  // namespace

Work offer_audit(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("TARGET", flags->targets, "what to audit, see below")->required();
  flags->reporting.offer(app);
  flags->audit.offer(app);
  app.add_flag("--all-platforms", flags->all_platforms, "of an image for several platforms every one");
  add_value(app, "--base", flags->base, "IMAGE", "also tell what is shared with this image of the engine");
  add_value(app, "--max-size", flags->max_size, "SIZE", "refuse an image whose layers weigh more: 300MB, 1.5GiB");
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

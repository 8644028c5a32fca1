// imgbuild push: an audit whose permission sends what it has looked at.
#include <algorithm>
#include <ctime>
#include <optional>

#include "audit_flags.hpp"
#include "audit_report.hpp"
#include "audit_target.hpp"
#include "base/text.hpp"
#include "image/registry_push.hpp"
#include "pushing.hpp"
#include "report/answers.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
The image is looked at as `imgbuild audit` does; where a leak is found, or something could not be looked at, nothing is
sent. Else the very bytes that were looked at are sent, by their digests, whatever the name means by then, and only the
layers that the registry does not have. You are asked for no password: `docker login` keeps it.

Examples:
  imgbuild push registry.example/team/app:1
  imgbuild push app:1 registry.example/team/app:1

On standard output: NAME@DIGEST of what the registry has now.

Exit status: 0 pushed; 1 a leak was found, 3 it could not be looked at to the end or not be sent: nothing was named;
2 usage; 130, 143 interrupted.)";

struct Flags {
  AuditFlags audit;
  std::string image, to;
  std::vector<std::string> reports;
};

Reference destination(const Flags& flags) {
  const std::string& name = flags.to.empty() ? flags.image : flags.to;
  if (name.find("://") != std::string::npos)
    throw usage_error("push: " + printable(name) + ": a name, not a URL", "HOST[:PORT]/NAME[:TAG]");
  Reference to = parse_reference(name);
  if (is_image_id(name) || !to.digest.empty())
    throw usage_error("push: " + printable(name) + " has no tag that could be given",
                      "say where to: imgbuild push IMAGE HOST/NAME:TAG");
  return to;
}

int work(const Flags& flags, Session& session) {
  const Reference to = destination(flags);
  AuditSettings settings = audit_settings(flags.audit, session);
  const auto files = report_files(flags.reports.empty() ? settings.all.list("reports") : flags.reports);
  Progress progress;
  if (on_terminal(STDERR_FILENO)) settings.options.progress = [&progress](std::uint64_t bytes) { progress(bytes); };

  const auto engine = connect_engine(settings.engine);
  std::optional<EngineHelper> helper;
  if (settings.engine_helper) helper.emplace(*engine, [](const std::string& line) { say("warning: " + line); });
  const EngineImage image = engine->find_image(flags.image, settings.platform, Pull::never);
  const ImageConfig config = engine->config_of(image.handle);
  RegistryPush(to, process_variables()).has_blob(config.id);  // is it there, and are we let in? Before the long part
  say("auditing " + image.handle);
  Report report;
  report.started = std::time(nullptr);
  TargetReader reader(settings.options, {settings.engine, settings.platform, false, settings.engine_helper});
  progress.begin(0);
  AuditedTarget audited;
  try {
    audited = reader.audit({AuditTarget::Kind::docker, flags.image, image.handle, {}});
  } catch (...) {
    progress.clear();
    throw;
  }
  progress.clear();
  // Of an image for several platforms one is sent, and that one counts.
  const auto ours = std::find_if(audited.audits.begin(), audited.audits.end(),
                                 [&](const Audit& audit) { return audit.record().id == config.id; });
  if (ours == audited.audits.end()) {
    for (const Audit& audit : audited.audits)
      if (const auto damages = audit.record().damages(); !damages.empty())
        throw Error("audit: " + flags.image + ": " + printable(damages.front()));
    throw Error("engine: save: it sent another image than " + config.id);
  }
  report.images.push_back(ours->record());
  report.allow_remarks = remarks_on(settings.options.policy, report.images, session.vault);
  report.ended = std::time(nullptr);
  const Redaction redaction(*session.scanner, session.vault);
  write_reports(files, report, *session.scanner, redaction);
  const auto cleared = ours->clear(image.handle);
  if (!cleared) {
    put_talk(report_as_text(report, redaction, Style{lively(STDERR_FILENO), false}));
    say("nothing was sent");
    return static_cast<int>(ours->verdict() == Verdict::leak ? Status::leak : Status::failed);
  }
  say("audit: clean, " + coverage_line(ours->record().coverage));
  put_result(push_cleared(*cleared, *engine, to) + "\n");
  return static_cast<int>(Status::clean);
}

}  // namespace

Work offer_push(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("IMAGE", flags->image, "an image of the engine, by name or id")->required();
  app.add_option("TO", flags->to, "the name to push to (default: IMAGE)");
  flags->audit.offer(app);
  add_several(app, "--report", flags->reports, "[FORMAT=]FILE", "write the audit's report, as `audit` does");
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

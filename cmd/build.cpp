// imgbuild build: a plan, its run, and what came of it.
#include "build/build.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <optional>

#include "audit_report.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "build/engine_helper.hpp"
#include "build_flags.hpp"
#include "json_view.hpp"
#include "live_view.hpp"
#include "log/log.hpp"
#include "pushing.hpp"
#include "report/answers.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
`-- COMMAND...` instead of --run SCRIPT is run as it stands, without a shell.

The script starts in the unpacked context ($BUILD_CONTEXT). `git clone git@HOST:...` works for the hosts of --ssh; each
secret is the file $BUILD_SECRETS/ID. All of that is gone from the image. What the script writes elsewhere ships, once
every byte of it was looked at. Settings may stand in imgbuild.toml in the context and in your own
~/.config/imgbuild/config.toml; flags win, then IMGBUILD_* variables.

With -f FILE, or without --run where PATH holds a Dockerfile, the engine's own builder builds that: RUN --mount=type=ssh
has the hosts of --ssh, RUN --mount=type=secret the secrets and, as known_hosts, the keys of those hosts.

Examples:
  imgbuild build . --from debian:12 --run build.sh -t app:1
  imgbuild build . --from node:20 --run build.sh --ssh git@github.com --secret id=npm,src=$HOME/.npm-token -t app:1
  imgbuild build . --from node:20 --run build.sh --secret id=gh,env=GITHUB_TOKEN --git-token github.com=gh -t app:1
  imgbuild build . -f Dockerfile --ssh git@github.com --build-arg VERSION=2 -t app:1
  imgbuild build . -f Dockerfile -o out
  imgbuild build . -f Dockerfile -o type=oci,dest=app.tar -t app:1
  imgbuild build . --from alpine --cmd '["/app"]' -t app:1 -- make install

-o DIR, with or without -t, writes the image's files to DIR once it is cleared; without -t no image stays in the engine.

The image's id is printed on standard output, unless -o has the image go there.

Exit status: 0 built and named; 1 a leak, nothing is named; 2 usage; 3 it could not be done or not be looked at to the
end; 4 the script failed; 130, 143 interrupted.)";

void tell(const BuildFacts& facts, const Redaction& redaction) {
  for (const auto& line : split(trim(facts_as_text(facts, redaction, Style{lively(STDERR_FILENO), false})), '\n'))
    if (!line.empty()) say(line);
}

// What a build tells while it runs, and keeps for the report of one that comes to no end.
class Diary {
 public:
  Diary(const Session& session, BuildTalk& talk) : redaction_(*session.scanner, session.vault) {
    talk.step = [](const std::string& line) { say(line); };
    talk.output = [](std::string_view text) { put_talk(text); };
    talk.warn = [](const std::string& line) { say("warning: " + line); };
    talk.withheld = [this](const Withheld& one) {
      facts_.withheld.push_back(one);
      // What is refused is told at the end, with what to do about it.
      if (one.action != Withheld::Action::refuse) tell({{one}, {}, {}, {}, {}}, redaction_);
    };
    talk.signature = [this](const Signature& signature) {
      const std::lock_guard lock(mutex_);
      facts_.ledger.push_back(signature);
      tell({{}, {signature}, {}, {}, {}}, redaction_);
    };
  }
  BuildFacts facts() const {
    const std::lock_guard lock(mutex_);
    return facts_;
  }

 private:
  const Redaction redaction_;
  mutable std::mutex mutex_;
  BuildFacts facts_;
};

// A clean image whose findings nobody had to answer for needs one line, anything else the whole report.
void tell(const Report& report, const Outcome& outcome, const Redaction& redaction) {
  const Style style{lively(STDERR_FILENO), false};
  if (!outcome.audit && outcome.status == Status::leak) {
    StageReport refused;
    for (const Withheld& one : outcome.withheld)
      if (one.action == Withheld::Action::refuse) refused.withheld.push_back(one);
    return put_talk(report_as_text(refused, redaction, style));
  }
  tell({{}, {}, {}, outcome.stubs, outcome.weak_secrets}, redaction);
  if (!outcome.audit) return;
  const ImageRecord& image = outcome.audit->record();
  const auto& gaps = image.coverage.not_scanned;
  const bool all_public = std::all_of(gaps.begin(), gaps.end(), [](auto& gap) { return !gap.published.empty(); });
  if (outcome.status == Status::clean && image.allowed.empty() && all_public)
    say("looked at " + coverage_line(image.coverage) +
        (image.published.size() + gaps.size() == 0
             ? ""
             : ", published " + std::to_string(image.published.size() + gaps.size())) +
        (image.notes.empty() ? "" : ", notes " + std::to_string(image.notes.size())));
  else
    put_talk(report_as_text(report, redaction, style));
  if (outcome.status == Status::clean) say(weight_line(redaction(image)));
}

// What came of it, in a line or two; the status to end with.
int conclude(const BuildFlags& flags, const Plan& plan, const std::vector<Output>& outputs, const Outcome& outcome,
             std::time_t started, Session& session) {
  const Redaction redaction(*session.scanner, session.vault);
  Report report;
  if (outcome.audit) report.images.push_back(outcome.audit->record());
  report.build = BuildFacts{outcome.withheld, outcome.ledger,       outcome.killed,
                            outcome.stubs,    outcome.weak_secrets, outcome.unchanged};
  // A build that came to no audit proved nothing.
  if (!outcome.audit) report.verdict = outcome.status == Status::leak ? Verdict::leak : Verdict::incomplete;
  // An entry may have been needed by what was staged: of the unneeded ones nothing is known here.
  report.allow_remarks = remarks_on(plan.policy, report.images, session.vault);
  report.allow_remarks.erase(
      std::remove_if(report.allow_remarks.begin(), report.allow_remarks.end(),
                     [](const AllowRemark& remark) { return remark.state == AllowRemark::State::unused; }),
      report.allow_remarks.end());
  report.too_large = outcome.too_large;
  report.started = started;
  report.ended = std::time(nullptr);
  write_reports(report_files(flags.reports), report, *session.scanner, redaction);
  tell(report, outcome, redaction);
  tell_too_large(outcome.too_large, session);
  switch (outcome.status) {
    case Status::clean:
      if (!plan.tags.empty()) say("named " + join(plan.tags, ", "));
      if (!flags.iidfile.empty()) write_file(flags.iidfile, outcome.handle);
      if (!take_stdout(outputs)) put_result(outcome.handle + "\n");
      break;
    case Status::script:
      say_failure((plan.dockerfile ? "the Dockerfile's RUN failed: exit status " : "the script failed: exit status ") +
                  std::to_string(outcome.script_status));
      break;
    default:
      if (outcome.audit)
        say_failure(outcome.handle.empty() ? "nothing was named" : "nothing was named; kept " + outcome.handle);
  }
  return static_cast<int>(outcome.status);
}

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

int work(BuildFlags& flags, Session& session) {
  std::error_code none;
  if (!std::filesystem::is_directory(flags.path, none))
    throw usage_error("build: " + printable(flags.path) + ": is no directory", "PATH is the folder with your code");
  SettingsRequest request;
  request.context = flags.path;
  request.build = flags.build;
  if (!flags.lean.max_size.empty()) request.flags["max_size"] = {{flags.lean.max_size}, "--max-size", Voice::flag};
  request.fail_on = severity_flag(flags.fail_on);
  request.no_repo_allow = flags.no_repo_allow;
  const Settings settings = load_settings(request);
  flags.settle(settings);
  check_writable(flags.iidfile);
  report_files(flags.reports);
  const std::vector<Output> outputs = flags.output.outputs();
  Plan plan = plan_from(flags, settings, outputs, session);
  const auto pushed = pushed_names(outputs, flags.output.push, plan.tags);
  session.load_scanner(flags.rules.empty() ? settings.list("rules") : flags.rules);
  std::optional<JsonView> json;
  if (flags.progress == "rawjson") json.emplace();
  if (Secret::unlocked() > 0)
    say("warning: secrets could not be locked into memory (ulimit -l); they might reach the swap");
  BuildTalk talk;
  const Diary diary(session, talk);
  if (flags.dry_run) {
    const Outcome outcome = rehearse(plan, session.scanner, session.vault, talk);
    if (outcome.status == Status::leak) {
      tell(Report{}, outcome, Redaction(*session.scanner, session.vault));
      return static_cast<int>(outcome.status);
    }
    for (const auto& step : describe(plan)) put_result(step + "\n");
    for (const auto& step : describe(outputs)) put_result(step + "\n");
    if (!pushed.empty()) put_result("push " + join(pushed, ", ") + "\n");
    return 0;
  }
  const std::shared_ptr<Log> log = flags.log.open();
  keep_log(log);
  const auto targets = push_targets(pushed);
  const auto engine = connect_engine(flags.engine.empty() ? settings.text("engine").value_or("") : flags.engine);
  std::optional<EngineHelper> helper;
  if (flags.engine_helper) helper.emplace(*engine, [](const std::string& line) { say("warning: " + line); });
  add_docker_proxies(plan, engine->facts().endpoint, session.vault);
  if (log) talk.logged = [log](std::string_view message) { log->line(parse_syslog(message, now())); };
  std::optional<LiveView> view;
  if (flags.progress == "quiet") talk.output = nullptr;
  if (json) {
    talk.changed = [&json](const BuildStep& step) { (*json)(step); };
    talk.step_output = [](std::string_view text) { put_log(text); };
  }
  if (plan.dockerfile && on_terminal(STDERR_FILENO) && (flags.progress == "tty" || flags.progress == "auto")) {
    view.emplace();
    talk.changed = [&view](const BuildStep& step) { (*view)(step); };
    talk.step_output = [](std::string_view text) { put_log(text); };
  }
  const std::time_t started = std::time(nullptr);
  std::optional<Outcome> outcome;
  try {
    outcome = build(plan, *engine, session.scanner, session.vault, talk);
    view.reset();
  } catch (const Error& error) {
    view.reset();
    Report report;
    report.build = diary.facts();
    report.verdict = Verdict::incomplete;
    report.not_audited.push_back(error.what());
    report.started = started;
    report.ended = std::time(nullptr);
    write_reports(report_files(flags.reports), report, *session.scanner, Redaction(*session.scanner, session.vault));
    throw;
  }
  const int status = conclude(flags, plan, outputs, *outcome, started, session);
  if (outcome->status != Status::clean) return status;
  // From here on it may leave the engine: what is written and sent is what was looked at.
  const auto cleared = outcome->audit->clear(outcome->handle);
  for (const Output& output : outputs)
    if (output.writes()) write_output(output, *cleared, *engine, plan.tags, [](const std::string& line) { say(line); });
  for (const Reference& target : targets) push_cleared(*cleared, *engine, target);
  return status;
}

}  // namespace

Work offer_build(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<BuildFlags>();
  flags->offer(app);
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

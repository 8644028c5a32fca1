// imgbuild audit: which images, and the one report on them all.
#include "audit/audit.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

#include "agent/protocol.hpp"
#include "agent/upstream.hpp"
#include "audit_target.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "report/report.hpp"
#include "session.hpp"

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
  imgbuild audit --format json --output report.json archive:app.tar

Exit status, over all targets: 1 a leak; else 3 something could not be looked at; else 0 clean. 2 usage.)";

struct Flags {
  std::vector<std::string> targets, rules;
  std::string format = "text", output, fail_on, config, engine, platform;
  bool all_platforms = false;
  unsigned threads = 0;
};

// "1.2 GB looked at", on a terminal, a few times a second.
class Progress {
 public:
  void operator()(std::uint64_t bytes) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto tick = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() / 200;
    if (last_.exchange(tick) == tick) return;
    put_talk("\r\x1b[Kimgbuild: " + human_size(bytes) + " looked at");
    shown_ = true;
  }
  void clear() {
    if (shown_.exchange(false)) put_talk("\r\x1b[K");
  }

 private:
  std::atomic<long long> last_{0};
  std::atomic<bool> shown_{false};
};

// The keys of the user's agent, so that a key in an image can be told to be theirs. No agent, no such sentence.
std::vector<std::string> keys_of_agent() {
  const char* socket = std::getenv("SSH_AUTH_SOCK");
  if (socket == nullptr || *socket == '\0') return {};
  std::vector<std::string> keys;
  try {
    SocketUpstream upstream(socket);
    for (const Bytes& blob : parse_identities(upstream.ask(Bytes{agent::request_identities})))
      if (std::string fingerprint = identity_fingerprint(blob); !fingerprint.empty())
        keys.push_back(std::move(fingerprint));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // a forwarded agent that went away is no reason not to audit
  }
  return keys;
}

int work(const Flags& flags, Session& session) {
  const bool json = wants_json(flags.format);
  check_writable(flags.output);
  const std::vector<AuditTarget> targets = audit_targets(flags.targets);
  check_platform(flags.platform, flags.all_platforms);

  SettingsRequest request;
  request.user_file = flags.config;
  request.fail_on = severity_flag(flags.fail_on);
  const Settings settings = load_settings(request);
  session.load_scanner(flags.rules.empty() ? settings.list("rules") : flags.rules);

  Progress progress;
  AuditOptions options;
  options.scanner = session.scanner;
  options.found = &session.vault;
  options.policy = policy_from(settings, request.fail_on);
  options.agent_keys = keys_of_agent();
  options.threads = flags.threads;
  if (const auto* threads = settings.find("threads"); threads != nullptr && flags.threads == 0) {
    const std::string& count = threads->values.front();
    if (count.empty() || count.size() > 4 || count.find_first_not_of("0123456789") != std::string::npos)
      throw usage_error(threads->from + ": threads must be a number");
    options.threads = static_cast<unsigned>(std::stoul(count));
  }
  if (lively(STDERR_FILENO)) options.progress = [&progress](std::uint64_t bytes) { progress(bytes); };

  Report report;
  const std::string engine = flags.engine.empty() ? settings.text("engine").value_or("") : flags.engine;
  TargetReader reader(options, {engine, flags.platform, flags.all_platforms});
  for (const auto& target : targets) {
    try {
      for (const auto& audit : reader.audit(target)) report.images.push_back(audit.record());
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
  const Redaction redaction(*session.scanner, session.vault);
  const bool colour = flags.output.empty() && lively(STDOUT_FILENO);
  const std::string text =
      json ? report_as_json(report, *session.scanner, redaction) : report_as_text(report, redaction, colour);
  flags.output.empty() ? put_result(text) : write_file(flags.output, text);
  switch (verdict_of(report)) {
    case Verdict::leak:
      return static_cast<int>(Status::leak);
    case Verdict::incomplete:
      return static_cast<int>(Status::failed);
    case Verdict::clean:
      break;
  }
  return static_cast<int>(Status::clean);
}

}  // namespace

Work offer_audit(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("TARGET", flags->targets, "what to audit, see below")->required();
  add_value(app, "--format", flags->format, "FORMAT", "text or json");
  add_value(app, "--output", flags->output, "FILE", "write the report to FILE instead of standard output");
  add_value(app, "--fail-on", flags->fail_on, "SEVERITY",
            "least severity that is a leak: low, medium (default), high, critical");
  add_value(app, "--config", flags->config, "FILE", "settings and allow-entries, instead of your own config.toml");
  add_value(app, "--engine", flags->engine, "URL",
            "unix://PATH or tcp://HOST:PORT (else DOCKER_HOST, the docker context...)");
  add_value(app, "--platform", flags->platform, "OS/ARCH", "of an image for several platforms this one: linux/arm64");
  app.add_flag("--all-platforms", flags->all_platforms, "of an image for several platforms every one");
  add_several(app, "--rules", flags->rules, "FILE", "more rules, from FILE");
  app.add_option("--threads", flags->threads, "how many (default: as many as there are processors)")->type_name("N");
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

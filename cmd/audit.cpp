// imgbuild audit: which images, and the one report on them all.
#include "audit/audit.hpp"

#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "agent/protocol.hpp"
#include "agent/upstream.hpp"
#include "audit_report.hpp"
#include "audit_target.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"
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
  imgbuild audit --report sarif=leaks.sarif --report gitlab=gl-secret-detection-report.json archive:app.tar
  imgbuild audit --write-baseline known.json app:1; imgbuild audit --baseline known.json app:2
  id=$(imgbuild audit --quiet docker:app:1) && docker tag "$id" app:1 && docker push app:1

Exit status, over all targets: 1 a leak; else 3 something could not be looked at; else 0 clean. 2 usage.)";

struct Flags {
  std::vector<std::string> targets, rules;
  std::string fail_on, config, engine, platform;
  bool all_platforms = false, no_cache = false;
  unsigned threads = 0;
  AuditReporting reporting;
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

int work(Flags& flags, Session& session) {
  flags.reporting.check();
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
  options.cache = !flags.no_cache;
  if (const auto* threads = settings.find("threads"); threads != nullptr && flags.threads == 0) {
    const std::string& count = threads->values.front();
    if (count.empty() || count.size() > 4 || count.find_first_not_of("0123456789") != std::string::npos)
      throw usage_error(threads->from + ": threads must be a number");
    options.threads = static_cast<unsigned>(std::stoul(count));
  }
  if (flags.reporting.shows_progress()) options.progress = [&progress](std::uint64_t bytes) { progress(bytes); };

  Report report;
  report.started = std::time(nullptr);
  std::vector<std::string> ids;
  const std::string engine = flags.engine.empty() ? settings.text("engine").value_or("") : flags.engine;
  TargetReader reader(options, {engine, flags.platform, flags.all_platforms});
  for (const auto& target : targets) {
    try {
      progress.begin(size_of(target));
      const AuditedTarget audited = reader.audit(target);
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
  return flags.reporting.tell(std::move(report), ids, options.policy, session);
}

}  // namespace

Work offer_audit(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("TARGET", flags->targets, "what to audit, see below")->required();
  flags->reporting.offer(app);
  add_value(app, "--fail-on", flags->fail_on, "SEVERITY",
            "least severity that is a leak: low, medium (default), high, critical");
  add_value(app, "--config", flags->config, "FILE", "settings and allow-entries, instead of your own config.toml");
  add_value(app, "--engine", flags->engine, "URL",
            "unix://PATH or tcp://HOST:PORT (else DOCKER_HOST, the docker context...)");
  add_value(app, "--platform", flags->platform, "OS/ARCH", "of an image for several platforms this one: linux/arm64");
  app.add_flag("--all-platforms", flags->all_platforms, "of an image for several platforms every one");
  app.add_flag("--no-cache", flags->no_cache, "read every layer, also those that were looked at before");
  add_several(app, "--rules", flags->rules, "FILE", "more rules, from FILE");
  app.add_option("--threads", flags->threads, "how many (default: as many as there are processors)")->type_name("N");
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

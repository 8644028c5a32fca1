#include "audit_flags.hpp"

#include <cstdlib>

#include "agent/protocol.hpp"
#include "agent/upstream.hpp"
#include "audit_target.hpp"
#include "base/interrupt.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

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

}  // namespace

void AuditFlags::offer(CLI::App& app) {
  add_value(app, "--fail-on", fail_on, "SEVERITY",
            "least severity that is a leak: low, medium (default), high, critical");
  add_value(app, "--config", config, "FILE", "settings and allow-entries, instead of your own config.toml");
  add_value(app, "--engine", engine, "URL",
            "unix://PATH, tcp://HOST:PORT, ssh://HOST, podman (else DOCKER_HOST, the docker context...)");
  app.add_flag("--engine-helper", engine_helper, engine_helper_says);
  add_value(app, "--platform", platform, "OS/ARCH", "of an image for several platforms this one: linux/arm64");
  app.add_flag("--no-cache", no_cache, "read every layer, also those that were looked at before");
  add_several(app, "--rules", rules, "FILE", "more rules, from FILE");
  app.add_option("--threads", threads, "how many (default: as many as there are processors)")->type_name("N");
}

AuditSettings audit_settings(const AuditFlags& flags, Session& session) {
  SettingsRequest request;
  request.user_file = flags.config;
  request.fail_on = severity_flag(flags.fail_on);
  AuditSettings settled;
  const Settings settings = settled.all = load_settings(request);
  session.load_scanner(flags.rules.empty() ? settings.list("rules") : flags.rules);

  AuditOptions& options = settled.options;
  options.scanner = session.scanner;
  options.found = &session.vault;
  options.policy = policy_from(settings, request.fail_on);
  options.agent_keys = keys_of_agent();
  options.threads = flags.threads;
  options.cache = !flags.no_cache && !settings.on("no_cache");
  if (const auto* threads = settings.find("threads"); threads != nullptr && flags.threads == 0) {
    const std::string& count = threads->values.front();
    if (count.empty() || count.size() > 4 || count.find_first_not_of("0123456789") != std::string::npos)
      throw usage_error(threads->from + ": threads must be a number");
    options.threads = static_cast<unsigned>(std::stoul(count));
  }
  check_platform(flags.platform, "--platform");
  settled.platform = flags.platform;
  if (const auto* platform = settings.find("platform"); platform != nullptr && flags.platform.empty()) {
    settled.platform = platform->values.front();
    check_platform(settled.platform, platform->from + ": platform");
  }
  settled.engine = flags.engine.empty() ? settings.text("engine").value_or("") : flags.engine;
  settled.engine_helper = flags.engine_helper || settings.on("engine_helper");
  return settled;
}

}  // namespace imgbuild

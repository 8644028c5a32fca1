#include "build/script.hpp"

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "build/cache_check.hpp"
#include "build/surroundings.hpp"
#include "context/judge.hpp"
#include "scan/allow.hpp"
#include "scan/redactor.hpp"

namespace imgbuild {
namespace {

// Both of the script's outputs, each redacted on its own: a value that is cut between two writes is cut within one.
class ScriptOutput {
 public:
  ScriptOutput(const std::shared_ptr<const Scanner>& scanner, const Vault& vault, const BuildTalk& talk)
      : out_(scanner, vault), err_(scanner, vault), talk_(talk) {}
  void out(std::string_view text) { put(out_.feed(text)); }
  void err(std::string_view text) { put(err_.feed(text)); }
  void tick() {
    put(out_.tick());
    put(err_.tick());
  }
  void finish() {
    put(out_.finish());
    put(err_.finish());
  }

 private:
  void put(const std::string& text) {
    if (!text.empty() && talk_.output) talk_.output(text);
  }
  Redactor out_, err_;
  const BuildTalk& talk_;
};

RelayTask task_of(const Plan& plan, const ImageConfig& base, const Context& context, Gateway* gateway,
                  const BuildTalk& talk) {
  RelayTask task;
  task.home = builder_tmpfs;
  task.context = builder_context;
  task.user = plan.user.empty() ? base.user : plan.user;
  task.workdir = plan.workdir;
  task.base_env = base.env;
  task.env = proxy_environment(plan);
  task.env.insert(task.env.end(), plan.env.begin(), plan.env.end());
  std::vector<std::string> known = base.env;
  known.insert(known.end(), plan.env.begin(), plan.env.end());
  for (auto& entry : git_environment(plan, known, std::string(builder_tmpfs) + "/secrets")) task.env.push_back(entry);
  task.certificates = plan.certificates;
  task.caches = plan.caches;
  task.command = plan.command;
  task.script = plan.script;
  for (const HandedSecret& secret : plan.secrets) task.secrets.emplace_back(secret.id, &secret.value);
  for (const HandedFile& file : plan.config_files) task.lent_files.push_back({file.place, file.mode, &file.content});
  task.volumes = base.volumes;
  task.tar = context.tar.get();
  task.timeout = plan.timeout;
  task.syslog = static_cast<bool>(talk.logged);
  if (gateway != nullptr) {
    task.lend = true;
    task.known_hosts = gateway->pinned_known_hosts();
    task.fingerprints = gateway->fingerprint_hosts();
  }
  return task;
}

}  // namespace

std::vector<Withheld> refusals_in(const std::vector<std::pair<std::string, std::string>>& texts, const Policy& policy,
                                  const std::shared_ptr<const Scanner>& scanner, Vault& vault) {
  const Judge judge(scanner, vault, policy);
  std::vector<Withheld> refused;
  for (const auto& [name, text] : texts) {
    Location place;
    place.path = name;
    for (const Remark& remark : judge.text(view_of(text), place)) {
      if (remark.fate == Remark::Fate::note || remark.fate == Remark::Fate::allowed) continue;
      Withheld each;
      each.action = Withheld::Action::refuse;
      each.path = name;
      each.line = remark.place.line;
      each.rule = remark.rule->id;
      each.says = remark.rule->says;
      each.allow =
          allow_entry_text(each.rule, allow_place_of(remark.place), allow_identity(remark.key, remark.value.reveal()));
      refused.push_back(std::move(each));
    }
  }
  return refused;
}

std::vector<Withheld> refusals_of_script(const Plan& plan, const std::shared_ptr<const Scanner>& scanner,
                                         Vault& vault) {
  std::vector<std::pair<std::string, std::string>> texts = {
      {plan.script_name.empty() ? "script" : plan.script_name, plan.script}, {"command", join(plan.command, "\n")}};
  for (const std::string& entry : plan.env) texts.emplace_back("--env " + entry.substr(0, entry.find('=')), entry);
  for (const HandedFile& file : plan.config_files)
    if (!file.asked.empty()) texts.emplace_back(file.place, file.content.reveal());
  return refusals_in(texts, plan.policy, scanner, vault);
}

RelayResult run_script(const Plan& plan, const ImageConfig& base, const Context& context, Gateway* gateway,
                       Engine& engine, const std::string& builder, const std::shared_ptr<const Scanner>& scanner,
                       Vault& vault, const BuildTalk& talk) {
  const View program = relay_program(base.architecture);
  const auto exec = engine.exec(builder, {relay_bootstrap(builder_tmpfs, program.size()), "0"});
  ScriptOutput output(scanner, vault, talk);
  RelayEvents events;
  events.output = [&](std::string_view text) { output.out(text); };
  events.errors = [&](std::string_view text) { output.err(text); };
  events.quiet = [&] { output.tick(); };
  events.logged = [&](std::string_view message) { talk.logged(redact(message, *scanner, vault)); };
  events.client = [gateway]() -> AgentAnswer {
    return [client = std::shared_ptr<Gateway::Client>(gateway->client())](View bytes) { return client->serve(bytes); };
  };

  CacheCheck caches(plan, scanner, vault, talk);
  RelayTask task = task_of(plan, base, context, gateway, talk);
  task.look_at_caches = !plan.caches.empty() && caches.needed();
  events.cached = [&](std::string_view path, std::uint64_t size) { caches.file(path, size); };
  events.cached_bytes = [&](View bytes) { caches.data(bytes); };
  events.cached_all = [&] { return caches.to_empty(); };

  RelaySession session(*exec, program);
  // Before the session waits for its clients: an answer under way ends with the gateway.
  struct Closing {
    Gateway* gateway;
    ~Closing() {
      if (gateway != nullptr) gateway->close();
    }
  } closing{gateway};
  try {
    RelayResult result = session.run(task, events);
    output.finish();
    return result;
  } catch (const RelayGone& gone) {
    output.finish();
    interrupt::check();
    if (!engine.running(builder)) throw Error("the builder was stopped while the script ran");  // or the engine is gone
    const std::string said = printable(trim(exec->errors()));
    throw Error(gone.what() + (said.empty() ? "" : ": " + said), gone.hint());
  } catch (const Error&) {
    output.finish();
    throw;
  }
}

}  // namespace imgbuild

// imgbuild doctor: all that a build would lean on, tried for real, each with what to do about it.
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "agent/grants.hpp"
#include "agent/upstream.hpp"
#include "base/fd.hpp"
#include "base/interrupt.hpp"
#include "base/process.hpp"
#include "base/temp_dir.hpp"
#include "base/text.hpp"
#include "engine/endpoint.hpp"
#include "engine/engine.hpp"
#include "image/json.hpp"
#include "relay/session.hpp"
#include "ssh_flags.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
Each line says what works, what does not, and what to do about it. At each granted host there is a real login, through
the gateway that a builder would have, and nothing is run there. Grants are those of --ssh and IMGBUILD_SSH.

Examples:
  imgbuild doctor
  imgbuild doctor --ssh git@github.com --ssh deploy@build.example.org:2222

Exit status: 0 all that is asked for works; 2 usage; 3 something does not.)";

constexpr std::uint64_t least_disk = 1'000'000'000;  // for what a build spills: less than that and it tells

struct Flags {
  std::string path = ".", engine, build, format = "text";
  SshFlags ssh;
};

struct Check {
  enum class State { ok, note, problem };
  std::string what;
  State state = State::ok;
  std::string says, hint;
};
using State = Check::State;

class Doctor {
 public:
  Doctor(const Flags& flags, const Settings& settings, AgentRequest request)
      : flags_(flags), settings_(settings), request_(std::move(request)) {}

  const std::vector<Check>& look() {
    engine();
    for (const auto& said : request_.hosts) host(said);
    asked();
    agent();
    logins();
    disk();
    return checks_;
  }

 private:
  void add(const std::string& what, State state, const std::string& says, const std::string& hint = {}) {
    checks_.push_back({what, state, says, hint});
  }
  void fault(const std::string& what, const Error& error) { add(what, State::problem, error.what(), error.hint()); }

  void engine() try {
    const Setting* setting = flags_.engine.empty() ? settings_.find("engine") : nullptr;
    const std::string given = setting == nullptr ? flags_.engine : setting->values.front();
    std::string why = given == "podman" ? "--engine" : choose_engine(given, process_variables()).from;
    if (setting != nullptr) why = setting->from;
    const auto engine = connect_engine(given);
    const EngineFacts& facts = engine->facts();
    const bool podman = facts.kind == EngineFacts::Kind::podman;
    if (why == default_engine && podman) why = "nobody listens at docker's socket";
    add("engine", State::ok,
        std::string(podman ? "podman " : "docker ") + printable(facts.version) + ", API " + printable(facts.api) +
            ", " + printable(facts.os + "/" + facts.architecture) + ", " +
            (podman                                               ? "podman's store"
             : facts.kind == EngineFacts::Kind::docker_containerd ? "containerd's store"
                                                                  : "the classic store") +
            (facts.endpoint == "podman" ? ", started for this run" : ", at " + printable(facts.endpoint)) + " (" + why +
            ")");
    if (relay_program(facts.architecture).empty())
      add("engine", State::problem, "there is no relay for " + printable(facts.architecture),
          "builds by script run on amd64 and arm64");
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    fault("engine", error);
  }

  // The keys that are for another of the hosts are no matter of this one.
  AgentRequest alone(const std::string& said) const {
    AgentRequest one = request_;
    one.hosts = {said};
    std::erase_if(one.keys, [&](const std::string& key) {
      const auto equals = key.find('=');
      if (key.starts_with("SHA256:") || equals == std::string::npos || key.find('/') < equals) return false;
      const std::string scope = parse_host(key.substr(0, equals)).host;
      const auto is_it = [&](const std::string& host) { return parse_host(host).host == scope; };
      return !is_it(said) && std::any_of(request_.hosts.begin(), request_.hosts.end(), is_it);
    });
    return one;
  }

  void host(const std::string& said) try {
    Gateway gateway(alone(said));
    for (const auto& key : gateway.granted_keys()) granted_.insert(key);
    for (const auto& line : gateway.warnings())
      if (warned_.insert(line).second) add("known_hosts", State::note, line);
    const std::string shown = gateway.granted_hosts().front();
    const HostGrant grant = parse_host(shown);
    KnownHosts known;
    known.read(gateway.pinned_known_hosts(), "known_hosts");
    const HostKeys keys = known.find(grant.host, grant.port);
    std::vector<std::string> told;
    for (const SshKey& key : keys.keys) told.push_back(key.plain_type + " " + key.fingerprint());
    for (const SshKey& key : keys.authorities) told.push_back("certified by " + key.fingerprint());
    for (const auto& [name, fingerprint] : gateway.fingerprint_hosts()) told.push_back(fingerprint);
    add("known_hosts " + shown, State::ok, join(told, ", "));
    log_in(gateway, grant, shown);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    fault("ssh " + printable(said), error);
  }

  // As a builder's ssh would, with nothing of the user's settings; no command, so that a forge greets and a shell ends.
  void log_in(Gateway& gateway, const HostGrant& grant, const std::string& shown) {
    const TempDir folder;
    const std::string pinned = gateway.pinned_known_hosts();
    write_file(folder.path() + "/known_hosts", pinned);
    const GatewaySocket socket(gateway);
    const auto option = [](std::vector<std::string>& argv, const std::string& text) {
      argv.push_back("-o");
      argv.push_back(text);
    };
    // `timeout`, since a host may let in and then say nothing for ever.
    std::vector<std::string> argv{"timeout", "--foreground", "--kill-after=2", "40", "ssh", "-F", "/dev/null", "-T"};
    option(argv, "BatchMode=yes");
    option(argv, "LogLevel=ERROR");
    option(argv, "ConnectTimeout=10");
    option(argv, "PreferredAuthentications=publickey");
    option(argv, "IdentityFile=none");
    option(argv, "UserKnownHostsFile=" + folder.path() + "/known_hosts");
    option(argv, "GlobalKnownHostsFile=/dev/null");
    // Of whom only a fingerprint is known, the gateway asks for the proof before it signs.
    option(argv, std::string("StrictHostKeyChecking=") + (pinned.empty() ? "accept-new" : "yes"));
    for (const std::string& more :
         {std::string("-p"), std::to_string(grant.port), std::string("-l"), grant.user, std::string("--"), grant.host})
      argv.push_back(more);
    Command command;
    command.argv = argv;
    command.env = {"SSH_AUTH_SOCK=" + socket.path(), "LC_ALL=C"};
    const Ran ran = run(command);
    gateway.close();
    const auto ledger = gateway.ledger();
    const bool granted = std::any_of(ledger.begin(), ledger.end(), [](const Signature& each) { return each.granted; });
    const std::string greeting = line_of(ran.out, false), complaint = line_of(ran.err, true);
    const std::string what = "login " + shown;
    if (ran.status == 127 || ran.status == 126)
      add(what, State::problem, "ssh cannot be run: " + complaint, "apt-get install openssh-client");
    else if (ran.status == 124 || ran.status == 137)
      add(what, State::problem, "no end of it within 40 seconds", "ssh -v " + shown);
    else if (ran.status == 255)
      add(what, State::problem, complaint.empty() ? "ssh failed" : complaint,
          granted ? "the key was shown and is not let in there: the host's administrator, or the forge's settings"
                  : "ssh -v -p " + std::to_string(grant.port) + " " + grant.user + "@" + grant.host);
    else if (!granted)
      add(what, State::note, "let in without a key of yours");
    else
      add(what, State::ok,
          greeting.empty() && complaint.empty() ? "let in"
                                                : "let in: " + (greeting.empty() ? line_of(ran.err, false) : greeting));
  }

  // The first or last line that says something, printable.
  static std::string line_of(const std::string& text, bool last) {
    std::string found;
    for (const auto& line : split(text, '\n')) {
      if (trim(line).empty()) continue;
      if (last || found.empty()) found = printable(trim(line)).substr(0, 200);
    }
    return found;
  }

  // What the context's file asks for and nobody grants.
  void asked() {
    if (const Setting* asks = settings_.find("ask_ssh"))
      for (const auto& said : asks->values) {
        try {
          const HostGrant wants = parse_host(said);
          const auto same = [&](const std::string& granted) {
            const HostGrant has = parse_host(granted);
            return has.host == wants.host && has.port == wants.port && (wants.user.empty() || wants.user == has.user);
          };
          if (std::none_of(request_.hosts.begin(), request_.hosts.end(), same))
            add("ssh " + printable(said), State::note, "asked for by " + asks->from + ", and not granted",
                "if you trust what it runs: --ssh " + printable(said));
        } catch (const Error& error) {  // a stranger's word
          add("ssh " + printable(said), State::problem, asks->from + ": " + error.what());
        }
      }
    if (const Setting* asks = settings_.find("ask_secrets"))
      for (const auto& id : asks->values) {
        const auto source = settings_.secrets.find(id);
        if (source == settings_.secrets.end())
          add("secret " + printable(id), State::note, "asked for by " + asks->from,
              "hand it out with --secret id=" + printable(id) + ",src=FILE");
      }
  }

  void agent() {
    const std::string& socket = request_.agent_socket;
    const bool needed = !request_.hosts.empty() && request_.key_files.empty() && request_.key_texts.empty();
    const State missing = needed ? State::problem : State::note;
    if (socket.empty())
      return add("agent", missing, "none: SSH_AUTH_SOCK is not set", "eval \"$(ssh-agent)\" && ssh-add");
    std::vector<Bytes> keys;
    try {
      SocketUpstream upstream(socket);
      keys = parse_identities(upstream.ask(Bytes{agent::request_identities}));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      return add("agent", missing, printable(socket) + ": " + error.what(),
                 error.hint().empty() ? "eval \"$(ssh-agent)\" && ssh-add" : error.hint());
    }
    if (keys.empty()) return add("agent", missing, printable(socket) + ": no key in it", "ssh-add");
    add("agent", State::ok,
        printable(socket) + ": " + std::to_string(keys.size()) + (keys.size() == 1 ? " key" : " keys"));
    for (const Bytes& blob : keys) {
      const std::string fingerprint = identity_fingerprint(blob);
      if (fingerprint.empty()) continue;
      add("key " + fingerprint, State::ok, granted_.count(fingerprint) > 0 ? "granted" : "not granted");
    }
  }

  void logins() try {
    const std::string path = docker_config_folder(process_variables()) + "/config.json";
    if (::access(path.c_str(), R_OK) != 0)
      return add("registries", State::note, "no login: no " + printable(path), "docker login REGISTRY");
    std::string text = read_file(path, std::size_t{4} << 20);
    const Json config = parse_json(text, printable(path).c_str());
    wipe(text.data(), text.size());
    std::set<std::string> names, helpers;
    for (const char* table : {"auths", "credHelpers"})
      if (const Json& entries = at(config, table); entries.is_object())
        for (const auto& [name, entry] : entries.items()) names.insert(printable(name));
    for (const auto& [name, helper] : pairs_of(at(config, "credHelpers"))) helpers.insert(helper);
    if (const std::string store = text_at(config, "credsStore"); !store.empty()) helpers.insert(store);
    std::vector<std::string> list(names.begin(), names.end());
    add("registries", names.empty() ? State::note : State::ok, names.empty() ? "no login" : join(list, ", "));
    for (const auto& helper : helpers)
      if (!on_path("docker-credential-" + helper))
        add("registries", State::problem,
            printable(path) + ": docker-credential-" + printable(helper) + " is not on PATH",
            "install it, or take it out of the file");
  } catch (const Error& error) {
    fault("registries", error);
  }

  static bool on_path(const std::string& program) {
    if (program.find('/') != std::string::npos) return false;
    const char* path = std::getenv("PATH");
    for (const auto& folder : split(path == nullptr ? "" : path, ':'))
      if (::access(((folder.empty() ? "." : folder) + "/" + program).c_str(), X_OK) == 0) return true;
    return false;
  }

  void disk() try {
    const std::string folder = temp_root();
    Fd::unnamed_file();  // may we write there?
    struct statvfs facts {};
    if (::statvfs(folder.c_str(), &facts) != 0) throw system_error(printable(folder), errno);
    const std::uint64_t free = std::uint64_t{facts.f_bavail} * facts.f_frsize;
    const bool enough = free >= least_disk;
    add("disk", enough ? State::ok : State::problem, printable(folder) + ": " + human_size(free) + " free",
        enough ? "" : "contexts and archives in images spill there: set TMPDIR to a folder with more");
  } catch (const Error& error) {
    add("disk", State::problem, error.what(), "set TMPDIR to a folder that can be written");
  }

  const Flags& flags_;
  const Settings& settings_;
  const AgentRequest request_;
  std::vector<Check> checks_;
  std::set<std::string> granted_, warned_;
};

const char* name_of(State state) { return state == State::ok ? "ok" : state == State::note ? "note" : "problem"; }

int work(const Flags& flags, Session& session) {
  if (flags.format != "text" && flags.format != "json")
    throw usage_error("--format: must be text or json, not `" + printable(flags.format) + "`");
  SettingsRequest asked;
  asked.context = flags.path;
  asked.build = flags.build;
  const Settings settings = load_settings(asked);
  AgentRequest request = flags.ssh.request(settings, session.variables);
  session.variables.forget();
  session.load_scanner({});
  Doctor doctor(flags, settings, std::move(request));
  bool well = true;
  Json all = Json::array();
  std::string text;
  for (const Check& check : doctor.look()) {
    well = well && check.state != State::problem;
    const std::string says = session.redacted(check.says), hint = session.redacted(check.hint);
    all.push_back({{"what", check.what}, {"state", name_of(check.state)}, {"says", says}, {"hint", hint}});
    const std::string state = name_of(check.state);
    text += state + std::string(9 - state.size(), ' ') + check.what + ": " + says + "\n";
    if (!hint.empty()) text += "         hint: " + hint + "\n";
  }
  const Json report = {{"schema", "imgbuild.doctor/1"}, {"ok", well}, {"checks", std::move(all)}};
  put_result(flags.format == "json" ? report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : text);
  return static_cast<int>(well ? Status::clean : Status::failed);
}

}  // namespace

Work offer_doctor(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("PATH", flags->path, "the context whose imgbuild.toml counts (default: .)");
  flags->ssh.offer(app);
  add_value(app, "--engine", flags->engine, "URL",
            "unix://PATH, tcp://HOST:PORT, ssh://HOST, podman (else DOCKER_HOST, the docker context...)");
  add_value(app, "--build", flags->build, "NAME", "of the builds in imgbuild.toml this one: [build.NAME]");
  add_value(app, "--format", flags->format, "FORMAT", "text or json");
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

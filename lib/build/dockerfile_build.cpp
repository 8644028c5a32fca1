// The driver where the engine's own builder does the building. What differs from a build by script: the lines of the
// Dockerfile are looked at first; what may be asked for while it builds is served over a session; and what comes out is
// an image already, with our label in its config. That one is never named: its config is loaded again without the
// label, and the image that results is what is audited and named.
#include "build/dockerfile_build.hpp"

#include <algorithm>
#include <ctime>
#include <set>

#include "base/interrupt.hpp"
#include "base/text.hpp"
#include "build/build_session.hpp"
#include "build/dockerfile_check.hpp"
#include "build/ending.hpp"
#include "build/squash.hpp"
#include "build/surroundings.hpp"
#include "build/traces.hpp"
#include "buildkit/progress.hpp"
#include "crypto/digest.hpp"
#include "dockerfile/origin.hpp"
#include "http/url.hpp"
#include "report/report.hpp"
#include "scan/redactor.hpp"
#include "tar/archive.hpp"
#include "tar/writer.hpp"

namespace imgbuild {
namespace {

class DockerfileBuild {
 public:
  DockerfileBuild(Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
                  const BuildTalk& talk)
      : plan_(plan),
        asked_(*plan.dockerfile),
        engine_(engine),
        scanner_(scanner),
        vault_(vault),
        talk_(talk),
        check_(plan, scanner, vault, talk),
        file_(check_.file()) {}

  Outcome run();

 private:
  void warn(const std::string& line) const {
    if (talk_.warn) talk_.warn(line);
  }
  std::string safe(const std::string& text) const { return printable(redact(text, *scanner_, vault_)); }
  std::string line_of(const DockerInstruction& at) const { return asked_.shown + ":" + std::to_string(at.line); }

  void check_possible() const;
  std::vector<GitToken> tokens_for_its_git() const;
  bool built(const Context& context, Gateway* gateway, Traces& traces);
  std::size_t layers_of_base(const std::vector<std::string>& diff_ids) const;
  void tell_origins(const ImageRecord& record, const ImageConfig& config) const;
  void look_after_cache(std::time_t since) const;

  Plan& plan_;
  const DockerfilePlan& asked_;
  Engine& engine_;
  const std::shared_ptr<const Scanner>& scanner_;
  Vault& vault_;
  const BuildTalk& talk_;
  DockerfileCheck check_;
  const Dockerfile& file_;
  std::string image_;  // what the builder made
  Outcome outcome_;
};

// The context's tar with one file more.
class WithFile : public Source {
 public:
  WithFile(View tar, const std::string& path, const std::string& text, std::int64_t time)
      : rest_(tar.first(tar.size() - end_mark)) {
    TarWriter writer(end_);
    writer.file(path, view_of(text), 0644, time);
    writer.finish();
    last_ = end_;
  }
  View next() override { return std::exchange(rest_, std::exchange(last_, View())); }

 private:
  static constexpr std::size_t end_mark = 1024;
  Bytes end_;
  View rest_, last_;
};

// What this engine cannot do: before anything is made.
void DockerfileBuild::check_possible() const {
  if (engine_.facts().kind != EngineFacts::Kind::podman) return;
  // Docker's builder tells a RUN by its mount where the agent is. Podman's does so only for an agent of its own.
  const auto any = [&](const auto& what) {
    return std::any_of(file_.instructions.begin(), file_.instructions.end(), what);
  };
  const bool asks = any([](const DockerInstruction& at) {
    return std::any_of(at.flags.begin(), at.flags.end(), [](const auto& flag) {
      return flag.first == "mount" && flag.second.find("type=ssh") != std::string::npos;
    });
  });
  const bool told = any([](const DockerInstruction& at) {
    if (at.name != "ARG") return at.name == "RUN" && at.command().find(lent_agent) != std::string::npos;
    const auto pairs = at.pairs();
    return std::any_of(pairs.begin(), pairs.end(), [](const auto& pair) { return pair.first == "SSH_AUTH_SOCK"; });
  });
  if (!plan_.ssh.hosts.empty() && asks && !told)
    throw Error("podman's builder does not tell a RUN where the agent is",
                "write `ARG SSH_AUTH_SOCK` below the FROM of each stage that asks for it (Docker does not mind), or "
                "build by script (--from IMAGE --run SCRIPT --ssh ...)");
  if (!plan_.secrets.empty())
    throw Error("podman's builder takes secrets as files in the context only, which would write them to a disk",
                "build by script (--from IMAGE --run SCRIPT --secret ...), which podman can do, or on a Docker engine");
}

// The builder's own git asks for a host's token whether it fetches over TLS or not. One that an address without TLS
// would send in the clear is not lent to it; on loopback nobody listens.
std::vector<GitToken> DockerfileBuild::tokens_for_its_git() const {
  std::vector<GitToken> lent;
  for (const GitToken& token : plan_.git_tokens) {
    const auto clear =
        std::find_if(file_.instructions.begin(), file_.instructions.end(), [&](const DockerInstruction& each) {
          const std::string text = lower(each.text);
          return text.find("http://" + token.host) != std::string::npos || text.find("http://$") != std::string::npos;
        });
    if (clear == file_.instructions.end() || is_loopback(token.host.substr(0, token.host.find(':'))))
      lent.push_back(token);
    else
      warn(safe(line_of(*clear) + ": an address without TLS: the token of " + token.host +
                " is not shown to the builder's git"));
  }
  return lent;
}

// The status that a RUN ended with, where that is why the build failed.
std::optional<int> status_in(const std::string& words) {
  for (const std::string_view mark : {"exit code: ", "exit status "}) {  // BuildKit's words, podman's
    const auto at = words.rfind(mark);
    if (at == std::string::npos) continue;
    int status = 0;
    for (const char c : std::string_view(words).substr(at + mark.size()).substr(0, 3)) {
      if (c < '0' || c > '9') break;
      status = status * 10 + (c - '0');
    }
    if (status > 0) return status;
  }
  return std::nullopt;
}

// False where an instruction of the Dockerfile failed. Nothing can be asked of us any more when it returns.
bool DockerfileBuild::built(const Context& context, Gateway* gateway, Traces& traces) {
  DockerfileSpec spec;
  spec.dockerfile = context.dockerfile;
  spec.target = asked_.target;
  spec.platform = plan_.platform;
  spec.network = plan_.network;
  spec.args = asked_.args;
  for (const auto& entry : proxy_environment(plan_)) {  // as docker's own client does; they do not reach the history
    const auto equals = entry.find('=');
    spec.args.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  spec.cache_from = asked_.cache_from;
  spec.extra_hosts = plan_.add_hosts;
  spec.pull = plan_.pull == Pull::always;
  spec.no_cache = asked_.no_cache;
  for (const auto& label : plan_.image_labels) {
    const auto equals = label.find('=');
    spec.labels[label.substr(0, equals)] = equals == std::string::npos ? "" : label.substr(equals + 1);
  }
  spec.labels.insert(traces.labels().begin(), traces.labels().end());

  std::unique_ptr<BuildSession> session;
  std::unique_ptr<GatewaySocket> socket;  // of an engine without one
  traces.expect_image();
  Mapping tar;
  std::unique_ptr<Source> body;
  if (engine_.facts().kind == EngineFacts::Kind::podman) {
    tar = Mapping(context.tar, "the context");
    if (gateway == nullptr) {
      body = std::make_unique<ViewSource>(tar.bytes());
    } else {
      socket = std::make_unique<GatewaySocket>(*gateway);
      spec.agent = socket->path();
      spec.args.emplace("SSH_AUTH_SOCK", lent_agent);
      std::uint8_t id[8];
      random_bytes(id);
      const std::string file = ".imgbuild.known_hosts." + hex(id);
      spec.files["known_hosts"] = file;
      body = std::make_unique<WithFile>(tar.bytes(), file, gateway->pinned_known_hosts(), context.time);
    }
  } else {
    Lent lent;
    lent.gateway = gateway;
    lent.secrets = &plan_.secrets;
    if (gateway != nullptr) lent.files["known_hosts"] = gateway->pinned_known_hosts();
    lent.git_tokens = tokens_for_its_git();
    if (!plan_.git_tokens.empty()) lent.files["gitconfig"] = git_config_file(plan_, "/run/secrets");
    if (!plan_.certificates.empty()) lent.files["ca_certs"] = plan_.certificates;
    lent.login = [](const std::string& host) {
      return find_login(host == "registry-1.docker.io" ? "docker.io" : host, process_variables());
    };
    std::uint8_t id[16];
    random_bytes(id);
    spec.session = hex(id);
    auto stream = engine_.open_session(spec.session, BuildSession::methods(lent));
    session = std::make_unique<BuildSession>(std::move(stream), engine_.open_upload(spec.session, context.bytes),
                                             context.tar.get(), context.bytes, std::move(lent));
  }

  const auto& output = talk_.changed ? talk_.step_output : talk_.output;
  Progress progress(
      scanner_, vault_,
      [&output](std::string_view text) {
        if (output) output(text);
      },
      talk_.changed);
  Redactor lines(scanner_, vault_);  // of a builder that sends text
  std::optional<int> failed;
  const auto tell = [&](const Json& message) {
    if (const auto status = status_in(text_at(at(message, "errorDetail"), "message"))) failed = status;
    if (text_at(message, "id") == "moby.buildkit.trace") {
      if (const auto trace = unbase64(text_at(message, "aux"))) progress.feed(parse_trace(*trace));
    } else if (const std::string text = text_at(message, "stream"); !text.empty() && talk_.output) {
      talk_.output(lines.feed(text));
    }
  };
  try {
    image_ = engine_.build_dockerfile(spec, body.get(), tell);
  } catch (const Interrupted&) {
    // Its API knows no label for what it works on, and heeds nobody who goes.
    if (engine_.facts().kind == EngineFacts::Kind::podman)
      warn(
          "podman may go on with the build, or leave the container that it worked on: "
          "`podman ps --all --external` shows it, `podman rm --force ID` removes it");
    throw;
  } catch (const Error& error) {
    progress.finish();
    if (talk_.output) talk_.output(lines.finish());
    if (session && !session->failure().empty()) throw Error(safe(session->failure()));
    if (!failed) throw Error(redact(error.what(), *scanner_, vault_), error.hint());
    warn(safe(error.what()));
  }
  if (!failed) {
    progress.finish();
    if (talk_.output) talk_.output(lines.finish());
  }
  if (session)
    for (const auto& line : session->warnings()) warn(line);
  if (!failed) return true;
  outcome_.status = Status::script;
  outcome_.script_status = *failed;
  return false;
}

// The config without our label, and otherwise as the builder wrote it. Podman's tells the label in the history too.
std::string unlabelled(const std::string& raw) {
  auto image = nlohmann::ordered_json::parse(raw);
  for (const char* part : {"config", "container_config"}) {
    const auto at = image.find(part);
    if (at == image.end() || !at->is_object() || !at->contains("Labels") || !(*at)["Labels"].is_object()) continue;
    (*at)["Labels"].erase(build_label);
    if ((*at)["Labels"].empty()) at->erase("Labels");
  }
  if (const auto history = image.find("history"); history != image.end() && history->is_array())
    for (auto line = history->begin(); line != history->end();) {
      const bool tells = line->is_object() && line->value("created_by", "").find(build_label) != std::string::npos;
      if (tells && line->value("empty_layer", false)) {
        line = history->erase(line);
        continue;
      }
      if (tells) (*line)["created_by"] = "imgbuild build";  // the line of a layer must stay
      ++line;
    }
  return image.dump();
}

// How many of the oldest layers are those of the base, as the engine has it; 0 where it has none.
std::size_t DockerfileBuild::layers_of_base(const std::vector<std::string>& diff_ids) const {
  const std::string base = file_.base(asked_.target);
  if (base.empty() || base == "scratch" || base.find('$') != std::string::npos) return 0;
  try {
    const auto below = engine_.config_of(engine_.find_image(base, plan_.platform, Pull::never).handle).diff_ids;
    return below.size() <= diff_ids.size() && std::equal(below.begin(), below.end(), diff_ids.begin()) ? below.size()
                                                                                                       : 0;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return 0;  // a builder keeps bases that it pulled to itself: then all layers are read
  }
}

void DockerfileBuild::tell_origins(const ImageRecord& record, const ImageConfig& config) const {
  std::vector<Origins::Line> lines;
  const Json image = Json::parse(config.raw, nullptr, false);
  if (at(image, "history").is_array())
    for (const auto& line : at(image, "history"))
      lines.push_back({text_at(line, "created_by"), at(line, "empty_layer") == Json(true)});
  const Origins origins(file_, asked_.target, lines);
  std::set<std::string> told;
  for (const Finding& leak : record.leaks)
    for (const Location& place : leak.locations) {
      const DockerInstruction* from = origins.of(place);
      if (from == nullptr) continue;
      const std::string line =
          safe(line_of(*from) + ": " + from->shown()) + " brought in " + leak.rule + ": " + safe(place_of(place));
      if (told.insert(line).second && told.size() <= 50 && talk_.step) talk_.step(line);
    }
}

// A base, which others stand on: the engine's own image, or one that it pulled.
bool is_base(const CacheRecord& record) {
  return record.description.starts_with("from local") || record.description.starts_with("pulled from");
}

// What of a refused build stays where the next one would take it from.
void DockerfileBuild::look_after_cache(std::time_t since) const {
  std::vector<CacheRecord> ours;
  for (auto& record : engine_.build_cache())
    if (record.used >= since && !is_base(record)) ours.push_back(std::move(record));
  if (ours.empty()) return;
  const auto count = [](std::size_t n) { return std::to_string(n) + (n == 1 ? " record" : " records"); };
  if (!asked_.purge) {
    std::uint64_t bytes = 0;
    std::string ids;
    for (const auto& record : ours) {
      bytes += record.bytes;
      ids += (ids.empty() ? "" : "|") + printable(record.id);
    }
    warn("the engine's build cache holds steps of this build (" + count(ours.size()) + ", " + human_size(bytes) +
         "); this removes it, as --purge would have: docker builder prune --all --force --filter 'id=" + ids + "'");
    return;
  }
  // What another record stands on goes after that one.
  std::size_t gone = 0;
  for (bool some = true; some && !ours.empty();) {
    some = false;
    for (auto at = ours.begin(); at != ours.end();) {
      const bool removed = engine_.remove_cache(at->id);
      gone += removed ? 1 : 0;
      some = some || removed;
      at = removed ? ours.erase(at) : at + 1;
    }
  }
  warn("purged " + count(gone) + " of the engine's build cache" +
       (ours.empty() ? "" : "; still there, since something else uses them: " + std::to_string(ours.size())));
}

Outcome DockerfileBuild::run() {
  check_.check_target();
  check_possible();
  const std::time_t began = std::time(nullptr) - 1;

  // 1. Stage. From here on what is handed over is fixed, the Dockerfile with it, and holds nothing that a rule knows.
  Context context;
  if (!check_.stage(outcome_, context)) return std::move(outcome_);

  // 2. Lend. From here on every grant is known to be good: agent, keys, hosts.
  const std::unique_ptr<Gateway> gateway = lend(plan_, talk_);
  if (gateway)
    for (const auto& [name, fingerprint] : gateway->fingerprint_hosts())
      warn("of " + printable(name) +
           " only a fingerprint is known: the secret known_hosts does not have it "
           "(--known-host with the whole line, or ~/.ssh/known_hosts)");

  // 3. Build. From here on the builder has ended, and an image without a name may be there, undone with `traces`.
  say(talk_,
      "building " + printable(asked_.shown) + (asked_.target.empty() ? "" : " up to " + printable(asked_.target)));
  const auto owned = std::make_shared<Traces>(
      engine_, talk_.warn ? talk_.warn : [](const std::string&) {});
  Traces& traces = *owned;
  const bool done = built(context, gateway.get(), traces);

  // 4. Beyond this point nothing can be signed, and nothing is handed out: the session is closed.
  if (gateway) {
    gateway->close();
    outcome_.ledger = gateway->ledger();
  }
  if (!done) return std::move(outcome_);
  interrupt::check();
  if (image_.empty()) {
    const auto made = engine_.ours(std::string(build_label) + "=" + traces.labels().at(build_label)).images;
    if (made.size() != 1) throw Error("the engine does not say which image it built");
    image_ = made.front().id;
  }

  // 5. Take the label out. From here on the config is ours to the last byte, and the builder's but for that.
  std::string config = unlabelled(engine_.config_of(image_).raw);
  ImageConfig written = parse_config(config);
  const std::size_t below = layers_of_base(written.diff_ids);
  std::string handle;
  if (plan_.squash && written.diff_ids.size() > below + 1) {
    const std::string base = file_.base(asked_.target);
    if (below == 0 && base != "scratch")
      throw Error("squash: the engine does not have the base " + safe(base) + ", so that its layers are not known",
                  "`docker pull` it first");
    say(talk_, "squashing " + std::to_string(written.diff_ids.size() - below) + " layers");
    const NewLayer layer = squashed(engine_, image_, written, below);
    config = squashed_config(written, below, layer.diff_id);
    written = parse_config(config);
    handle = traces.load(image_, layer, config);
  } else {
    handle = traces.load(image_, config);
  }

  // 6. Audit. From here on every byte that a push would send has been looked at.
  say(talk_, "auditing " + handle);
  outcome_.audit = audit_of(handle, config, {file_.base(asked_.target), below}, below, plan_, engine_, scanner_, vault_,
                            gateway ? gateway->granted_keys() : std::vector<std::string>());
  say(talk_, std::string("audit: ") + name_of(outcome_.audit->verdict()));

  // 7. Name it, given its permission; else it goes, or is kept without a name, and what stays of it is said.
  name_or_refuse(outcome_, handle, plan_, engine_, owned);
  if (outcome_.status != Status::clean) {
    tell_origins(outcome_.audit->record(), written);
    look_after_cache(began);
  }
  return std::move(outcome_);
}

}  // namespace

Outcome build_by_dockerfile(Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
                            const BuildTalk& talk) {
  return DockerfileBuild(plan, engine, scanner, vault, talk).run();
}

}  // namespace imgbuild

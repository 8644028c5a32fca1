// From what was said to a plan. The rule of this file: whatever can be found wrong without touching the engine is found
// here, so that a build that begins has nothing left to complain about but the world.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "build_flags.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t largest_script = std::size_t{16} << 20;

// [HOST[:PORT]/]PATH[:TAG], as distribution/reference has it; no digest, since a name is what is given.
bool is_name(std::string_view name) {
  std::string_view path = name, tag;
  if (const auto colon = name.rfind(':'); colon != name.npos && name.find('/', colon) == name.npos) {
    path = name.substr(0, colon);
    tag = name.substr(colon + 1);
    if (tag.size() > 128 || !is_word(tag, "_.-") || tag[0] == '.' || tag[0] == '-') return false;
  }
  if (path.size() > 255) return false;
  auto parts = split(path, '/');
  if (parts.size() > 1 && (parts[0].find_first_of(".:") != std::string::npos || parts[0] == "localhost")) {
    if (!is_word(parts[0], ".-:[]")) return false;
    parts.erase(parts.begin());
  }
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return is_word(part, "_.-") && lower(part) == part && is_word(part.substr(0, 1), "") &&
           is_word(part.substr(part.size() - 1), "");
  });
}

void check_names(const std::string& flag, const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (!is_name(name))
      throw usage_error(flag + ": " + printable(name) + ": is no image's name",
                        "for instance team/app:1.0, in lower case");
}

void check_pairs(const std::string& flag, const std::vector<std::string>& pairs, bool variables) {
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    const std::string key = pair.substr(0, equals);
    const bool good = variables ? is_word(key, "_") && (key[0] < '0' || key[0] > '9') : !key.empty();
    // Not the value: it may be what should not be seen.
    if (equals == std::string::npos || !good)
      throw usage_error(flag + ": must be K=V" +
                        (equals == std::string::npos ? "" : ", and " + printable(key) + " is no name"));
    if (pair.find('\0') != std::string::npos) throw usage_error(flag + ": " + printable(key) + " holds a NUL");
  }
}

std::vector<std::string> ports(const std::vector<std::string>& said) {
  std::vector<std::string> all;
  for (const auto& port : said) {
    const auto slash = port.find('/');
    const std::string number = port.substr(0, slash);
    const std::string protocol = slash == std::string::npos ? "tcp" : lower(port.substr(slash + 1));
    const bool digits =
        !number.empty() && number.size() <= 5 && number.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoi(number) < 1 || std::stoi(number) > 65535 ||
        (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
      throw usage_error("--expose: " + printable(port) + ": must be PORT or PORT/tcp, /udp, /sctp");
    all.push_back(std::to_string(std::stoi(number)) + "/" + protocol);
  }
  return all;
}

struct SecretFlag {
  std::string id;
  SecretSource source;
};

SecretFlag secret_flag(const std::string& said) {
  SecretFlag flag;
  for (const auto& part : split(said, ',')) {
    const auto equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    std::string* into = nullptr;
    if (key == "id") into = &flag.id;
    if (key == "src" || key == "source") into = &flag.source.file;
    if (key == "env") into = &flag.source.variable;
    if (into == nullptr || value.empty() || !into->empty())
      throw usage_error("--secret: must be id=ID,src=FILE or id=ID,env=VARIABLE");
    *into = value;
  }
  if (!is_word(flag.id, "._-") || flag.id[0] == '.')
    throw usage_error("--secret: must be id=ID,src=FILE or id=ID,env=VARIABLE",
                      "an ID is of letters, digits, `.`, `_` and `-`: the script finds it as a file of that name");
  if (!flag.source.file.empty() && !flag.source.variable.empty())
    throw usage_error("--secret: " + flag.id + " has both src and env");
  return flag;
}

void read_secrets(Plan& plan, const BuildFlags& flags, const Settings& settings, Session& session) {
  std::set<std::string> ids;
  for (const auto& said : flags.secrets) {
    SecretFlag flag = secret_flag(said);
    if (!ids.insert(flag.id).second) throw usage_error("--secret: " + flag.id + " is given twice");
    if (flag.source.file.empty() && flag.source.variable.empty()) {
      const auto known = settings.secrets.find(flag.id);
      if (known == settings.secrets.end())
        throw usage_error("--secret: " + flag.id + ": neither src nor env says where it is",
                          "id=" + flag.id + ",src=FILE, or a line under [secrets] in your own config.toml");
      flag.source = known->second;
    }
    HandedSecret secret;
    secret.id = flag.id;
    secret.variable = flag.source.variable;
    secret.value = flag.source.file.empty() ? session.variables.read("secret " + flag.id, flag.source.variable)
                                            : secret_from_file("secret " + flag.id, flag.source.file);
    if (trim(secret.value.reveal()).empty()) throw usage_error("secret " + flag.id + ": is empty");
    if (is_weak(trim(secret.value.reveal()))) {
      if (std::find(flags.weak_secrets.begin(), flags.weak_secrets.end(), flag.id) == flags.weak_secrets.end())
        throw usage_error("secret " + flag.id + ": too short or too common to be looked for in the image",
                          "use a longer one, or say --weak-secret " + flag.id + " to hand it out unguarded");
      secret.weak = true;
    } else {
      session.vault.add(secret.value.reveal(), "secret " + flag.id, Origin::handed_out);
    }
    plan.secrets.push_back(std::move(secret));
  }
  for (const auto& id : flags.weak_secrets)
    if (ids.count(id) == 0) throw usage_error("--weak-secret: no secret is called " + printable(id));
  const Setting* asked = settings.find("ask_secrets");
  if (asked == nullptr) return;
  for (const auto& id : asked->values)
    if (ids.count(id) == 0)
      throw usage_error(asked->from + ": the context asks for the secret " + printable(id) + ", which is not given",
                        settings.secrets.count(id) > 0 ? "hand it out with --secret id=" + printable(id)
                                                       : "hand it out with --secret id=" + printable(id) + ",src=FILE");
}

// Is `asked` (HOST, USER@HOST[:PORT]) among what is granted? A grant says as much as the question or more.
bool is_granted(const std::string& asked, const std::vector<std::string>& granted) {
  return std::any_of(granted.begin(), granted.end(), [&](const std::string& grant) {
    const auto at = grant.find('@');
    return grant == asked ||
           (asked.find('@') == std::string::npos && at != std::string::npos && grant.substr(at + 1) == asked);
  });
}

void check_asked_hosts(const Plan& plan, const Settings& settings) {
  const Setting* asked = settings.find("ask_ssh");
  if (asked == nullptr) return;
  for (const auto& host : asked->values)
    if (!is_granted(host, plan.ssh.hosts))
      throw usage_error(asked->from + ": the context asks to log in at " + printable(host) + ", which is not granted",
                        "if you trust what it runs: --ssh " + printable(host));
}

// The script's bytes, from where --run or this setting says.
void read_script(Plan& plan, const std::string& path, const Setting* setting) {
  plan.script_name = path;
  const bool by_context = setting != nullptr && setting->voice == Voice::context;
  const std::string file = setting == nullptr ? path : file_of(*setting, "run", plan.context);
  const bool input = !by_context && path == "-";
  if (input && ::isatty(STDIN_FILENO) == 1) throw usage_error("--run -: standard input is a terminal");
  try {
    const Fd opened = input ? Fd() : Fd::open(file, O_RDONLY);
    struct stat facts {};
    if (!input && ::fstat(opened.get(), &facts) == 0 && S_ISDIR(facts.st_mode))
      throw Error(printable(file) + ": is a directory");
    std::string text(largest_script + 1, '\0');
    text.resize(read_full(input ? STDIN_FILENO : opened.get(),
                          {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, printable(file)));
    if (text.size() > largest_script) throw Error(printable(file) + ": larger than " + human_size(largest_script));
    if (text.empty()) throw Error(printable(file) + ": is empty");
    plan.script = std::move(text);
  } catch (const Error& error) {
    throw usage_error(std::string("script: ") + error.what(), by_context
                                                                  ? "`run` in imgbuild.toml is relative to the context"
                                                                  : "--run is relative to the working directory");
  }
}

// Builds that could be chosen, where none is.
std::string or_a_build(const BuildFlags& flags, const Settings& settings) {
  if (settings.builds.empty() || !flags.build.empty() || settings.find("build") != nullptr) return "";
  std::vector<std::string> names;
  for (const auto& [name, values] : settings.builds) names.push_back(printable(name));
  return "; or one of the builds of your files: --build " + join(names, ", --build ");
}

void choose_command(Plan& plan, const BuildFlags& flags, const Settings& settings, const Session& session) {
  if (!flags.run.empty() && session.has_words) throw usage_error("build: both --run and -- COMMAND", "say one of them");
  if (session.has_words && session.words.empty()) throw usage_error("build: no command behind --");
  if (session.has_words) {
    plan.command = session.words;
    return;
  }
  if (!flags.run.empty()) return read_script(plan, flags.run, nullptr);
  const Setting* run = settings.find("run");
  const Setting* command = settings.find("command");
  if (run != nullptr && command != nullptr)
    throw usage_error(command->from + ": both `run` and `command`", "say one of them");
  if (run != nullptr) return read_script(plan, run->values.front(), run);
  if (command == nullptr)
    throw usage_error("build: nothing to run", "--run SCRIPT, or -- COMMAND..." + or_a_build(flags, settings));
  if (command->values.empty()) throw usage_error(command->from + ": `command` is empty");
  plan.command = command->values;
}

// What only a script, or the config that we write behind it, has.
void plan_script(Plan& plan, const BuildFlags& flags, const Settings& settings) {
  const auto text = [&](const std::string& flag, const char* key) {
    return flag.empty() ? settings.text(key).value_or("") : flag;
  };
  const auto list = [&](const std::vector<std::string>& flag, const char* key) {
    return flag.empty() ? settings.list(key) : flag;
  };
  const auto words = [&](const std::string& flag, const char* key) -> std::optional<std::vector<std::string>> {
    if (!flag.empty()) return command_words(flag);
    const Setting* setting = settings.find(key);
    return setting == nullptr ? std::nullopt : std::optional(setting->values);
  };
  const auto perhaps = [&](const std::string& flag, const char* key) -> std::optional<std::string> {
    return flag.empty() ? settings.text(key) : flag;
  };

  plan.env = list(flags.env, "env");
  check_pairs("--env", plan.env, true);
  plan.user = text(flags.user, "user");
  plan.workdir = text(flags.workdir, "workdir");
  plan.ignore_volumes = list(flags.ignore_volumes, "ignore_volumes");
  if (const std::string timeout = text(flags.timeout, "timeout"); !timeout.empty()) {
    const auto seconds = seconds_of(timeout);
    if (!seconds) throw usage_error("--timeout: " + printable(timeout) + ": must be like 90s, 10m or 1h30m");
    plan.timeout = *seconds;
  }
  plan.image_cmd = words(flags.cmd, "image_cmd");
  plan.image_entrypoint = words(flags.entrypoint, "image_entrypoint");
  plan.image_env = list(flags.image_env, "image_env");
  check_pairs("--image-env", plan.image_env, true);
  plan.expose = ports(list(flags.expose, "image_expose"));
  plan.image_user = perhaps(flags.image_user, "image_user");
  plan.image_workdir = perhaps(flags.image_workdir, "image_workdir");
  if (plan.image_workdir && (plan.image_workdir->empty() || plan.image_workdir->front() != '/'))
    throw usage_error("--image-workdir: must be an absolute path");
}

}  // namespace

void BuildFlags::settle(const Settings& settings) {
  const auto list = [&](std::vector<std::string>& flag, const char* key) {
    if (flag.empty()) flag = settings.list(key);
  };
  const auto text = [&](std::string& flag, const char* key) {
    if (flag.empty()) flag = settings.text(key).value_or("");
  };
  const auto on = [&](bool& flag, const char* key) { flag = flag || settings.on(key); };
  list(weak_secrets, "weak_secrets");
  list(reports, "reports");
  text(iidfile, "iidfile");
  text(progress, "progress");
  if (progress.empty()) progress = "auto";
  list(lean.artifacts, "artifacts");
  text(lean.onto, "onto");
  text(lean.max_size, "max_size");
  on(lean.squash, "squash");
  list(log.targets, "logs");
  text(log.keep, "log_keep");
  text(log.size, "log_size");
  list(output.said, "outputs");
  on(output.push, "push");
  on(keep, "keep");
  on(no_cache, "no_cache");
  on(engine_helper, "engine_helper");
  on(ssh.allow_unbound, "ssh_allow_unbound");
  on(ssh.allow_sshsig, "ssh_allow_sshsig");
}

std::string file_of(const Setting& setting, const std::string& key, const std::string& context) {
  const std::string& path = setting.values.front();
  if (setting.voice != Voice::context) return path;
  std::error_code none;
  std::string file = context + "/" + path;
  const auto root = std::filesystem::canonical(context, none);
  const auto real = std::filesystem::canonical(file, none);
  const bool within = std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
  if (path.empty() || path[0] == '/' || (!real.empty() && !within))
    throw usage_error(setting.from + ": " + key + ": " + printable(path) + " is not in the context");
  return file;
}

Plan plan_from(const BuildFlags& flags, const Settings& settings, const std::vector<Output>& outputs,
               Session& session) {
  const auto text = [&](const std::string& flag, const char* key) {
    return flag.empty() ? settings.text(key).value_or("") : flag;
  };
  const auto list = [&](const std::vector<std::string>& flag, const char* key) {
    return flag.empty() ? settings.list(key) : flag;
  };
  Plan plan;
  plan.context = flags.path;
  plan.ref = text(flags.ref, "ref");
  plan.include = list(flags.include, "include");
  plan.with_git = flags.with_git || settings.on("with_git");
  const bool by_dockerfile = wants_dockerfile(flags, settings, session);
  const std::vector<std::string> ways = {"auto", "plain", "tty", "quiet", "rawjson"};
  if (std::find(ways.begin(), ways.end(), flags.progress) == ways.end())
    throw usage_error("--progress: must be auto, plain, tty, quiet or rawjson, not `" + printable(flags.progress) +
                      "`");
  if (by_dockerfile) {
    plan.dockerfile = dockerfile_plan(flags, settings, session);
  } else {
    check_script_flags(flags);
    plan.from = text(flags.from, "from");
    if (plan.from.empty())
      throw usage_error("build: no base image", "--from IMAGE, or a Dockerfile" + or_a_build(flags, settings));
  }
  plan.pull = flags.pull || settings.on("pull") ? Pull::always : Pull::missing;
  plan.platform = text(flags.platform, "platform");
  if (!plan.platform.empty()) {
    const auto parts = split(plan.platform, '/');
    if (parts.size() < 2 || parts.size() > 3 ||
        !std::all_of(parts.begin(), parts.end(), [](const auto& p) { return is_word(p, "._-"); }))
      throw usage_error("--platform: " + printable(plan.platform) + ": must be OS/ARCHITECTURE[/VARIANT]",
                        "for instance linux/arm64");
  }
  plan.network = text(flags.network, "network");
  if (!by_dockerfile) choose_command(plan, flags, settings, session);
  plan.tags = list(flags.tags, "tags");
  check_names("-t", plan.tags);
  for (const Output& output : outputs) check_names("--output: name", output.names);
  for (const auto& name : names_of(outputs))
    if (std::find(plan.tags.begin(), plan.tags.end(), name) == plan.tags.end()) plan.tags.push_back(name);
  if (plan.tags.empty() && stays(outputs, flags.output))
    throw usage_error("build: no name for the image",
                      "-t NAME, or -o DIR for its files alone" + or_a_build(flags, settings));

  flags.lean.settle(plan);
  if (flags.ssh.reads_input() && (flags.run == "-" || flags.file == "-"))
    throw usage_error("build: both the script and the key of --ssh-key-file are standard input");
  plan.ssh = flags.ssh.request(settings, session.variables);
  check_asked_hosts(plan, settings);
  plan.keep = flags.keep;
  plan.cache = !flags.no_cache;
  plan.policy = policy_from(settings, severity_flag(flags.fail_on));

  plan.image_labels = list(flags.labels, "image_labels");
  check_pairs("--label", plan.image_labels, false);
  if (!by_dockerfile) plan_script(plan, flags, settings);
  read_secrets(plan, flags, settings, session);
  flags.builder.settle(plan, settings, session.vault);
  session.variables.forget();
  return plan;
}

}  // namespace imgbuild

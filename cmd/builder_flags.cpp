#include "builder_flags.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "build/surroundings.hpp"
#include "build_flags.hpp"
#include "image/json.hpp"
#include "image/login.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t largest_bundle = std::size_t{4} << 20;

// HOST[:PORT]=[USER:]ID
GitToken git_token(const std::string& said, const Plan& plan) {
  const std::string flag = "--git-token " + printable(said);
  const auto equals = said.find('=');
  if (equals == std::string::npos)
    throw usage_error(flag + ": must be HOST=SECRET-ID", "--secret id=SECRET-ID,env=VARIABLE says where the token is");
  GitToken token;
  token.host = lower(said.substr(0, equals));
  token.secret = said.substr(equals + 1);
  if (const auto colon = token.secret.rfind(':'); colon != std::string::npos) {
    token.user = token.secret.substr(0, colon);
    token.secret.erase(0, colon + 1);
    if (!is_word(token.user, "._@+-")) throw usage_error(flag + ": no user's name before the `:`");
  }
  if (!is_word(token.host, ".-:[]") || token.host.front() == '-')
    throw usage_error(flag + ": must be HOST=SECRET-ID", "a host's name, perhaps with :PORT; no https:// and no path");
  const auto secret = std::find_if(plan.secrets.begin(), plan.secrets.end(),
                                   [&](const HandedSecret& each) { return each.id == token.secret; });
  if (secret == plan.secrets.end())
    throw usage_error(flag + ": no secret is called " + printable(token.secret),
                      "--secret id=" + printable(token.secret) + ",env=VARIABLE (or src=FILE)");
  const std::string_view value = trim(secret->value.reveal());
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 127; });
  if (!plain || secret->value.reveal().find('\r') != std::string_view::npos)
    throw usage_error(flag + ": the secret is no token: there is a blank, a line's end or a letter beyond ASCII in it");
  if (token.user.empty()) token.user = git_user(token.host, secret->variable, value);
  return token;
}

// 512m, 2g, 1073741824: bytes, as docker has it.
std::uint64_t memory_of(const std::string& said) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(said.data(), said.data() + said.size(), number);
  std::string unit = lower(std::string(end, said.data() + said.size()));
  if (unit.ends_with('b')) unit.pop_back();
  const auto shift = std::string_view("kmgt").find(unit);
  if (failed != std::errc() || unit.size() > 1 || shift == std::string_view::npos || number == 0 ||
      number > (std::uint64_t{1} << 40) >> (unit.empty() ? 0 : 10 * shift))
    throw usage_error("--memory: " + printable(said) + ": must be like 512m or 2g");
  return unit.empty() ? number : number << (10 * (shift + 1));
}

double cpus_of(const std::string& said) {
  double number = 0;
  const auto [end, failed] = std::from_chars(said.data(), said.data() + said.size(), number);
  if (failed != std::errc() || end != said.data() + said.size() || !std::isfinite(number) || number < 0.01 ||
      number > 100000)
    throw usage_error("--cpus: " + printable(said) + ": must be like 2 or 1.5");
  return number;
}

std::string certificates_in(const std::string& path) {
  std::string text;
  try {
    text = read_file(path, largest_bundle);
  } catch (const Error& error) {
    throw usage_error(std::string("--ca-cert: ") + error.what());
  }
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    throw usage_error("--ca-cert: " + printable(path) + ": no certificate in it",
                      "it takes PEM: openssl x509 -in FILE");
  if (text.find(" PRIVATE KEY-----") != std::string::npos)
    throw usage_error("--ca-cert: " + printable(path) + ": a private key is in it", "lend the certificates alone");
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

// SRC:DEST, where both are files. A context lends what is in it, and no more: it has no say over other files of this
// machine.
HandedFile config_file(const std::string& said, const Setting* setting, const std::string& context) {
  const bool by_context = setting != nullptr && setting->voice == Voice::context;
  const std::string what = by_context ? setting->from + ": config_files" : "--config-file";
  const auto colon = said.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == said.size())
    throw usage_error(what + ": " + printable(said) + ": must be SRC:DEST",
                      "a file of this machine, and where the script finds it");
  HandedFile file;
  std::string source = said.substr(0, colon);
  file.place = said.substr(colon + 1);
  const std::string where = what + ": " + printable(file.place);
  const auto names = split(file.place, '/');
  if (std::find(names.begin(), names.end(), "..") != names.end()) throw usage_error(where + ": has `..` in it");
  if (names.back().empty() || names.back() == ".")
    throw usage_error(where + ": is a folder's name",
                      "DEST is the file itself: " + printable(file.place.substr(0, file.place.rfind('/') + 1)) +
                          printable(source.substr(source.rfind('/') + 1)));
  if (file.place.size() > 4000) throw usage_error(what + ": a name of " + std::to_string(file.place.size()) + " bytes");
  // One spelling for one place.
  std::string plain = file.place.front() == '/' ? "/" : "";
  for (const auto& name : names)
    if (!name.empty() && name != ".") plain += (plain.empty() || plain.back() == '/' ? "" : "/") + name;
  file.place = plain;
  for (const char* none : {"/dev/", "/proc/", "/sys/"})
    if (plain.starts_with(none))
      throw usage_error(where + ": what lies there is in no image",
                        "a place in the image's own folders, or one relative to the context");
  if (by_context) {
    source = file_of({{source}, setting->from, setting->voice}, "config_files", context);
    file.asked = setting->from;
  }
  file.content = secret_from_file(what, source);
  struct stat facts {};
  if (::stat(source.c_str(), &facts) == 0) file.mode = facts.st_mode & 0777;
  return file;
}

void add_proxy(Plan& plan, const std::string& name, const std::string& value, Vault& vault) {
  ProxyVariable proxy{name, std::make_shared<const Secret>(value), false};
  for (const auto& part : secrets_of_proxy(value)) {
    proxy.secret = true;
    vault.add(part, "the login of " + name, Origin::handed_out);
  }
  const std::string_view host =
      std::string_view(value).substr(value.find("://") == std::string::npos ? 0 : value.find("://") + 3);
  if (name != "no_proxy" && plan.network != "host" && (host.starts_with("127.") || host.starts_with("localhost")))
    say("warning: " + name + " is on this machine's loopback, which a builder sees with --network host only");
  plan.proxies.push_back(std::move(proxy));
}

constexpr std::array<std::array<const char*, 3>, 5> proxy_names{{{"http_proxy", "HTTP_PROXY", "httpProxy"},
                                                                 {"https_proxy", "HTTPS_PROXY", "httpsProxy"},
                                                                 {"ftp_proxy", "FTP_PROXY", "ftpProxy"},
                                                                 {"all_proxy", "ALL_PROXY", "allProxy"},
                                                                 {"no_proxy", "NO_PROXY", "noProxy"}}};

}  // namespace

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
  });
}

void BuilderFlags::offer(CLI::App& app) {
  add_several(app, "--git-token", git_tokens, "HOST=ID",
              "git clones from https://HOST with secret ID as its token; HOST=USER:ID names the user");
  app.add_flag("--proxy", proxy, "hand on http_proxy, https_proxy, no_proxy... of this environment");
  add_several(app, "--ca-cert", ca_certs, "FILE",
              "certificate authorities, in PEM, that the script's programs trust too");
  add_several(app, "--config-file", config_files, "SRC:DEST",
              "the script finds the file SRC at DEST, which is in the image as it was before");
  add_several(app, "--cache", caches, "NAME", "$BUILD_CACHE/NAME is kept for the next build, and never ships");
  add_several(app, "--add-host", add_hosts, "HOST:ADDRESS", "a name that the builder knows");
  add_value(app, "--memory", memory, "SIZE", "of the builder at most: 512m, 2g");
  add_value(app, "--cpus", cpus, "N", "of the builder at most: 2, 1.5");
}

void BuilderFlags::settle(Plan& plan, const Settings& settings, Vault& vault) const {
  const auto list = [&](const std::vector<std::string>& flag, const char* key) {
    return flag.empty() ? settings.list(key) : flag;
  };
  for (const auto& host : list(add_hosts, "add_hosts")) {
    if (const auto colon = host.find(':'); colon == 0 || colon == std::string::npos || colon + 1 == host.size())
      throw usage_error("--add-host: " + printable(host) + ": must be HOST:ADDRESS");
    plan.add_hosts.push_back(host);
  }
  for (const auto& said : list(git_tokens, "git_tokens")) {
    GitToken token = git_token(said, plan);
    const auto same = [&](const GitToken& other) { return other.host == token.host; };
    if (std::any_of(plan.git_tokens.begin(), plan.git_tokens.end(), same))
      throw usage_error("--git-token: " + printable(token.host) + " is given twice");
    plan.git_tokens.push_back(std::move(token));
  }
  for (const auto& file : list(ca_certs, "ca_certs")) plan.certificates += certificates_in(file);
  const std::string most_memory = memory.empty() ? settings.text("memory").value_or("") : memory;
  if (!most_memory.empty()) plan.memory = memory_of(most_memory);
  const std::string most_cpus = cpus.empty() ? settings.text("cpus").value_or("") : cpus;
  if (!most_cpus.empty()) plan.cpus = cpus_of(most_cpus);
  for (const auto& name : list(caches, "caches")) {
    if (!is_word(name, "._-") || name.front() == '.' || name.front() == '-' || name.size() > 100)
      throw usage_error("--cache: " + printable(name) + ": must be of letters, digits, `.`, `_` and `-`");
    if (std::find(plan.caches.begin(), plan.caches.end(), name) == plan.caches.end()) plan.caches.push_back(name);
  }
  if (plan.dockerfile && !plan.caches.empty())
    throw usage_error("build: --cache is for a build by script, not for a Dockerfile", "RUN --mount=type=cache");
  if (plan.dockerfile && (plan.memory > 0 || plan.cpus > 0))
    throw usage_error("build: --memory and --cpus are for a build by script",
                      "an engine's own builder has limits of its own");

  const Setting* lent = config_files.empty() ? settings.find("config_files") : nullptr;
  for (const auto& said : list(config_files, "config_files")) {
    HandedFile file = config_file(said, lent, plan.context);
    const auto same = [&](const HandedFile& other) { return other.place == file.place; };
    if (std::any_of(plan.config_files.begin(), plan.config_files.end(), same))
      throw usage_error("--config-file: two files for " + printable(file.place));
    plan.config_files.push_back(std::move(file));
  }
  if (plan.dockerfile && !plan.config_files.empty())
    throw usage_error("build: --config-file is for a build by script, not for a Dockerfile",
                      "--secret id=ID,src=SRC and RUN --mount=type=secret,id=ID,target=DEST");

  if (!proxy && !settings.on("proxy")) return;
  for (const auto& names : proxy_names) {
    const char* value = std::getenv(names[0]);
    if (value == nullptr || *value == '\0') value = std::getenv(names[1]);
    if (value != nullptr && *value != '\0') add_proxy(plan, names[0], value, vault);
  }
  for (const ProxyVariable& each : plan.proxies)
    if (each.secret && plan.dockerfile)
      throw usage_error(
          "--proxy: $" + each.name + " holds a login, which a Dockerfile's builder would write into its logs",
          "build by script (--from IMAGE --run SCRIPT), or give the engine itself the proxy");
}

void add_docker_proxies(Plan& plan, const std::string& endpoint, Vault& vault) {
  const std::string path = docker_config_folder(process_variables()) + "/config.json";
  if (!plan.proxies.empty() || ::access(path.c_str(), R_OK) != 0) return;
  const Json config = parse_json(read_file(path, std::size_t{8} << 20), printable(path).c_str());
  const Json& all = at(config, "proxies");
  const Json& ours = at(all, endpoint).is_object() ? at(all, endpoint) : at(all, "default");
  for (const auto& names : proxy_names)
    if (const std::string value = text_at(ours, names[2]); !value.empty()) {
      if (plan.dockerfile && !secrets_of_proxy(value).empty())
        say("warning: " + printable(path) + ": " + names[2] + " holds a login, and is not handed to a Dockerfile");
      else
        add_proxy(plan, names[0], value, vault);
    }
}

}  // namespace imgbuild

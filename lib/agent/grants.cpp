#include "agent/grants.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "agent/forge_hosts.hpp"
#include "agent/ssh_config.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

// Where everybody logs in as `git` and the key tells who it is.
constexpr std::array<std::string_view, 13> forges{
    "github.com",        "ssh.github.com",          "gitlab.com", "altssh.gitlab.com",
    "bitbucket.org",     "altssh.bitbucket.org",    "git.sr.ht",  "codeberg.org",
    "ssh.dev.azure.com", "vs-ssh.visualstudio.com", "gitea.com",  "gitee.com",
    "framagit.org"};

bool is_forge(const std::string& host) { return std::find(forges.begin(), forges.end(), host) != forges.end(); }

bool has(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
}

void add(std::vector<std::string>& list, const std::string& entry) {
  if (!has(list, entry)) list.push_back(entry);
}

int parse_port(std::string_view text, std::string_view whole) {
  int port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    throw usage_error("--ssh " + printable(whole) + ": not a port: " + printable(text));
  return port;
}

// "HOST=KEY" or "KEY", where KEY is a fingerprint or a file. A path may hold '=' only behind a '/'.
struct KeyGrant {
  std::string host;  // empty: for every host
  std::string key;
};

KeyGrant parse_key_grant(const std::string& text) {
  const std::size_t at = text.find('=');
  if (text.starts_with("SHA256:") || at == std::string::npos || text.find('/') < at) return {"", text};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::string key_fingerprint(std::string key, const std::string& option) {
  if (key.starts_with("SHA256:")) {
    while (key.ends_with('=')) key.pop_back();
    const auto hash = unbase64(std::string_view(key).substr(7));
    if (!hash || hash->size() != 32)
      throw usage_error(option + ": not a fingerprint", "ssh-add -l prints those of the agent's keys");
    return key;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && key.starts_with("~/")) key = home + key.substr(1);
  const std::string content = read_file(key, 1 << 20);
  if (content.find("-----BEGIN ") != std::string::npos)
    throw usage_error(option + ": this is a private key",
                      "name the public one, " + printable(key) + ".pub, or use --ssh-key-file");
  for (const auto& line : split(content, '\n')) {
    if (trim(line).empty() || line.starts_with('#')) continue;
    try {
      return parse_ssh_key_line(line).fingerprint();
    } catch (const Error& error) {
      throw usage_error(option + ": " + error.what(), "FILE.pub holds a line like: ssh-ed25519 AAAA... comment");
    }
  }
  throw usage_error(option + ": no public key in this file");
}

bool means(const HostGrant& scope, const HostGrant& host, bool with_port) {
  return scope.host == host.host && (scope.user.empty() || scope.user == host.user) &&
         (!with_port || scope.port == host.port);
}

}  // namespace

std::string HostGrant::place() const {
  if (port == 22) return host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

HostGrant parse_host(std::string_view text) {
  HostGrant grant;
  std::string_view rest = text;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    grant.user = rest.substr(0, at);
    if (grant.user.empty() || grant.user.find('/') != std::string::npos)
      throw usage_error("--ssh " + printable(text) + ": no user before the @", "HOST or USER@HOST[:PORT]");
    rest.remove_prefix(at + 1);
  }
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) throw usage_error("--ssh " + printable(text) + ": a [ without ]");
    const std::string_view behind = rest.substr(end + 1);
    if (!behind.empty() && !behind.starts_with(':'))
      throw usage_error("--ssh " + printable(text) + ": only :PORT may stand behind the ]");
    if (!behind.empty()) grant.port = parse_port(behind.substr(1), text);
    rest = rest.substr(1, end - 1);
  } else if (std::count(rest.begin(), rest.end(), ':') == 1) {  // more of them: an IPv6 address
    const std::size_t colon = rest.find(':');
    grant.port = parse_port(rest.substr(colon + 1), text);
    rest = rest.substr(0, colon);
  }
  grant.host = lower(rest);
  const auto odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 127; };
  if (grant.host.empty() || grant.host.front() == '-' ||
      grant.host.find_first_of("*?!,|/[]#\\\"") != std::string::npos || std::any_of(text.begin(), text.end(), odd))
    throw usage_error("--ssh " + printable(text) + ": not a host's name", "HOST or USER@HOST[:PORT]");
  if (grant.user.empty() && is_forge(grant.host)) grant.user = "git";
  return grant;
}

HostGrant granted_host(std::string_view text, const KnownHosts& known,
                       const std::function<KnownHosts(const std::vector<std::string>&)>& known_of,
                       std::vector<std::string>& warnings) {
  HostGrant grant = parse_host(text);
  const SshConfig config = ask_ssh_config(grant, text);
  if (config.host != grant.host || config.port != grant.port) grant.said = known_hosts_name(grant.host, grant.port);
  grant.host = config.host;
  grant.port = config.port;
  if (grant.user.empty()) grant.user = config.user;
  if (grant.user.empty() && is_forge(grant.host)) grant.user = "git";
  if (grant.user.empty())
    throw usage_error("--ssh " + printable(text) + ": no user", "write --ssh USER@" + std::string(text));
  if (config.proxied)
    warnings.push_back("--ssh " + printable(text) +
                       ": ssh's config goes there by a proxy or a jump, which no builder does");

  const bool by_alias = !config.key_alias.empty();
  const std::string name = by_alias ? config.key_alias : grant.host;
  const int port = by_alias ? 22 : grant.port;
  grant.known = (config.known_hosts.empty() ? known : known_of(config.known_hosts)).find(name, port);
  if (grant.known.empty()) {
    grant.known.keys = forge_hosts().find(name, port).keys;
    std::erase_if(grant.known.keys, [&](const SshKey& key) { return grant.known.is_revoked(key); });
  }
  if (!grant.known.empty()) return grant;
  const std::string scan =
      "ssh-keyscan " + (grant.port == 22 ? "" : "-p " + std::to_string(grant.port) + " ") + grant.host;
  if (!grant.known.revoked.empty())
    throw Error(grant.place() + ": every host key that known_hosts has of it is revoked");
  throw Error(grant.place() + ": no host key is known of it",
              scan +
                  " | tee /tmp/host_keys | ssh-keygen -lf -   # compare the fingerprints with what the host's owner "
                  "publishes, then: cat /tmp/host_keys >> ~/.ssh/known_hosts");
}

void add_known_host(KnownHosts& known, const std::string& text) {
  const std::string_view whole = trim(text);
  const std::size_t blank = whole.find_first_of(" \t");
  const std::string_view value = blank == std::string_view::npos ? "" : trim(whole.substr(blank));
  try {
    if (value.empty()) throw Error("no key behind the name");
    if (!value.starts_with("SHA256:")) return known.read_line(whole);
    const HostGrant host = parse_host(whole.substr(0, blank));
    known.add_fingerprint(known_hosts_name(host.host, host.port), value);
  } catch (const Error& error) {
    throw usage_error("--known-host " + printable(text) + ": " + error.what(),
                      "--known-host 'NAME SHA256:...', or a whole line of a known_hosts file");
  }
}

void grant_keys(Grants& grants, const AgentRequest& request, const std::vector<std::string>& held,
                const std::vector<std::string>& offered) {
  std::vector<std::string> everywhere;
  std::vector<std::vector<std::string>> only(grants.hosts.size());
  for (const auto& text : request.keys) {
    const std::string option = "--ssh-key " + printable(text);
    const KeyGrant grant = parse_key_grant(text);
    const std::string fingerprint = key_fingerprint(grant.key, option);
    if (!has(held, fingerprint) && !has(offered, fingerprint))
      throw Error(option + ": the agent has no such key" + (grant.key == fingerprint ? "" : " (" + fingerprint + ")"),
                  grant.key == fingerprint
                      ? "ssh-add -l lists what it has; ssh-add FILE adds a key"
                      : "ssh-add " + printable(grant.key.ends_with(".pub") ? grant.key.substr(0, grant.key.size() - 4)
                                                                           : grant.key));
    if (grant.host.empty()) {
      add(everywhere, fingerprint);
      continue;
    }
    const HostGrant scope = parse_host(grant.host);
    const bool with_port = grant.host.ends_with(":" + std::to_string(scope.port));
    bool found = false;
    for (std::size_t i = 0; i < grants.hosts.size(); ++i) {
      if (!means(scope, grants.hosts[i], with_port)) continue;
      add(only[i], fingerprint);
      found = true;
    }
    if (!found) throw usage_error(option + ": this host is not granted", "add --ssh " + printable(grant.host));
    add(grants.scoped, fingerprint);
  }
  for (const auto& fingerprint : held)
    if (!has(grants.scoped, fingerprint)) add(everywhere, fingerprint);
  if (request.keys.empty() && held.empty()) everywhere = offered;
  std::erase_if(grants.scoped, [&](const std::string& fingerprint) { return has(everywhere, fingerprint); });

  grants.keys = everywhere;
  for (std::size_t i = 0; i < grants.hosts.size(); ++i) {
    HostGrant& host = grants.hosts[i];
    host.keys = only[i].empty() ? everywhere : only[i];
    if (host.keys.empty())
      throw usage_error("no key is granted for " + host.shown(), "add --ssh-key " + host.place() + "=SHA256:...");
    for (const auto& key : host.keys) add(grants.keys, key);
  }
}

}  // namespace imgbuild

#include "ssh_flags.hpp"

#include <algorithm>
#include <cstdlib>

namespace imgbuild {

void SshFlags::offer(CLI::App& app) {
  add_several(app, "--ssh", hosts, "HOST",
              "lend the right to log in there: HOST, USER@HOST[:PORT], or a name of ~/.ssh/config");
  add_several(app, "--ssh-key", keys, "KEY", "of these keys only: SHA256:... or FILE.pub, for one host HOST=KEY");
  add_several(app, "--ssh-key-file", key_files, "FILE",
              "a private key to use without an agent: FILE, env:VARIABLE, or - for standard input");
  add_several(app, "--known-host", known_hosts, "HOST",
              "'NAME SHA256:...' or a known_hosts line, where no file knows the host");
  app.add_flag("--ssh-allow-unbound", allow_unbound, "also clients that do not say which host they log in to");
  app.add_flag("--ssh-allow-sshsig", allow_sshsig, "also signatures of files and commits");
}

bool SshFlags::reads_input() const { return std::find(key_files.begin(), key_files.end(), "-") != key_files.end(); }

AgentRequest SshFlags::request(const Settings& settings, SecretVariables& variables) const {
  const auto either = [&](const std::vector<std::string>& flag, const char* key) {
    return flag.empty() ? settings.list(key) : flag;
  };
  AgentRequest request;
  request.hosts = either(hosts, "ssh");
  request.keys = either(keys, "ssh_keys");
  for (const auto& file : either(key_files, "ssh_key_files")) {
    const auto hold = [&](const std::string& name, Secret text) {
      request.key_texts.emplace_back(name, std::make_shared<const Secret>(std::move(text)));
    };
    if (file == "-")
      hold("standard input", secret_from_input("--ssh-key-file -"));
    else if (file.starts_with("env:"))
      hold("$" + file.substr(4), variables.read("--ssh-key-file", file.substr(4)));
    else
      request.key_files.push_back(file);
  }
  request.known_hosts = known_hosts;
  for (const auto& more : settings.list("known_hosts")) request.known_hosts.push_back(more);
  request.allow_unbound = allow_unbound;
  request.allow_sshsig = allow_sshsig;
  if (const char* socket = std::getenv("SSH_AUTH_SOCK")) request.agent_socket = socket;
  return request;
}

}  // namespace imgbuild

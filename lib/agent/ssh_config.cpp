#include "agent/ssh_config.hpp"

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

// The user's own ssh and home, by the passwd.
struct Self {
  std::string name, home;
  Self() {
    if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr) {
      name = entry->pw_name;
      home = entry->pw_dir;
    }
  }
};

Command question(const HostGrant& said, std::string_view text, const Self& self) {
  Command command;
  command.argv = {"ssh", "-G"};
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/' && home != self.home)
    if (const std::string config = std::string(home) + "/.ssh/config"; ::access(config.c_str(), R_OK) == 0)
      command.argv.insert(command.argv.end(), {"-F", config});
  if (!said.user.empty()) command.argv.insert(command.argv.end(), {"-l", said.user});
  if (const std::string port = std::to_string(said.port); text.ends_with(":" + port))
    command.argv.insert(command.argv.end(), {"-p", port});
  command.argv.insert(command.argv.end(), {"--", said.host});
  return command;
}

}  // namespace

SshConfig ask_ssh_config(const HostGrant& said, std::string_view text) {
  SshConfig found{said.user, said.host, said.port, "", {}, false};
  const Self self;
  Ran ran;
  try {
    ran = run(question(said, text, self));
  } catch (const Error&) {  // no ssh, so nobody has configured one
    return found;
  }
  if (ran.status != 0)
    throw Error("ssh -G " + printable(said.host) + ": " + printable(trim(split(ran.err, '\n').front())),
                "what stands in ~/.ssh/config?");
  for (const auto& line : split(ran.out, '\n')) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const std::string key = line.substr(0, blank), value(trim(std::string_view(line).substr(blank)));
    if (key == "hostname") found.host = lower(value);
    if (key == "port") std::from_chars(value.data(), value.data() + value.size(), found.port);
    if (key == "user" && said.user.empty() && value != self.name) found.user = value;  // else it is but the default
    if (key == "hostkeyalias") found.key_alias = lower(value);
    if (key == "proxyjump" || key == "proxycommand") found.proxied = value != "none";
    if (key == "userknownhostsfile" && value != self.home + "/.ssh/known_hosts " + self.home + "/.ssh/known_hosts2")
      for (const auto& file : split(value, ' '))
        if (file != "none") found.known_hosts.push_back(file);
  }
  return found;
}

}  // namespace imgbuild

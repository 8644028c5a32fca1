// imgbuild agent: a command of the user's behind the gateway.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/interrupt.hpp"
#include "base/process.hpp"
#include "report/report.hpp"
#include "ssh_flags.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
The command gets SSH_AUTH_SOCK: an agent that signs for the granted hosts and users only, lists the granted keys only,
and refuses everything else. Each signature is told on standard error.

Examples:
  imgbuild agent --ssh git@github.com -- git clone git@github.com:me/private.git
  imgbuild agent --ssh deploy@build.example.org:2222 --ssh-key ~/.ssh/id_deploy.pub -- make release

Exit status: the command's own; 2 usage; 3 the gateway could not be made.)";

// A signal from the keyboard reaches the whole foreground group by itself; one that was sent to us is passed on.
bool from_keyboard(int signal) {
  return signal == SIGINT && ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

int wait_forwarding(Process& process) {
  // The header that declares it in C is not fit for C++ in glibc 2.36.
  const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, process.pid(), 0)));
  if (!ended) throw system_error("pidfd_open", errno);
  pollfd waits[] = {{ended.get(), POLLIN, 0}, {interrupt::fd(), POLLIN, 0}};
  while (waits[0].revents == 0) {
    if (::poll(waits, 2, -1) < 0) {
      if (errno != EINTR) throw system_error("poll", errno);
      waits[0].revents = waits[1].revents = 0;
    }
    if (waits[1].revents != 0) {
      if (!from_keyboard(interrupt::pending())) process.signal(interrupt::pending());
      std::uint64_t count = 0;
      [[maybe_unused]] const auto taken = ::read(interrupt::fd(), &count, sizeof count);
    }
  }
  return process.wait();
}

int work(const SshFlags& ssh, Session& session) {
  if (session.words.empty()) throw usage_error("agent: no command", "imgbuild agent --ssh git@github.com -- COMMAND");
  const AgentRequest request = ssh.request(load_settings({}), session.variables);
  session.variables.forget();
  if (request.hosts.empty())
    throw usage_error("agent: no host is granted", "imgbuild agent --ssh git@github.com -- COMMAND");
  Gateway gateway(request);
  for (const auto& line : gateway.warnings()) say("warning: " + line);
  gateway.on_signature([](const Signature& signature) { say(ledger_line(signature)); });
  GatewaySocket socket(gateway);
  Command command;
  command.argv = session.words;
  command.env = {"SSH_AUTH_SOCK=" + socket.path()};
  command.without = {"SSH_AGENT_PID"};
  Process process(command);
  const int status = wait_forwarding(process);
  gateway.close();
  return status;
}

}  // namespace

Work offer_agent(CLI::App& app, Session& session) {
  const auto ssh = std::make_shared<SshFlags>();
  ssh->offer(app);
  app.footer(footer);
  return [ssh, &session] { return work(*ssh, session); };
}

}  // namespace imgbuild

#include "base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"

extern char** environ;

namespace imgbuild {

Process::Process(const Command& command) {
  if (command.argv.empty()) throw Error("no command");
  std::vector<std::string> env;
  const auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find('=')); };
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string name = name_of(*e);
    const bool dropped = std::find(command.without.begin(), command.without.end(), name) != command.without.end() ||
                         std::any_of(command.env.begin(), command.env.end(),
                                     [&](const std::string& mine) { return name_of(mine) == name; });
    if (!dropped) env.emplace_back(*e);
  }
  env.insert(env.end(), command.env.begin(), command.env.end());

  std::vector<char*> argv, envp;
  for (const auto& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
  for (const auto& entry : env) envp.push_back(const_cast<char*>(entry.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (command.in >= 0) posix_spawn_file_actions_adddup2(&actions, command.in, 0);
  if (command.out >= 0) posix_spawn_file_actions_adddup2(&actions, command.out, 1);
  if (command.err >= 0) posix_spawn_file_actions_adddup2(&actions, command.err, 2);
  if (!command.directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  const int apart = command.apart ? POSIX_SPAWN_SETSID : 0;
  posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | apart));
  const int failed = posix_spawnp(&pid_, argv[0], &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    pid_ = -1;
    throw system_error(command.argv[0], failed);
  }
}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

int Process::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) throw system_error("waitpid", errno);
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Process::ended() const noexcept {
  siginfo_t facts{};
  return pid_ < 0 ||
         (::waitid(P_PID, static_cast<id_t>(pid_), &facts, WEXITED | WNOHANG | WNOWAIT) == 0 && facts.si_pid == pid_);
}

void Process::signal(int number) noexcept {
  if (pid_ > 0) ::kill(pid_, number);
}

Ran run(Command command, std::string_view in) {
  constexpr std::size_t most = std::size_t{16} << 20;
  auto [in_read, in_write] = Fd::pipe();
  auto [out_read, out_write] = Fd::pipe();
  auto [err_read, err_write] = Fd::pipe();
  command.in = in_read.get();
  command.out = out_write.get();
  command.err = err_write.get();
  Process process(command);
  in_read.reset();
  out_write.reset();
  err_write.reset();
  ::fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  if (in.empty()) in_write.reset();

  // A child that closes its input early must not end us.
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);

  Ran ran;
  while (out_read || err_read || in_write) {
    pollfd waits[] = {{out_read.get(), POLLIN, 0}, {err_read.get(), POLLIN, 0}, {in_write.get(), POLLOUT, 0}};
    if (::poll(waits, 3, -1) < 0 && errno != EINTR) throw system_error("poll", errno);
    const auto take = [&](Fd& from, std::string& into, short ready) {
      if (ready == 0) return;
      char piece[16384];
      const ssize_t n = ::read(from.get(), piece, sizeof piece);
      if (n > 0 && into.size() < most) into.append(piece, static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) from.reset();
    };
    take(out_read, ran.out, waits[0].revents);
    take(err_read, ran.err, waits[1].revents);
    if (waits[2].revents != 0) {
      const ssize_t n = ::write(in_write.get(), in.data(), in.size());
      if (n > 0) in.remove_prefix(static_cast<std::size_t>(n));
      if (in.empty() || (n < 0 && errno != EINTR && errno != EAGAIN)) in_write.reset();
    }
  }
  ran.status = process.wait();
  const timespec now{};
  while (sigtimedwait(&pipe_signal, nullptr, &now) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return ran;
}

}  // namespace imgbuild

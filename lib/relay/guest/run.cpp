// Runs the script and carries what goes in and out, in one loop. Nothing is read from the script or its agent clients
// while more than `most_queued` bytes wait to be sent; a client that does not read its answers is dropped.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

namespace imgbuild::guest {
namespace {

constexpr std::size_t most_queued = std::size_t{256} << 10;
bool whole_container = false;

struct Client {
  std::uint32_t channel;
  int socket;
  std::string pending;
};

void set_env(std::vector<std::string>& env, const std::string& entry) {
  const std::size_t equals = entry.find('=');
  const std::string_view name =
      std::string_view(entry).substr(0, equals == std::string::npos ? entry.size() : equals + 1);
  for (std::string& each : env)
    if (each.compare(0, name.size(), name) == 0) {
      each = entry;
      return;
    }
  env.push_back(entry);
}

std::vector<std::string> environment(const Settings& settings, const Account& account) {
  std::vector<std::string> env;
  set_env(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  set_env(env, "HOME=" + account.home);
  for (const auto& entry : settings.base_env) set_env(env, entry);
  set_env(env, "BUILD_CONTEXT=" + settings.context);
  set_env(env, "BUILD_SECRETS=" + settings.home + "/secrets");
  if (settings.lend) {
    set_env(env, "SSH_AUTH_SOCK=" + settings.home + "/agent/socket");
    set_env(env, "GIT_SSH_COMMAND=" + settings.home + "/bin/ssh");
  }
  if (!settings.caches.empty()) set_env(env, "BUILD_CACHE=" + settings.home + "/cache");
  if (!settings.certificates.empty())
    for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO",
                             "CARGO_HTTP_CAINFO", "NODE_EXTRA_CA_CERTS"})
      set_env(env, std::string(name) + "=" + settings.home + "/ca-certificates.crt");
  for (const auto& entry : settings.env) set_env(env, entry);
  if (settings.lend)
    for (std::string& each : env)
      if (each.compare(0, 5, "PATH=") == 0) each = "PATH=" + settings.home + "/bin:" + each.substr(5);
  return env;
}

// Most of the variables that name authorities name all of them: the base's own come first.
void write_certificates(const Settings& settings) {
  std::string all;
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (all.empty()) slurp(file, all);
  if (!all.empty() && all.back() != '\n') all += '\n';
  write_new(settings.home + "/ca-certificates.crt", all + settings.certificates, 0444, ::geteuid(), ::getegid());
}

int listen_for_clients(const std::string& path, const Account& account) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail("the agent socket's path is too long");
  ::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket, 64) != 0 || ::chmod(path.c_str(), 0600) != 0)
    fail("the agent socket", errno);
  const bool ours = account.uid == ::geteuid() && account.gid == ::getegid();
  if (!ours && ::lchown(path.c_str(), account.uid, account.gid) != 0) fail("the agent socket", errno);
  return socket;
}

// Where syslog(3) and logger write. Something of the base's there stays: then its log is its own.
int listen_for_messages() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ::strcpy(address.sun_path, "/dev/log");
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) fail("/dev/log", errno);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket);
    return -1;
  }
  if (::chmod(address.sun_path, 0666) != 0) fail("/dev/log", errno);
  return socket;
}

[[noreturn]] void become(const Settings& settings, const Account& account, std::vector<std::string>& env, int trouble) {
  const auto give_reason = [&](const char* what) {
    const std::string text = std::string(what) + ": " + ::strerror(errno);
    [[maybe_unused]] const ssize_t n = ::write(trouble, text.data(), text.size());
    ::_exit(126);
  };
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (account.uid != ::geteuid() || account.gid != ::getegid() || ::geteuid() == 0) {
    if (::setgroups(account.groups.size(), account.groups.data()) != 0) give_reason("becoming the script's user");
    if (::setgid(account.gid) != 0 || ::setuid(account.uid) != 0) give_reason("becoming the script's user");
  }
  if (::chdir(settings.context.c_str()) != 0) give_reason(settings.context.c_str());
  if (!settings.workdir.empty() && ::chdir(settings.workdir.c_str()) != 0) give_reason(settings.workdir.c_str());

  std::string script = settings.home + "/script", shell = "/bin/sh", stop = "-e";
  std::vector<char*> argv, envp;
  for (const auto& word : settings.arguments) argv.push_back(const_cast<char*>(word.c_str()));
  if (argv.empty()) {
    if (settings.script.compare(0, 2, "#!") != 0) argv = {shell.data(), stop.data()};
    argv.push_back(script.data());
  }
  argv.push_back(nullptr);
  for (auto& entry : env) envp.push_back(entry.data());
  envp.push_back(nullptr);
  environ = envp.data();
  ::execvp(argv[0], argv.data());
  // As a shell has it: 127 where there is no such command, 126 where it cannot be run.
  const int error = errno;
  const std::string text = "imgbuild: " + std::string(argv[0]) + ": " + ::strerror(error) + "\n";
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(error == ENOENT ? 127 : 126);
}

class Loop {
 public:
  Loop(pid_t script, int out, int err, int listener, int messages, int signals)
      : script_(script), pipes_{out, err}, listener_(listener), messages_(messages), signals_(signals) {}

  // Until the script ends; its status as a shell says it.
  int run() {
    while (!ended_) turn();
    return status_;
  }

  void close_agent() {
    if (listener_ >= 0) ::close(listener_);
    for (const Client& client : clients_) {
      ::close(client.socket);
      send(Kind::close, client.channel, {});
    }
    clients_.clear();
    listener_ = -1;
  }

  // What is left in the pipes. Nobody writes any more, so that there is no waiting.
  void drain() {
    for (int i = 0; i < 2; ++i)
      while (pipes_[i] >= 0 && carry(i)) flush();
    while (carry_message()) flush();
    if (messages_ >= 0) ::unlink("/dev/log");
  }

 private:
  void turn() {
    std::vector<pollfd> waits;
    const bool room = unsent() < most_queued;
    waits.push_back({STDIN_FILENO, POLLIN, 0});
    waits.push_back({STDOUT_FILENO, static_cast<short>(unsent() > 0 ? POLLOUT : 0), 0});
    waits.push_back({signals_, POLLIN, 0});
    for (const int pipe : pipes_) waits.push_back({room ? pipe : -1, POLLIN, 0});
    waits.push_back({room && clients_.size() < wire::most_clients ? listener_ : -1, POLLIN, 0});
    waits.push_back({room ? messages_ : -1, POLLIN, 0});
    for (const Client& client : clients_) {
      const int events = (room ? POLLIN : 0) | (client.pending.empty() ? 0 : POLLOUT);
      waits.push_back({events != 0 ? client.socket : -1, static_cast<short>(events), 0});
    }
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno != EINTR) fail("poll", errno);
      return;
    }
    const std::size_t before = clients_.size();
    if (waits[0].revents != 0) hear();
    if (waits[1].revents != 0) write_some();
    for (int i = 0; i < 2; ++i)
      if (waits[3 + i].revents != 0) carry(i);
    for (std::size_t i = 0; i < before; ++i)
      if (waits[7 + i].revents != 0) serve(clients_[i], waits[7 + i].revents);
    if (waits[6].revents != 0) carry_message();
    forget_closed();
    if (waits[5].revents != 0) welcome();
    if (waits[2].revents != 0) reap();
  }

  void hear() {
    if (!fill_input()) give_up();
    for (Frame frame; take_frame(frame);) {
      for (Client& client : clients_) {
        if (client.channel != frame.channel || client.socket < 0) continue;
        if (frame.kind == Kind::data) client.pending += frame.payload;
        if (frame.kind == Kind::close || client.pending.size() > wire::most_unread)
          drop(client);
        else
          push(client);
      }
    }
  }

  // False at the end of the pipe, or where nothing is in it.
  bool carry(int i) {
    char piece[32768];
    const ssize_t n = ::read(pipes_[i], piece, sizeof piece);
    if (n > 0) {
      send(i == 0 ? Kind::output : Kind::errors, 0, {piece, static_cast<std::size_t>(n)});
      return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    ::close(pipes_[i]);
    pipes_[i] = -1;
    return false;
  }

  // False where there is none.
  bool carry_message() {
    char message[32768];
    const ssize_t n = messages_ < 0 ? -1 : ::recv(messages_, message, sizeof message, 0);
    if (n < 0) return false;
    if (n > 0) send(Kind::logged, 0, {message, static_cast<std::size_t>(n)});
    return true;
  }

  void welcome() {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return;
    clients_.push_back({++last_channel_, socket, {}});
    send(Kind::open, last_channel_, {});
  }

  void push(Client& client) {
    if (client.pending.empty()) return;
    const ssize_t n = ::send(client.socket, client.pending.data(), client.pending.size(), MSG_NOSIGNAL);
    if (n > 0) client.pending.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) drop(client);
  }

  void serve(Client& client, short ready) {
    if (client.socket < 0) return;
    if (ready & POLLOUT) push(client);
    if (client.socket < 0 || !(ready & (POLLIN | POLLHUP | POLLERR))) return;
    char piece[16384];
    const ssize_t n = ::read(client.socket, piece, sizeof piece);
    if (n > 0) send(Kind::data, client.channel, {piece, static_cast<std::size_t>(n)});
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) drop(client);
  }

  void drop(Client& client) {
    ::close(client.socket);
    client.socket = -1;
    send(Kind::close, client.channel, {});
  }

  void forget_closed() {
    for (std::size_t i = clients_.size(); i-- > 0;)
      if (clients_[i].socket < 0) clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void reap() {
    signalfd_siginfo told[8];
    while (::read(signals_, told, sizeof told) > 0) {
    }
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == script_) {
        ended_ = true;
        status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      }
  }

  pid_t script_;
  int pipes_[2];
  int listener_, messages_, signals_;
  std::vector<Client> clients_;
  std::uint32_t last_channel_ = 0;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace

void give_up() {
  std::vector<Left> killed;
  sweep(whole_container, killed);
  ::_exit(1);
}

int run(Settings& settings, const Account& account) {
  if (settings.lend) {
    if (!account.known)
      fail("the script's user " + number_text(account.uid) +
           " is not in the base's passwd, and ssh refuses such a user");
    make_folder(settings.home + "/bin", 0755, ::geteuid(), ::getegid());
    if (::symlink("../relay", (settings.home + "/bin/ssh").c_str()) != 0) fail("bin/ssh", errno);
    write_new(settings.home + "/known_hosts", settings.known_hosts, 0444, ::geteuid(), ::getegid());
    write_new(settings.home + "/fingerprints", settings.fingerprints, 0444, ::geteuid(), ::getegid());
    make_folder(settings.home + "/agent", 0700, account.uid, account.gid);
  }
  if (!settings.certificates.empty()) write_certificates(settings);
  if (settings.arguments.empty()) write_new(settings.home + "/script", settings.script, 0500, account.uid, account.gid);
  if (settings.container) {
    // Only the builder's inert first process is `cat`: a namespace that is not our own is never swept.
    std::string first;
    if (!slurp("/proc/1/comm", first) || first != "cat\n") fail("the first process of the builder is not its own");
    whole_container = true;
  }
  Caches caches(settings.home, settings.caches, account);
  LentFiles lent(settings.lent, settings.context, account);
  std::vector<std::string> env = environment(settings, account);
  std::vector<std::uint64_t> volumes;
  for (const auto& path : settings.volumes) volumes.push_back(fingerprint_of(path));

  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t chld;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, nullptr);
  const int signals = ::signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
  const int messages = settings.syslog ? listen_for_messages() : -1;
  const int listener = settings.lend ? listen_for_clients(settings.home + "/agent/socket", account) : -1;
  int out[2], err[2], trouble[2];
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (signals < 0 || nothing < 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0 ||
      ::pipe2(trouble, O_CLOEXEC) != 0)
    fail("starting the script", errno);
  // Before it runs: it might stop us, and the driver's clock would never begin.
  send(Kind::running, 0, {});
  flush();
  const pid_t script = ::fork();
  if (script < 0) fail("starting the script", errno);
  if (script == 0) {
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    become(settings, account, env, trouble[1]);
  }
  for (const int end : {out[1], err[1], trouble[1], nothing}) ::close(end);
  char reason[512];
  const ssize_t n = ::read(trouble[0], reason, sizeof reason);  // ends with the exec
  if (n > 0) fail(std::string(reason, static_cast<std::size_t>(n)));
  ::close(trouble[0]);
  ::fcntl(out[0], F_SETFL, O_NONBLOCK);
  ::fcntl(err[0], F_SETFL, O_NONBLOCK);

  Loop loop(script, out[0], err[0], listener, messages, signals);
  const int status = loop.run();
  loop.close_agent();
  std::vector<Left> killed;
  if (!sweep(settings.container, killed)) fail("a process that the script left behind cannot be ended");
  loop.drain();
  caches.settle(settings.look_at_caches);
  for (const Left& each : killed) send(Kind::killed, 0, number_text(static_cast<unsigned>(each.pid)) + " " + each.name);
  for (std::size_t i = 0; i < volumes.size(); ++i)
    if (fingerprint_of(settings.volumes[i]) != volumes[i]) send(Kind::written, 0, settings.volumes[i]);
  // Last: a folder may be a volume, and this is no change of the script's.
  lent.take_back([](const std::string& place) { send(Kind::replaced, 0, place); });
  std::uint8_t number[4];
  wire::put_u32(number, static_cast<std::uint32_t>(status));
  send(Kind::ended, 0, {reinterpret_cast<const char*>(number), 4});
  flush();
  return 0;
}

}  // namespace imgbuild::guest

#include "parts.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace imgbuild::parts {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw system_error("a free port", errno);
  return ntohs(address.sin_port);
}

/// Between bind and listen the file is there, and whoever connects is refused.
bool listens(const std::string& path) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

template <class Condition>
void wait_until(const Condition& condition, const std::string& what) {
  for (int tries = 0; tries < 500; ++tries) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw Error(what + ": not there after 10 s");
}

}  // namespace

std::string must(std::vector<std::string> argv) {
  const std::string name = argv[0];
  const Ran ran = attempt(std::move(argv));
  if (ran.status != 0) throw Error(name + ": " + ran.err);
  return ran.out;
}

Ran attempt(std::vector<std::string> argv, std::vector<std::string> env) {
  Command command;
  command.argv = std::move(argv);
  command.env = std::move(env);
  return run(command);
}

std::string make_key(const std::string& folder, const std::string& name, const std::vector<std::string>& type) {
  std::string path = folder + "/" + name;
  std::vector<std::string> argv{"ssh-keygen", "-q", "-N", "", "-C", "someone@somewhere", "-f", path};
  argv.insert(argv.end(), type.begin(), type.end());
  must(argv);
  return path;
}

std::string public_line(const std::string& path) { return std::string(trim(read_file(path + ".pub"))); }
SshKey public_half(const std::string& path) { return parse_ssh_key_line(public_line(path)); }

Agent::Agent() : socket_(folder_.path() + "/agent") {
  Command command;
  command.argv = {"ssh-agent", "-D", "-a", socket_};
  const Fd nowhere = Fd::open("/dev/null", O_WRONLY);
  command.out = nowhere.get();
  process_ = std::make_unique<Process>(command);
  wait_until([&] { return listens(socket_); }, "ssh-agent");
}

void Agent::add(const std::string& key, const std::vector<std::string>& options) const {
  std::vector<std::string> argv{"ssh-add", "-q"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.push_back(key);
  const Ran ran = attempt(argv, {"SSH_AUTH_SOCK=" + socket_});
  if (ran.status != 0) throw Error("ssh-add: " + ran.err);
}

void Agent::stop() { process_.reset(); }

std::string user() {
  static const std::string name = ::getpwuid(::getuid())->pw_name;  // which is not for several threads
  return name;
}

Server::Server(const std::vector<std::string>& authorized, const std::string& more) : port_(free_port()) {
  make_key(folder_.path(), "host_key");
  std::string lines;
  for (const auto& key : authorized) lines += public_line(key) + "\n";
  write_file(folder_.path() + "/authorized", lines);
  write_file(folder_.path() + "/config", "Port " + std::to_string(port_) + "\nListenAddress 127.0.0.1\nHostKey " +
                                             host_key() + "\nAuthorizedKeysFile " + folder_.path() +
                                             "/authorized\nStrictModes no\nUsePAM no\nPidFile none\n"
                                             "PermitRootLogin prohibit-password\nPasswordAuthentication no\n" +
                                             more);
  ::mkdir("/run/sshd", 0755);  // where privileges are dropped to; sshd does not make it
  const Fd log = Fd::open(folder_.path() + "/log", O_WRONLY | O_CREAT | O_APPEND, 0600);
  Command command;
  command.argv = {"/usr/sbin/sshd", "-D", "-e", "-f", folder_.path() + "/config"};
  command.err = log.get();
  process_ = std::make_unique<Process>(command);
  wait_until(
      [&] {
        const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address = loopback(port_);
        return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      },
      "sshd: " + this->log());
}

std::string Server::log() const { return read_file(folder_.path() + "/log"); }
std::string Server::known_hosts_line() const {
  const auto words = split(public_line(host_key()), ' ');
  return "[127.0.0.1]:" + std::to_string(port_) + " " + words[0] + " " + words[1];
}

Ran ssh(const std::string& agent, const std::string& known_hosts, int port, const std::vector<std::string>& command,
        const std::string& as) {
  std::vector<std::string> argv{"ssh",
                                "-F",
                                "none",
                                "-o",
                                "UserKnownHostsFile=" + known_hosts,
                                "-o",
                                "GlobalKnownHostsFile=/dev/null",
                                "-o",
                                "StrictHostKeyChecking=yes",
                                "-o",
                                "BatchMode=yes",
                                "-o",
                                "IdentityFile=none",
                                "-p",
                                std::to_string(port),
                                as + "@127.0.0.1"};
  argv.insert(argv.end(), command.begin(), command.end());
  return attempt(argv, {"SSH_AUTH_SOCK=" + agent});
}

Bytes RawClient::ask(View message) {
  const Bytes answer = client_->serve(WireWriter().string(message).bytes());
  WireReader in(answer);
  const View reply = in.string();
  in.expect_end();
  return {reply.begin(), reply.end()};
}

Bytes RawClient::bind(View host_key, View session, View signed_by, bool forwarding) {
  return ask(WireWriter()
                 .byte(27)
                 .string("session-bind@openssh.com")
                 .string(host_key)
                 .string(session)
                 .string(signed_by)
                 .byte(forwarding ? 1 : 0)
                 .bytes());
}

Bytes RawClient::bind(const SigningKey& host_key, View session, bool forwarding) {
  return bind(host_key.public_key().blob, session, host_key.sign(session, 4), forwarding);
}

Bytes RawClient::sign(View key, View data, std::uint32_t flags) {
  return ask(WireWriter().byte(13).string(key).string(data).u32(flags).bytes());
}

std::vector<std::string> RawClient::list() {
  const Bytes answer = ask(Bytes{11});
  WireReader in(answer);
  if (in.byte() != 12) throw Error("no list of identities");
  std::vector<std::string> comments(in.u32());
  for (auto& comment : comments) {
    in.string();
    comment = in.text();
  }
  in.expect_end();
  return comments;
}

Bytes login(View session, const std::string& as, const std::string& algorithm, View key, View host_key) {
  WireWriter blob;
  blob.string(session).byte(50).string(as).string("ssh-connection");
  blob.string(host_key.empty() ? "publickey" : "publickey-hostbound-v00@openssh.com");
  blob.byte(1).string(algorithm).string(key);
  if (!host_key.empty()) blob.string(host_key);
  return blob.take();
}

Bytes session_id(char fill) { return Bytes(32, static_cast<std::uint8_t>(fill)); }

}  // namespace imgbuild::parts

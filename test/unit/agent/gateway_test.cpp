// Real logins: ssh and libssh2 through the gateway's socket, into a real sshd, with keys in a real ssh-agent.
#include <arpa/inet.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "agent/gateway.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"
#include "parts.hpp"

using namespace imgbuild;
using namespace imgbuild::parts;

namespace {

struct Login {
  TempDir folder;
  std::string key = make_key(folder.path(), "key");
  std::string other = make_key(folder.path(), "other");
  Agent agent;
  Server server;
  AgentRequest request;

  explicit Login(const std::string& sshd_config = "") : server({key}, sshd_config) {
    // First the one that the server does not know, as in agents with many keys.
    agent.add(other);
    agent.add(key);
    write_file(known_hosts(), server.known_hosts_line() + "\n");
    request.hosts = {user() + "@127.0.0.1:" + std::to_string(server.port())};
    request.keys = {key + ".pub"};
    request.agent_socket = agent.socket();
    request.known_hosts_files = {known_hosts()};
  }
  std::string known_hosts() const { return folder.path() + "/known_hosts"; }
  Ran ssh(const GatewaySocket& socket, const std::string& command = "echo in") const {
    return parts::ssh(socket.path(), known_hosts(), server.port(), {command});
  }
};

// Logs in through the agent as programs on libssh2 do (libgit2, cargo): without a session-bind.
bool libssh2_logs_in(int port, const std::string& agent_socket) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw Error("connect");
  const Owned<LIBSSH2_SESSION, libssh2_session_free> session(libssh2_session_init());
  if (libssh2_session_handshake(session.get(), socket.get()) != 0) throw Error("handshake");
  const Owned<LIBSSH2_AGENT, libssh2_agent_free> agent(libssh2_agent_init(session.get()));
  libssh2_agent_set_identity_path(agent.get(), agent_socket.c_str());
  if (libssh2_agent_connect(agent.get()) != 0 || libssh2_agent_list_identities(agent.get()) != 0) throw Error("agent");
  bool in = false;
  libssh2_agent_publickey* identity = nullptr;
  while (!in && libssh2_agent_get_identity(agent.get(), &identity, identity) == 0)
    in = libssh2_agent_userauth(agent.get(), user().c_str(), identity) == 0;
  libssh2_agent_disconnect(agent.get());
  return in;
}

Error refusal(const AgentRequest& request) {
  try {
    const Gateway gateway(request);
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("the grant was taken");
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("ssh logs in through the gateway, twice in a row, and the ledger has a line for each") {
  const Login login;
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  for (int i = 0; i < 2; ++i) {
    const Ran ran = login.ssh(socket);
    INFO(ran.err << login.server.log());
    CHECK(ran.status == 0);
    CHECK(ran.out == "in\n");
  }
  const auto ledger = gateway.ledger();
  REQUIRE(ledger.size() == 2);
  for (const auto& line : ledger) {
    CHECK(line.granted);
    CHECK(line.host == "127.0.0.1:" + std::to_string(login.server.port()));
    CHECK(line.user == user());
    CHECK(line.key == public_half(login.key).fingerprint());
  }
}

TEST_CASE("the pinned known_hosts are enough for ssh, and are in plain names") {
  const Login login;
  must({"ssh-keygen", "-H", "-f", login.known_hosts()});
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  const std::string pinned = login.folder.path() + "/pinned";
  write_file(pinned, gateway.pinned_known_hosts());
  CHECK(gateway.pinned_known_hosts() == login.server.known_hosts_line() + "\n");
  CHECK(ssh(socket.path(), pinned, login.server.port(), {"echo in"}).out == "in\n");
}

TEST_CASE("ssh cannot log in at a server that is not granted, and the ledger says so") {
  Login login;
  const Server elsewhere({login.key});
  write_file(login.known_hosts(), login.server.known_hosts_line() + "\n" + elsewhere.known_hosts_line() + "\n");
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  const Ran ran = ssh(socket.path(), login.known_hosts(), elsewhere.port(), {"echo in"});
  CHECK(ran.status == 255);
  CHECK(ran.out.empty());
  REQUIRE(gateway.ledger().size() == 1);
  CHECK_FALSE(gateway.ledger()[0].granted);
  CHECK(gateway.ledger()[0].why ==
        "host key " + public_half(elsewhere.host_key()).fingerprint() + " is of no granted host");
}

TEST_CASE("ssh cannot log in as a user that is not granted") {
  Login login;
  login.request.hosts = {"git@127.0.0.1:" + std::to_string(login.server.port())};
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  CHECK(login.ssh(socket).status == 255);
  REQUIRE(gateway.ledger().size() == 1);
  CHECK(contains(gateway.ledger()[0].why, "user " + user() + " is not granted on 127.0.0.1"));
}

TEST_CASE("after the gateway is closed ssh cannot log in") {
  const Login login;
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  REQUIRE(login.ssh(socket).status == 0);
  gateway.close();
  CHECK(login.ssh(socket).status == 255);
}

TEST_CASE("keys of every kind log in through the gateway") {
  Login login;
  std::vector<std::string> keys;
  for (const std::string type : {"rsa", "ecdsa", "ed25519"})
    keys.push_back(make_key(login.folder.path(), type, {"-t", type}));
  const Server server(keys);
  write_file(login.known_hosts(), server.known_hosts_line() + "\n");
  login.request.hosts = {user() + "@127.0.0.1:" + std::to_string(server.port())};
  for (const auto& key : keys) {
    login.agent.add(key);
    login.request.keys = {key + ".pub"};
    Gateway gateway(login.request);
    const GatewaySocket socket(gateway);
    INFO(key);
    CHECK(ssh(socket.path(), login.known_hosts(), server.port(), {"echo in"}).out == "in\n");
  }
}

TEST_CASE("a key file is used without any agent, and never shown") {
  Login login;
  login.request.agent_socket = "";
  login.request.keys = {};
  login.request.key_files = {login.key};
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  CHECK(login.ssh(socket).out == "in\n");
  CHECK(gateway.granted_keys() == std::vector<std::string>{public_half(login.key).fingerprint()});
  RawClient client(gateway);
  CHECK(client.list() == gateway.granted_keys());
}

TEST_CASE("a certificate beside a key file logs in") {
  Login login;
  const std::string authority = make_key(login.folder.path(), "authority");
  must({"ssh-keygen", "-q", "-s", authority, "-I", "x", "-n", user(), login.other + ".pub"});
  const Server server({}, "TrustedUserCAKeys " + authority + ".pub\n");
  write_file(login.known_hosts(), server.known_hosts_line() + "\n");
  login.request.hosts = {user() + "@127.0.0.1:" + std::to_string(server.port())};
  login.request.key_files = {login.other};
  login.request.keys = {};
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  const Ran ran = ssh(socket.path(), login.known_hosts(), server.port(), {"echo in"});
  INFO(ran.err << server.log() << (gateway.ledger().empty() ? "" : gateway.ledger().back().why));
  CHECK(ran.out == "in\n");
}

TEST_CASE("a server with a host certificate of a known authority is recognised, by its name only") {
  Login login;
  const std::string folder = login.folder.path();
  const std::string authority = make_key(folder, "authority"), host = make_key(folder, "host");
  must({"ssh-keygen", "-q", "-s", authority, "-I", "x", "-h", "-n", "127.0.0.1", host + ".pub"});
  const Server server({login.key}, "HostKey " + host + "\nHostCertificate " + host + "-cert.pub\n");
  login.request.hosts = {user() + "@127.0.0.1:" + std::to_string(server.port()),
                         user() + "@localhost:" + std::to_string(server.port())};
  write_file(login.known_hosts(), "@cert-authority *127.0.0.1*,*localhost* " + public_line(authority) + "\n");
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  const std::string pinned = folder + "/pinned";
  write_file(pinned, gateway.pinned_known_hosts());
  CHECK(contains(gateway.pinned_known_hosts(),
                 "@cert-authority [127.0.0.1]:" + std::to_string(server.port()) + " ssh-ed25519 "));
  const Ran ran = ssh(socket.path(), pinned, server.port(), {"echo in"});
  INFO(ran.err);
  CHECK(ran.out == "in\n");
  REQUIRE(gateway.ledger().size() == 1);
  CHECK(gateway.ledger()[0].host == "127.0.0.1:" + std::to_string(server.port()));

  // The same certificate under a name that it was not made for.
  login.request.hosts = {user() + "@localhost:" + std::to_string(server.port())};
  Gateway other(login.request);
  const GatewaySocket other_socket(other);
  CHECK(ssh(other_socket.path(), pinned, server.port(), {"echo in"}).status == 255);
  REQUIRE(other.ledger().size() == 1);
  CHECK(other.ledger()[0].why == "the host certificate is not for localhost");
}

TEST_CASE("a key that the user tied to a host in the agent works through the gateway, and nowhere else") {
  Login login;
  login.agent.stop();
  const Agent agent;
  const std::string name = "[127.0.0.1]:" + std::to_string(login.server.port());
  agent.add(login.key, {"-H", login.known_hosts(), "-h", user() + "@" + name});
  login.request.agent_socket = agent.socket();
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  for (int i = 0; i < 2; ++i) {  // the second one needs a connection of its own to the agent
    const Ran ran = login.ssh(socket);
    INFO(ran.err);
    CHECK(ran.out == "in\n");
  }
  // It is the agent that refuses here, not we: what the user tied stays tied.
  login.request.allow_unbound = true;
  Gateway lenient(login.request);
  RawClient client(lenient);
  const SshKey key = public_half(login.key);
  CHECK(client.sign(key.blob, imgbuild::parts::login(session_id(), user(), key.type, key.blob)) == Bytes{refused});
  CHECK(lenient.ledger().back().why == "the agent refused");
}

TEST_CASE("libssh2, which does not bind, is refused unless that is allowed") {
  Login login;
  {
    Gateway gateway(login.request);
    const GatewaySocket socket(gateway);
    CHECK_FALSE(libssh2_logs_in(login.server.port(), socket.path()));
    REQUIRE(gateway.ledger().size() == 1);
    CHECK(gateway.ledger()[0].why == "the client does not tell which host it talks to (no session-bind)");
  }
  login.request.allow_unbound = true;
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  CHECK(libssh2_logs_in(login.server.port(), socket.path()));
  CHECK(gateway.ledger().back().granted);
  CHECK(gateway.ledger().back().host == "unbound");
}

TEST_CASE("git's signing of commits is refused") {
  const Login login;
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  write_file(login.folder.path() + "/text", "some text");
  const Ran ran =
      attempt({"ssh-keygen", "-Y", "sign", "-n", "git", "-f", login.key + ".pub", login.folder.path() + "/text"},
              {"SSH_AUTH_SOCK=" + socket.path()});
  // ssh-keygen may fall back to the private half that lies beside: it is the ledger that counts.
  REQUIRE(gateway.ledger().size() == 1);
  CHECK_FALSE(gateway.ledger()[0].granted);
  CHECK(gateway.ledger()[0].host == "sshsig:git");
}

TEST_CASE("ssh-add cannot do through the gateway what it can do to an agent") {
  const Login login;
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  const std::vector<std::string> env{"SSH_AUTH_SOCK=" + socket.path()};
  CHECK(contains(attempt({"ssh-add", "-l"}, env).out, public_half(login.key).fingerprint()));
  CHECK_FALSE(contains(attempt({"ssh-add", "-l"}, env).out, public_half(login.other).fingerprint()));
  CHECK_FALSE(contains(attempt({"ssh-add", "-l"}, env).out, "someone@somewhere"));
  CHECK(attempt({"ssh-add", "-D"}, env).status != 0);
  CHECK(attempt({"ssh-add", "-d", login.key}, env).status != 0);
  CHECK(attempt({"ssh-add", login.other}, env).status != 0);
  CHECK(attempt({"ssh-add", "-T", login.key + ".pub"}, env).status != 0);
  const Ran left = attempt({"ssh-add", "-l"}, {"SSH_AUTH_SOCK=" + login.agent.socket()});
  CHECK(contains(left.out, public_half(login.key).fingerprint()));
  CHECK(contains(left.out, public_half(login.other).fingerprint()));
}

TEST_CASE("the gateway's socket can be reached by its owner only, and goes with it") {
  const Login login;
  Gateway gateway(login.request);
  std::string path;
  {
    const GatewaySocket socket(gateway);
    path = socket.path();
    const std::string folder = path.substr(0, path.rfind('/'));
    CHECK(must({"stat", "-c", "%a", folder}) == "700\n");
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a client that waits for the agent is let go when the gateway closes") {
  // An agent that never answers: a person who does not touch the hardware key.
  const Login login;
  Gateway gateway(login.request);
  RawClient client(gateway);
  must({"kill", "-STOP", std::to_string(login.agent.pid())});
  bool dropped = false;
  std::thread waiting([&] {
    try {
      client.list();
    } catch (const Error&) {
      dropped = true;
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  gateway.close();
  waiting.join();
  must({"kill", "-CONT", std::to_string(login.agent.pid())});
  CHECK(dropped);
}

TEST_CASE("an agent's socket may be a link, and its path of any length") {
  Login login;
  std::string deep = login.folder.path();
  for (int i = 0; i < 4; ++i) deep += "/" + std::string(60, 'd');
  must({"mkdir", "-p", deep});
  must({"ln", "-s", login.agent.socket(), deep + "/link"});
  login.request.agent_socket = deep + "/link";
  CHECK(Gateway(login.request).granted_keys().size() == 1);
  // A hard link is the socket itself under a path that no sockaddr_un holds.
  must({"ln", login.agent.socket(), deep + "/socket"});
  login.request.agent_socket = deep + "/socket";
  CHECK(Gateway(login.request).granted_keys().size() == 1);
}

TEST_CASE("without an agent the error names the command that starts one") {
  Login login;
  login.request.agent_socket = "";
  CHECK(refusal(login.request).what() == std::string("no ssh agent: SSH_AUTH_SOCK is not set"));
  CHECK(refusal(login.request).hint() == "eval $(ssh-agent) && ssh-add");
  login.request.agent_socket = login.folder.path() + "/nothing";
  CHECK(contains(refusal(login.request).what(), "No such file"));
  login.request.agent_socket = login.known_hosts();
  CHECK(contains(refusal(login.request).what(), "not a socket"));
  // A socket that nobody listens on any more.
  const std::string dead = login.folder.path() + "/dead";
  {
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, dead.data(), dead.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  login.request.agent_socket = dead;
  CHECK(contains(refusal(login.request).what(), "Connection refused"));
  CHECK(refusal(login.request).hint() == "eval $(ssh-agent) && ssh-add");
}

TEST_CASE("an agent without keys, and one without the granted key, are errors with the command that mends them") {
  Login login;
  login.request.keys = {make_key(login.folder.path(), "third") + ".pub"};
  CHECK(contains(refusal(login.request).what(), "the agent has no such key (SHA256:"));
  CHECK(refusal(login.request).hint() == "ssh-add " + login.folder.path() + "/third");
  login.request.keys = {"SHA256:" + std::string(43, 'A')};
  CHECK(contains(refusal(login.request).what(), "the agent has no such key"));
  const Agent empty;
  login.request.agent_socket = empty.socket();
  CHECK(refusal(login.request).what() == std::string("the ssh agent has no keys"));
  CHECK(contains(refusal(login.request).hint(), "ssh-add ~/.ssh/id_ed25519"));
}

TEST_CASE("a host that is not known is an error with the command that asks for its key") {
  Login login;
  login.request.hosts = {"git@forge.test"};
  CHECK(refusal(login.request).what() == std::string("forge.test: no host key is known of it"));
  CHECK(contains(refusal(login.request).hint(), "ssh-keyscan forge.test "));
  login.request.hosts = {"git@forge.test:2222"};
  CHECK(contains(refusal(login.request).hint(), "ssh-keyscan -p 2222 forge.test "));
  CHECK(contains(refusal(login.request).hint(), "~/.ssh/known_hosts"));
  write_file(login.known_hosts(),
             "forge.test " + public_line(login.key) + "\n@revoked * " + public_line(login.key) + "\n");
  CHECK(contains(refusal(login.request).what(), "revoked"));
}

TEST_CASE("a host without a user is an error, except on a forge") {
  Login login;
  login.request.hosts = {"forge.test"};
  CHECK(refusal(login.request).what() == std::string("--ssh forge.test: no user"));
  CHECK(refusal(login.request).status() == Status::usage);
  CHECK(contains(refusal(login.request).hint(), "--ssh USER@forge.test"));
  login.request.hosts = {"github.com"};
  login.request.known_hosts = {"github.com " + public_line(login.key)};
  CHECK(Gateway(login.request).granted_hosts() == std::vector<std::string>{"git@github.com"});
}

TEST_CASE("grants that make no sense are usage errors") {
  Login login;
  const auto hosts = login.request.hosts;
  for (const std::string host :
       {"", "@", "git@", "@host", "git@host:", "git@host:0", "git@host:65536", "git@host:x", "git@[::1", "git@[::1]x",
        "git@ho st", "git@*.example.com", "git@host,other", "ssh://git@host", "git@host\n"}) {
    INFO(host);
    login.request.hosts = {host};
    CHECK(refusal(login.request).status() == Status::usage);
  }
  login.request.hosts = {};
  CHECK(refusal(login.request).status() == Status::usage);
  login.request.hosts = hosts;
  for (const std::string& key : {std::string("SHA256:short"), "elsewhere.test=" + login.key + ".pub", login.key}) {
    INFO(key);
    login.request.keys = {key};
    CHECK(refusal(login.request).status() == Status::usage);
  }
  login.request.keys = {};
  for (const std::string known : {"", "host", "host SHA256:short", "host ssh-ed25519", "host ssh-ed25519 AAAA"}) {
    INFO(known);
    login.request.known_hosts = {known};
    CHECK(refusal(login.request).status() == Status::usage);
  }
}

TEST_CASE("a host that is known by a fingerprint is granted, and told to the builder as such") {
  Login login;
  write_file(login.known_hosts(), "");
  const std::string fingerprint = public_half(login.server.host_key()).fingerprint();
  const std::string name = "[127.0.0.1]:" + std::to_string(login.server.port());
  for (const std::string& spelt : {name, "127.0.0.1:" + std::to_string(login.server.port())}) {
    login.request.known_hosts = {spelt + " " + fingerprint};
    Gateway gateway(login.request);
    CHECK(gateway.pinned_known_hosts().empty());
    CHECK(gateway.fingerprint_hosts() == std::vector<std::pair<std::string, std::string>>{{name, fingerprint}});
    const GatewaySocket socket(gateway);
    const std::string pinned = login.folder.path() + "/pinned";
    write_file(pinned, login.server.known_hosts_line() + "\n");
    CHECK(ssh(socket.path(), pinned, login.server.port(), {"echo in"}).out == "in\n");
  }
}

TEST_CASE("without --ssh-key every key of the agent is granted") {
  Login login;
  login.request.keys = {};
  const Gateway gateway(login.request);
  CHECK(gateway.granted_keys().size() == 2);
}

TEST_CASE("a host for which no key is granted is an error") {
  Login login;
  const std::string place = "127.0.0.1:" + std::to_string(login.server.port());
  login.request.hosts.push_back("git@127.0.0.1:" + std::to_string(login.server.port()));
  login.request.keys = {user() + "@" + place + "=" + public_half(login.key).fingerprint()};
  CHECK(refusal(login.request).what() == "no key is granted for git@" + place);
}

TEST_CASE("an odd line in known_hosts is told and hinders nothing") {
  Login login;
  write_file(login.known_hosts(), "odd\n" + login.server.known_hosts_line() + "\n");
  const Gateway gateway(login.request);
  REQUIRE(gateway.warnings().size() == 1);
  CHECK(gateway.warnings()[0].starts_with(login.known_hosts() + ":1: skipped: "));
}

TEST_CASE("a second client is served while the first one waits, each with its own connection to the agent") {
  const Login login;
  Gateway gateway(login.request);
  const GatewaySocket socket(gateway);
  std::vector<std::thread> clients;
  std::vector<int> status(6, -1);
  for (std::size_t i = 0; i < status.size(); ++i)
    clients.emplace_back([&, i] { status[i] = login.ssh(socket).status; });
  for (auto& client : clients) client.join();
  CHECK(status == std::vector<int>(6, 0));
  CHECK(gateway.ledger().size() == 6);
}

// The client is driven message by message; behind the gateway stands a real ssh-agent.
#include <algorithm>
#include <catch2/catch.hpp>

#include "agent/protocol.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "parts.hpp"

using namespace imgbuild;
using namespace imgbuild::parts;

namespace {

// Two keys in the agent, of which one is granted, for git@forge.test; another host that is known but not granted.
struct Build {
  TempDir folder;
  std::string granted = make_key(folder.path(), "granted");
  std::string other = make_key(folder.path(), "other");
  SigningKey host = SigningKey::load(make_key(folder.path(), "host"));
  SigningKey stranger = SigningKey::load(make_key(folder.path(), "stranger"));
  SshKey key = public_half(granted);
  SshKey other_key = public_half(other);
  Agent agent;
  AgentRequest request;

  Build() {
    agent.add(granted);
    agent.add(other);
    write_file(known_hosts(), "forge.test " + public_line(folder.path() + "/host") + "\n" + "elsewhere.test " +
                                  public_line(folder.path() + "/stranger") + "\n");
    request.hosts = {"git@forge.test"};
    request.keys = {key.fingerprint()};
    request.agent_socket = agent.socket();
    request.known_hosts_files = {known_hosts()};
  }
  std::string known_hosts() const { return folder.path() + "/known_hosts"; }
  Bytes login_as(const std::string& as, View session = session_id(), View host_key = {}) const {
    return login(session, as, key.type, key.blob, host_key);
  }
  bool verifies(const Bytes& reply, const Bytes& data) const {
    WireReader in(reply);
    return in.byte() == signature && ssh_signature_verifies(key, in.string(), data);
  }
};

std::string last_refusal(const Gateway& gateway) {
  const auto ledger = gateway.ledger();
  REQUIRE_FALSE(ledger.empty());
  CHECK_FALSE(ledger.back().granted);
  return ledger.back().why;
}

}  // namespace

TEST_CASE("a login at the granted host, as the granted user, is signed and written down") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  const Bytes blob = build.login_as("git");
  CHECK(build.verifies(client.sign(build.key.blob, blob), blob));
  const Bytes host_bound = build.login_as("git", session_id(), build.host.public_key().blob);
  CHECK(build.verifies(client.sign(build.key.blob, host_bound), host_bound));

  const auto ledger = gateway.ledger();
  REQUIRE(ledger.size() == 2);
  CHECK(ledger[0].granted);
  CHECK(ledger[0].host == "forge.test");
  CHECK(ledger[0].user == "git");
  CHECK(ledger[0].key == build.key.fingerprint());
  CHECK(ledger[0].why.empty());
  CHECK(ledger[0].time > 0);
}

TEST_CASE("an unknown agent message is refused") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  // With every number, also those that an agent knows: add, remove, lock, unlock, smart cards.
  for (int number = 0; number < 256; ++number) {
    if (number == 11 || number == 13 || number == 27) continue;
    WireWriter message;
    message.byte(static_cast<std::uint8_t>(number)).string("a passphrase").string("more");
    CHECK(client.ask(message.bytes()) == Bytes{refused});
  }
  CHECK(client.ask(WireWriter().byte(27).string("restrict-everything@example.com").bytes()) == Bytes{refused});
  CHECK(client.ask(Bytes{27}) == Bytes{refused});
  CHECK(client.ask(Bytes{11, 0}) == Bytes{refused});
  // The agent behind it has noticed nothing: it is not locked and has both keys.
  const Ran listed = attempt({"ssh-add", "-l"}, {"SSH_AUTH_SOCK=" + build.agent.socket()});
  CHECK(listed.out.find(build.key.fingerprint()) != std::string::npos);
  CHECK(listed.out.find(build.other_key.fingerprint()) != std::string::npos);
}

TEST_CASE("nobody can unlock the user's agent through the gateway") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  CHECK(client.ask(WireWriter().byte(22).string("word").bytes()) == Bytes{refused});
  CHECK(client.list().size() == 1);  // not locked
  CHECK(client.ask(WireWriter().byte(23).string("word").bytes()) == Bytes{refused});
  CHECK(client.ask(Bytes{19}) == Bytes{refused});
  CHECK(client.list().size() == 1);  // not emptied
}

TEST_CASE("the query extension names what is allowed") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  const Bytes answer = client.ask(WireWriter().byte(27).string("query").bytes());
  WireReader in(answer);
  CHECK(in.byte() == 29);
  CHECK(in.text() == "query");
  std::vector<std::string> names;
  while (!in.done()) names.emplace_back(in.text());
  CHECK(names == std::vector<std::string>{"query", "session-bind@openssh.com"});
}

TEST_CASE("a key not granted is neither listed nor used") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  // A comment would tell whose key it is: the fingerprint stands in its place.
  CHECK(client.list() == std::vector<std::string>{build.key.fingerprint()});
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  CHECK(client.list() == std::vector<std::string>{build.key.fingerprint()});
  const Bytes blob = login(session_id(), "git", "ssh-ed25519", build.other_key.blob);
  CHECK(client.sign(build.other_key.blob, blob) == Bytes{refused});
  CHECK(last_refusal(gateway) == "the key is not granted");
  CHECK(gateway.ledger().back().key == build.other_key.fingerprint());
}

TEST_CASE("the agent is gone before the commit") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway), late(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  const Bytes blob = build.login_as("git");
  REQUIRE(build.verifies(client.sign(build.key.blob, blob), blob));
  gateway.close();
  CHECK(client.sign(build.key.blob, blob) == Bytes{refused});
  CHECK(last_refusal(gateway) == "the build script has ended");
  CHECK(client.ask(Bytes{11}) == Bytes{refused});
  CHECK(late.bind(build.host, session_id()) == Bytes{refused});
  CHECK(late.ask(Bytes{11}) == Bytes{refused});
  RawClient new_one(gateway);
  CHECK(new_one.ask(Bytes{11}) == Bytes{refused});
}

TEST_CASE("a login as another user is refused and written down") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  CHECK(client.sign(build.key.blob, build.login_as("root")) == Bytes{refused});
  CHECK(last_refusal(gateway) == "user root is not granted on forge.test");
  CHECK(gateway.ledger().back().user == "root");
  CHECK(client.sign(build.key.blob, build.login_as("")) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as("git ")) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as(std::string("git\0", 4))) == Bytes{refused});
}

TEST_CASE("a login at a host that is known but not granted is refused and written down") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  CHECK(client.bind(build.stranger, session_id()) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as("git")) == Bytes{refused});
  CHECK(last_refusal(gateway) == "host key " + build.stranger.public_key().fingerprint() + " is of no granted host");
}

TEST_CASE("a bind that the host key did not sign is refused") {
  const Build build;
  Gateway gateway(build.request);
  const View host_key = build.host.public_key().blob;
  const Bytes session = session_id();
  RawClient client(gateway);
  CHECK(client.bind(host_key, session, build.stranger.sign(session, 0), false) == Bytes{refused});
  CHECK(client.bind(host_key, session, build.host.sign(session_id('t'), 0), false) == Bytes{refused});
  CHECK(client.bind(host_key, session, Bytes{}, false) == Bytes{refused});
  Bytes damaged = build.host.sign(session, 0);
  damaged.back() ^= 1;
  CHECK(client.bind(host_key, session, damaged, false) == Bytes{refused});
  CHECK(client.bind(host_key, Bytes{}, build.host.sign(Bytes{}, 0), false) == Bytes{refused});
  const Bytes longest(129, 7);
  CHECK(client.bind(host_key, longest, build.host.sign(longest, 0), false) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as("git")) == Bytes{refused});
}

TEST_CASE("a login for another session than the bound one is refused") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  CHECK(client.sign(build.key.blob, build.login_as("git", session_id('t'))) == Bytes{refused});
  CHECK(last_refusal(gateway) == "the login is for another session than the bound one");
  // A bind is for one connection: on the next one it counts for nothing.
  RawClient next(gateway);
  CHECK(next.sign(build.key.blob, build.login_as("git")) == Bytes{refused});
}

TEST_CASE("a login that is host-bound to another host key is refused") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  const Bytes blob = build.login_as("git", session_id(), build.stranger.public_key().blob);
  CHECK(client.sign(build.key.blob, blob) == Bytes{refused});
  CHECK(last_refusal(gateway) == "the login is for another host key than the bound one");
}

TEST_CASE("a bound connection cannot be bound again") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  CHECK(client.bind(build.host, session_id('t')) == Bytes{refused});
  CHECK(client.bind(build.host, session_id()) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as("git", session_id('t'))) == Bytes{refused});
}

TEST_CASE("a forwarded agent signs nothing, whatever is bound after") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  CHECK(client.bind(build.host, session_id(), true) == Bytes{refused});
  CHECK(client.bind(build.host, session_id('t')) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as("git", session_id('t'))) == Bytes{refused});
  CHECK(last_refusal(gateway) == "the agent was forwarded to another machine");
}

TEST_CASE("after 16 refused binds a connection cannot be bound") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  for (int i = 0; i < 16; ++i) REQUIRE(client.bind(build.stranger, session_id()) == Bytes{refused});
  CHECK(client.bind(build.host, session_id()) == Bytes{refused});
  RawClient patient(gateway);
  for (int i = 0; i < 15; ++i) REQUIRE(patient.bind(build.stranger, session_id()) == Bytes{refused});
  CHECK(patient.bind(build.host, session_id()) == Bytes{agreed});
}

TEST_CASE("a client that does not bind is refused, unless that is allowed") {
  Build build;
  {
    Gateway gateway(build.request);
    RawClient client(gateway);
    CHECK(client.sign(build.key.blob, build.login_as("git")) == Bytes{refused});
    CHECK(last_refusal(gateway) == "the client does not tell which host it talks to (no session-bind)");
  }
  build.request.allow_unbound = true;
  Gateway gateway(build.request);
  RawClient client(gateway);
  const Bytes blob = build.login_as("git");
  CHECK(build.verifies(client.sign(build.key.blob, blob), blob));
  CHECK(gateway.ledger().back().host == "unbound");
  // The user, the key and what is signed are looked at all the same.
  CHECK(client.sign(build.key.blob, build.login_as("root")) == Bytes{refused});
  CHECK(client.sign(build.other_key.blob, login(session_id(), "git", "ssh-ed25519", build.other_key.blob)) ==
        Bytes{refused});
  CHECK(client.sign(build.key.blob, view_of("anything")) == Bytes{refused});
  CHECK(client.sign(build.key.blob, build.login_as("git", session_id(), build.stranger.public_key().blob)) ==
        Bytes{refused});
  const Bytes host_bound = build.login_as("git", session_id(), build.host.public_key().blob);
  CHECK(build.verifies(client.sign(build.key.blob, host_bound), host_bound));
  // Whoever tells that it talks to a stranger is believed.
  CHECK(client.bind(build.stranger, session_id()) == Bytes{refused});
  CHECK(client.sign(build.key.blob, blob) == Bytes{refused});
}

TEST_CASE("SSHSIG blobs are refused, unless they are allowed") {
  Build build;
  const Bytes blob =
      WireWriter().raw(view_of("SSHSIG")).string("git").string("").string("sha512").string(Bytes(64, 1)).take();
  {
    Gateway gateway(build.request);
    RawClient client(gateway);
    CHECK(client.sign(build.key.blob, blob) == Bytes{refused});
    CHECK(last_refusal(gateway) == "an SSHSIG signature (of a commit, say), not a login");
  }
  build.request.allow_sshsig = true;
  Gateway gateway(build.request);
  RawClient client(gateway);
  CHECK(build.verifies(client.sign(build.key.blob, blob), blob));
  CHECK(gateway.ledger().back().host == "sshsig:git");
  Bytes longer = blob;
  longer.push_back(0);
  CHECK(client.sign(build.key.blob, longer) == Bytes{refused});
  CHECK(client.sign(build.key.blob, view_of("SSHSIG")) == Bytes{refused});
}

TEST_CASE("nothing but a login is signed at a bound host") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  const Bytes good = build.login_as("git");
  const auto refuses = [&](const Bytes& blob) { return client.sign(build.key.blob, blob) == Bytes{refused}; };
  CHECK(refuses(Bytes(1024, 0x5a)));  // what ssh-add -T signs
  CHECK(refuses({}));
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    CHECK(refuses(Bytes(good.begin(), good.begin() + static_cast<long>(cut))));
  Bytes longer = good;
  longer.push_back(0);
  CHECK(refuses(longer));

  const auto made = [&](std::uint8_t number, std::string_view service, std::string_view method, std::uint8_t with,
                        View key) {
    WireWriter blob;
    blob.string(session_id()).byte(number).string("git").string(service).string(method).byte(with);
    return blob.string(build.key.type).string(key).take();
  };
  CHECK(build.verifies(client.sign(build.key.blob, made(50, "ssh-connection", "publickey", 1, build.key.blob)), good));
  CHECK(refuses(made(51, "ssh-connection", "publickey", 1, build.key.blob)));
  CHECK(refuses(made(50, "ssh-userauth", "publickey", 1, build.key.blob)));
  CHECK(refuses(made(50, "ssh-connection", "hostbased", 1, build.key.blob)));
  CHECK(refuses(made(50, "ssh-connection", "publickey", 0, build.key.blob)));
  CHECK(refuses(made(50, "ssh-connection", "publickey", 2, build.key.blob)));
  CHECK(refuses(made(50, "ssh-connection", "publickey", 1, build.other_key.blob)));
  CHECK(refuses(made(50, "ssh-connection", "publickey-hostbound-v00@openssh.com", 1, build.key.blob)));
  CHECK(refuses(login(session_id(), "git", "ssh-rsa", build.key.blob)));
  CHECK(client.sign(build.key.blob, good, 1) == Bytes{refused});
  CHECK(client.ask(WireWriter().byte(13).string(build.key.blob).string(good).bytes()) == Bytes{refused});
}

TEST_CASE("an RSA key signs SHA-256 and SHA-512 as asked for, and never SHA-1") {
  Build build;
  const std::string path = make_key(build.folder.path(), "rsa", {"-t", "rsa", "-b", "2048"});
  const SshKey rsa = public_half(path);
  build.agent.add(path);
  build.request.keys = {path + ".pub"};
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  const auto blob = [&](const std::string& algorithm) { return login(session_id(), "git", algorithm, rsa.blob); };
  for (const auto& [algorithm, flags] : {std::pair{"rsa-sha2-256", 2u}, std::pair{"rsa-sha2-512", 4u}}) {
    const Bytes reply = client.sign(rsa.blob, blob(algorithm), flags);
    WireReader in(reply);
    REQUIRE(in.byte() == signature);
    const View made = in.string();
    CHECK(WireReader(made).text() == algorithm);
    CHECK(ssh_signature_verifies(rsa, made, blob(algorithm)));
  }
  CHECK(client.sign(rsa.blob, blob("ssh-rsa"), 0) == Bytes{refused});
  CHECK(last_refusal(gateway) == "a SHA-1 signature");
  CHECK(client.sign(rsa.blob, blob("ssh-rsa"), 2) == Bytes{refused});
  CHECK(client.sign(rsa.blob, blob("rsa-sha2-256"), 0) == Bytes{refused});
  CHECK(client.sign(rsa.blob, blob("rsa-sha2-256"), 4) == Bytes{refused});
  CHECK(client.sign(rsa.blob, blob("rsa-sha2-512"), 2) == Bytes{refused});
  CHECK(client.sign(rsa.blob, blob("rsa-sha2-512"), 6) == Bytes{refused});
}

TEST_CASE("frames may come in any pieces, and several at once") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  const Bytes frame = WireWriter().string(Bytes{11}).take();
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) CHECK(client.client().serve(View(&frame[i], 1)).empty());
  const Bytes one = client.client().serve(View(&frame.back(), 1));
  CHECK(one.size() > 5);
  Bytes three;
  for (int i = 0; i < 3; ++i) three.insert(three.end(), frame.begin(), frame.end());
  CHECK(client.client().serve(three).size() == 3 * one.size());
}

TEST_CASE("an oversized or empty frame drops the client") {
  const Build build;
  Gateway gateway(build.request);
  CHECK_THROWS_AS(RawClient(gateway).client().serve(WireWriter().u32(256 * 1024 + 1).bytes()), Error);
  CHECK_THROWS_AS(RawClient(gateway).client().serve(WireWriter().u32(0xffffffff).bytes()), Error);
  CHECK_THROWS_AS(RawClient(gateway).client().serve(WireWriter().u32(0).bytes()), Error);
  Bytes largest(256 * 1024, 0);
  largest[0] = 13;
  CHECK(RawClient(gateway).ask(largest) == Bytes{refused});
}

TEST_CASE("a key that is granted for one host is listed and used for that host only") {
  Build build;
  build.request.hosts = {"git@forge.test", "git@elsewhere.test"};
  build.request.keys = {"forge.test=" + build.key.fingerprint(), "elsewhere.test=" + build.other + ".pub"};
  build.request.allow_unbound = true;
  Gateway gateway(build.request);
  RawClient client(gateway);
  CHECK(client.list().size() == 2);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  CHECK(client.list() == std::vector<std::string>{build.key.fingerprint()});
  CHECK(client.sign(build.other_key.blob, login(session_id(), "git", "ssh-ed25519", build.other_key.blob)) ==
        Bytes{refused});
  CHECK(last_refusal(gateway) == "the key is not granted for forge.test");
  RawClient second(gateway);
  REQUIRE(second.bind(build.stranger, session_id('t')) == Bytes{agreed});
  CHECK(second.list() == std::vector<std::string>{build.other_key.fingerprint()});
  // Who does not tell the host cannot have a key that is for one host.
  RawClient unbound(gateway);
  CHECK(unbound.sign(build.key.blob, build.login_as("git")) == Bytes{refused});
}

TEST_CASE("a host may be granted to several users, each of them by name") {
  Build build;
  build.request.hosts = {"git@forge.test", "deploy@forge.test"};
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  for (const char* name : {"git", "deploy"}) {
    const Bytes blob = build.login_as(name);
    CHECK(build.verifies(client.sign(build.key.blob, blob), blob));
    CHECK(gateway.ledger().back().user == name);
  }
  CHECK(client.sign(build.key.blob, build.login_as("root")) == Bytes{refused});
}

TEST_CASE("a name in the ledger cannot disturb the terminal that it is printed on") {
  const Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  client.sign(build.key.blob, build.login_as("\x1b[2Jroot\n" + std::string(5000, 'x')));
  const auto line = gateway.ledger().back();
  CHECK(line.user.starts_with("\\x1b[2Jroot\\x0a"));
  CHECK(line.user.size() < 100);
  CHECK(line.why.size() < 200);
}

TEST_CASE("each line of the ledger is told as it is written") {
  const Build build;
  Gateway gateway(build.request);
  std::vector<Signature> told;
  gateway.on_signature([&](const Signature& line) { told.push_back(line); });
  RawClient client(gateway);
  client.bind(build.host, session_id());
  client.sign(build.key.blob, build.login_as("root"));
  client.sign(build.key.blob, build.login_as("git"));
  REQUIRE(told.size() == 2);
  CHECK_FALSE(told[0].granted);
  CHECK(told[1].granted);
}

TEST_CASE("a client is dropped when the agent has gone, and the ledger says so") {
  Build build;
  Gateway gateway(build.request);
  RawClient client(gateway);
  REQUIRE(client.bind(build.host, session_id()) == Bytes{agreed});
  build.agent.stop();
  CHECK_THROWS_AS(client.sign(build.key.blob, build.login_as("git")), Error);
  CHECK(last_refusal(gateway) == "the ssh agent is gone");
}

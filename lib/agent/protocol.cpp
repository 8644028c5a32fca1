// A client that stands where a build script stands may send anything. So the messages that pass are listed, and what a
// sign request is for is read out of the bytes to be signed, never believed from a name:
//
//   session-bind@openssh.com says: this connection serves the session with that id, and here is the host key's own
//   signature over the id. An id is the hash of a key exchange that the host took part in, so nobody but a host that is
//   granted can make one for us to accept.
//
//   A login (RFC 4252 section 7) begins with the session's id. Signed for that id it is worth something to that host
//   alone.
//
// What the agent is then asked is byte for byte what the client sent.
#include "agent/protocol.hpp"

#include <algorithm>
#include <ctime>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

constexpr std::string_view session_bind = "session-bind@openssh.com";
constexpr std::uint8_t userauth_request = 50;
constexpr int most_binds = 16;                // as OpenSSH's agent
constexpr std::size_t longest_session = 128;  // likewise
constexpr std::uint32_t rsa_sha2_256 = 2, rsa_sha2_512 = 4;

Bytes failed() { return {agent::failure}; }

bool same(View a, View b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool has(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
}

// Part of a name that the client chose, for a line that a person reads.
std::string shortened(std::string_view text) { return printable(text.substr(0, 64)); }

// The namespace of an SSHSIG blob (openssh PROTOCOL.sshsig, section 3); nullopt: it is none.
std::optional<std::string_view> parse_sshsig(View blob) try {
  constexpr std::string_view magic = "SSHSIG";
  WireReader in(blob);
  if (text_of(in.take(magic.size())) != magic) return std::nullopt;
  const std::string_view name = in.text();
  in.string();  // reserved
  in.string();  // hash algorithm
  in.string();  // hash
  in.expect_end();
  return name;
} catch (const Error&) {
  return std::nullopt;
}

// Is it the algorithm that a login with this key names, and do the flags ask the agent for that one?
std::string algorithm_fault(const SshKey& key, std::string_view algorithm, std::uint32_t flags) {
  if (key.plain_type != "ssh-rsa")
    return algorithm == key.type ? "" : "the login names another algorithm than the key's";
  if (flags == 0 || algorithm == key.type) return "a SHA-1 signature";
  std::string wanted = flags == rsa_sha2_256 ? "rsa-sha2-256" : "rsa-sha2-512";
  if (key.certificate) wanted += "-cert-v01@openssh.com";
  return algorithm == wanted ? "" : "the login names another algorithm than the flags";
}

std::string signature_algorithm(View answer) {
  WireReader in(answer);
  if (in.byte() != agent::sign_response) throw Error("not a signature");
  WireReader signature(in.string());
  in.expect_end();
  return std::string(signature.text());
}

}  // namespace

std::optional<LoginBlob> parse_login(View blob) try {
  WireReader in(blob);
  LoginBlob login;
  login.session = in.string();
  if (in.byte() != userauth_request) return std::nullopt;
  login.user = in.text();
  if (in.text() != "ssh-connection") return std::nullopt;
  const std::string_view method = in.text();
  const bool host_bound = method == "publickey-hostbound-v00@openssh.com";
  if (!host_bound && method != "publickey") return std::nullopt;
  if (in.byte() != 1) return std::nullopt;  // with a signature
  login.algorithm = in.text();
  login.key = in.string();
  if (host_bound) login.host_key = in.string();
  if (!in.done()) return std::nullopt;
  return login;
} catch (const Error&) {
  return std::nullopt;
}

std::vector<Bytes> parse_identities(View answer) {
  WireReader in(answer);
  if (in.byte() != agent::identities_answer) throw Error("the agent does not list its keys");
  std::vector<Bytes> blobs;
  for (std::uint32_t left = in.u32(); left > 0; --left) {
    const View blob = in.string();
    in.string();  // comment
    blobs.emplace_back(blob.begin(), blob.end());
  }
  return blobs;
}

std::string identity_fingerprint(View blob) try { return parse_ssh_key(blob).fingerprint(); } catch (const Error&) {
  return "";
}

Bytes Conversation::serve(View bytes) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  WireWriter out;
  View left = pending_;
  while (left.size() >= 4) {
    const std::uint32_t size = WireReader(left).u32();
    if (size == 0) throw Error("an empty frame");
    if (size > agent::largest_frame) throw Error("a frame of " + std::to_string(size) + " bytes");
    if (left.size() - 4 < size) break;
    out.string(answer(left.subspan(4, size)));
    left = left.subspan(4 + size);
  }
  pending_ = Bytes(left.begin(), left.end());
  return out.take();
}

Bytes Conversation::answer(View message) {
  switch (message[0]) {
    case agent::request_identities:
      return message.size() == 1 && !closed_ ? list() : failed();
    case agent::sign_request:
      return sign(message);
    case agent::extension:
      return closed_ ? failed() : extend(message);
    default:
      return failed();
  }
}

Bytes Conversation::list() {
  const auto granted = [&](const std::string& fingerprint) {
    if (!bound_) return has(grants_.keys, fingerprint);
    return std::any_of(bound_->hosts.begin(), bound_->hosts.end(),
                       [&](const HostGrant* host) { return has(host->keys, fingerprint); });
  };
  WireWriter entries;
  std::uint32_t count = 0;
  for (const auto& blob : parse_identities(upstream_.ask(Bytes{agent::request_identities}))) {
    const std::string fingerprint = identity_fingerprint(blob);
    if (fingerprint.empty() || !granted(fingerprint)) continue;
    entries.string(blob).string(fingerprint);  // a comment would tell the user's name and machine
    ++count;
  }
  return WireWriter().byte(agent::identities_answer).u32(count).raw(entries.bytes()).take();
}

Bytes Conversation::extend(View message) {
  std::string_view name;
  bool alone = false;
  try {
    WireReader in(message.subspan(1));
    name = in.text();
    alone = in.done();
  } catch (const Error&) {
    return failed();
  }
  if (name == "query" && alone)
    return WireWriter().byte(agent::extension_response).string("query").string("query").string(session_bind).take();
  if (name != session_bind) return failed();
  if (const std::string fault = bind(message); !fault.empty()) {
    bind_fault_ = fault;
    return failed();
  }
  // Keys that the user tied to hosts (ssh-add -h) ask for it upstream too. An agent that does not know the message
  // has no such keys, so its refusal says nothing.
  upstream_.ask(message);
  return {agent::success};
}

std::string Conversation::bind(View message) try {
  if (++binds_ > most_binds) return "the client bound its connection too often";
  WireReader in(message.subspan(1));
  in.string();  // the extension's name
  const View host_key = in.string(), session = in.string(), signature = in.string();
  const bool forwarding = in.boolean();
  in.expect_end();
  if (bound_) return "the connection is bound already";
  if (forwarding) forwarded_ = true;
  // Whoever sits behind a forwarded agent may log in from there, as a machine that nobody granted anything.
  if (forwarded_) return "the agent was forwarded to another machine";
  if (session.empty() || session.size() > longest_session) return "a session id of an impossible length";
  Bound made{parse_ssh_key(host_key), Bytes(session.begin(), session.end()), {}};
  if (!ssh_signature_verifies(made.key, signature, session)) return "the host key's signature does not verify";
  std::string why;
  made.hosts = hosts_of(made.key, why);
  if (made.hosts.empty()) return why;
  bound_ = std::move(made);
  return "";
} catch (const Error& error) {
  return std::string("the session-bind is malformed: ") + error.what();
}

std::vector<const HostGrant*> Conversation::hosts_of(const SshKey& shown, std::string& why) const {
  std::vector<const HostGrant*> hosts;
  why = "host key " + shown.fingerprint() + " is of no granted host";
  for (const auto& host : grants_.hosts) {
    if (!host.known.speak_of(shown)) continue;
    const std::string fault = host.known.fault(shown, host.host, std::time(nullptr));
    if (fault.empty())
      hosts.push_back(&host);
    else
      why = fault;
  }
  return hosts;
}

Bytes Conversation::sign(View message) {
  Signature line;
  line.time = std::time(nullptr);
  Bytes reply = failed();
  try {
    WireReader in(message.subspan(1));
    const SshKey key = parse_ssh_key(in.string());
    const View blob = in.string();
    const std::uint32_t flags = in.u32();
    in.expect_end();
    line.key = key.fingerprint();
    line.why = fault_of(blob, flags, key, line);
  } catch (const Error& error) {
    line.why = std::string("the request is malformed: ") + error.what();
  }
  if (line.why.empty() && ledger_.full()) return failed();
  if (line.why.empty()) {
    try {
      line.why = ask_to_sign(message, reply);
    } catch (const Error& error) {
      line.why = error.what();
      ledger_.add(line);
      throw;
    }
  }
  line.granted = line.why.empty();
  const bool written = ledger_.add(line);
  return line.granted && written ? reply : failed();
}

std::string Conversation::ask_to_sign(View message, Bytes& reply) {
  const Bytes answer = upstream_.ask(message);
  if (closed_) return "the build script has ended";
  if (answer[0] != agent::sign_response) return "the agent refused";
  try {
    // An agent too old for the flags ignores them.
    if (signature_algorithm(answer) == "ssh-rsa") return "the agent made a SHA-1 signature";
  } catch (const Error&) {
    return "the agent's answer is malformed";
  }
  reply = answer;
  return "";
}

std::string Conversation::fault_of(View blob, std::uint32_t flags, const SshKey& key, Signature& line) const {
  const auto login = parse_login(blob);
  if (login) line.user = shortened(login->user);
  if (closed_) return "the build script has ended";
  if (!has(grants_.keys, line.key)) return "the key is not granted";
  if (flags != 0 && flags != rsa_sha2_256 && flags != rsa_sha2_512) return "unknown flags";
  if (!login) {
    const auto name = parse_sshsig(blob);
    if (!name) return "not a login over ssh";
    line.host = "sshsig:" + shortened(*name);
    if (!grants_.allow_sshsig) return "an SSHSIG signature (of a commit, say), not a login";
    if (has(grants_.scoped, line.key)) return "the key is granted for logins only";
    return key.plain_type == "ssh-rsa" && flags == 0 ? "a SHA-1 signature" : "";
  }
  // Where the agent lists a key and its certificate, ssh logs in with the one and has the other sign.
  const SshKey shown = parse_ssh_key(login->key);
  if (shown.plain != key.plain) return "the login is for another key";
  if (const std::string fault = algorithm_fault(shown, login->algorithm, flags); !fault.empty()) return fault;
  return bound_ ? fault_of_bound(*login, line) : fault_of_unbound(*login, line);
}

std::string Conversation::fault_of_bound(const LoginBlob& login, Signature& line) const {
  line.host = bound_->hosts.front()->place();
  if (!same(login.session, bound_->session)) return "the login is for another session than the bound one";
  if (login.host_key && !same(*login.host_key, bound_->key.blob))
    return "the login is for another host key than the bound one";
  // One host key may be known under several names.
  bool user_found = false;
  for (const auto* host : bound_->hosts) {
    if (host->user != login.user) continue;
    line.host = host->place();
    user_found = true;
    if (has(host->keys, line.key)) return "";
  }
  if (user_found) return "the key is not granted for " + line.host;
  return "user " + line.user + " is not granted on " + line.host;
}

std::string Conversation::fault_of_unbound(const LoginBlob& login, Signature& line) const {
  if (!bind_fault_.empty()) return bind_fault_;
  if (!grants_.allow_unbound) return "the client does not tell which host it talks to (no session-bind)";
  line.host = "unbound";
  if (has(grants_.scoped, line.key))
    return "the key is granted for one host, and the client does not tell which it talks to";
  const bool user_granted = std::any_of(grants_.hosts.begin(), grants_.hosts.end(), [&](const HostGrant& host) {
    return host.user == login.user && has(host.keys, line.key);
  });
  if (!user_granted) return "user " + line.user + " is not granted";
  if (!login.host_key) return "";
  std::string why;
  return hosts_of(parse_ssh_key(*login.host_key), why).empty() ? why : "";
}

}  // namespace imgbuild

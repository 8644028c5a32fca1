#include "agent/gateway.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdlib>
#include <set>

#include "agent/grants.hpp"
#include "agent/known_hosts.hpp"
#include "agent/ledger.hpp"
#include "agent/protocol.hpp"
#include "agent/upstream.hpp"
#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t largest_known_hosts = std::size_t{16} << 20;

std::string home() {
  if (const char* set = std::getenv("HOME"); set != nullptr && *set != '\0') return set;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_dir : "";
}

// `own`: the user's files. As ssh does, one that is not there is passed over.
KnownHosts read_known_hosts(const AgentRequest& request, std::vector<std::string> own) {
  KnownHosts known;
  std::vector<std::string> files = request.known_hosts_files;
  if (files.empty()) {
    files = std::move(own);
    for (const char* name : {"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}) files.emplace_back(name);
    std::erase_if(files, [](const std::string& file) { return ::access(file.c_str(), F_OK) != 0; });
  }
  for (const auto& file : files) known.read(read_file(file, largest_known_hosts), file);
  for (const auto& text : request.known_hosts) add_known_host(known, text);
  return known;
}

// The agent's socket, with no link on the way that could point elsewhere later (editors' terminals have such).
std::string real_socket(const std::string& path) {
  const std::string hint = "eval $(ssh-agent) && ssh-add";
  if (path.empty()) throw Error("no ssh agent: SSH_AUTH_SOCK is not set", hint);
  const std::unique_ptr<char, FreeWith<std::free>> real(::realpath(path.c_str(), nullptr));
  if (!real) throw Error(system_error("no ssh agent: " + printable(path), errno).what(), hint);
  struct stat facts {};
  if (::stat(real.get(), &facts) != 0 || !S_ISSOCK(facts.st_mode))
    throw Error("no ssh agent: " + printable(path) + ": not a socket", hint);
  return real.get();
}

std::vector<std::string> fingerprints_of(const std::vector<Bytes>& blobs) {
  std::vector<std::string> found;
  for (const auto& blob : blobs)
    if (std::string fingerprint = identity_fingerprint(blob);
        !fingerprint.empty() && std::find(found.begin(), found.end(), fingerprint) == found.end())
      found.push_back(std::move(fingerprint));
  return found;
}

std::vector<std::string> ask_for_identities(const std::string& socket) {
  std::vector<Bytes> blobs;
  try {
    SocketUpstream agent(socket);
    blobs = parse_identities(agent.ask(Bytes{agent::request_identities}));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error(std::string("no ssh agent: ") + error.what(), "eval $(ssh-agent) && ssh-add");
  }
  if (blobs.empty())
    throw Error("the ssh agent has no keys", "ssh-add ~/.ssh/id_ed25519 (or ssh-add -X, where it is locked)");
  auto fingerprints = fingerprints_of(blobs);
  if (fingerprints.empty())
    throw Error("the ssh agent has only keys of kinds that are not known", "ssh-keygen -t ed25519");
  return fingerprints;
}

// What a gateway and its clients share.
struct Shared {
  Grants grants;
  std::vector<HeldKey> held;
  std::string socket;  // empty: key files only
  std::vector<std::string> warnings;
  Ledger ledger;
  std::atomic<bool> closed{false};

  std::mutex mutex;
  std::set<Upstream*> busy;  // of the clients that there are

  std::unique_ptr<Upstream> upstream() const {
    std::unique_ptr<Upstream> agent;
    if (!socket.empty()) agent = std::make_unique<SocketUpstream>(socket);
    if (held.empty()) return agent;
    return std::make_unique<HeldKeys>(held, std::move(agent));
  }
};

class Conversing : public Gateway::Client {
 public:
  explicit Conversing(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)),
        upstream_(shared_->upstream()),
        conversation_(shared_->grants, *upstream_, shared_->ledger, shared_->closed) {
    const std::lock_guard lock(shared_->mutex);
    shared_->busy.insert(upstream_.get());
  }
  ~Conversing() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->busy.erase(upstream_.get());
  }
  Bytes serve(View bytes) override { return conversation_.serve(bytes); }
  void cancel() noexcept override { upstream_->cancel(); }

 private:
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Upstream> upstream_;
  Conversation conversation_;
};

}  // namespace

struct Gateway::Inside {
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
};

Gateway::Gateway(const AgentRequest& request) : inside_(std::make_unique<Inside>()) {
  Shared& shared = *inside_->shared;
  Grants& grants = shared.grants;
  if (request.hosts.empty()) throw usage_error("no host is granted", "--ssh HOST or --ssh USER@HOST[:PORT]");
  grants.allow_unbound = request.allow_unbound;
  grants.allow_sshsig = request.allow_sshsig;

  const KnownHosts known = read_known_hosts(request, {home() + "/.ssh/known_hosts", home() + "/.ssh/known_hosts2"});
  shared.warnings = known.warnings();
  const auto known_of = [&](const std::vector<std::string>& files) {
    KnownHosts theirs = read_known_hosts(request, files);
    for (const auto& line : theirs.warnings()) shared.warnings.push_back(line);
    return theirs;
  };
  for (const auto& text : request.hosts) {
    HostGrant grant = granted_host(text, known, known_of, shared.warnings);
    const auto same = [&](const HostGrant& other) { return other.shown() == grant.shown(); };
    if (std::none_of(grants.hosts.begin(), grants.hosts.end(), same)) grants.hosts.push_back(std::move(grant));
  }

  std::vector<std::string> held, offered;
  for (const auto& path : request.key_files) {
    shared.held.push_back(HeldKey::load(path));
    held.push_back(shared.held.back().key.public_key().fingerprint());
  }
  for (const auto& [name, text] : request.key_texts) {
    shared.held.push_back({parse_pasted_key(text->reveal(), name), std::nullopt});
    held.push_back(shared.held.back().key.public_key().fingerprint());
  }
  // Where key files are given, the agent is for the keys that are named besides.
  const bool agent_named = !request.keys.empty() && !request.agent_socket.empty();
  if (held.empty() || agent_named) {
    shared.socket = real_socket(request.agent_socket);
    offered = ask_for_identities(shared.socket);
  }
  grant_keys(grants, request, held, offered);
}

Gateway::~Gateway() {
  if (inside_) close();
}

std::unique_ptr<Gateway::Client> Gateway::client() { return std::make_unique<Conversing>(inside_->shared); }

void Gateway::close() {
  Shared& shared = *inside_->shared;
  shared.closed = true;
  const std::lock_guard lock(shared.mutex);
  for (auto* upstream : shared.busy) upstream->cancel();
}

std::vector<Signature> Gateway::ledger() const { return inside_->shared->ledger.lines(); }

void Gateway::on_signature(std::function<void(const Signature&)> tell) {
  inside_->shared->ledger.on_line(std::move(tell));
}

std::string Gateway::pinned_known_hosts() const {
  std::vector<std::string> lines;
  for (const auto& host : inside_->shared->grants.hosts) {
    std::string names = known_hosts_name(host.host, host.port);
    if (!host.said.empty()) names += "," + host.said;
    const auto add = [&](const std::string& marker, const std::vector<SshKey>& keys) {
      for (const auto& key : keys) {
        std::string line = marker + names + " " + key.type + " " + base64(key.blob);
        if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
      }
    };
    add("@revoked ", host.known.revoked);
    add("@cert-authority ", host.known.authorities);
    add("", host.known.keys);
  }
  return lines.empty() ? "" : join(lines, "\n") + "\n";
}

std::vector<std::pair<std::string, std::string>> Gateway::fingerprint_hosts() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& host : inside_->shared->grants.hosts)
    for (const auto& fingerprint : host.known.fingerprints) {
      std::pair<std::string, std::string> entry{known_hosts_name(host.host, host.port), fingerprint};
      if (std::find(found.begin(), found.end(), entry) == found.end()) found.push_back(std::move(entry));
    }
  return found;
}

std::vector<std::string> Gateway::granted_keys() const { return inside_->shared->grants.keys; }

std::vector<std::string> Gateway::granted_hosts() const {
  std::vector<std::string> shown;
  for (const auto& host : inside_->shared->grants.hosts) shown.push_back(host.shown());
  return shown;
}

std::vector<std::string> Gateway::warnings() const { return inside_->shared->warnings; }

}  // namespace imgbuild

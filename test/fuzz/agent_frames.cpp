// The protocol half of the gateway behind a client that may send anything. The first byte says what comes before: bit
// 0: a valid bind to the granted host; bit 1: unbound clients are allowed; bit 2: SSHSIG is; the upper bits are how
// many bytes come at a time. Nothing may be signed that the ledger does not show as granted to git@forge.test.
#include <array>
#include <cstdlib>

#include "agent/protocol.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/signing_key.hpp"
#include "crypto/ssh_wire.hpp"

using namespace imgbuild;

namespace {

SshKey key_of(std::uint8_t fill) {
  return parse_ssh_key(WireWriter().string("ssh-ed25519").string(Bytes(32, fill)).bytes());
}

// An ed25519 key whose seed is known, in PKCS#8 (RFC 8410 section 7).
SigningKey host_key() {
  Bytes der = *unhex("302e020100300506032b657004220420");
  der.insert(der.end(), 32, 'h');
  const std::string label = std::string("PRIVATE") + " KEY-----\n";
  return SigningKey::parse("-----BEGIN " + label + base64(der) + "\n-----END " + label, "host key");
}

// Lists a granted key and one that is not, signs whatever it is asked to.
class Willing : public Upstream {
 public:
  Bytes ask(View message) override {
    if (message[0] == agent::request_identities)
      return WireWriter()
          .byte(agent::identities_answer)
          .u32(2)
          .string(key_of('k').blob)
          .string("comment")
          .string(key_of('x').blob)
          .string("comment")
          .take();
    if (message[0] != agent::sign_request) return {agent::failure};
    ++signatures;
    const Bytes made = WireWriter().string("ssh-ed25519").string(Bytes(64, 1)).take();
    return WireWriter().byte(agent::sign_response).string(made).take();
  }
  void cancel() noexcept override {}
  std::size_t signatures = 0;
};

struct Stage {
  SigningKey host = host_key();
  Bytes bind;
  Grants grants;
  Stage() {
    const Bytes session(32, 's');
    bind = WireWriter()
               .byte(agent::extension)
               .string("session-bind@openssh.com")
               .string(host.public_key().blob)
               .string(session)
               .string(host.sign(session, 0))
               .byte(0)
               .take();
    HostGrant grant;
    grant.user = "git";
    grant.host = "forge.test";
    grant.known.keys = {host.public_key()};
    grant.keys = {key_of('k').fingerprint()};
    grants.keys = grant.keys;
    grants.hosts = {grant};
  }
};

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stage stage;
  if (size == 0) return 0;
  const std::uint8_t how = data[0];
  Grants grants = stage.grants;
  grants.allow_unbound = (how & 2) != 0;
  grants.allow_sshsig = (how & 4) != 0;
  Willing upstream;
  Ledger ledger;
  const std::atomic<bool> closed{false};
  Conversation conversation(grants, upstream, ledger, closed);
  if ((how & 1) != 0) must(conversation.serve(WireWriter().string(stage.bind).bytes()).size() == 5);

  Bytes replies;
  const std::size_t step = how >= 8 ? how / 8u : size;
  for (View left(data + 1, size - 1); !left.empty();) {
    const View piece = left.first(std::min(step, left.size()));
    left = left.subspan(piece.size());
    try {
      const Bytes some = conversation.serve(piece);
      replies.insert(replies.end(), some.begin(), some.end());
    } catch (const Error&) {
      break;  // dropped
    }
  }

  std::size_t signatures = 0;
  for (WireReader in(replies); !in.done();) {
    const View reply = in.string();
    must(!reply.empty());
    if (reply[0] == agent::sign_response) ++signatures;
    if (reply[0] == agent::identities_answer)
      for (const auto& blob : parse_identities(reply)) must(blob == key_of('k').blob);
  }
  must(signatures <= upstream.signatures);  // fewer where the client was dropped before it had them
  std::size_t granted = 0;
  for (const auto& line : ledger.lines()) {
    must(line.granted == line.why.empty());
    if (!line.granted) continue;
    ++granted;
    must(line.key == key_of('k').fingerprint());
    if (grants.allow_sshsig && line.host.starts_with("sshsig:")) continue;
    must(line.user == "git");
    must(line.host == "forge.test" || (grants.allow_unbound && line.host == "unbound"));
  }
  must(granted == upstream.signatures);
  return 0;
}

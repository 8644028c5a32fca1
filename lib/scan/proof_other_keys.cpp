// Keys of single programs and protocols. lib/crypto reads them; here is where in the text each begins and ends, which
// is not always where its rule found something to hold on to.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "crypto/key_text.hpp"
#include "crypto/other_keys.hpp"
#include "crypto/pgp_key.hpp"
#include "scan/proofs.hpp"

namespace imgbuild::proofs {
namespace {

constexpr std::size_t most_object = std::size_t{12} << 10;

// A token of base64 whose slashes and signs may be escaped, as JSON writers do.
Bytes token_bytes(std::string_view text) {
  std::string plain = without_backslashes(text);
  plain.resize(std::min(plain.size(), plain.find_last_not_of('=') + 1));
  return decoded_base64(plain);
}

// Its private part is one that a standard prints.
bool has_printed_key(std::string_view object) {
  for (const std::string_view name : {"\"k\"", "\"d\""}) {
    const std::size_t at = object.find(name);
    const std::size_t begin = at == std::string_view::npos ? at : object.find('"', at + name.size());
    const std::size_t end = begin == std::string_view::npos ? begin : object.find('"', begin + 1);
    if (end != std::string_view::npos && is_placeholder(object.substr(begin + 1, end - begin - 1))) return true;
  }
  return false;
}

}  // namespace

Proof pgp_secret_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  const auto facts = read_pgp_armor(text, before_secret(suspect));
  return facts ? proof_of(*facts, pem_block(text)) : Proof{};
}

// What is found is what stands between the public half and the secret one: RSA's exponent, or the beginning of a point
// on an Edwards curve. The packet's head is at one of few places before it.
Proof pgp_keyring(const Suspect& suspect) {
  const std::string_view before = before_secret(suspect), text = from_secret(suspect);
  const auto try_at = [&](std::size_t version_at) -> Proof {
    // Of the old format (tag 5, then a length of one to four bytes) or of the new.
    for (const std::size_t head : {3, 2, 5, 6}) {
      if (version_at < head) continue;
      const std::size_t at = version_at - head;
      const auto first = static_cast<std::uint8_t>(before[at]);
      const bool fits = head == 3   ? first == 0x95 || first == 0xc5
                        : head == 2 ? first == 0x94 || first == 0xc5
                        : head == 5 ? first == 0x96
                                    : first == 0xc5;
      if (!fits) continue;
      const std::string_view packet(before.data() + at, before.size() - at + text.size());
      if (const auto facts = read_pgp_packets(view_of(packet)))
        return proof_of(*facts, packet.substr(0, std::size_t{4} << 10));
    }
    return {};
  };
  if (text[0] == '\x16') return before.size() >= 5 ? try_at(before.size() - 5) : Proof{};
  for (std::size_t size = 128; size <= 1024 && size + 8 <= before.size(); ++size) {
    const std::size_t number = before.size() - size - 2;
    const std::uint64_t bits = big_endian(view_of(before), number, 2);
    if ((bits + 7) / 8 != size || before[number - 1] < 1 || before[number - 1] > 3 || before[number - 6] != 4) continue;
    if (Proof proof = try_at(number - 6); proof.proven) return proof;
  }
  return {};
}

Proof gpg_agent_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  const auto facts = read_gpg_agent_key(text, before_secret(suspect));
  if (!facts) return {};
  int depth = 0;
  std::size_t end = 0;
  for (; end < std::min(text.size(), most_object); ++end) {
    if (text[end] == '(') ++depth;
    if (text[end] == ')' && --depth == 0) break;
  }
  return proof_of(*facts, text.substr(0, end + 1));
}

Proof signify_key(const Suspect& suspect) {
  const auto facts = read_signify_key(token_bytes(suspect.secret));
  return facts ? proof_of(*facts, suspect.secret) : Proof{};
}

Proof minisign_key(const Suspect& suspect) {
  const auto facts = read_minisign_key(token_bytes(suspect.secret));
  return facts ? proof_of(*facts, suspect.secret) : Proof{};
}

Proof dnssec_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  std::size_t size = 0;
  const auto facts = read_dnssec_key(text, before_secret(suspect), size);
  return facts ? proof_of(*facts, text.substr(0, size)) : Proof{};
}

// What is found is the member "kty"; the object begins before it, and no member before it holds another object.
Proof jwk(const Suspect& suspect) {
  const std::string_view before = before_secret(suspect);
  const std::size_t open = before.rfind('{');
  if (open == std::string_view::npos || before.size() - open > most_object) return {};
  const std::string_view text(before.data() + open, suspect.around.size() - open);
  std::size_t size = 0;
  const auto facts = read_jwk(text, size);
  if (!facts || has_printed_key(text.substr(0, size))) return {};
  return proof_of(*facts, text.substr(0, size));
}

Proof dropbear_key(const Suspect& suspect) {
  // OpenSSH's own format holds the same, and is told as that.
  const std::string_view before = before_secret(suspect), text = from_secret(suspect);
  if (before.substr(before.size() - std::min<std::size_t>(before.size(), 2048)).find("openssh-key-v1") !=
      std::string_view::npos)
    return {};
  std::size_t size = 0;
  const auto facts = read_dropbear_key(view_of(text), size);
  return facts ? proof_of(*facts, text.substr(0, size)) : Proof{};
}

Proof xml_rsa_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  std::size_t size = 0;
  const auto facts = read_xml_rsa_key(text, size);
  return facts ? proof_of(*facts, text.substr(0, size)) : Proof{};
}

Proof printed_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  std::size_t size = 0;
  const auto facts = read_printed_key(text, before_secret(suspect), size);
  return facts ? proof_of(*facts, text.substr(0, size)) : Proof{};
}

Proof openvpn_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  const auto facts = read_openvpn_key(text, before_secret(suspect));
  return facts ? proof_of(*facts, pem_block(text)) : Proof{};
}

// cosign's: base64 of JSON that names how the key in it is encrypted (always).
Proof sigstore_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  std::vector<std::string> words;
  bool first = true;
  for (std::string line : key_lines(before_secret(suspect), text, "-----END")) {
    if (first) line.erase(0, std::min(line.rfind("-----"), line.size() - 5) + 5);
    first = false;
    for (const auto word : key_words(line)) {
      if (word.starts_with("-----")) break;
      words.emplace_back(word);
    }
  }
  const Bytes json = decoded_base64(joined_words(std::move(words)));
  const auto parsed = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  if (!parsed.is_object() || !parsed.contains("ciphertext")) return {};
  PrivateKeyFacts facts;
  facts.type = "ecdsa";
  facts.encrypted = true;
  return proof_of(facts, pem_block(text));
}

Proof wireguard_key(const Suspect& suspect) {
  const Bytes key = token_bytes(suspect.secret);
  if (key.size() != 32) return {};
  // A DNSSEC key of BIND (K*.private) has a field of that name, and one in 32 is clamped by chance.
  const auto at = static_cast<std::size_t>(suspect.match.data() - suspect.around.data());
  const std::size_t reach = std::min<std::size_t>(at, 160);
  if (suspect.around.substr(at - reach, reach).find("Private-key-format") != std::string_view::npos) return {};
  const std::string name = lower(suspect.match.substr(0, 12));
  const bool is_shared = name.find("shared") != std::string::npos;
  if (!is_shared && !is_clamped_x25519(key)) return {};
  PrivateKeyFacts facts;
  facts.type = is_shared ? "symmetric" : "x25519";
  facts.bits = 256;
  return proof_of(facts, suspect.secret);
}

}  // namespace imgbuild::proofs

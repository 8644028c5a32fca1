// Private keys are read, not guessed: a header with no key behind it is no finding, and what is found has a type, a
// size and, where the file shows it, a public fingerprint. lib/crypto reads them; here is where they begin and end, the
// one format that needs no cryptography (age: Bech32, BIP 173) and the wrappings that keys come in (JSON of a service
// account, base64 in a kubeconfig). The formats of single programs are in proof_other_keys.cpp.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/text.hpp"
#include "crypto/key_text.hpp"
#include "crypto/keystore.hpp"
#include "crypto/pem.hpp"
#include "crypto/pgp_key.hpp"
#include "crypto/private_key.hpp"
#include "scan/look.hpp"
#include "scan/proofs.hpp"

namespace imgbuild::proofs {

// The text from the secret on, as far as we are given it.
std::string_view from_secret(const Suspect& suspect) {
  const char* begin = suspect.around.data();
  const char* at = suspect.secret.data();
  if (at < begin || at >= begin + suspect.around.size()) return suspect.secret;
  return suspect.around.substr(static_cast<std::size_t>(at - begin)).substr(0, longest_key);
}

std::string_view before_secret(const Suspect& suspect) {
  const std::string_view after = from_secret(suspect);
  if (after.data() == suspect.secret.data() && after.size() == suspect.secret.size()) return {};
  return suspect.around.substr(0, static_cast<std::size_t>(after.data() - suspect.around.data()));
}

// From the BEGIN line to the dashes that close the END line; all of it, up to another BEGIN, where there is none.
std::string_view pem_block(std::string_view text) {
  text = one_key(text);
  const std::string_view dashes = text.starts_with("---- ") ? "----" : "-----";
  std::size_t end = text.find("----END");
  if (end == std::string_view::npos) end = text.find("---- END");
  if (end == std::string_view::npos) return text;
  const std::size_t close = text.find(dashes, end + 7);
  return close == std::string_view::npos ? text : text.substr(0, close + dashes.size());
}

Proof proof_of(const PrivateKeyFacts& facts, std::string_view whole) {
  Proof proof = proven(true);
  proof.key = KeyFacts{facts.type, facts.bits, facts.encrypted, facts.fingerprint, {}, facts.untried};
  if (facts.encrypted) proof.severity = Severity::high;  // a plain one is critical: one lower
  // What a FIDO token holds the other half of opens nothing alone.
  if (facts.type.starts_with("sk-")) proof.severity = Severity::low;
  proof.secrets = {whole};
  return proof;
}

namespace {

// The bytes that the DER element takes that the text begins with; without an end, all that are there.
std::size_t der_size(std::string_view text) {
  const View bytes = view_of(text);
  std::size_t head = 2, size = bytes.size() < 6 ? 0 : bytes[1];
  if ((size & 0x80u) != 0) {
    const std::size_t width = std::min<std::size_t>(size & 0x7fu, 4);
    size = width == 0 ? bytes.size() : 0;
    for (std::size_t i = 0; i < width; ++i) size = size << 8 | bytes[2 + i];
    head += width;
  }
  return head + size;
}

std::string_view der_element(std::string_view text) { return text.substr(0, der_size(text)); }

// The JSON object around the key is a service account's.
bool in_service_account(const Suspect& suspect) {
  const std::string_view before = before_secret(suspect), after = from_secret(suspect);
  const std::size_t open = before.rfind('{');
  const std::size_t close = after.find('}');
  const auto says = [](std::string_view text) { return text.find("\"service_account\"") != std::string_view::npos; };
  return says(open == std::string_view::npos ? before : before.substr(open)) || says(after.substr(0, close));
}

std::uint32_t bech32_step(std::uint32_t checksum, std::uint32_t value) {
  static constexpr std::uint32_t generator[] = {0x3b6a57b2u, 0x26508e6du, 0x1ea119fau, 0x3d4233ddu, 0x2a1462b3u};
  const std::uint32_t top = checksum >> 25;
  checksum = (checksum & 0x1ffffffu) << 5 ^ value;
  for (std::size_t i = 0; i < 5; ++i)
    if (top >> i & 1u) checksum ^= generator[i];
  return checksum;
}

bool is_bech32(std::string_view text) {
  static constexpr std::string_view alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const std::string small = lower(text);
  const std::size_t one = small.rfind('1');
  if (one == std::string::npos || one == 0) return false;
  std::uint32_t checksum = 1;
  for (std::size_t i = 0; i < one; ++i) checksum = bech32_step(checksum, static_cast<unsigned char>(small[i]) >> 5);
  checksum = bech32_step(checksum, 0);
  for (std::size_t i = 0; i < one; ++i) checksum = bech32_step(checksum, small[i] & 31u);
  for (std::size_t i = one + 1; i < small.size(); ++i) {
    const std::size_t value = alphabet.find(small[i]);
    if (value == std::string_view::npos) return false;
    checksum = bech32_step(checksum, static_cast<std::uint32_t>(value));
  }
  return checksum == 1;
}

}  // namespace

Proof private_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  if (text.starts_with("openssh-key-v1")) {
    const auto bare = read_openssh_key(view_of(text));
    return bare ? proof_of(*bare, text.substr(0, std::size_t{4} << 10)) : Proof{};
  }
  const auto facts = read_pem_key(text, before_secret(suspect));
  if (!facts || in_service_account(suspect)) return {};
  return proof_of(*facts, pem_block(text));
}

// What stands between the lines of a private key, and is none that can be read: cut off, or changed. Of random bytes
// nearly as many differ as can; an example's are few, and stand again and again.
Proof damaged_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect), before = before_secret(suspect);
  const auto pem = read_pem(text, before);
  if (!pem || pem->content.size() < 48) return {};
  // Programs keep keys of their self-tests as texts with a zero at the end, of algorithms that few know.
  const std::string_view block = pem_block(text);
  const std::string_view around[] = {before.substr(before.size() - std::min<std::size_t>(before.size(), 16)),
                                     text.substr(block.size(), 16)};
  if (contains(around[0], std::string_view("\0", 1)) || contains(around[1], std::string_view("\0", 1))) return {};
  const bool pgp = pem->label.starts_with("PGP ");
  if (pgp ? read_pgp_armor(text, before).has_value() : read_pem_key(text, before).has_value()) return {};
  const View bytes = View(pem->content).first(std::min<std::size_t>(pem->content.size(), 512));
  const double expected = 256 * (1 - std::pow(255.0 / 256, static_cast<double>(bytes.size())));
  if (static_cast<double>(std::set<std::uint8_t>(bytes.begin(), bytes.end()).size()) < 0.75 * expected) return {};
  Proof proof = proven(true);
  proof.secrets = {block};
  return proof;
}

Proof gcp_service_account(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect);
  const auto facts = read_pem_key(text, before_secret(suspect));
  if (!facts || !in_service_account(suspect)) return {};
  return proof_of(*facts, pem_block(text));
}

Proof encoded_private_key(const Suspect& suspect) {
  std::string_view text = from_secret(suspect);
  text = text.substr(0, text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="));
  const Bytes plain = decoded_base64(text);
  const auto facts = read_pem_key(text_of(plain));
  if (!facts) return {};
  return proof_of(*facts, text);
}

/// Any 32 bytes are a key of Curve25519. What stands behind a frame that some program keeps as a constant is other
/// constants, which repeat themselves; of 32 bytes drawn at random about 30 differ, and fewer than 21 never will.
bool looks_drawn(std::string_view bytes) { return std::set<char>(bytes.begin(), bytes.end()).size() > 20; }

/// A PKCS#12 begins in `before` that is seen whole from its beginning, so that `keystore` tells of it. One with many
/// certificates is larger.
bool begins_whole_pkcs12(std::string_view before) {
  constexpr std::string_view version("\x02\x01\x03\x30", 4);  // 3, and the frame of the content
  for (std::size_t at = before.rfind(version); at != std::string_view::npos && at > 0;
       at = before.rfind(version, at - 1))
    for (std::size_t head = 2; head <= std::min<std::size_t>(at, 4); ++head) {
      const std::string_view whole = before.substr(at - head);
      if (whole[0] == '\x30' && der_size(whole) <= Look::proof_reach && der_size(whole) > whole.size()) return true;
    }
  return false;
}

Proof der_key(const Suspect& suspect) {
  const std::string_view text = from_secret(suspect), before = before_secret(suspect);
  const auto facts = read_der_key(view_of(text));
  if (!facts) return {};
  const auto stands = [&](std::size_t back, char tag, char length) {
    return before.size() >= back && before[before.size() - back] == tag && before[before.size() - back + 1] == length;
  };
  // The PKCS#1 of an RSA key within its PKCS#8 is told as that.
  if (stands(4, '\x04', '\x82') && stands(6, '\x05', '\0')) return {};
  // So is an encrypted key within a PKCS#12, the value of a bag (RFC 7292 section 4.2).
  if ((facts->encrypted || facts->default_passphrase) && (stands(4, '\xa0', '\x82') || stands(3, '\xa0', '\x81')) &&
      begins_whole_pkcs12(before))
    return {};
  const std::string_view key = der_element(text);
  if (facts->type.ends_with("25519") && !looks_drawn(key.substr(key.size() - std::min<std::size_t>(key.size(), 32))))
    return {};
  return proof_of(*facts, key);
}

Proof keystore(const Suspect& suspect) {
  const char* begin = suspect.secret.data();
  const std::string_view text(begin, static_cast<std::size_t>(suspect.around.data() + suspect.around.size() - begin));
  const auto facts = read_keystore(view_of(text));
  if (!facts) return {};
  return proof_of(*facts, text.starts_with('0') ? der_element(text) : text.substr(0, longest_key));
}

// Base64 of a keystore on one line; of one over several `keystore` tells, for it is decoded.
Proof encoded_keystore(const Suspect& suspect) {
  std::string_view text = from_secret(suspect);
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  text = text.substr(0, text.find_first_not_of(letters));
  if (text.size() < 200) return {};
  text = text.substr(0, text.size() / 4 * 4);
  const Bytes bytes = decoded_base64(text);
  const auto facts = read_keystore(view_of(text_of(bytes)));
  return facts ? proof_of(*facts, text) : Proof{};
}

Proof ppk_key(const Suspect& suspect) {
  std::string_view text = from_secret(suspect);
  const auto facts = read_ppk_key(text, before_secret(suspect));
  if (!facts) return {};
  // Up to the MAC, which is the last line.
  if (const std::size_t mac = text.find("Private-MAC:"); mac != std::string_view::npos)
    text = text.substr(0, text.find_first_of("\r\n", mac));
  return proof_of(*facts, text);
}

Proof age_identity(const Suspect& suspect) {
  if (!is_bech32(suspect.secret)) return {};
  Proof proof = proven(true);
  const bool is_plugin = suspect.secret.starts_with("AGE-PLUGIN-");
  proof.key = is_plugin ? KeyFacts{"age plugin", 0, false, {}, {}} : KeyFacts{"x25519", 256, false, {}, {}};
  return proof;
}

Proof age_damaged(const Suspect& suspect) { return proven(!is_bech32(suspect.secret)); }

}  // namespace imgbuild::proofs

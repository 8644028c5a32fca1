// Keystores. Of PKCS#12 what is not encrypted as a whole is looked at: there every writer that we know puts the private
// keys, each encrypted for itself (RFC 7292 section 4.2.2); what is encrypted as a whole are certificates.
//
// Java's own formats (sun.security.provider.JavaKeyStore): a magic number, a version, entries with alias and time; a
// private key is an EncryptedPrivateKeyInfo and its certificates, which are in clear: the public half, and so the
// fingerprint, is known even where the passphrase is not. JKS encrypts by an exclusive or with a chain of SHA-1, which
// is undone here; JCEKS by something that is not. BKS is Bouncy Castle's (BcKeyStoreSpi): the same with a salt before
// its entries, of which the sealed ones are keys under triple DES.
#include "crypto/keystore.hpp"

#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "base/secret.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_facts.hpp"
#include "crypto/passphrases.hpp"
#include "crypto/quiet_errors.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

constexpr int most_entries = 1000;

using Store = Owned<PKCS12, PKCS12_free>;
using Certificate = Owned<X509, X509_free>;

void free_safes(STACK_OF(PKCS7) * all) { sk_PKCS7_pop_free(all, PKCS7_free); }
void free_bags(STACK_OF(PKCS12_SAFEBAG) * all) { sk_PKCS12_SAFEBAG_pop_free(all, PKCS12_SAFEBAG_free); }
using Safes = Owned<STACK_OF(PKCS7), free_safes>;
using Bags = Owned<STACK_OF(PKCS12_SAFEBAG), free_bags>;

/// What all keys of one keystore tell together.
class Keys {
 public:
  void add(std::optional<PrivateKeyFacts> facts) {
    if (!facts) return;
    if (++count_ == 1) {
      all_ = std::move(facts);
      return;
    }
    all_->encrypted = all_->encrypted && facts->encrypted;
    all_->untried = all_->untried || facts->untried;
    all_->default_passphrase = all_->default_passphrase || facts->default_passphrase;
    // Of several, none is the one that an allow-entry could mean.
    if (facts->fingerprint != all_->fingerprint) all_->fingerprint.clear();
  }
  std::optional<PrivateKeyFacts> all() { return std::move(all_); }

 private:
  std::optional<PrivateKeyFacts> all_;
  int count_ = 0;
};

/// One that nobody could open.
PrivateKeyFacts closed(const Attempts& attempts = {}) {
  PrivateKeyFacts facts;
  facts.type = "unknown";
  facts.encrypted = true;
  facts.untried = attempts.refused;
  return facts;
}

// ---- PKCS#12

std::optional<PrivateKeyFacts> open_shrouded(const PKCS12_SAFEBAG* bag, Attempts& attempts) {
  const X509_SIG* frame = PKCS12_SAFEBAG_get0_pkcs8(bag);
  if (frame == nullptr) return std::nullopt;
  if (auto facts = open_with_default(frame, attempts)) return facts;
  return closed(attempts);
}

std::optional<PrivateKeyFacts> read_pkcs12(View bytes) {
  const unsigned char* at = bytes.data();
  const Store store(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
  if (!store) return std::nullopt;
  const Safes safes(PKCS12_unpack_authsafes(store.get()));
  if (!safes) return std::nullopt;
  Keys keys;
  Attempts attempts;
  for (int i = 0; i < std::min(sk_PKCS7_num(safes.get()), most_entries); ++i) {
    PKCS7* safe = sk_PKCS7_value(safes.get(), i);
    if (OBJ_obj2nid(safe->type) != NID_pkcs7_data) continue;
    const Bags bags(PKCS12_unpack_p7data(safe));
    if (!bags) continue;
    for (int k = 0; k < std::min(sk_PKCS12_SAFEBAG_num(bags.get()), most_entries); ++k) {
      const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags.get(), k);
      if (PKCS12_SAFEBAG_get_nid(bag) == NID_pkcs8ShroudedKeyBag)
        keys.add(open_shrouded(bag, attempts));
      else if (PKCS12_SAFEBAG_get_nid(bag) == NID_keyBag && PKCS12_SAFEBAG_get0_p8inf(bag) != nullptr)
        keys.add(facts_of(const_cast<PKCS8_PRIV_KEY_INFO*>(PKCS12_SAFEBAG_get0_p8inf(bag))));
    }
  }
  return keys.all();
}

// ---- JKS and JCEKS

std::array<std::uint8_t, 20> sha1_of(View a, View b) {
  Sha1 hash;
  hash.update(a);
  hash.update(b);
  return hash.finish();
}

/// JKS: salt, the key under an exclusive or with SHA-1(passphrase, salt), SHA-1(passphrase, that)..., a check.
std::optional<PrivateKeyFacts> open_jks_key(View content, Attempts& attempts) {
  constexpr std::size_t hash_size = 20;
  if (content.size() < 2 * hash_size + 16 || content.size() > (std::size_t{16} << 10)) return std::nullopt;
  const View salt = content.first(hash_size), check = content.last(hash_size);
  const View packed = content.subspan(hash_size, content.size() - 2 * hash_size);
  for (const auto passphrase : default_passphrases()) {
    if (!may_try(1, packed.size(), attempts)) break;
    Bytes wide;  // UTF-16
    for (const char c : passphrase) {
      wide.push_back(0);
      wide.push_back(static_cast<std::uint8_t>(c));
    }
    Bytes plain(packed.begin(), packed.end());
    std::array<std::uint8_t, hash_size> key{};
    std::copy(salt.begin(), salt.end(), key.begin());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      if (i % hash_size == 0) key = sha1_of(wide, key);
      plain[i] ^= key[i % hash_size];
    }
    const auto made = sha1_of(wide, plain);
    auto facts = std::equal(made.begin(), made.end(), check.begin()) ? read_der_key(plain) : std::nullopt;
    wipe(plain.data(), plain.size());
    if (facts) facts->default_passphrase = true;
    if (facts) return facts;
  }
  return std::nullopt;
}

View content_of(View frame) {
  const unsigned char* at = frame.data();
  const Owned<X509_SIG, X509_SIG_free> sig(d2i_X509_SIG(nullptr, &at, static_cast<long>(frame.size())));
  if (!sig) return {};
  const ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_get0(sig.get(), nullptr, &content);
  // The octets are the frame's last ones.
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(content));
  return size <= frame.size() ? frame.last(size) : View{};
}

/// Of a key that stays encrypted: its public half is in its certificate.
std::optional<PrivateKeyFacts> facts_of_certificate(View der) {
  const unsigned char* at = der.data();
  const Certificate read(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  EVP_PKEY* open = read ? X509_get0_pubkey(read.get()) : nullptr;
  auto facts = open != nullptr ? facts_of_public(open) : std::nullopt;
  if (facts) facts->encrypted = true;
  return facts;
}

void read_java_entry(WireReader& in, std::uint32_t version, bool is_jks, Keys& keys) {
  const std::uint32_t kind = in.u32();
  in.take(in.number(2));
  in.take(8);
  const auto certificate = [&] {
    if (version == 2) in.take(in.number(2));
    return in.take(in.u32());
  };
  if (kind == 2) {
    certificate();
    return;
  }
  if (kind != 1) throw Error("an entry of another kind");  // a secret key, serialised by Java: what follows is unknown
  PrivateKeyFacts facts = closed();
  try {
    const View frame = in.take(in.u32());
    Attempts attempts;
    if (auto opened = is_jks ? open_jks_key(content_of(frame), attempts) : std::nullopt) facts = *opened;
    const std::uint32_t count = in.u32();
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, 100); ++i) {
      const View der = certificate();
      if (i == 0 && facts.encrypted) facts = facts_of_certificate(der).value_or(facts);
    }
    facts.untried = attempts.refused;
  } catch (const Error&) {  // it ends early: a key it is
    keys.add(facts);
    throw;
  }
  keys.add(facts);
}

std::optional<PrivateKeyFacts> read_java(View bytes) {
  WireReader in(bytes);
  Keys keys;
  try {
    const bool is_jks = in.u32() == 0xfeedfeed;
    const std::uint32_t version = in.u32();
    if (version != 1 && version != 2) return std::nullopt;
    const std::uint32_t count = in.u32();
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, most_entries); ++i)
      read_java_entry(in, version, is_jks, keys);
  } catch (const Error&) {  // as far as it goes
  }
  return keys.all();
}

// ---- BKS

/// Salt, iterations, and under a key that PKCS#12 derives (RFC 7292 appendix B) what a key is: its kind, the names of
/// its format and algorithm, its bytes.
std::optional<PrivateKeyFacts> open_sealed(View sealed, Attempts& attempts) {
  WireReader in(sealed);
  const View salt = in.take(in.u32());
  const std::uint32_t iterations = in.u32();
  const View packed = in.left();
  if (salt.size() > 64 || iterations == 0 || packed.empty() || packed.size() > (std::size_t{16} << 10))
    return std::nullopt;
  for (const auto passphrase : default_passphrases()) {
    if (!may_try(2 * std::uint64_t{iterations}, packed.size(), attempts)) break;  // for a key and a vector
    std::array<std::uint8_t, 24> key{};
    std::array<std::uint8_t, 8> start{};
    const auto derive = [&](int purpose, auto& out) {
      return PKCS12_key_gen_utf8(passphrase.data(), static_cast<int>(passphrase.size()),
                                 const_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size()), purpose,
                                 static_cast<int>(iterations), static_cast<int>(out.size()), out.data(),
                                 EVP_sha1()) == 1;
    };
    if (!derive(PKCS12_KEY_ID, key) || !derive(PKCS12_IV_ID, start)) break;
    const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher(EVP_CIPHER_CTX_new());
    Bytes plain(packed.size() + 8);
    int size = 0, more = 0;
    const bool opened =
        cipher && EVP_DecryptInit_ex(cipher.get(), EVP_des_ede3_cbc(), nullptr, key.data(), start.data()) == 1 &&
        EVP_DecryptUpdate(cipher.get(), plain.data(), &size, packed.data(), static_cast<int>(packed.size())) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), plain.data() + size, &more) == 1;
    std::optional<PrivateKeyFacts> facts;
    try {
      WireReader inner(View(plain).first(opened ? static_cast<std::size_t>(size + more) : 0));
      inner.take(1);
      inner.take(inner.number(2));
      inner.take(inner.number(2));
      facts = read_der_key(inner.take(inner.u32()));
    } catch (const Error&) {  // another passphrase
    }
    wipe(plain.data(), plain.size());
    if (facts) facts->default_passphrase = true;
    if (facts) return facts;
  }
  return std::nullopt;
}

void read_bks_entry(WireReader& in, std::uint8_t kind, std::uint32_t version, Keys& keys, Attempts& attempts) {
  constexpr std::uint8_t certificate = 1, open = 2, secret = 3, sealed = 4;
  const auto next_certificate = [&] {
    if (version > 0) in.take(in.number(2));
    return in.take(in.u32());
  };
  in.take(in.number(2));
  in.take(8);
  PrivateKeyFacts facts = closed();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, 100); ++i) {
    const View der = next_certificate();
    if (i == 0) facts = facts_of_certificate(der).value_or(facts);
  }
  if (kind == certificate) {
    next_certificate();
  } else if (kind == open) {
    in.take(1);
    in.take(in.number(2));
    in.take(in.number(2));
    keys.add(read_der_key(in.take(in.u32())));
  } else if (kind == secret || kind == sealed) {
    const View content = in.take(in.u32());
    // A sealed key of no certificate may be one for both sides.
    if (auto opened = open_sealed(content, attempts))
      keys.add(std::move(opened));
    else if (facts.untried = attempts.refused; count > 0 || facts.untried)
      keys.add(facts);
  } else {
    throw Error("an entry of another kind");
  }
}

std::optional<PrivateKeyFacts> read_bks(View bytes) {
  WireReader in(bytes);
  Keys keys;
  Attempts attempts;
  try {
    const std::uint32_t version = in.u32();
    in.take(in.u32());
    in.u32();
    for (int i = 0; i < most_entries; ++i) {
      const std::uint8_t kind = in.take(1)[0];
      if (kind == 0) break;
      read_bks_entry(in, kind, version, keys, attempts);
    }
  } catch (const Error&) {  // as far as it goes
  }
  return keys.all();
}

}  // namespace

std::optional<PrivateKeyFacts> read_keystore(View bytes) try {
  const QuietErrors quiet;
  if (bytes.size() < 32) return std::nullopt;
  if (bytes[0] == 0x30) return read_pkcs12(bytes);
  const bool is_java = (bytes[0] == 0xfe && bytes[1] == 0xed && bytes[2] == 0xfe && bytes[3] == 0xed) ||
                       (bytes[0] == 0xce && bytes[1] == 0xce && bytes[2] == 0xce && bytes[3] == 0xce);
  if (is_java) return read_java(bytes);
  return bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] <= 2 ? read_bks(bytes) : std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace imgbuild

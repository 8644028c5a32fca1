// Private keys as they lie about: PEM in every layout that survives a copy and paste, OpenSSH's and PuTTY's own
// formats, bare DER. Two steps, kept apart: the layout is undone leniently (pem.cpp), the content is read strictly.
//
// The bytes are a stranger's. Nothing here asks for a passphrase; nothing does arithmetic on numbers larger than a key
// has (OpenSSL computes the public half of DSA and DH keys while it reads them, which takes minutes for large ones).
#include "crypto/private_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"
#include "crypto/key_facts.hpp"
#include "crypto/key_text.hpp"
#include "crypto/passphrases.hpp"
#include "crypto/pem.hpp"
#include "crypto/quiet_errors.hpp"
#include "crypto/ssh_key.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_der = std::size_t{16} << 10;  // RSA of 16,384 bits has 9.3 KB
constexpr std::size_t longest_computed = 2200;              // DH of 8,192 bits has 2.1 KB

using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Number = Owned<BIGNUM, BN_clear_free>;

// ---- Public halves, as SSH writes them

Number number_in(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return nullptr;
  return Number(number);
}

Bytes magnitude_of(const Number& number) {
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

// Do the parts of an RSA key belong together? Cheap, and no text that merely looks like DER passes.
bool is_sound_rsa(const EVP_PKEY* key) {
  const Number n = number_in(key, OSSL_PKEY_PARAM_RSA_N), d = number_in(key, OSSL_PKEY_PARAM_RSA_D);
  if (!n || !d || BN_is_zero(d.get()) || !BN_is_odd(n.get()) || BN_num_bits(n.get()) < 256) return false;
  const Number p = number_in(key, OSSL_PKEY_PARAM_RSA_FACTOR1), q = number_in(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  if (!p || !q || number_in(key, OSSL_PKEY_PARAM_RSA_FACTOR3)) return true;
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_new());
  const Number product(BN_new());
  return context && product && BN_mul(product.get(), p.get(), q.get(), context.get()) == 1 &&
         BN_cmp(product.get(), n.get()) == 0;
}

std::string rsa_fingerprint(const EVP_PKEY* key) {
  const Number e = number_in(key, OSSL_PKEY_PARAM_RSA_E), n = number_in(key, OSSL_PKEY_PARAM_RSA_N);
  if (!e || !n) return {};
  return ssh_blob_fingerprint(WireWriter().string("ssh-rsa").mpint(magnitude_of(e)).mpint(magnitude_of(n)).bytes());
}

std::string dsa_fingerprint(const EVP_PKEY* key) {
  WireWriter blob;
  blob.string("ssh-dss");
  for (const char* name :
       {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G, OSSL_PKEY_PARAM_PUB_KEY}) {
    const Number part = number_in(key, name);
    if (!part) return {};
    blob.mpint(magnitude_of(part));
  }
  return ssh_blob_fingerprint(blob.bytes());
}

// Points are written uncompressed. Three curves have a name in SSH, all others their object identifier (RFC 5656 10.1).
std::string ecdsa_fingerprint(EVP_PKEY* key) {
  char group[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1) return {};
  const int known = OBJ_txt2nid(group);
  std::string curve = known == NID_X9_62_prime256v1 ? "nistp256"
                      : known == NID_secp384r1      ? "nistp384"
                      : known == NID_secp521r1      ? "nistp521"
                                                    : "";
  if (curve.empty()) {
    char numbers[80] = {};
    const ASN1_OBJECT* object = OBJ_nid2obj(known);
    if (known == NID_undef || OBJ_obj2txt(numbers, sizeof numbers, object, 1) <= 0) return {};
    curve = numbers;
  }
  const Number x = number_in(key, OSSL_PKEY_PARAM_EC_PUB_X), y = number_in(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  if (!x || !y) return {};
  const int width = (EVP_PKEY_get_bits(key) + 7) / 8;
  Bytes point(1 + 2 * static_cast<std::size_t>(width), 4);
  if (BN_bn2binpad(x.get(), point.data() + 1, width) < 0 || BN_bn2binpad(y.get(), point.data() + 1 + width, width) < 0)
    return {};
  return ssh_blob_fingerprint(WireWriter().string("ecdsa-sha2-" + curve).string(curve).string(point).bytes());
}

std::string edwards_fingerprint(const EVP_PKEY* key, std::string_view name) {
  Bytes point(64);
  std::size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1) return {};
  point.resize(size);
  return ssh_blob_fingerprint(WireWriter().string(name).string(point).bytes());
}

std::optional<PrivateKeyFacts> facts_of(EVP_PKEY* key, bool is_private = true) {
  PrivateKeyFacts facts;
  facts.bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      if (is_private && !is_sound_rsa(key)) return std::nullopt;
      facts.type = "rsa";
      facts.fingerprint = rsa_fingerprint(key);
      break;
    case EVP_PKEY_DSA:
      facts.type = "dsa";
      facts.fingerprint = dsa_fingerprint(key);
      break;
    case EVP_PKEY_EC:
      facts.type = "ecdsa";
      facts.fingerprint = ecdsa_fingerprint(key);
      break;
    case EVP_PKEY_ED25519:
      facts.type = "ed25519";
      facts.bits = 256;  // as OpenSSH counts; OpenSSL says 253
      facts.fingerprint = edwards_fingerprint(key, "ssh-ed25519");
      break;
    case EVP_PKEY_ED448:
      facts.type = "ed448";
      facts.fingerprint = edwards_fingerprint(key, "ssh-ed448");
      break;
    case EVP_PKEY_X25519:
      facts.type = "x25519";
      break;
    case EVP_PKEY_X448:
      facts.type = "x448";
      break;
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
      facts.type = "dh";
      break;
    default:
      facts.type = "unknown";
  }
  return facts;
}

// ---- DER

// OpenSSL takes most of a millisecond to say that something is no key, and each SEQUENCE of a file may be the beginning
// of one. So what every key has is asked for first: elements that fill each other, and of RSA a modulus that is the
// product of its primes.

struct Element {
  std::uint8_t tag = 0;
  View whole, content;
};

constexpr std::uint8_t integer = 0x02, octets = 0x04, object = 0x06, sequence = 0x30;

// The element of definite length (X.690 section 8.1.3) that `der` begins with.
std::optional<Element> first_element(View der) {
  if (der.size() < 2) return std::nullopt;
  std::size_t head = 2, size = der[1];
  if (size & 0x80u) {
    const std::size_t width = size & 0x7fu;
    if (width == 0 || width > 3 || der.size() < 2 + width) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < width; ++i) size = size << 8 | der[2 + i];
    head += width;
  }
  if (size > der.size() - head) return std::nullopt;
  return Element{der[0], der.first(head + size), der.subspan(head, size)};
}

// The elements that fill `content`; empty where something else stands there, or more than a key has.
std::vector<Element> elements_of(View content) {
  constexpr std::size_t most = 10;
  std::vector<Element> all;
  while (!content.empty()) {
    const auto next = first_element(content);
    if (!next || all.size() == most) return {};
    all.push_back(*next);
    content = content.subspan(next->whole.size());
  }
  return all;
}

// The bytes of the outermost SEQUENCE, header and all; empty where there is none.
View outer_sequence(View der) {
  const auto outer = first_element(der);
  return outer && outer->tag == sequence ? outer->whole : View{};
}

// Version, modulus, two exponents, two primes and three more (RFC 8017 appendix A.1.2).
bool multiply_up(const std::vector<Element>& numbers) {
  const auto number = [&](std::size_t i) {
    return Number(BN_bin2bn(numbers[i].content.data(), static_cast<int>(numbers[i].content.size()), nullptr));
  };
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_new());
  const Number n = number(1), p = number(4), q = number(5), product(BN_new());
  return n && p && q && product && context && BN_num_bits(p.get()) + BN_num_bits(q.get()) <= BN_num_bits(n.get()) + 1 &&
         BN_mul(product.get(), p.get(), q.get(), context.get()) == 1 && BN_cmp(product.get(), n.get()) == 0;
}

// PKCS#8, open or encrypted (RFC 5958), PKCS#1, SEC1 (RFC 5915) or the DSA form of old.
bool may_be_private_key(View der) {
  const auto outer = first_element(der);
  const std::vector<Element> parts =
      outer && outer->tag == sequence ? elements_of(outer->content) : std::vector<Element>();
  if (parts.size() < 2) return false;
  const auto begins = [](const Element& part, std::uint8_t tag) {
    const auto first = first_element(part.content);
    return part.tag == sequence && first && first->tag == tag;
  };
  if (parts[0].tag == sequence) return parts.size() == 2 && begins(parts[0], object) && parts[1].tag == octets;
  if (parts[0].tag != integer) return false;
  if (parts[1].tag == octets) return true;
  if (begins(parts[1], object)) return parts.size() >= 3 && parts[2].tag == octets;
  constexpr std::size_t of_dsa = 6, of_rsa = 9;
  const auto numbers =
      std::find_if(parts.begin(), parts.end(), [](const Element& part) { return part.tag != integer; });
  if (numbers != parts.end())  // RSA of several primes has the others in a list
    return numbers - parts.begin() == of_rsa && parts.size() == of_rsa + 1 && parts[of_rsa].tag == sequence;
  return parts.size() == of_dsa || (parts.size() == of_rsa && multiply_up(parts));
}

std::optional<PrivateKeyFacts> read_pkcs8(View der) {
  const unsigned char* at = der.data();
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info) return std::nullopt;
  const ASN1_OBJECT* algorithm = nullptr;
  const unsigned char* inner = nullptr;
  int size = 0;
  if (PKCS8_pkey_get0(&algorithm, &inner, &size, nullptr, info.get()) != 1) return std::nullopt;
  const int known = OBJ_obj2nid(algorithm);
  const bool computes = known != NID_rsaEncryption && known != NID_rsassaPss;
  if (computes && der.size() > longest_computed) return std::nullopt;
  // (Its own key may have blanks behind it: OpenSSL does not mind.)
  if (!computes && !may_be_private_key({inner, static_cast<std::size_t>(size)})) return std::nullopt;
  if (const Pkey key{EVP_PKCS82PKEY(info.get())}) return facts_of(key.get());
  // An algorithm younger than this OpenSSL: the frame is a private key's, whatever is in it.
  if (known == NID_undef) {
    PrivateKeyFacts facts;
    facts.type = "unknown";
    return facts;
  }
  return std::nullopt;
}

// EncryptedPrivateKeyInfo: an algorithm of password-based encryption and an octet string; type and size are inside.
std::optional<PrivateKeyFacts> read_encrypted_pkcs8(View der) {
  const unsigned char* at = der.data();
  const Owned<X509_SIG, X509_SIG_free> frame(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!frame) return std::nullopt;
  const X509_ALGOR* algorithm = nullptr;
  const ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_get0(frame.get(), &algorithm, &content);
  const ASN1_OBJECT* name = nullptr;
  X509_ALGOR_get0(&name, nullptr, nullptr, algorithm);
  int cipher = 0;
  const bool is_password_based = OBJ_obj2nid(name) == NID_pbes2 ||
                                 EVP_PBE_find(EVP_PBE_TYPE_OUTER, OBJ_obj2nid(name), &cipher, nullptr, nullptr) == 1;
  if (!is_password_based || ASN1_STRING_length(content) < 16) return std::nullopt;
  Attempts attempts;
  if (auto opened = open_with_default(frame.get(), attempts)) return opened;
  PrivateKeyFacts facts;
  facts.type = "unknown";
  facts.encrypted = true;
  facts.untried = attempts.refused;
  return facts;
}

// PKCS#1, SEC1 and the DSA form of old: a version, then at once a number or an octet string. PKCS#8 has a SEQUENCE
// there, and must not come here: d2i_PrivateKey takes it too, and computes.
std::optional<PrivateKeyFacts> read_traditional(View der) {
  std::size_t at = 2 + ((der[1] & 0x80u) ? der[1] & 0x7fu : 0u);
  if (at + 4 > der.size() || der[at] != 2 || der[at + 1] != 1) return std::nullopt;
  const std::uint8_t second = der[at + 3];
  const std::vector<int> types = second == 2   ? std::vector{EVP_PKEY_RSA, EVP_PKEY_DSA}
                                 : second == 4 ? std::vector{EVP_PKEY_EC}
                                               : std::vector<int>{};
  for (const int type : types) {
    if (type != EVP_PKEY_RSA && der.size() > longest_computed) break;
    const unsigned char* begin = der.data();
    if (const Pkey key{d2i_PrivateKey(type, nullptr, &begin, static_cast<long>(der.size()))})
      return facts_of(key.get());
  }
  return std::nullopt;
}

// ---- OpenSSH

constexpr std::string_view openssh_magic{"openssh-key-v1\0", 15};

// openssh PROTOCOL.key. The public half is in clear, whether the private half is encrypted or not.
PrivateKeyFacts read_openssh(View content) {
  WireReader in(content);
  if (text_of(in.take(openssh_magic.size())) != openssh_magic) throw Error("not a key");
  const std::string_view cipher = in.text();
  in.string();  // how the passphrase is stretched
  in.string();
  if (in.u32() != 1) throw Error("not one key");
  const View blob = in.string();
  PrivateKeyFacts facts = facts_of_blob(blob);
  WireReader secret(in.string());
  facts.encrypted = cipher != "none";
  if (facts.encrypted) {
    if (secret.left().size() < 32) throw Error("not a key");
    return facts;
  }
  if (secret.u32() != secret.u32() || secret.text() != WireReader(blob).text() || secret.left().size() < 32)
    throw Error("not a key");
  return facts;
}

// ssh.com's and Tectia's: a magic number, names of type and cipher, and numbers that begin with their bits. What it
// calls "none" is its cipher for keys without a passphrase.
PrivateKeyFacts read_sshcom(View content) {
  WireReader in(content);
  if (in.u32() != 0x3f6ff9eb) throw Error("not a key");
  in.u32();
  const std::string_view kind = in.text(), cipher = in.text();
  const bool is_rsa = kind.starts_with("if-modn{"), is_dsa = kind.starts_with("dl-modp{");
  const View secret = in.string();
  if ((!is_rsa && !is_dsa) || secret.size() < 64) throw Error("not a key");
  PrivateKeyFacts facts;
  facts.type = is_rsa ? "rsa" : "dsa";
  facts.encrypted = cipher != "none";
  if (facts.encrypted) return facts;
  WireReader inner(secret);
  WireReader numbers(inner.string());
  const auto number = [&] { return numbers.take((numbers.u32() + std::size_t{7}) / 8); };
  if (is_dsa) {
    if (numbers.u32() != 0) throw Error("not a key");
    const View p = number(), g = number(), q = number(), y = number();
    return facts_of_dsa(p, q, g, y);
  }
  const View e = number();
  number();
  return facts_of_rsa(number(), e);
}

// The words of a label before "PRIVATE KEY", as OpenSSH would say them.
std::string type_of_label(std::string_view label) {
  if (label.starts_with("RSA ")) return "rsa";
  if (label.starts_with("DSA ")) return "dsa";
  if (label.starts_with("EC ")) return "ecdsa";
  return "unknown";
}

// ---- PPK

// Takes "NAME: VALUE" lines and blocks of base64 lines, in the order in which PuTTY writes them.
class PpkLines {
 public:
  explicit PpkLines(std::string_view text, std::string_view before) {
    for (const std::string& line : key_lines(before, text, "Private-MAC:")) {
      std::string plain;
      for (const auto word : key_words(line)) plain.append(plain.empty() ? "" : " ").append(word);
      if (!plain.empty()) lines_.push_back(std::move(plain));
    }
  }
  std::string_view line() { return at_ < lines_.size() ? std::string_view(lines_[at_++]) : std::string_view(); }
  /// The value of the next line; throws where that has another name.
  std::string_view value(std::string_view name) {
    const std::string_view taken = line();
    if (!taken.starts_with(name) || !taken.substr(name.size()).starts_with(":")) throw Error("not a key");
    return trim(taken.substr(name.size() + 1));
  }
  Bytes block(std::string_view name) {
    const std::string_view number = value(name);
    int lines = 0;
    for (const char c : number.substr(0, 4)) {
      if (c < '0' || c > '9') throw Error("not a key");
      lines = lines * 10 + (c - '0');
    }
    std::string joined;
    for (int i = 0; i < std::min(lines, 400); ++i) joined += line();
    auto bytes = unbase64(joined);
    if (!bytes || bytes->empty()) throw Error("not a key");
    return std::move(*bytes);
  }
  bool begins_with(std::string_view name) const { return at_ < lines_.size() && lines_[at_].starts_with(name); }

 private:
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
};

PrivateKeyFacts read_ppk(std::string_view text, std::string_view before) {
  PpkLines in(text, before);
  const std::string_view head = in.line();
  if (!head.starts_with("PuTTY-User-Key-File-2: ") && !head.starts_with("PuTTY-User-Key-File-3: "))
    throw Error("not a key");
  const std::string_view cipher = in.value("Encryption");
  in.value("Comment");
  const Bytes blob = in.block("Public-Lines");
  PrivateKeyFacts facts = facts_of_blob(blob);
  if (trim(head.substr(head.find(' '))) != WireReader(blob).text()) throw Error("not a key");
  facts.encrypted = cipher != "none";
  for (const auto* name : {"Key-Derivation", "Argon2-Memory", "Argon2-Passes", "Argon2-Parallelism", "Argon2-Salt"})
    if (in.begins_with(name)) in.line();
  std::string_view mac;
  if (in.block("Private-Lines").size() < 16 || !unhex((mac = in.value("Private-MAC")).substr(0, mac.find(' '))))
    throw Error("not a key");
  return facts;
}

}  // namespace

std::optional<PrivateKeyFacts> facts_of_public(EVP_PKEY* key) { return facts_of(key, false); }

std::optional<PrivateKeyFacts> read_der_key(View der) {
  const View whole = outer_sequence(der);
  if (whole.size() < 16 || whole.size() > longest_der || !may_be_private_key(whole)) return std::nullopt;
  const QuietErrors quiet;
  if (auto facts = read_pkcs8(whole)) return facts;
  if (auto facts = read_encrypted_pkcs8(whole)) return facts;
  return read_traditional(whole);
}

std::optional<PrivateKeyFacts> read_pem_key(std::string_view text, std::string_view before) try {
  const auto pem = read_pem(text, before);
  if (!pem || !pem->label.ends_with("PRIVATE KEY")) return std::nullopt;
  if (pem->encrypted) {
    if (pem->content.size() < 32 || pem->content.size() % 8 != 0) return std::nullopt;  // whole blocks of its cipher
    const QuietErrors quiet;
    Attempts attempts;
    if (auto opened = open_with_default(pem->dek_info, pem->content, attempts)) return opened;
    PrivateKeyFacts facts;
    facts.type = type_of_label(pem->label);
    facts.encrypted = true;
    facts.untried = attempts.refused;
    return facts;
  }
  if (text_of(pem->content).starts_with(openssh_magic)) return read_openssh(pem->content);
  if (pem->label.starts_with("SSH2 ")) return read_sshcom(pem->content);
  return read_der_key(pem->content);
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_openssh_key(View bytes) try {
  return read_openssh(bytes.first(std::min(bytes.size(), longest_der)));
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_ppk_key(std::string_view text, std::string_view before) try {
  return read_ppk(text, before);
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace imgbuild

// Key blobs are lists of fields whose meaning the first field tells. A certificate is the same list with a nonce before
// the key's fields and the authority's statement behind them; taking the key's fields out of the middle gives the
// key that it certifies, which is what signs and what has the fingerprint.
#include "crypto/ssh_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

enum class Kind { rsa, ecdsa, ed25519, sk_ecdsa, sk_ed25519 };

struct Type {
  std::string_view name;
  std::string_view certificate;
  Kind kind;
  std::string_view curve;  // as SSH names it
  const char* group;       // as OpenSSL names it
  const char* hash;
  int bits;
};

constexpr Type types[] = {
    {"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", Kind::ed25519, "", nullptr, nullptr, 256},
    {"ssh-rsa", "ssh-rsa-cert-v01@openssh.com", Kind::rsa, "", nullptr, nullptr, 0},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com", Kind::ecdsa, "nistp256", "P-256", "SHA256",
     256},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com", Kind::ecdsa, "nistp384", "P-384", "SHA384",
     384},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com", Kind::ecdsa, "nistp521", "P-521", "SHA512",
     521},
    {"sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com", Kind::sk_ed25519, "", nullptr, nullptr, 256},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", Kind::sk_ecdsa, "nistp256",
     "P-256", "SHA256", 256},
};

const Type* type_of(std::string_view name) {
  for (const auto& type : types)
    if (name == type.name || name == type.certificate) return &type;
  return nullptr;
}

// The fields of the key itself.
struct Fields {
  View modulus, exponent;  // rsa
  View point;              // ecdsa, ed25519
  View application;        // sk
};

Fields read_fields(const Type& type, WireReader& in) {
  Fields fields;
  if (type.kind == Kind::rsa) {
    fields.exponent = in.mpint();
    fields.modulus = in.mpint();
    return fields;
  }
  if (!type.curve.empty() && in.text() != type.curve) throw Error("curve and type of the key differ");
  fields.point = in.string();
  if (type.kind == Kind::sk_ecdsa || type.kind == Kind::sk_ed25519) fields.application = in.string();
  return fields;
}

using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Number = Owned<BIGNUM, BN_free>;

Number number_of(View magnitude) {
  return Number(BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr));
}

Pkey made_from(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  Pkey key;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), out(key), EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return key;
}

// The key for OpenSSL; null where OpenSSL does not take it (a point off the curve).
Pkey pkey_of(const Type& type, const Fields& fields) {
  if (type.kind == Kind::ed25519 || type.kind == Kind::sk_ed25519)
    return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, fields.point.data(), fields.point.size()));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (!builder) return nullptr;
  if (type.kind == Kind::rsa) {
    const Number n = number_of(fields.modulus), e = number_of(fields.exponent);
    if (!n || !e || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
      return nullptr;
    return made_from("RSA", builder.get());
  }
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, type.group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, fields.point.data(),
                                       fields.point.size()) != 1)
    return nullptr;
  return made_from("EC", builder.get());
}

void check_fields(const Type& type, const Fields& fields, int& bits) {
  if (type.kind == Kind::rsa) {
    bits = fields.modulus.empty()
               ? 0
               : static_cast<int>(fields.modulus.size() * 8) - (__builtin_clz(fields.modulus[0]) - 24);
    if (bits < 1024 || bits > 16384) throw Error("an RSA key of " + std::to_string(bits) + " bits");
    if (fields.exponent.empty() || fields.exponent.size() > fields.modulus.size() || fields.exponent.back() % 2 == 0)
      throw Error("an RSA key without a sound exponent");
    return;
  }
  bits = type.bits;
  const bool edwards = type.kind == Kind::ed25519 || type.kind == Kind::sk_ed25519;
  if (edwards && fields.point.size() != 32) throw Error("an ed25519 key of a wrong length");
  // Uncompressed points only (RFC 5656 section 3.1 allows others, OpenSSH does not).
  if (!edwards && (fields.point.empty() || fields.point[0] != 4)) throw Error("an ECDSA key in an unknown form");
  if (!edwards && !pkey_of(type, fields)) throw Error("an ECDSA key off its curve");
}

SshCertificate read_certificate(WireReader& in, std::size_t whole) {
  SshCertificate certificate;
  certificate.serial = in.u64();
  certificate.kind = in.u32();
  certificate.id = in.text();
  WireReader principals(in.string());
  while (!principals.done()) {
    if (certificate.principals.size() == 256) throw Error("a certificate with more than 256 principals");
    certificate.principals.emplace_back(principals.text());
  }
  certificate.valid_after = in.u64();
  certificate.valid_before = in.u64();
  const View critical = in.string();
  certificate.critical_options.assign(critical.begin(), critical.end());
  in.string();  // extensions
  in.string();  // reserved
  const View authority = in.string();
  certificate.authority.assign(authority.begin(), authority.end());
  certificate.signed_size = whole - in.left().size();
  const View signature = in.string();
  certificate.signature.assign(signature.begin(), signature.end());
  return certificate;
}

bool digest_verifies(EVP_PKEY* key, const char* hash, View signature, View data) {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit_ex(context.get(), nullptr, hash, nullptr, nullptr, key, nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
}

// SSH writes r and s as two mpints, OpenSSL reads the DER of X9.62.
bool ecdsa_verifies(EVP_PKEY* key, const char* hash, View pair, View data) {
  WireReader in(pair);
  Number r = number_of(in.mpint()), s = number_of(in.mpint());
  in.expect_end();
  const Owned<ECDSA_SIG, ECDSA_SIG_free> both(ECDSA_SIG_new());
  if (!both || !r || !s || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return false;
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &der);
  if (size <= 0) return false;
  const bool verifies = digest_verifies(key, hash, {der, static_cast<std::size_t>(size)}, data);
  OPENSSL_free(der);
  return verifies;
}

// What a FIDO authenticator signs instead of the data (openssh PROTOCOL.u2f).
Bytes authenticator_data(View application, std::uint8_t flags, std::uint32_t counter, View data) {
  return WireWriter().raw(sha256(application)).byte(flags).u32(counter).raw(sha256(data)).take();
}

bool verifies(const SshKey& key, View signature, View data) {
  const Type& type = *type_of(key.plain_type);
  WireReader blob(key.plain);
  blob.string();
  const Fields fields = read_fields(type, blob);
  const Pkey pkey = pkey_of(type, fields);
  if (!pkey) return false;

  WireReader in(signature);
  const std::string_view algorithm = in.text();
  const View value = in.string();
  if (type.kind == Kind::rsa) {
    in.expect_end();
    const char* hash = algorithm == "rsa-sha2-512" ? "SHA512" : algorithm == "rsa-sha2-256" ? "SHA256" : nullptr;
    if (hash == nullptr || value.size() > fields.modulus.size()) return false;
    Bytes padded(fields.modulus.size() - value.size(), 0);  // some signers drop leading zeros
    padded.insert(padded.end(), value.begin(), value.end());
    return digest_verifies(pkey.get(), hash, padded, data);
  }
  if (algorithm != type.name) return false;
  if (type.kind == Kind::ed25519) {
    in.expect_end();
    return digest_verifies(pkey.get(), nullptr, value, data);
  }
  if (type.kind == Kind::ecdsa) {
    in.expect_end();
    return ecdsa_verifies(pkey.get(), type.hash, value, data);
  }
  const std::uint8_t flags = in.byte();
  const std::uint32_t counter = in.u32();
  in.expect_end();
  const Bytes stated = authenticator_data(fields.application, flags, counter, data);
  if (type.kind == Kind::sk_ed25519) return digest_verifies(pkey.get(), nullptr, value, stated);
  return ecdsa_verifies(pkey.get(), type.hash, value, stated);
}

}  // namespace

std::string ssh_blob_fingerprint(View plain_blob) {
  std::string text = base64(sha256(plain_blob));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return "SHA256:" + text;
}

std::string SshKey::fingerprint() const { return ssh_blob_fingerprint(plain); }

bool ssh_key_type_known(std::string_view type) { return type_of(type) != nullptr; }

SshKey parse_ssh_key(View blob) {
  WireReader in(blob);
  SshKey key;
  key.type = in.text();
  const Type* type = type_of(key.type);
  if (type == nullptr) throw Error("a key of the unknown type " + printable(key.type.substr(0, 64)));
  key.plain_type = type->name;
  const bool certified = key.type == type->certificate;
  if (certified) in.string();  // nonce
  const View from = in.left();
  check_fields(*type, read_fields(*type, in), key.bits);
  key.blob.assign(blob.begin(), blob.end());
  key.plain = WireWriter().string(type->name).raw(from.first(from.size() - in.left().size())).take();
  if (certified) {
    key.certificate = read_certificate(in, blob.size());
    WireReader authority(key.certificate->authority);
    const std::string_view name = authority.text();
    const Type* of = type_of(name);
    if (of != nullptr && name == of->certificate) throw Error("a certificate signed by a certificate");
  }
  in.expect_end();
  return key;
}

SshKey parse_ssh_key_line(std::string_view line) {
  line = trim(line);
  const std::size_t blank = line.find_first_of(" \t");
  if (blank == std::string_view::npos) throw Error("not a public key");
  const std::string_view type = line.substr(0, blank);
  std::string_view encoded = trim(line.substr(blank));
  encoded = encoded.substr(0, encoded.find_first_of(" \t"));
  const auto blob = unbase64(encoded);
  if (!blob) throw Error("not a public key");
  SshKey key = parse_ssh_key(*blob);
  if (key.type != type) throw Error("the key is not of the type that is written before it");
  return key;
}

bool ssh_signature_verifies(const SshKey& key, View signature, View data) {
  try {
    return verifies(key, signature, data);
  } catch (const Error&) {  // malformed
    return false;
  }
}

bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, eaten = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      eaten = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star;
      t = ++eaten;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string host_certificate_fault(const SshKey& key, std::string_view host, std::time_t now) {
  if (!key.certificate) return "no certificate";
  const SshCertificate& certificate = *key.certificate;
  if (certificate.kind != SshCertificate::host) return "not a certificate of a host";
  if (now < 0 || static_cast<std::uint64_t>(now) < certificate.valid_after)
    return "the host certificate is not valid yet";
  if (static_cast<std::uint64_t>(now) >= certificate.valid_before) return "the host certificate has expired";
  if (!certificate.critical_options.empty()) return "the host certificate has critical options";
  const std::string name = lower(host);
  if (std::none_of(certificate.principals.begin(), certificate.principals.end(),
                   [&](const std::string& principal) { return wildcard_matches(lower(principal), name); }))
    return "the host certificate is not for " + printable(host);
  try {
    const SshKey authority = parse_ssh_key(certificate.authority);
    if (ssh_signature_verifies(authority, certificate.signature, View(key.blob).first(certificate.signed_size)))
      return "";
  } catch (const Error&) {  // an authority of a type that is not known
  }
  return "the signature of the host certificate does not verify";
}

std::array<std::uint8_t, 20> hmac_sha1(View key, View bytes) {
  std::array<std::uint8_t, 20> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), out.data(), &size) ==
      nullptr)
    throw Error("HMAC-SHA-1 failed");
  return out;
}

}  // namespace imgbuild

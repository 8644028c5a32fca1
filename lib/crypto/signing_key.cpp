// OpenSSH's own format is read here and handed to OpenSSL number by number; everything else in PEM is OpenSSL's to
// read. The public half is always made anew from the private one: a file whose halves differ would list a key that it
// cannot use.
#include "crypto/signing_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/owned.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Number = Owned<BIGNUM, BN_clear_free>;
using Builder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;

constexpr std::size_t largest_file = 1 << 20;

struct Curve {
  std::string_view name;
  const char* group;
  const char* alias;  // what OpenSSL calls the group of a key that it read
  const char* hash;
};
constexpr Curve curves[] = {{"nistp256", "P-256", "prime256v1", "SHA256"},
                            {"nistp384", "P-384", "secp384r1", "SHA384"},
                            {"nistp521", "P-521", "secp521r1", "SHA512"}};

// Bytes that are wiped when they go.
struct Wiped {
  Bytes bytes;
  explicit Wiped(Bytes content) : bytes(std::move(content)) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe(bytes.data(), bytes.size()); }
};

Number secret_number(View magnitude) {
  Number number(BN_secure_new());
  if (!number || BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), number.get()) == nullptr)
    throw Error("out of memory");
  return number;
}

Pkey made_from(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  Pkey key;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), out(key), EVP_PKEY_KEYPAIR, parameters.get()) != 1)
    throw Error("the key is damaged");
  return key;
}

// n, e, d, the inverse of q mod p, p, q.
Pkey read_rsa(WireReader& in) {
  const Number n = secret_number(in.mpint()), e = secret_number(in.mpint()), d = secret_number(in.mpint());
  const Number inverse = secret_number(in.mpint()), p = secret_number(in.mpint()), q = secret_number(in.mpint());
  // The file leaves out d mod p-1 and d mod q-1, which OpenSSL wants with the factors.
  const Owned<BN_CTX, BN_CTX_free> context(BN_CTX_secure_new());
  const Number less_one(BN_secure_new()), dp(BN_secure_new()), dq(BN_secure_new());
  const auto remainder = [&](const Number& factor, const Number& into) {
    if (BN_sub(less_one.get(), factor.get(), BN_value_one()) != 1 || BN_is_zero(less_one.get()) ||
        BN_is_negative(less_one.get()) || BN_mod(into.get(), d.get(), less_one.get(), context.get()) != 1)
      throw Error("the key is damaged");
  };
  remainder(p, dp);
  remainder(q, dq);
  const Builder builder(OSSL_PARAM_BLD_new());
  const std::pair<const char*, const Number&> parts[] = {
      {OSSL_PKEY_PARAM_RSA_N, n},          {OSSL_PKEY_PARAM_RSA_E, e},
      {OSSL_PKEY_PARAM_RSA_D, d},          {OSSL_PKEY_PARAM_RSA_FACTOR1, p},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, q},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, dp},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, dq}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse}};
  for (const auto& [name, number] : parts)
    if (OSSL_PARAM_BLD_push_BN(builder.get(), name, number.get()) != 1) throw Error("out of memory");
  return made_from("RSA", builder.get());
}

Pkey read_ecdsa(WireReader& in, std::string_view type) {
  const std::string_view name = in.text();
  const View point = in.string();
  const Number scalar = secret_number(in.mpint());
  for (const auto& curve : curves) {
    if (name != curve.name || type != "ecdsa-sha2-" + std::string(name)) continue;
    const Builder builder(OSSL_PARAM_BLD_new());
    if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) != 1)
      throw Error("out of memory");
    return made_from("EC", builder.get());
  }
  throw Error("a curve that is not known");
}

Pkey read_ed25519(WireReader& in) {
  in.string();  // the public half, again at the end of the private one
  const View seed = in.string();
  if (seed.size() != 64) throw Error("the key is damaged");
  return Pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), 32));
}

// openssh PROTOCOL.key.
Pkey read_openssh(View file, const std::string& name) {
  constexpr std::string_view magic("openssh-key-v1\0", 15);
  WireReader in(file);
  if (text_of(in.take(magic.size())) != magic) throw Error("the key is damaged");
  const std::string_view cipher = in.text();
  in.string();  // key derivation
  in.string();  // and its options
  if (in.u32() != 1) throw Error("a file of several keys");
  in.string();  // public half
  const View secret = in.string();
  if (cipher != "none") throw Error("the key has a passphrase", "ssh-add " + name);
  WireReader key(secret);
  if (const auto check = key.u32(); key.u32() != check) throw Error("the key is damaged");
  const std::string_view type = key.text();
  if (type == "ssh-rsa") return read_rsa(key);
  if (type == "ssh-ed25519") return read_ed25519(key);
  if (type.starts_with("ecdsa-sha2-")) return read_ecdsa(key, type);
  if (type.starts_with("sk-")) throw Error("a hardware key is for an agent to use", "ssh-add " + name);
  throw Error("a key of the unknown type " + printable(type.substr(0, 64)));
}

int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Pkey read_pem(std::string_view content, const std::string& name) {
  const Owned<BIO, BIO_free> file(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  bool asked = false;
  Pkey key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (asked) throw Error("the key has a passphrase", "ssh-add " + name);
  if (!key) throw Error("the key is damaged");
  return key;
}

Bytes number_bytes(const Pkey& key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &raw) != 1) throw Error("the key is damaged");
  const Number number(raw);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

const Curve& curve_of(const Pkey& key) {
  char group[64] = {};
  if (EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) == 1)
    for (const auto& curve : curves)
      if (std::string_view(group) == curve.alias || std::string_view(group) == curve.group) return curve;
  throw Error("a curve that is not known");
}

Bytes public_blob(const Pkey& key) {
  WireWriter blob;
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1)
    return blob.string("ssh-rsa")
        .mpint(number_bytes(key, OSSL_PKEY_PARAM_RSA_E))
        .mpint(number_bytes(key, OSSL_PKEY_PARAM_RSA_N))
        .take();
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) {
    std::array<std::uint8_t, 32> point{};
    std::size_t size = point.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), point.data(), &size) != 1) throw Error("the key is damaged");
    return blob.string("ssh-ed25519").string(point).take();
  }
  if (EVP_PKEY_is_a(key.get(), "EC") == 1) {
    const Curve& curve = curve_of(key);
    const Bytes x = number_bytes(key, OSSL_PKEY_PARAM_EC_PUB_X), y = number_bytes(key, OSSL_PKEY_PARAM_EC_PUB_Y);
    const std::size_t width = (static_cast<std::size_t>(EVP_PKEY_get_bits(key.get())) + 7) / 8;
    if (x.size() > width || y.size() > width) throw Error("the key is damaged");
    Bytes point(1 + 2 * width, 0);
    point[0] = 4;  // uncompressed
    std::copy(x.begin(), x.end(), point.begin() + static_cast<std::ptrdiff_t>(1 + width - x.size()));
    std::copy(y.begin(), y.end(), point.end() - static_cast<std::ptrdiff_t>(y.size()));
    return blob.string("ecdsa-sha2-" + std::string(curve.name)).string(curve.name).string(point).take();
  }
  throw Error("neither an rsa, an ecdsa nor an ed25519 key");
}

Bytes raw_signature(EVP_PKEY* key, const char* hash, View data) {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit_ex(context.get(), nullptr, hash, nullptr, nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) != 1)
    throw Error("signing failed");
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) != 1)
    throw Error("signing failed");
  signature.resize(size);
  return signature;
}

// The DER that OpenSSL makes as SSH's two mpints (RFC 5656 section 3.1.2).
Bytes number_pair(View der) {
  const unsigned char* at = der.data();
  const Owned<ECDSA_SIG, ECDSA_SIG_free> both(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!both) throw Error("signing failed");
  WireWriter pair;
  for (const BIGNUM* number : {ECDSA_SIG_get0_r(both.get()), ECDSA_SIG_get0_s(both.get())}) {
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, bytes.data());
    pair.mpint(bytes);
  }
  return pair.take();
}

}  // namespace

struct SigningKey::Inside {
  Pkey key;
  SshKey shown;
};

SigningKey::SigningKey(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::parse(std::string_view content, const std::string& name) try {
  // Put together here, so that this file is not taken for a key.
  static const std::string label = std::string("OPENSSH PRIVATE") + " KEY-----";
  static const std::string begin = "-----BEGIN " + label, end = "-----END " + label;
  auto inside = std::make_unique<Inside>();
  if (const std::size_t from = content.find(begin); from != std::string_view::npos) {
    const std::size_t to = content.find(end, from);
    if (to == std::string_view::npos) throw Error("the key is cut off");
    Wiped text{Bytes()};
    text.bytes.reserve(to - from);
    for (const char c : content.substr(from + begin.size(), to - from - begin.size()))
      if (c != '\n' && c != '\r' && c != ' ' && c != '\t') text.bytes.push_back(static_cast<std::uint8_t>(c));
    auto decoded = unbase64(text_of(text.bytes));
    if (!decoded) throw Error("the key is damaged");
    const Wiped file(std::move(*decoded));
    inside->key = read_openssh(file.bytes, name);
  } else if (content.find("-----BEGIN ") != std::string_view::npos) {
    inside->key = read_pem(content, name);
  } else {
    throw Error("not a private key in OpenSSH's format or PEM");
  }
  if (!inside->key) throw Error("the key is damaged");
  inside->shown = parse_ssh_key(public_blob(inside->key));
  return SigningKey(std::move(inside));
} catch (const Error& error) {
  throw error.within(printable(name));
}

SigningKey SigningKey::load(const std::string& path) {
  std::string content = read_file(path, largest_file);
  const Secret kept(content);
  wipe(content.data(), content.size());
  return parse(kept.reveal(), path);
}

const SshKey& SigningKey::public_key() const { return inside_->shown; }

Bytes SigningKey::sign(View data, std::uint32_t flags) const {
  const std::string& type = inside_->shown.type;
  EVP_PKEY* key = inside_->key.get();
  if (type == "ssh-rsa") {
    if (flags != 2 && flags != 4) throw Error("SHA-1 signatures are not made");
    const bool longer = flags == 4;
    return WireWriter()
        .string(longer ? "rsa-sha2-512" : "rsa-sha2-256")
        .string(raw_signature(key, longer ? "SHA512" : "SHA256", data))
        .take();
  }
  if (type == "ssh-ed25519") return WireWriter().string(type).string(raw_signature(key, nullptr, data)).take();
  return WireWriter().string(type).string(number_pair(raw_signature(key, curve_of(inside_->key).hash, data))).take();
}

}  // namespace imgbuild

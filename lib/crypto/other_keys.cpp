// Formats of one program each. What they have in common: little to hold on to, so that each is held against everything
// that its writer fixes, sizes first.
#include "crypto/other_keys.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/key_facts.hpp"
#include "crypto/key_text.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_key = std::size_t{16} << 10;

bool all_zero(View bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

PrivateKeyFacts plain_facts(std::string type, int bits, bool encrypted = false) {
  PrivateKeyFacts facts;
  facts.type = std::move(type);
  facts.bits = bits;
  facts.encrypted = encrypted;
  return facts;
}

// Base64 of either alphabet, its escapes undone.
std::optional<Bytes> number_of(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (static_cast<unsigned char>(c) > ' ' && c != '\\') plain += c == '-' ? '+' : c == '_' ? '/' : c;
  auto bytes = unbase64(plain);
  if (!bytes || bytes->empty() || bytes->size() > 2048) return std::nullopt;
  return bytes;
}

// An uncompressed point of two coordinates that may have lost their leading zeros.
Bytes point_of(View x, View y, std::size_t width) {
  Bytes point(1 + 2 * width, 0);
  if (x.size() > width || y.size() > width) throw Error("not a key");
  point[0] = 4;
  std::copy(x.begin(), x.end(), point.begin() + static_cast<std::ptrdiff_t>(1 + width - x.size()));
  std::copy(y.begin(), y.end(), point.begin() + static_cast<std::ptrdiff_t>(1 + 2 * width - y.size()));
  return point;
}

// Where the object ends whose brace `text` begins with; npos: nowhere near.
std::size_t end_of_object(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < std::min(text.size(), longest_key); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

PrivateKeyFacts facts_of_jwk(const nlohmann::json& key) {
  const auto text = [&](const char* name) {
    const auto found = key.find(name);
    return found != key.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto value = [&](const char* name) {
    auto bytes = number_of(text(name));
    if (!bytes) throw Error("not a key");
    return std::move(*bytes);
  };
  const std::string kind = text("kty");
  if (kind == "oct") {
    const Bytes secret = value("k");
    if (secret.size() < 8) throw Error("not a key");
    return plain_facts("symmetric", static_cast<int>(secret.size() * 8));
  }
  const Bytes secret = value("d");
  if (kind == "RSA") {
    const Bytes modulus = value("n");
    if (secret.size() > modulus.size() || secret.size() + 24 < modulus.size() / 2) throw Error("not a key");
    return facts_of_rsa(modulus, value("e"));
  }
  const std::string curve = text("crv");
  if (kind == "EC") {
    static constexpr std::pair<std::string_view, std::string_view> curves[] = {
        {"P-256", "nistp256"}, {"P-384", "nistp384"}, {"P-521", "nistp521"}};
    for (const auto& [name, known] : curves)
      if (curve == name) {
        const std::size_t width = name == "P-256" ? 32 : name == "P-384" ? 48 : 66;
        if (secret.size() > width) throw Error("not a key");
        return facts_of_ec(known, point_of(value("x"), value("y"), width));
      }
    if (secret.size() < 28 || secret.size() > 66) throw Error("not a key");
    return plain_facts("ecdsa", static_cast<int>(secret.size() * 8));
  }
  if (kind != "OKP") throw Error("not a key");
  if (curve == "Ed25519" && secret.size() == 32) return facts_of_ed25519(value("x"));
  if (curve == "X25519" && secret.size() == 32) return plain_facts("x25519", 256);
  if (curve == "Ed448" && secret.size() == 57) return plain_facts("ed448", 456);
  if (curve == "X448" && secret.size() == 56) return plain_facts("x448", 448);
  throw Error("not a key");
}

// The text of an element, which stands behind its opening tag.
std::string_view element(std::string_view text, const std::string& name) {
  const std::string open = "<" + name + ">";
  const std::size_t begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = text.find("</", begin);
  if (end == std::string_view::npos) return {};
  return text.substr(begin + open.size(), end - begin - open.size());
}

}  // namespace

std::string without_backslashes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    while (i + 1 < text.size() && text[i + 1] == '\\') ++i;
    const char next = i + 1 < text.size() ? text[i + 1] : ' ';
    if (next == 'n' || next == 'r' || next == 't') {
      plain += ' ';
      ++i;
    } else if (next == 'u' && i + 5 < text.size()) {
      if (const auto code = unhex(text.substr(i + 2, 4)); code && code->at(0) == 0)
        plain += static_cast<char>(code->at(1));
      i += 5;
    }
  }
  return plain;
}

std::optional<PrivateKeyFacts> read_signify_key(View bytes) try {
  if (bytes.size() != 104 || text_of(bytes.first(4)) != "EdBK") return std::nullopt;
  if (!all_zero(bytes.subspan(4, 4))) return plain_facts("ed25519", 256, true);
  return facts_of_ed25519(bytes.last(32));
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_minisign_key(View bytes) try {
  constexpr std::size_t head = 6 + 32 + 8 + 8, id = 8;
  if (bytes.size() != head + id + 64 + 32 || text_of(bytes.first(2)) != "Ed" || text_of(bytes.subspan(4, 2)) != "B2")
    return std::nullopt;
  const View kdf = bytes.subspan(2, 2);
  if (text_of(kdf) == "Sc") return plain_facts("ed25519", 256, true);
  if (!all_zero(kdf)) return std::nullopt;
  return facts_of_ed25519(bytes.subspan(head + id + 32, 32));
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_dnssec_key(std::string_view text, std::string_view before, std::size_t& size) try {
  text = text.substr(0, longest_key);
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string& line : key_lines(before, text, {})) {
    const auto words = key_words(line);
    if (words.size() < 2 || words[0].back() != ':') {
      if (values.empty()) continue;
      if (words.empty()) continue;
      break;
    }
    const std::string name(words[0].substr(0, words[0].size() - 1));
    if (values.count(name) != 0) break;  // the next key
    std::string_view value = words[1];
    while (!value.empty() && (value.back() == ',' || value.back() == ';')) value.remove_suffix(1);
    values.emplace(name, value);
  }
  const auto value = [&](std::string_view name) {
    const auto found = values.find(name);
    const auto bytes = found == values.end() ? std::nullopt : number_of(found->second);
    if (!bytes) throw Error("not a key");
    return *bytes;
  };
  const auto format = values.find("Private-key-format"), algorithm = values.find("Algorithm");
  if (format == values.end() || algorithm == values.end()) return std::nullopt;
  // The last value ends it.
  size = 0;
  for (const char* name : {"Coefficient:", "PrivateKey:", "Key:", "Activate:", "Created:", "Publish:", "SyncPublish:"})
    if (const std::size_t at = text.find(name); at != std::string_view::npos)
      size = std::max(size, std::min(text.find_first_of("\r\n\\", at), text.size()));
  const std::string number = algorithm->second.substr(0, algorithm->second.find(' '));
  if (number == "13") return facts_of_ec_secret("nistp256", value("PrivateKey"));
  if (number == "14") return facts_of_ec_secret("nistp384", value("PrivateKey"));
  if (number == "15") return facts_of_raw_secret("ed25519", value("PrivateKey"));
  if (number == "16") return facts_of_raw_secret("ed448", value("PrivateKey"));
  if (number == "3" || number == "6")
    return facts_of_dsa(value("Prime(p)"), value("Subprime(q)"), value("Base(g)"), value("Public_value(y)"));
  if (values.count("Key") != 0) return plain_facts("symmetric", static_cast<int>(value("Key").size() * 8));
  if (value("PrivateExponent").size() < 32) return std::nullopt;
  return facts_of_rsa(value("Modulus"), value("PublicExponent"));
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_jwk(std::string_view text, std::size_t& size) try {
  const std::size_t end = end_of_object(text);
  if (end == std::string_view::npos) return std::nullopt;
  size = end;
  std::string object(text.substr(0, end));
  if (object.find('\\') != std::string::npos) object = without_backslashes(object);
  auto key = nlohmann::json::parse(object, nullptr, false);
  if (!key.is_object()) {  // its lines may stand in a comment, a mail or a patch
    std::string plain;
    for (const std::string& line : split(object, '\n'))
      plain += line.substr(std::min(line.find_first_not_of("#/*;>+- \t"), line.size())) + '\n';
    key = nlohmann::json::parse(plain, nullptr, false);
  }
  if (!key.is_object()) return std::nullopt;
  return facts_of_jwk(key);
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_dropbear_key(View bytes, std::size_t& size) try {
  WireReader in(bytes.first(std::min(bytes.size(), longest_key)));
  const std::string_view name = in.text();
  std::optional<PrivateKeyFacts> facts;
  if (name == "ssh-rsa") {
    const View e = in.mpint(), n = in.mpint(), d = in.mpint();
    if (n.size() < 64 || d.size() > n.size() || d.size() + 24 < n.size() || (n.back() & 1u) == 0) return std::nullopt;
    const View p = in.mpint(), q = in.mpint();
    if (bits_of(p) + bits_of(q) < bits_of(n) || bits_of(p) + bits_of(q) > bits_of(n) + 1) return std::nullopt;
    facts = facts_of_rsa(n, e);
  } else if (name == "ssh-dss") {
    const View p = in.mpint(), q = in.mpint(), g = in.mpint(), y = in.mpint(), x = in.mpint();
    if (x.size() > q.size() || x.size() + 4 < q.size()) return std::nullopt;
    facts = facts_of_dsa(p, q, g, y);
  } else if (name == "ssh-ed25519") {
    const View both = in.string();
    if (both.size() != 64) return std::nullopt;
    facts = facts_of_raw_secret("ed25519", both.first(32));
    if (!facts || facts->fingerprint != facts_of_ed25519(both.last(32)).fingerprint) return std::nullopt;
  } else if (name.starts_with("ecdsa-sha2-nistp")) {
    const std::string_view curve = in.text();
    const View point = in.string(), secret = in.mpint();
    if (secret.size() > point.size() / 2 || secret.size() + 4 < point.size() / 2) return std::nullopt;
    facts = facts_of_ec(curve, point);
  }
  size = bytes.size() - in.left().size();
  size = std::min(size, longest_key - in.left().size());
  return facts;
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_xml_rsa_key(std::string_view text, std::size_t& size) try {
  text = text.substr(0, longest_key);
  const std::size_t end = text.find("</RSAKeyValue>");
  if (end == std::string_view::npos) return std::nullopt;
  size = end + 14;
  text = text.substr(0, end);
  const auto modulus = number_of(element(text, "Modulus")), exponent = number_of(element(text, "Exponent"));
  const auto secret = number_of(element(text, "D"));
  if (!modulus || !exponent || !secret || secret->size() > modulus->size() || secret->size() < 24) return std::nullopt;
  return facts_of_rsa(*modulus, *exponent);
} catch (const Error&) {
  return std::nullopt;
}

namespace {

// The bytes that `openssl pkey -text` prints at the text's beginning: pairs of hex digits, colons, line breaks. `end`:
// behind them.
Bytes printed_bytes(std::string_view text, std::size_t& end) {
  constexpr std::string_view between = ": \t\r\n", digits = "0123456789abcdefABCDEF";
  constexpr std::size_t most = 2048;
  std::string all;
  end = 0;
  for (std::size_t at = 0; all.size() < 2 * most; end = at) {
    at = std::min(text.find_first_not_of(between, at), text.size());
    const std::size_t behind = std::min(text.find_first_not_of(digits, at), text.size());
    if (behind - at != 2) break;
    all += text.substr(at, 2);
    at = behind;
  }
  return unhex(all).value_or(Bytes());
}

std::size_t behind_last(std::string_view text, std::string_view word) {
  const std::size_t at = text.rfind(word);
  if (at == std::string_view::npos) throw Error("not a key");
  return at + word.size();
}

PrivateKeyFacts facts_of_printed_rsa(std::string_view before, std::size_t secret_size) {
  std::size_t end = 0;
  const Bytes modulus = printed_bytes(before.substr(behind_last(before, "modulus:")), end);
  if (secret_size < 24 || secret_size > modulus.size() + 1) throw Error("not a key");
  const std::string_view number = before.substr(behind_last(before, "publicExponent: "));
  std::uint64_t exponent = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(number.size(), 18) && number[i] >= '0' && number[i] <= '9'; ++i)
    exponent = exponent * 10 + static_cast<std::uint64_t>(number[i] - '0');
  Bytes bytes;
  for (unsigned shift = 64; shift > 0; shift -= 8)
    if (const auto byte = static_cast<std::uint8_t>(exponent >> (shift - 8)); byte != 0 || !bytes.empty())
      bytes.push_back(byte);
  return facts_of_rsa(modulus, bytes);
}

std::optional<PrivateKeyFacts> facts_of_printed_secret(std::string_view before, std::string_view after, View secret) {
  const std::string_view line = before.substr(before.size() - std::min<std::size_t>(before.size(), 60));
  const auto says = [](std::string_view where, std::string_view what) {
    return where.find(what) != std::string_view::npos;
  };
  for (const auto& [name, type] : {std::pair{"ED25519 Priv", "ed25519"},
                                   {"X25519 Priv", "x25519"},
                                   {"ED448 Priv", "ed448"},
                                   {"X448 Priv", "x448"}})
    if (says(line, name)) return facts_of_raw_secret(type, secret);
  if (secret.size() < 19 || secret.size() > 67 || !says(line, "Private-Key: (")) throw Error("not a key");
  after = after.substr(0, 2048);
  for (const auto& [name, curve] :
       {std::pair{"OID: prime256v1", "nistp256"}, {"OID: secp384r1", "nistp384"}, {"OID: secp521r1", "nistp521"}})
    if (says(after, name)) return facts_of_ec_secret(curve, secret);
  return plain_facts(says(after, "OID:") ? "ecdsa" : "dsa", static_cast<int>(secret.size() * 8));
}

}  // namespace

std::optional<PrivateKeyFacts> read_printed_key(std::string_view text, std::string_view before, std::size_t& size) try {
  text = text.substr(0, longest_key);
  before = before.substr(before.size() - std::min(before.size(), longest_key));
  const std::size_t head = text.find(':');
  if (head == std::string_view::npos) return std::nullopt;
  const Bytes secret = printed_bytes(text.substr(head + 1), size);
  size += head + 1;
  if (secret.size() < 16 || all_zero(secret)) return std::nullopt;
  if (!text.starts_with("privateExponent")) return facts_of_printed_secret(before, text.substr(size), secret);
  for (const std::string_view name : {"prime1:", "prime2:", "exponent1:", "exponent2:", "coefficient:"}) {
    const std::size_t at = text.find(name, size);
    if (at == std::string_view::npos || at > size + 8) break;
    std::size_t end = 0;
    printed_bytes(text.substr(at + name.size()), end);
    size = at + name.size() + end;
  }
  return facts_of_printed_rsa(before, secret.size());
} catch (const Error&) {
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_openvpn_key(std::string_view text, std::string_view before) {
  std::string digits;
  bool first = true;
  for (std::string line : key_lines(before, text, "-----END")) {
    if (first) {
      const std::size_t close = line.rfind("-----");
      if (close == std::string::npos) return std::nullopt;
      line.erase(0, close + 5);
      first = false;
    }
    for (const auto word : key_words(line))
      if (word.size() >= 16 && word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos)
        digits += word;
  }
  const auto bytes = unhex(digits);
  if (!bytes || bytes->size() != 256 || all_zero(*bytes)) return std::nullopt;
  return plain_facts("symmetric", 2048);
}

bool is_clamped_x25519(View bytes) {
  return bytes.size() == 32 && (bytes[0] & 7u) == 0 && (bytes[31] & 0xc0u) == 0x40u;
}

}  // namespace imgbuild

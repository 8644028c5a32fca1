// OpenPGP secret keys, exported or in a keyring, and the files that gpg-agent keeps them in. All show the public half
// in clear; what protects the secret half is one byte of the packet, or the word "protected".
#include "crypto/pgp_key.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/key_facts.hpp"
#include "crypto/key_text.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t longest_expression = std::size_t{16} << 10;

View integer(WireReader& in) {
  const std::uint64_t bits = in.number(2);
  return in.take((bits + 7) / 8);
}

std::string_view curve_of(View oid) {
  static const std::pair<Bytes, std::string_view> known[] = {
      {{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, "nistp256"},
      {{0x2b, 0x81, 0x04, 0x00, 0x22}, "nistp384"},
      {{0x2b, 0x81, 0x04, 0x00, 0x23}, "nistp521"},
      {{0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01}, "ed25519"},
      {{0x2b, 0x65, 0x70}, "ed25519"}};
  for (const auto& [bytes, name] : known)
    if (std::equal(bytes.begin(), bytes.end(), oid.begin(), oid.end())) return name;
  return {};
}

PrivateKeyFacts facts_of_point(std::string_view curve, View point, std::string_view type) {
  // With libgcrypt's 0x40 before it, or without.
  if (curve == "ed25519" && (point.size() == 33 || point.size() == 32)) return facts_of_ed25519(point.last(32));
  if (curve == "ed448" && (point.size() == 58 || point.size() == 57))
    return facts_of_blob(WireWriter().string("ssh-ed448").string(point.last(57)).bytes());
  if (curve.starts_with("nistp") && type == "ecdsa") return facts_of_ec(curve, point);
  PrivateKeyFacts facts;
  facts.type = type;
  // 0x40 and 32 bytes, or 0x04 and two coordinates.
  facts.bits = point.size() <= 33 ? 256 : static_cast<int>(point.size() - 1) * 4;
  if (point.size() < 20) throw Error("not a key");
  return facts;
}

struct Packet {
  std::uint32_t tag = 0;
  View body;
};

Packet take_packet(WireReader& in) {
  Packet packet;
  const std::uint32_t head = in.byte();
  if ((head & 0x80u) == 0) throw Error("not a packet");
  std::size_t size = 0;
  if ((head & 0x40u) != 0) {
    packet.tag = head & 0x3fu;
    const std::uint32_t first = in.byte();
    if (first < 192)
      size = first;
    else if (first < 224)
      size = (first - 192) * std::size_t{256} + in.byte() + 192;
    else if (first == 255)
      size = in.u32();
    else
      throw Error("of unknown length");
  } else {
    packet.tag = head >> 2 & 0xfu;
    if ((head & 3u) == 3) throw Error("of unknown length");
    size = in.number(std::size_t{1} << (head & 3u));
  }
  // What ends early is read as far as it goes: a key at the end of a part.
  packet.body = in.take(std::min(size, in.left().size()));
  return packet;
}

// A secret key or subkey packet; throws where it is none, or its secret half is elsewhere.
PrivateKeyFacts read_secret(View body) {
  WireReader in(body);
  const std::uint32_t version = in.byte();
  if (version < 3 || version > 6) throw Error("not a key");
  in.take(version == 3 ? 6 : 4);
  const std::uint32_t algorithm = in.byte();
  if (version > 4) in.take(4);
  PrivateKeyFacts facts;
  switch (algorithm) {
    case 1:
    case 2:
    case 3: {
      const View modulus = integer(in), exponent = integer(in);
      facts = facts_of_rsa(modulus, exponent);
      break;
    }
    case 17: {
      const View p = integer(in), q = integer(in), g = integer(in), y = integer(in);
      facts = facts_of_dsa(p, q, g, y);
      break;
    }
    case 16:
      facts.type = "elgamal";
      facts.bits = bits_of(integer(in));
      integer(in);
      integer(in);
      break;
    case 18:
    case 19:
    case 22: {
      const View oid = in.take(in.byte());
      facts = facts_of_point(curve_of(oid), integer(in),
                             algorithm == 18   ? "ecdh"
                             : algorithm == 19 ? "ecdsa"
                                               : "eddsa");
      if (algorithm == 18) in.take(in.byte());
      break;
    }
    case 25:
    case 26:
    case 28:
      facts.type = algorithm == 25 ? "x25519" : algorithm == 26 ? "x448" : "ed448";
      facts.bits = algorithm == 25 ? 256 : 448;
      in.take(algorithm == 25 ? 32 : algorithm == 26 ? 56 : 57);
      break;
    case 27:
      facts = facts_of_ed25519(in.take(32));
      break;
    default:
      throw Error("not a key");
  }
  if (facts.bits < 160) throw Error("not a key");
  const std::uint32_t usage = in.byte();
  facts.encrypted = usage != 0;
  // GnuPG's own way of stretching passphrases, 101: "GNU" and 1 or 2 say that there is nothing to be decrypted.
  if (usage >= 253 && version <= 4) {
    in.byte();
    if (in.byte() == 101) throw Error("a stub");
  }
  if (in.left().size() < 20) throw Error("not a key");
  return facts;
}

// ---- S-expressions, both ways in which libgcrypt writes them

struct Expression {
  bool is_protected = false;
  std::string kind;                     // "rsa", "ecc"
  std::map<std::string, Bytes> values;  // by name: n, e, q, curve
};

class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view text) : text_(text) {}

  Expression read() {
    Expression out;
    expect('(');
    const std::string head = atom();
    if (head != "private-key" && head != "protected-private-key") throw Error("not a key");
    out.is_protected = head[1] == 'r' && head[2] == 'o';
    expect('(');
    out.kind = atom();
    while (next() == '(') {
      ++at_;
      const std::string name = atom();
      // (protected HOW (...)) holds the secret half; nothing behind it is public.
      if (name == "protected") {
        encrypted_ = true;
        break;
      }
      if (next() == '(' || next() == ')') throw Error("not a value");
      const std::string value = atom();
      out.values[name] = Bytes(value.begin(), value.end());
      while (next() != ')') atom();
      ++at_;
    }
    if (out.is_protected && !encrypted_) throw Error("not a key");
    return out;
  }

 private:
  char next() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') ++at_;
    if (at_ >= text_.size()) throw Error("truncated");
    return text_[at_];
  }
  void expect(char c) {
    if (next() != c) throw Error("not a key");
    ++at_;
  }
  // 3:rsa, rsa, "x", #00FF#
  std::string atom() {
    const char c = next();
    if (c == '#') {
      std::string digits;
      for (++at_; at_ < text_.size() && text_[at_] != '#'; ++at_)
        if (static_cast<unsigned char>(text_[at_]) > ' ') digits += text_[at_];
      ++at_;
      const auto bytes = unhex(digits);
      if (!bytes) throw Error("not hex");
      return {bytes->begin(), bytes->end()};
    }
    std::size_t end = at_;
    while (end < text_.size() && static_cast<unsigned char>(text_[end]) > ' ' &&
           std::string_view("():#").find(text_[end]) == std::string_view::npos)
      ++end;
    std::string word(text_.substr(at_, end - at_));
    if (end < text_.size() && text_[end] == ':') {
      if (word.empty() || word.size() > 5 || word.find_first_not_of("0123456789") != std::string::npos)
        throw Error("not a length");
      const auto size = static_cast<std::size_t>(std::stoul(word));
      if (size > text_.size() - end - 1) throw Error("truncated");
      at_ = end + 1 + size;
      return std::string(text_.substr(end + 1, size));
    }
    if (word.empty()) throw Error("not a word");
    at_ = end;
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool encrypted_ = false;
};

PrivateKeyFacts facts_of(const Expression& key) {
  const auto value = [&](const char* name) -> const Bytes& {
    const auto found = key.values.find(name);
    if (found == key.values.end()) throw Error("not a key");
    return found->second;
  };
  PrivateKeyFacts facts;
  if (key.kind == "rsa") {
    facts = facts_of_rsa(value("n"), value("e"));
  } else if (key.kind == "dsa") {
    facts = facts_of_dsa(value("p"), value("q"), value("g"), value("y"));
  } else if (key.kind == "ecc" || key.kind == "ecdsa") {
    // libgcrypt's names for a curve.
    static constexpr std::pair<std::string_view, std::string_view> aliases[] = {
        {"nist p-256", "nistp256"}, {"secp256r1", "nistp256"},  {"prime256v1", "nistp256"}, {"nist p-384", "nistp384"},
        {"secp384r1", "nistp384"},  {"nist p-521", "nistp521"}, {"secp521r1", "nistp521"}};
    std::string known = lower(text_of(value("curve")));
    for (const auto& [alias, name] : aliases)
      if (known == alias) known = name;
    facts = facts_of_point(known, value("q"), known.starts_with("nistp") ? "ecdsa" : "ecc");
  } else if (key.kind == "elg") {
    facts.type = "elgamal";
    facts.bits = bits_of(value("p"));
  } else {
    throw Error("not a key");
  }
  if (!key.is_protected && key.values.count("d") == 0 && key.values.count("x") == 0) throw Error("not a key");
  facts.encrypted = key.is_protected;
  return facts;
}

}  // namespace

std::optional<PrivateKeyFacts> read_pgp_packets(View bytes) {
  WireReader in(bytes);
  try {
    for (int i = 0; i < 64 && !in.done(); ++i) {
      const Packet packet = take_packet(in);
      if (i == 0 && packet.tag != 5) return std::nullopt;
      if (packet.tag != 5 && packet.tag != 7) continue;
      try {
        return read_secret(packet.body);
      } catch (const Error&) {  // a stub: a subkey may be whole
      }
    }
  } catch (const Error&) {
  }
  return std::nullopt;
}

std::optional<PrivateKeyFacts> read_pgp_armor(std::string_view text, std::string_view before) {
  std::vector<std::string> words;
  bool first = true, at_end = false;
  for (std::string line : key_lines(before, text, "-----END")) {
    if (at_end) break;
    if (first) {
      const std::size_t open = line.find("BEGIN"), close = open == std::string::npos ? open : line.find("-----", open);
      if (close == std::string::npos) return std::nullopt;
      line.erase(0, close + 5);
      first = false;
    }
    bool header = false;
    for (std::string_view word : key_words(line)) {
      at_end = word.starts_with("-----") || (word.size() == 5 && word[0] == '=') ||
               (word.size() == 6 && word.starts_with("+="));
      if (at_end) break;                                         // the checksum, or the end
      if (word.size() > 1 && word.back() == ':') header = true;  // up to the line's end, or to what is no comment
      while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.remove_suffix(1);
      if (header && !(word.size() >= 48 && is_base64_text(word))) continue;
      header = false;
      if (is_base64_text(word)) words.emplace_back(word);
    }
  }
  std::string packed = joined_words(std::move(words));
  packed.resize(std::min(packed.find('='), packed.size()));
  if (packed.size() % 4 == 1) packed.pop_back();
  const auto bytes = unbase64(packed);
  return bytes ? read_pgp_packets(*bytes) : std::nullopt;
}

std::optional<PrivateKeyFacts> read_gpg_agent_key(std::string_view text, std::string_view before) try {
  text = text.substr(0, longest_expression);
  // Of the canonical form every byte counts; the other is lines of text.
  if (text.starts_with("(11:") || text.starts_with("(21:")) return facts_of(ExpressionReader(text).read());
  std::string joined;
  for (const std::string& line : key_lines(before, text, {})) joined += line + '\n';
  return facts_of(ExpressionReader(joined).read());
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace imgbuild

// What stands in files whose form is fixed: an encoded password, the hash of one, a table of keys. The rule says where;
// here it is decided whether there is anything in it.
#include <algorithm>

#include "base/text.hpp"
#include "scan/proofs.hpp"

namespace imgbuild::proofs {
namespace {

constexpr std::string_view crypt_alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool is_of_crypt(std::string_view text) {
  return text.find_first_not_of(crypt_alphabet) == std::string_view::npos && makeup_of(text).distinct > 5;
}

}  // namespace

// Base64 of a password that is written out.
Proof base64_text(const Suspect& suspect) {
  const Bytes plain = decoded_base64(suspect.secret);
  const std::string_view text = text_of(plain);
  const bool printable = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  return proven(text.size() >= 3 && printable && !is_placeholder(text));
}

// crypt(3) and its like: the length of the hash is fixed by the method, and an alphabet of its own.
Proof password_hash(const Suspect& suspect) {
  std::string_view text = suspect.secret;
  while (text.starts_with('!')) text.remove_prefix(1);  // locked: the hash is there all the same
  if (text.starts_with("{SHA}")) return proven(decoded_base64(text.substr(5)).size() == 20);
  if (!text.starts_with('$')) return proven(text.size() == 13 && is_of_crypt(text) && makeup_of(text).uppers > 0);
  const std::size_t id_end = text.find('$', 1), last = text.rfind('$');
  if (id_end == std::string_view::npos || last <= id_end) return {};
  const std::string_view id = text.substr(1, id_end - 1), hash = text.substr(last + 1);
  // Mosquitto's: of SHA-512, in base64.
  if ((id == "6" || id == "7") && hash.size() == 88 && hash.ends_with("=="))
    return proven(decoded_base64(hash).size() == 64);
  if (!is_of_crypt(hash)) return {};
  if (id == "1" || id == "apr1" || id == "md5") return proven(hash.size() == 22);
  if (id.starts_with('2')) return proven(hash.size() == 53);
  if (id == "5") return proven(hash.size() == 43);
  if (id == "6") return proven(hash.size() == 86);
  if (id == "7" || id == "y" || id == "gy") return proven(hash.size() == 43);
  return proven(hash.size() >= 20);
}

// MIT's keytab, version 5.2: records of a length, a principal of components, and a key.
Proof keytab(const Suspect& suspect) {
  const View bytes = view_of(from_secret(suspect));
  std::size_t at = 2;
  const auto number = [&](std::size_t width) -> std::size_t {
    std::size_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | (at + i < bytes.size() ? bytes[at + i] : 0xffu);
    at += width;
    return value;
  };
  if (bytes.size() < 30 || bytes[0] != 5 || bytes[1] != 2) return {};
  const std::size_t record = number(4), end = at + record;
  if (record < 20 || record > 4096 || end > bytes.size()) return {};
  const std::size_t components = number(2);
  if (components == 0 || components > 8) return {};
  for (std::size_t i = 0; i <= components; ++i) {
    const std::size_t size = number(2);
    if (size == 0 || size > 255 || at + size > end) return {};
    for (std::size_t k = 0; k < size; ++k)
      if (bytes[at + k] < 0x20 || bytes[at + k] > 0x7e) return {};
    at += size;
  }
  number(4 + 4 + 1);
  const std::size_t method = number(2), key_size = number(2);
  static constexpr std::size_t sizes[] = {8, 16, 24, 32};
  if (method > 32 || at + key_size > end || std::find(std::begin(sizes), std::end(sizes), key_size) == std::end(sizes))
    return {};
  Proof proof = proven(true);
  proof.secrets = {text_of(bytes.first(end))};
  return proof;
}

}  // namespace imgbuild::proofs

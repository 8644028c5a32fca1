// Tokens that carry their own proof: a checksum, a header, an account number.
//
// Sources: GitHub, "Behind GitHub's new authentication token formats" (checksum); RFC 7515 and 7519 (JWT); RFC 4648
// (alphabets); the macaroon v2 binary format of libmacaroons, which pypi.org uses; AWS "Unique identifiers" (prefixes).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "scan/proofs.hpp"

namespace imgbuild::proofs {
namespace {

// CRC-32 of IEEE 802.3, bit by bit: tokens are short.
std::uint32_t crc32_of(std::string_view text) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0xedb88320u : 0u);
  }
  return ~crc;
}

std::string base62_of(std::uint32_t number, std::size_t width) {
  static constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string text(width, '0');
  for (std::size_t i = width; i-- > 0; number /= 62) text[i] = digits[number % 62];
  return text;
}

std::optional<nlohmann::json> json_object(const Bytes& bytes) {
  // A nesting that would exhaust the parser's stack is no token.
  if (bytes.empty() || bytes.front() != '{' ||
      std::count(bytes.begin(), bytes.end(), '[') + std::count(bytes.begin(), bytes.end(), '{') > 64)
    return std::nullopt;
  auto value = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

}  // namespace

// PREFIX_ then characters whose last six are the CRC-32 of those between, in base 62. A token whose checksum does not
// hold was never issued; that it stands there at all is still worth a look, and documentation has it rarely.
Proof crc32_base62(const Suspect& suspect) {
  const std::string_view token = suspect.secret.substr(suspect.secret.rfind('_') + 1);
  if (token.size() < 12) return {};
  const std::string_view body = token.substr(0, token.size() - 6);
  Proof proof = proven(true);
  if (base62_of(crc32_of(body), 6) != token.substr(body.size())) proof.severity = Severity::medium;
  return proof;
}

Proof jwt(const Suspect& suspect) {
  const std::string_view token = suspect.secret;
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return {};
  const auto header = json_object(decoded_base64(token.substr(0, first)));
  if (!header) return {};
  const auto algorithm = header->find("alg");
  // "none" is signed by nobody and opens nothing.
  if (algorithm == header->end() || !algorithm->is_string() || *algorithm == "none") return {};
  // Encrypted ones (five parts) have a key where the others have their payload.
  if (header->contains("enc")) return proven(true);
  const auto payload = json_object(decoded_base64(token.substr(first + 1, second - first - 1)));
  if (!payload) return {};
  // The tokens of jwt.io's front page and of PyJWT's, which documentation repeats.
  const auto name = payload->find("name");
  if (name != payload->end() && name->is_string() && *name == "John Doe") return {};
  if (payload->size() == 1 && payload->contains("some")) return {};
  return proven(second + 1 < token.size());
}

// AKIA and 16 characters of base32. Keys issued since 2019 have the first bit set and the account's number in
// the next 40; one with a number of more than 12 digits was never issued.
Proof aws_key_id(const Suspect& suspect) {
  if (suspect.secret.size() != 20) return {};
  std::uint64_t head = 0;  // the first 50 bits
  for (std::size_t i = 4; i < 20; ++i) {
    const char c = suspect.secret[i];
    const int value = is_upper(c) ? c - 'A' : (c >= '2' && c <= '7') ? c - '2' + 26 : -1;
    if (value < 0) return {};
    if (i < 14) head = head << 5 | static_cast<std::uint64_t>(value);
  }
  const Makeup makeup = makeup_of(suspect.secret.substr(4));
  if (makeup.distinct < 6) return {};
  const bool holds_account = head >> 49;
  const std::uint64_t account = head >> 9 & 0xffffffffffu;
  return proven(!holds_account || account <= 999'999'999'999u);
}

Proof azure_storage_key(const Suspect& suspect) {
  const Bytes key = decoded_base64(suspect.secret);
  // The storage emulator's key is documented, and the same for everybody.
  static constexpr std::string_view emulator =
      "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/";
  return proven(key.size() == 64 && !suspect.secret.starts_with(emulator));
}

// "pypi-" and a macaroon, version 2: its location is pypi.org or test.pypi.org.
Proof pypi_macaroon(const Suspect& suspect) {
  const std::string_view text = suspect.secret.substr(std::min<std::size_t>(5, suspect.secret.size()));
  // Cut to whole groups: what follows the token may look like more of it.
  const Bytes macaroon = decoded_base64(text.substr(0, text.size() / 4 * 4));
  if (macaroon.size() < 40 || macaroon[0] != 2 || macaroon[1] != 1) return {};
  const std::string_view place = text_of(macaroon).substr(3, macaroon[2]);
  return proven(place == "pypi.org" || place == "test.pypi.org");
}

Proof discord_token(const Suspect& suspect) {
  const Bytes id = decoded_base64(suspect.secret.substr(0, suspect.secret.find('.')));
  return proven(id.size() >= 17 &&
                std::all_of(id.begin(), id.end(), [](std::uint8_t c) { return is_digit(static_cast<char>(c)); }));
}

// A token of many bits has capitals, small letters and digits mixed; a path, a word or a hash has not.
Proof random_token(const Suspect& suspect) {
  const Makeup makeup = makeup_of(suspect.secret);
  if (makeup.digits == 0 || makeup.uppers == 0 || makeup.lowers == 0) return {};
  // The longest run of letters of one case: random text of 60 characters has one of ten once in a hundred times.
  std::size_t longest = 0, run = 0;
  for (std::size_t i = 0; i < suspect.secret.size(); ++i) {
    const char c = suspect.secret[i];
    const bool goes_on =
        i > 0 && ((is_lower(c) && is_lower(suspect.secret[i - 1])) || (is_upper(c) && is_upper(suspect.secret[i - 1])));
    run = goes_on ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  // Of forty characters none is there eight times; what packs numbers in base64 has as many zeros.
  std::size_t most = 0, counts[256] = {};
  for (const char c : suspect.secret) most = std::max(most, ++counts[static_cast<unsigned char>(c)]);
  return proven(longest <= 9 && (suspect.secret.size() < 40 || most * 5 <= suspect.secret.size()));
}

}  // namespace imgbuild::proofs

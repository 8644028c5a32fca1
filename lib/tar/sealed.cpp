// Files that are encrypted as a whole, by the magic numbers that their programs write. A message of OpenPGP has none:
// its first packets tell (RFC 9580, section 5.1, 5.3, 5.13, 5.14).
#include "tar/sealed.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/numbers.hpp"
#include "base/text.hpp"

namespace imgbuild {
namespace {

using namespace std::string_view_literals;

struct Packet {
  unsigned tag = 0;
  std::size_t body = 0;  ///< where it begins
  std::size_t end = 0;   ///< behind what there is of it, as far as that is said
};

/// Section 4.2: of either format; a length in parts is a last packet's.
std::optional<Packet> packet_at(View all, std::size_t at) {
  const View rest = rest_from(all, at);
  if (rest.size() < 6 || (rest[0] & 0x80) == 0) return std::nullopt;
  std::size_t head = 0;
  std::uint64_t size = 0;
  unsigned tag = rest[0] & 0x3f;
  if ((rest[0] & 0x40) != 0) {
    const std::uint8_t first = rest[1];
    if (first < 192) {
      head = 2;
      size = first;
    } else if (first < 224) {
      head = 3;
      size = (std::uint64_t{first} - 192) * 256 + rest[2] + 192;
    } else {
      head = first == 255 ? 6 : 2;
      size = first == 255 ? big_endian(rest, 2, 4) : std::uint64_t{1} << (first & 31);
    }
  } else {
    const unsigned width = rest[0] & 3;
    tag = rest[0] >> 2 & 15;
    head = width == 3 ? 1 : 1 + (std::size_t{1} << width);
    size = width == 3 ? UINT32_MAX : big_endian(rest, 1, head - 1);
  }
  return Packet{tag, at + head, at + head + static_cast<std::size_t>(std::min<std::uint64_t>(size, UINT32_MAX))};
}

/// Session keys, for somebody's key or a passphrase, and what is encrypted with them.
bool begins_encrypted_message(View head) {
  constexpr unsigned for_key = 1, for_passphrase = 3, sealed = 9, protected_ = 18, sealed_with_cipher = 20;
  constexpr std::size_t most_recipients = 64;
  std::size_t at = 0;
  for (std::size_t keys = 0; keys < most_recipients; ++keys) {
    const auto packet = packet_at(head, at);
    if (!packet || packet->body + 2 > head.size()) return false;
    const std::uint8_t version = head[packet->body], second = head[packet->body + 1];
    const std::size_t size = packet->end - packet->body;
    if (packet->tag == protected_ || packet->tag == sealed_with_cipher)
      return keys > 0 && (version == 1 || version == 2);
    if (packet->tag == sealed) return keys > 0;
    const bool known = (packet->tag == for_key && (version == 3 || version == 6) && size > 10) ||
                       (packet->tag == for_passphrase && version >= 4 && version <= 6 && second > 0 && second < 32);
    constexpr std::size_t longest = 4096;
    if (!known || size > longest) return false;
    at = packet->end;
  }
  return false;
}

bool begins_armored_message(std::string_view text) {
  if (!text.starts_with("-----BEGIN PGP MESSAGE-----")) return false;
  std::size_t at = text.find("\n\n");
  if (at == std::string_view::npos) at = text.find("\n\r\n");
  if (at == std::string_view::npos) return false;
  std::string letters;
  for (const char c : text.substr(at)) {
    if (c == '\n' || c == '\r') continue;
    if (c == '-' || c == '=') break;
    letters += c;
  }
  letters.resize(letters.size() / 4 * 4);
  const auto bytes = unbase64(letters);
  return bytes && begins_encrypted_message(*bytes);
}

/// [MS-OFFCRYPTO] 1.3.3: an old Office file whose stream of that name holds the new one.
bool holds_encrypted_package(std::string_view head) {
  constexpr auto name = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0\0\0"sv;
  return head.find(name) != std::string_view::npos;
}

}  // namespace

bool is_sealed(View head) {
  if (head.size() < 16) return false;
  const std::string_view text = text_of(head);
  switch (head[0]) {
    case 0x03:  // KeePass 1, 2 before its release, 2
      return text.starts_with("\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5"sv) ||
             text.starts_with("\x03\xd9\xa2\x9a\x66\xfb\x4b\xb5"sv) ||
             text.starts_with("\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"sv);
    case '-':
      return text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") || begins_armored_message(text);
    case 'A':
      return text.starts_with("AES\2\0"sv);
    case 'L':
      return text.starts_with("LUKS\xba\xbe\0"sv) && (head[7] == 1 || head[7] == 2);
    case 'R':
      return text.starts_with("RCLONE\0\0"sv);
    case 'S':
      return text.starts_with("Salted__");
    case 'U':  // the same in base64
      return text.starts_with("U2FsdGVkX1");
    case 'V':
      return text.starts_with("VimCrypt~0");
    case 'a':
      return text.starts_with("age-encryption.org/v1\n");
    case 'e':
      return text.starts_with("encrcdsa");
    case 0xd0:
      return text.starts_with("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv) && holds_encrypted_package(text);
    case 0xeb:
      return text.substr(3).starts_with("-FVE-FS-");
    default:
      return (head[0] & 0x80) != 0 && begins_encrypted_message(head);
  }
}

}  // namespace imgbuild

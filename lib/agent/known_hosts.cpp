// One line is [marker] names type base64 [comment]. Names are patterns between commas, of which one with `!` takes
// back what others grant, or a single "|1|salt|hash": HMAC-SHA-1 of the name, so that a stolen file tells no hosts.
#include "agent/known_hosts.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "crypto/ssh_wire.hpp"

namespace imgbuild {
namespace {

// The next word of a line, which is taken off it.
std::string_view word(std::string_view& line) {
  line = trim(line);
  const std::string_view found = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(found.size());
  return found;
}

struct Hashed {
  Bytes salt, hash;
};

Hashed parse_hashed(std::string_view names) {
  const auto parts = split(names, '|');  // "", "1", salt, hash
  if (parts.size() != 4 || parts[1] != "1") throw Error("a hashed name in an unknown form");
  auto salt = unbase64(parts[2]);
  auto hash = unbase64(parts[3]);
  if (!salt || !hash || salt->size() != 20 || hash->size() != 20) throw Error("a damaged hashed name");
  return {std::move(*salt), std::move(*hash)};
}

// Does the plain blob of `key` stand among `keys`?
bool among(const std::vector<SshKey>& keys, const SshKey& key) {
  return std::any_of(keys.begin(), keys.end(), [&](const SshKey& other) { return other.plain == key.plain; });
}

bool is_fingerprint(std::string_view text) {
  if (!text.starts_with("SHA256:")) return false;
  const auto hash = unbase64(text.substr(7));
  return hash && hash->size() == 32;
}

}  // namespace

std::string known_hosts_name(std::string_view host, int port) {
  const std::string name = lower(host);
  return port == 22 ? name : "[" + name + "]:" + std::to_string(port);
}

bool known_hosts_names_match(std::string_view names, std::string_view name) {
  if (names.starts_with('|')) {
    const Hashed hashed = parse_hashed(names);
    const auto made = hmac_sha1(hashed.salt, view_of(name));
    return std::equal(made.begin(), made.end(), hashed.hash.begin(), hashed.hash.end());
  }
  bool matches = false;
  for (const auto& pattern : split(lower(names), ',')) {
    const bool negated = pattern.starts_with('!');
    if (!wildcard_matches(std::string_view(pattern).substr(negated ? 1 : 0), name)) continue;
    if (negated) return false;
    matches = true;
  }
  return matches;
}

bool HostKeys::is_revoked(const SshKey& key) const {
  if (among(revoked, key)) return true;
  if (!key.certificate) return false;
  return std::any_of(revoked.begin(), revoked.end(),
                     [&](const SshKey& other) { return other.plain == key.certificate->authority; });
}

bool HostKeys::is_known(const SshKey& key) const {
  return among(keys, key) ||
         std::find(fingerprints.begin(), fingerprints.end(), key.fingerprint()) != fingerprints.end();
}

bool HostKeys::is_certified(const SshKey& key) const {
  return key.certificate && std::any_of(authorities.begin(), authorities.end(), [&](const SshKey& authority) {
           return authority.plain == key.certificate->authority;
         });
}

bool HostKeys::speak_of(const SshKey& shown) const {
  return is_revoked(shown) || is_known(shown) || is_certified(shown);
}

std::string HostKeys::fault(const SshKey& shown, std::string_view host, std::time_t now) const {
  if (is_revoked(shown)) return "host key " + shown.fingerprint() + " is revoked";
  if (is_known(shown)) return "";
  if (is_certified(shown)) return host_certificate_fault(shown, host, now);
  return "host key " + shown.fingerprint() + " is not known for " + std::string(host);
}

void KnownHosts::read_line(std::string_view line) {
  Line made;
  std::string_view rest = trim(line);
  if (rest.empty() || rest.starts_with('#')) return;
  std::string_view names = word(rest);
  if (names.starts_with('@')) {
    if (names != "@cert-authority" && names != "@revoked") throw Error("unknown marker " + printable(names));
    made.marker = names == "@revoked" ? Marker::revoked : Marker::authority;
    names = word(rest);
  }
  if (names.starts_with('|')) parse_hashed(names);
  const std::string_view type = word(rest);
  const std::string_view encoded = word(rest);
  if (names.empty() || type.empty() || encoded.empty()) throw Error("not a line of the form NAMES TYPE KEY");
  const auto blob = unbase64(encoded);
  if (!blob) throw Error("the key is not base64");
  if (WireReader(*blob).text() != type) throw Error("the key is not of the type that is written before it");
  if (!ssh_key_type_known(type)) return;  // nothing could be verified with it
  made.key = parse_ssh_key(*blob);
  if (made.key.certificate) throw Error("a certificate in place of a key");
  made.names = names;
  lines_.push_back(std::move(made));
}

void KnownHosts::read(std::string_view content, const std::string& name) {
  int number = 0;
  for (const auto& line : split(content, '\n')) {
    ++number;
    try {
      read_line(line);
    } catch (const Error& error) {
      warnings_.push_back(printable(name) + ":" + std::to_string(number) + ": skipped: " + error.what());
    }
  }
}

void KnownHosts::add_fingerprint(std::string_view name, std::string_view fingerprint) {
  while (fingerprint.ends_with('=')) fingerprint.remove_suffix(1);
  if (!is_fingerprint(fingerprint)) throw Error("not a fingerprint: " + printable(fingerprint));
  Line made;
  made.names = lower(name);
  made.fingerprint = fingerprint;
  lines_.push_back(std::move(made));
}

HostKeys KnownHosts::named(std::string_view name) const {
  HostKeys found;
  for (const auto& line : lines_) {
    if (!known_hosts_names_match(line.names, name)) continue;
    if (!line.fingerprint.empty()) {
      found.fingerprints.push_back(line.fingerprint);
      continue;
    }
    auto& into = line.marker == Marker::revoked     ? found.revoked
                 : line.marker == Marker::authority ? found.authorities
                                                    : found.keys;
    if (!among(into, line.key)) into.push_back(line.key);
  }
  return found;
}

HostKeys KnownHosts::find(std::string_view host, int port) const {
  HostKeys found = named(known_hosts_name(host, port));
  if (port != 22) {
    HostKeys plain = named(known_hosts_name(host, 22));
    found.revoked.insert(found.revoked.end(), plain.revoked.begin(), plain.revoked.end());
    if (found.empty()) {
      plain.revoked = std::move(found.revoked);
      found = std::move(plain);
    }
  }
  const auto drop = [&](std::vector<SshKey>& keys) {
    std::erase_if(keys, [&](const SshKey& key) { return found.is_revoked(key); });
  };
  drop(found.keys);
  drop(found.authorities);
  std::erase_if(found.fingerprints, [&](const std::string& fingerprint) {
    const auto has_it = [&](const SshKey& key) { return key.fingerprint() == fingerprint; };
    // One whose whole key is known too needs no second way to be recognised.
    return std::any_of(found.keys.begin(), found.keys.end(), has_it) ||
           std::any_of(found.revoked.begin(), found.revoked.end(), has_it);
  });
  return found;
}

}  // namespace imgbuild

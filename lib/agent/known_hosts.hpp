#pragma once
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ssh_key.hpp"

namespace imgbuild {

/// What is known of one host.
class HostKeys {
 public:
  std::vector<SshKey> keys;               ///< that it may show; none of them revoked
  std::vector<SshKey> authorities;        ///< whose host certificates it may show; none of them revoked
  std::vector<SshKey> revoked;            ///< that it must not show, nor be certified by
  std::vector<std::string> fingerprints;  ///< "SHA256:...": keys that only this is known of

  bool empty() const { return keys.empty() && authorities.empty() && fingerprints.empty(); }
  bool is_revoked(const SshKey& key) const;
  /// Is anything said of this key or certificate, for it or against it?
  bool speak_of(const SshKey& shown) const;
  /// Why it, shown by the host of that name at that time, is not to be trusted; empty where it is. As ssh does, a
  /// certificate of an unknown authority counts as the key that it certifies.
  std::string fault(const SshKey& shown, std::string_view host, std::time_t now) const;

 private:
  bool is_known(const SshKey& key) const;
  bool is_certified(const SshKey& key) const;
};

/// The hosts of known_hosts files, in the format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". A line that is malformed is
/// skipped and told in warnings(); a key of a type that is not known here is skipped in silence.
class KnownHosts {
 public:
  /// Adds a file's lines. `name`: for warnings ("NAME:LINE: what").
  void read(std::string_view content, const std::string& name);
  /// Adds one line; throws Error where it is malformed. An empty line or a comment adds nothing.
  void read_line(std::string_view line);
  /// Adds "NAME SHA256:...": a host (see known_hosts_name) of which a key's fingerprint is known. Throws Error.
  void add_fingerprint(std::string_view name, std::string_view fingerprint);

  /// What is known of the host, by its name with the port, else, as ssh does, by the name alone.
  HostKeys find(std::string_view host, int port) const;
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  enum class Marker { none, authority, revoked };
  struct Line {
    Marker marker = Marker::none;
    std::string names;
    SshKey key;
    std::string fingerprint;  // in place of the key
  };
  HostKeys named(std::string_view name) const;

  std::vector<Line> lines_;
  std::vector<std::string> warnings_;
};

/// A host as known_hosts spells it: "github.com", "[10.0.0.1]:2222".
std::string known_hosts_name(std::string_view host, int port);

/// Does the field of names (a comma list of patterns, or one hashed name) mean this one, as known_hosts_name spells it?
bool known_hosts_names_match(std::string_view names, std::string_view name);

}  // namespace imgbuild

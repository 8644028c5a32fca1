#pragma once
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

/// The words of the project as types: what was found, where, and what follows from it. No type here has a field that
/// could hold a byte of a secret. All are values; none is touched by two threads at once.
namespace imgbuild {

enum class Severity { low, medium, high, critical };
const char* name_of(Severity severity);
std::optional<Severity> severity_of(std::string_view name);

/// Which secret a finding is of, without the secret: the public fingerprint of a key ("SHA256:..."), else an HMAC of
/// the value under a key of this process. Equal identities are the same secret.
struct Identity {
  std::string text;
  auto operator<=>(const Identity&) const = default;
};

/// What a parsed private key tells.
struct KeyFacts {
  std::string type;  ///< "rsa", "ed25519", "ecdsa", "dsa", ...; OpenSSH's words without "ssh-"
  int bits = 0;
  bool encrypted = false;
  std::string fingerprint;           ///< "SHA256:..." of the SSH public key blob; empty where the file hides it
  std::vector<std::string> matches;  ///< "agent: SHA256:...", "image: home/app/.ssh/authorized_keys:1"
  bool untried = false;              ///< encrypted, and whether everybody's passphrases open it was not tried
};

/// Where in an image. Paths are the image's own bytes (make them printable before printing), without a leading '/'.
struct Location {
  enum class Kind { file, name, link, xattr, pax, tail, git, config, env, label, history, annotation, attestation };
  enum class State { present, deleted, overwritten };
  Kind kind = Kind::file;
  int layer = -1;                    ///< 0 is the oldest; -1: not in a layer (config, history of an empty layer...)
  std::string path;                  ///< of the entry; for config: "Env.NAME", "Labels.NAME", "history[3].created_by"
  std::uint32_t line = 0;            ///< 1-based, in the innermost thing that has lines; 0: none
  std::vector<std::string> inside;   ///< containers from the outside in: {"app.jar", "META-INF/k.pem"}
  std::vector<std::string> decoded;  ///< encodings from the outside in: {"base64"}
  std::string sha256;  ///< "sha256:..." of the member (unpacked), else of the file; empty: too large to be held whole
  State state = State::present;  ///< what the final file system has of it
  int by_layer = -1;             ///< the layer that deleted or overwrote it
  std::string created_by;        ///< the instruction that brought the layer (or this config entry) in
};
const char* name_of(Location::Kind kind);
const char* name_of(Location::State state);
/// "layer 2: root/.ssh/id_rsa:1", "config: Env.TOKEN"; printable.
std::string place_of(const Location& location);
/// What an allow-entry's `at` is matched with: "2:srv/test/key.pem!inner", "config:Env.NAME".
std::string allow_place_of(const Location& location);

/// One secret and everywhere it was found.
struct Finding {
  std::string rule;  ///< "ssh.private-key"
  std::string says;
  Severity severity = Severity::high;
  std::string secret;  ///< a label within one report, "S1"; the same secret has the same label
  Identity identity;
  std::vector<Location> locations;
  std::optional<KeyFacts> key;
  std::string packaged;  ///< "dpkg: acme 1.0-1"; empty: no package record names the file
  std::string fix;       ///< what to change, one sentence
  std::string rotate;    ///< where to revoke it, a URL
  std::string allow;     ///< the allow-entry to paste, TOML
  std::string why;       ///< published, allowed: why it is not a leak
};

/// Something that was not looked at, and why.
struct NotScanned {
  int layer = -1;
  std::string path;  ///< with containers: "srv/a.tar!b.zip"
  std::string why;   ///< "encrypted", "truncated archive", "deeper than 8"
  std::uint64_t bytes = 0;
  std::string sha256;     ///< "sha256:..." of the file, where known: an allow-entry answers for it by that
  std::string allowed;    ///< the reason of the allow-entry that answers for it
  std::string published;  ///< where everybody can have it from
  /// A part of the image that is missing, cut or not what names it, as far as it was read looked at all the same:
  /// nobody can answer for that.
  bool damaged = false;
  /// Answered for by nobody: it makes the audit incomplete.
  bool open() const { return damaged || (allowed.empty() && published.empty()); }
};

struct Coverage {
  std::uint64_t layers = 0, layers_cached = 0;
  std::uint64_t entries = 0;   ///< every member of every layer's tar
  std::uint64_t bytes = 0;     ///< of uncompressed layer tars
  std::uint64_t archives = 0;  ///< containers opened inside files
  std::uint64_t git_objects = 0;
  std::vector<int> vault_not_looked_for;
  std::vector<NotScanned> not_scanned;
  std::vector<std::string> other_platforms;  ///< of the same index, that nobody chose: this verdict is not theirs
};

struct LayerFacts {
  int index = 0;
  std::string diff_id;  ///< "sha256:...", of the bytes that were read
  std::string created_by;
  std::uint64_t bytes = 0;   ///< of the uncompressed tar
  std::uint64_t hidden = 0;  ///< of its files that a later layer deletes or overwrites: shipped, and seen by nobody
  std::vector<std::pair<std::string, std::uint64_t>> largest;  ///< its largest files, path and bytes
};

enum class Verdict { clean, incomplete, leak };
const char* name_of(Verdict verdict);

/// What an audit of one image found.
struct ImageRecord {
  std::string id;        ///< digest of the config's bytes, "sha256:..."; of an artifact of its manifest's; else empty
  std::string source;    ///< the target as it was named: "archive:app.tar"
  std::string platform;  ///< "linux/amd64"
  std::vector<LayerFacts> layers;
  std::string base;             ///< what the image was made from, by name; empty: not known
  std::size_t base_layers = 0;  ///< how many of the oldest layers are that image's
  std::vector<Finding> leaks, notes, published, allowed;
  std::vector<Finding> known;  ///< leaks that the baseline has too: told, but they hinder no more
  Coverage coverage;

  /// leak beats incomplete beats clean. Something not scanned that is open() is incomplete; so is a damaged image,
  /// whatever was found in the rest of it: that is not the image that anybody would run.
  Verdict verdict() const;
  /// What is damaged, a line each ("layer 1: truncated archive"); not printable yet.
  std::vector<std::string> damages() const;
};

/// Permission to give one image a name. Made by nobody but a clean, complete Audit of that image.
class Cleared {
 public:
  const std::string& id() const { return id_; }          ///< the config's digest
  const std::string& handle() const { return handle_; }  ///< the engine's own name for it

 private:
  friend class Audit;
  Cleared(std::string id, std::string handle) : id_(std::move(id)), handle_(std::move(handle)) {}
  std::string id_, handle_;
};

/// The finished audit of one image. Only the audit room makes one, through AuditDesk.
class Audit {
 public:
  const ImageRecord& record() const { return record_; }
  Verdict verdict() const { return record_.verdict(); }
  /// The permission, where the verdict is clean; nullopt otherwise. `handle`: the engine's name for record().id.
  std::optional<Cleared> clear(std::string handle) const;

 private:
  friend class AuditDesk;
  explicit Audit(ImageRecord record) : record_(std::move(record)) {}
  ImageRecord record_;
};

/// A file, or lines of one, that the stager left out or refused.
struct Withheld {
  enum class Action { file, line, refuse };
  Action action = Action::file;
  std::string path;  ///< in the context
  std::uint32_t line = 0;
  std::string rule;
  std::string says;
  std::string allow;  ///< refuse: the entry that would let it through
};
const char* name_of(Withheld::Action action);

/// One signature that the gateway was asked for.
struct Signature {
  std::time_t time = 0;
  std::string key;   ///< "SHA256:..."
  std::string host;  ///< the granted name whose host key signed; empty where none was bound
  std::string user;
  bool granted = false;
  std::string why;  ///< of a refusal
};

/// An answer that somebody gave for a finding, or for something that cannot be scanned.
struct AllowEntry {
  std::string rule;          ///< exact; empty in an entry for something not scanned
  std::string at;            ///< glob over allow_place_of(); "*:" stands for any layer
  std::string identity;      ///< "SHA256:..." of a key, else "scrypt:SALT:HASH"
  std::string path, sha256;  ///< the entry for something that cannot be scanned
  std::string reason;        ///< never empty
  std::string expires;       ///< "YYYY-MM-DD"; empty: never. The day itself still counts
  std::string from;          ///< the file that it stands in
};

/// What decides whether a finding hinders.
struct Policy {
  Severity fail_on = Severity::medium;  ///< below it a finding is a note
  std::vector<AllowEntry> allow;
  std::time_t now = 0;  ///< against which `expires` is held
};

}  // namespace imgbuild

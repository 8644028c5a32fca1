#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// Where a value of the vault is from.
enum class Origin { handed_out, withheld, found };

/// The secret values that this run knows. Any thread. Values lie in locked memory and leave it only as matches.
class Vault {
 public:
  Vault();
  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  /// Registers a value: whole, trimmed, and by line. Weak parts (is_weak) are not looked for, nor lines that any file
  /// of the kind has ("-----BEGIN ...", "[default]", "registry=https://..."). `name` is what reports call it ("secret
  /// npm", "$TOKEN"), never the value. The same value twice is one.
  void add(std::string_view value, const std::string& name, Origin origin);

  /// The identity of a value: HMAC-SHA-256 under a key that lives and dies with the process. Static, any thread.
  static Identity identify(std::string_view value);

  /// The value that has this identity, as it was registered, weak or not; empty where none has. To hold an allow-entry
  /// against a finding. Valid as long as the vault.
  std::string_view value_of(const Identity& identity) const;

  struct Part {
    std::string_view value;  ///< valid as long as the vault
    std::string name;
    Origin origin;
    Identity identity;  ///< of the whole value that this is a part of
  };
  /// All parts registered so far. Grows only; `version()` says whether it did.
  std::vector<Part> parts() const;
  std::size_t version() const;
  /// A matcher for all that is registered, of every origin; made again only where the vault has grown.
  std::shared_ptr<const class ValueMatcher> matcher() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// Looks for the vault's values in all the forms they leak in: verbatim, base64 (three alignments, both alphabets),
/// hex (both cases), percent, JSON and shell escapes. Compiled from a vault as it stands; const, any thread.
class ValueMatcher {
 public:
  /// Which origins to look for: the auditor looks for handed_out and withheld, the redactor for all.
  ValueMatcher(const Vault& vault, std::vector<Origin> origins);
  ~ValueMatcher();
  struct Match {
    std::size_t begin, end;  ///< bytes of the text
    std::string name;
    std::string form;  ///< "", "base64", "hex", "percent", "json", "shell"
    Identity identity;
  };
  bool empty() const;
  std::size_t longest() const;  ///< bytes of the longest form
  /// Every match, by position; overlapping ones all.
  std::vector<Match> find(View text) const;
  /// How many bytes at the end of `text` could be the beginning of a form that goes on behind it: the most.
  std::size_t held_back(std::string_view text) const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// Is this value too short or too common to be looked for (under 8 bytes, a word of the short list)?
bool is_weak(std::string_view value);

/// Could a secret stand in this line of a configuration file, and not only what any such file says ("[default]",
/// "registry=https://...")?
bool may_hold_secret(std::string_view line);

}  // namespace imgbuild

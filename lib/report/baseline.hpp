#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "report/redaction.hpp"
#include "scan/vault.hpp"
#include "verdict/verdict.hpp"

/// The leaks that a team knows of already, in a file to commit: only new ones count. It binds what an allow-entry
/// binds, a rule, a place (without its layer's number) and an identity, and hides nothing: a known leak is told as
/// known, and what was not looked at is still incomplete.
namespace imgbuild {

/// The slow hashes of this run's secrets under one salt, each made once.
class SaltedHashes {
 public:
  /// `salt`: 16 bytes. The vault must outlive it.
  SaltedHashes(Bytes salt, const Vault& vault) : salt_(std::move(salt)), vault_(vault) {}

  /// "SHA256:..." of a key, else "scrypt:HASH"; empty where the run does not know the value.
  std::string identity_of(const Finding& finding, const Location& place);
  /// Makes the hashes of all these findings, on all processors (40 ms each).
  void prepare(const std::vector<const Finding*>& findings);
  const Bytes& salt() const { return salt_; }

 private:
  std::string_view value_of(const Finding& finding, const Location& place) const;

  const Bytes salt_;
  const Vault& vault_;
  std::map<Identity, std::string> known_;
};

class Baseline {
 public:
  /// Throws Error "NAME: damaged baseline: what" on anything that is not one, whole.
  static Baseline read(std::string_view json, const std::string& name);

  /// Moves the leaks that the baseline has from `leaks` to `known`, place by place: a known secret in a new place is
  /// new there. `redaction` is this run's.
  void apply(ImageRecord& image, const Vault& vault, const Redaction& redaction) const;

 private:
  Bytes salt_;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> leaks_;  ///< rule and place: identities
};

/// A baseline of all leaks and known leaks of the images, with a salt of its own. `left_out`: how many places are not
/// in it, since the run does not know their value.
std::string write_baseline(const std::vector<ImageRecord>& images, const Vault& vault, const Redaction& redaction,
                           std::size_t& left_out);

}  // namespace imgbuild

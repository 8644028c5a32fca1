#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

namespace imgbuild {

/// Takes the bytes of every known secret out of what is about to be told. Made when the last byte was read, so that
/// every value that was found has joined the vault. Whatever comes from an image, a tree, a builder or an error goes
/// through it; words of our own (rule ids, digests, fingerprints, verdicts) do not, so that a careless value cannot
/// break the form of a report. One thread at a time.
class Redaction {
 public:
  Redaction(const Scanner& scanner, const Vault& vault) : scanner_(scanner), vault_(vault) {}

  std::string operator()(std::string_view text) const;
  std::vector<std::string> operator()(std::vector<std::string> texts) const;
  /// Copies without a byte of a secret. They are not printable yet.
  ImageRecord operator()(ImageRecord record) const;
  Finding operator()(Finding finding) const;
  Withheld operator()(Withheld withheld) const;
  Signature operator()(Signature signature) const;

 private:
  std::string allow_entry(std::string_view toml) const;

  const Scanner& scanner_;
  const Vault& vault_;
  mutable std::unordered_map<std::string, std::string> known_;  // a layer's instruction comes back with each location
};

}  // namespace imgbuild

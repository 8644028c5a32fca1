#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/verdict.hpp"

namespace imgbuild {

/// What a proof has before it: the secret (group 1) and the text around it.
struct Suspect {
  std::string_view secret;
  std::string_view match;                          ///< the whole match
  std::string_view around;                         ///< up to 64 KiB to each side, the match within
  std::string_view path;                           ///< of the file, where there is one
  const std::vector<std::string>* near = nullptr;  ///< the rule's words
};

/// What a proof says. Not proven: the finding is dropped.
struct Proof {
  bool proven = false;
  std::optional<KeyFacts> key;            ///< of a private key
  std::optional<Severity> severity;       ///< where the proof knows better than the rule (an encrypted key)
  std::vector<std::string_view> secrets;  ///< the parts of the suspect that are the secret, where it is not group 1
};

/// The checks in code that a rule can name in `proof`: a closed set.
bool is_proof(std::string_view name);
std::vector<std::string_view> proof_names();
/// Does the proof look for the secret behind group 1? Then group 1 is judged by nothing else.
bool takes_its_own_secret(std::string_view name);
/// Is what it proves beyond doubt, wherever it stands?
bool proves_itself(std::string_view name);
/// Any thread. Never throws on hostile input.
Proof prove(std::string_view name, const Suspect& suspect);

/// What stands where a secret would and is none: ${VAR}, <token>, xxxx, changeme, ...EXAMPLE, all one character,
/// ascending runs. Known once, for all rules.
bool is_placeholder(std::string_view secret);

/// Shannon entropy, bits per character.
double entropy_of(std::string_view text);

}  // namespace imgbuild

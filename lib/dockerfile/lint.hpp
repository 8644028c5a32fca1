#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dockerfile/dockerfile.hpp"
#include "scan/scanner.hpp"

namespace imgbuild {

/// A line of a Dockerfile that leaks, or tends to, and the better form. `says` may hold words of the Dockerfile: redact
/// and make it printable before it is shown.
struct Advice {
  std::uint32_t line = 0;
  std::string rule;    ///< "dockerfile.copied-key"
  std::string says;    ///< what is wrong, one clause
  std::string better;  ///< what to write instead, one clause
};

/// What the lint goes by, beside the Dockerfile.
struct LintFacts {
  const Scanner* scanner = nullptr;  ///< what files of credentials are called; never null
  bool has_ignore = false;           ///< the context has a .dockerignore
  bool lends_agent = false;          ///< --ssh was given
  std::set<std::string> secrets;     ///< ids that will be handed out
};

/// Looks at every instruction of every stage; sorted by line.
std::vector<Advice> lint(const Dockerfile& file, const LintFacts& facts);

/// Is this what a file of credentials is called? ("id_rsa", ".npmrc", "deploy.pem", ".ssh")
bool is_credential_path(std::string_view path, const Scanner& scanner);

}  // namespace imgbuild

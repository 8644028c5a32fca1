#pragma once
#include <string>
#include <vector>

#include "build/build.hpp"
#include "dockerfile/dockerfile.hpp"

namespace imgbuild {

/// What can be found wrong with a build by Dockerfile before an engine is asked for anything. All that it is given must
/// outlive it.
class DockerfileCheck {
 public:
  DockerfileCheck(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault, const BuildTalk& talk);

  const Dockerfile& file() const { return file_; }
  /// Throws usage Error where there is no FROM, or no stage of the name that was asked for.
  void check_target() const;
  /// Stages the context, the Dockerfile with it, and tells of the lines that tend to leak. False: a credential in
  /// either, in a build argument or a label, or a COPY of what was withheld; the outcome has it. Throws as
  /// know_secrets() and stage() do.
  bool stage(Outcome& outcome, Context& context);

 private:
  std::string safe(const std::string& text) const;
  void advise() const;
  std::vector<Withheld> refusals(const std::vector<Withheld>& withheld);

  const Plan& plan_;
  const DockerfilePlan& asked_;
  const std::shared_ptr<const Scanner>& scanner_;
  Vault& vault_;
  const BuildTalk& talk_;
  const Dockerfile file_;
};

}  // namespace imgbuild

#pragma once
#include <memory>
#include <string>
#include <vector>

#include "build/build.hpp"
#include "relay/session.hpp"

namespace imgbuild {

/// What a rule (or the vault) knows in the script, its command line or an --env entry: reasons to create nothing.
std::vector<Withheld> refusals_of_script(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault);

/// The same of texts, each with the name that a report calls it.
std::vector<Withheld> refusals_in(const std::vector<std::pair<std::string, std::string>>& texts, const Policy& policy,
                                  const std::shared_ptr<const Scanner>& scanner, Vault& vault);

/// Runs the plan's script in the builder; its output goes, redacted, to `talk`. `gateway` may be null. When it returns
/// nothing else runs in the builder.
RelayResult run_script(const Plan& plan, const ImageConfig& base, const Context& context, Gateway* gateway,
                       Engine& engine, const std::string& builder, const std::shared_ptr<const Scanner>& scanner,
                       Vault& vault, const BuildTalk& talk);

}  // namespace imgbuild

#pragma once
#include <string>
#include <vector>

#include "build/build.hpp"
#include "build/traces.hpp"

/// What a build by script and a build by Dockerfile have in common: how each begins, and how each ends.
namespace imgbuild {

/// Every secret is known before anything else is done, so that nothing that follows can print or ship it unseen.
/// Throws usage Error for one that could not be looked for.
/// Of a configuration file that is lent what a rule knows in it, and lines that look like secrets, are such too.
void know_secrets(const Plan& plan, const std::shared_ptr<const Scanner>& scanner, Vault& vault, Outcome& outcome);

/// A step is told. Throws Interrupted where the build is to end.
void say(const BuildTalk& talk, const std::string& line);

/// What was staged joins the outcome, and what else is a reason not to begin. False: there is one.
bool take_staged(Outcome& outcome, const Context& context, std::vector<Withheld> refusals, const BuildTalk& talk);

/// Every grant of the plan is good, and can be used; null where it grants nothing.
std::unique_ptr<Gateway> lend(const Plan& plan, const BuildTalk& talk);

/// How many of an image's oldest layers are those of which other one: for its report.
struct BaseLayers {
  std::string name;
  std::size_t count = 0;
};

/// The audit of exactly the image that we wrote: its config's bytes and its layers' are those that were looked at.
/// Of the `from_cache` oldest those that were audited before need not be read: the engine's own store answers for
/// their diff ids. What the build made always is. Throws Error "audit: why".
Audit audit_of(const std::string& handle, const std::string& config, const BaseLayers& base, std::size_t from_cache,
               const Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
               std::vector<std::string> agent_keys);

/// Gives the audited image its names, given its permission; false, and nothing is named, where there is none.
bool name_cleared(Outcome& outcome, const std::string& handle, const Plan& plan, Engine& engine);

/// The audited image gets its names, given its permission, or, where the plan has none, stays with `traces` in the
/// outcome; else it goes with `traces`, or is kept without a name.
void name_or_refuse(Outcome& outcome, const std::string& handle, const Plan& plan, Engine& engine,
                    const std::shared_ptr<Traces>& traces);

}  // namespace imgbuild

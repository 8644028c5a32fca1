#include "base/text.hpp"
#include "build/build.hpp"

namespace imgbuild {

static void describe_end(const Plan& plan, std::vector<std::string>& steps) {
  steps.push_back("audit every byte of every layer, the config and the history");
  std::string naming = plan.tags.empty() ? "take it for what follows, without a name, and remove it then"
                                         : "name it " + printable(join(plan.tags, ", "));
  naming += ", only if the audit is clean and complete; else ";
  steps.push_back(naming + (plan.keep ? "keep it without a name" : "remove it"));
}

std::vector<std::string> describe(const Plan& plan) {
  std::vector<std::string> steps;
  const auto named = [](const std::vector<std::string>& words) { return printable(join(words, ", ")); };
  std::string staging = "stage " + printable(plan.context);
  if (!plan.ref.empty()) staging += " at " + printable(plan.ref);
  if (!plan.include.empty()) staging += ", also " + named(plan.include);
  if (plan.with_git) staging += ", with a .git of our own making";
  steps.push_back(staging + (plan.dockerfile
                                 ? ": refused here when a credential is in it, in the Dockerfile or in --build-arg"
                                 : ": refused here when a credential is in it, in the script or in --env"));

  if (!plan.ssh.hosts.empty()) {
    std::string lending = "lend the ssh agent for " + named(plan.ssh.hosts);
    if (!plan.ssh.keys.empty()) lending += ", keys " + named(plan.ssh.keys);
    if (!plan.ssh.key_files.empty()) lending += ", key files " + named(plan.ssh.key_files);
    steps.push_back(lending);
  }

  for (const GitToken& token : plan.git_tokens)
    steps.push_back("lend git the secret " + printable(token.secret) + " for https://" + printable(token.host) +
                    " as " + printable(token.user));
  std::vector<std::string> ids;
  for (const HandedSecret& secret : plan.secrets) ids.push_back(secret.id);
  if (plan.dockerfile) {
    std::string building = "have the engine build " + printable(plan.dockerfile->shown);
    if (!plan.dockerfile->target.empty()) building += " up to " + printable(plan.dockerfile->target);
    if (!plan.platform.empty()) building += " for " + printable(plan.platform);
    if (!plan.network.empty()) building += " on the network " + printable(plan.network);
    if (!ids.empty()) building += " with the secrets " + named(ids);
    steps.push_back(building + ", without a name");
    steps.push_back("close the agent and the session, and take our label out of the image's config");
    describe_end(plan, steps);
    return steps;
  }

  std::string creating = "create a builder from " + printable(plan.from);
  creating += plan.pull == Pull::always  ? " (pulled always)"
              : plan.pull == Pull::never ? ""
                                         : " (pulled where missing)";
  if (!plan.platform.empty()) creating += " for " + printable(plan.platform);
  if (!plan.network.empty()) creating += " on the network " + printable(plan.network);
  if (!plan.caches.empty()) creating += " with the caches " + named(plan.caches);
  steps.push_back(creating);

  std::string running =
      "run " + (plan.command.empty() ? printable(plan.script_name) : printable(join(plan.command, " ")));
  running += " as " + (plan.user.empty() ? std::string("the base's user") : printable(plan.user));
  if (!plan.workdir.empty()) running += " in " + printable(plan.workdir);
  if (!ids.empty()) running += " with the secrets " + named(ids);
  std::vector<std::string> places;
  for (const HandedFile& file : plan.config_files) places.push_back(file.place);
  if (!places.empty()) running += " with " + named(places) + " lent";
  if (plan.timeout > 0) running += " for " + std::to_string(static_cast<long>(plan.timeout)) + " s at most";
  steps.push_back(running);
  if (plan.onto.empty()) {
    steps.push_back("close the agent, end what still runs, commit, and write the image's config anew");
  } else {
    std::vector<std::string> said;
    for (const Artifact& artifact : plan.artifacts) said.push_back(artifact.said);
    steps.push_back("close the agent, end what still runs, and put " + named(said) + " onto " + printable(plan.onto));
  }
  describe_end(plan, steps);
  return steps;
}

}  // namespace imgbuild

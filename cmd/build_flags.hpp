#pragma once
#include <string>
#include <vector>

#include "build/build.hpp"
#include "builder_flags.hpp"
#include "lean_flags.hpp"
#include "log_flags.hpp"
#include "output_flags.hpp"
#include "session.hpp"
#include "ssh_flags.hpp"

namespace imgbuild {

/// The flags of `build`, as they were written.
struct BuildFlags {
  std::string path = ".", from, run, ref, user, workdir, network, platform, timeout, fail_on, cmd, entrypoint;
  std::string image_user, image_workdir, iidfile, engine, file, target, progress, build;
  std::vector<std::string> tags, secrets, weak_secrets, env, labels, expose, image_env, include, ignore_volumes, rules,
      reports, build_args, cache_from, cache_to;
  bool pull = false, keep = false, dry_run = false, with_git = false, no_repo_allow = false, no_cache = false,
       engine_helper = false, purge = false;
  SshFlags ssh;
  BuilderFlags builder;
  LeanFlags lean;
  LogFlags log;
  OutputFlags output;

  void offer(CLI::App& app);
  /// What they do not say of the run itself and of its reports, files and the environment may.
  void settle(const Settings& settings);
};

/// Flags, environment and files settled into a plan; everything that can be wrong about them is found here, before
/// anything is created. Secrets are read, and what a variable held is removed from our environment; their values join
/// the vault. `outputs`: those of flags.output. Throws usage Error.
Plan plan_from(const BuildFlags& flags, const Settings& settings, const std::vector<Output>& outputs, Session& session);

/// Is it to be a build by Dockerfile? With -f; or where nothing of a script is said and PATH holds a Dockerfile.
bool wants_dockerfile(const BuildFlags& flags, const Settings& settings, const Session& session);
/// The part of the plan that is for a Dockerfile; throws usage Error also on flags that are for a script.
DockerfilePlan dockerfile_plan(const BuildFlags& flags, const Settings& settings, const Session& session);
/// Throws usage Error on flags that are for a Dockerfile.
void check_script_flags(const BuildFlags& flags);
/// The file that a setting names. A context's own must lie in the context, links resolved: it is a stranger's word.
/// Throws usage Error.
std::string file_of(const Setting& setting, const std::string& key, const std::string& context);

}  // namespace imgbuild

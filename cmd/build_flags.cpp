#include "build_flags.hpp"

namespace imgbuild {

void BuildFlags::offer(CLI::App& app) {
  app.add_option("PATH", path, "the context: a work tree (default: .)");
  app.add_option("--from", from, "the base image");
  app.add_option("--run", run, "the script that builds, run in the unpacked context; - is standard input");
  add_several(app, "-t,--tag", tags, "name the image, once it is proved clean");
  ssh.offer(app);
  add_several(app, "--secret", secrets, "id=ID,src=FILE or id=ID,env=VARIABLE: the script reads $BUILD_SECRETS/ID");
  add_several(app, "--weak-secret", weak_secrets, "take secret ID though it is too short or common to be looked for");
  add_several(app, "--env", env, "K=V, for the script only");
  app.add_option("--user", user, "run the script as this user (default: the base's)");
  app.add_option("--workdir", workdir, "run the script there (default: the context)");
  app.add_option("--network", network, "of the builder: host, none or a network's name");
  app.add_option("--platform", platform, "for instance linux/arm64");
  app.add_flag("--pull", pull, "pull the base even where the engine has it");
  app.add_option("--timeout", timeout, "of the script: 90s, 10m, 1h");
  app.add_option("--ref", ref, "build a commit, branch or tag instead of the work tree");
  add_several(app, "--include", include, "stage what matches GLOB although it is ignored (never over a scrub)");
  app.add_flag("--with-git", with_git, "stage a .git without its config's secrets, hooks and reflogs");
  add_several(app, "--ignore-volume", ignore_volumes, "what the script writes under this VOLUME need not ship");
  app.add_option("--cmd", cmd, "of the image: a JSON array, or a line for the shell");
  app.add_option("--entrypoint", entrypoint, "of the image, written as --cmd is");
  add_several(app, "--label", labels, "K=V, of the image");
  add_several(app, "--expose", expose, "PORT[/tcp|udp|sctp], of the image");
  add_several(app, "--image-env", image_env, "K=V, of the image");
  app.add_option("--image-user", image_user, "USER of the image");
  app.add_option("--image-workdir", image_workdir, "WORKDIR of the image");
  app.add_option("--fail-on", fail_on, "least severity that is a leak: low, medium (default), high, critical");
  app.add_flag("--keep", keep, "keep an image that is refused, untagged");
  app.add_flag("--dry-run", dry_run, "say each step, and do none");
  app.add_option("--iidfile", iidfile, "write the image's id to FILE");
  app.add_option("--report", report, "write the report to FILE, as JSON");
  app.add_option("--engine", engine, "unix://PATH or tcp://HOST:PORT (else DOCKER_HOST, the docker context...)");
  add_several(app, "--rules", rules, "more rules, from FILE");
  app.add_flag("--no-repo-allow", no_repo_allow, "ignore the allow-entries of the context's imgbuild.toml");
}

}  // namespace imgbuild

#include "build_flags.hpp"

namespace imgbuild {

void BuildFlags::offer(CLI::App& app) {
  app.add_option("PATH", path, "the context: a work tree (default: .)");
  add_value(app, "--build", build, "NAME", "of the builds in imgbuild.toml this one: [build.NAME]");
  add_value(app, "--from", from, "IMAGE", "the base image");
  add_value(app, "--run", run, "SCRIPT", "the script that builds, run in the unpacked context; - is standard input");
  add_value(app, "-f,--file", file, "FILE",
            "build this Dockerfile (default: PATH/Dockerfile, where there is no script); - is standard input");
  add_several(app, "-t,--tag", tags, "NAME", "name the image, once it is proved clean");
  output.offer(app);
  lean.offer(app);
  ssh.offer(app);
  add_several(app, "--secret", secrets, "id=ID,...",
              "id=ID,src=FILE or id=ID,env=VARIABLE: the script reads $BUILD_SECRETS/ID");
  add_several(app, "--weak-secret", weak_secrets, "ID",
              "take secret ID though it is too short or common to be looked for");
  builder.offer(app);
  add_several(app, "--env", env, "K=V", "K=V, for the script only");
  add_value(app, "--user", user, "USER", "run the script as this user (default: the base's)");
  add_value(app, "--workdir", workdir, "DIR", "run the script there (default: the context)");
  add_value(app, "--network", network, "NET", "of the builder: host, none or a network's name");
  add_value(app, "--platform", platform, "OS/ARCH", "for instance linux/arm64");
  app.add_flag("--pull", pull, "pull the base even where the engine has it");
  add_value(app, "--timeout", timeout, "TIME", "of the script: 90s, 10m, 1h");
  add_value(app, "--ref", ref, "REV", "build a commit, branch or tag instead of the work tree");
  add_several(app, "--include", include, "GLOB", "stage what matches GLOB although it is ignored (never over a scrub)");
  app.add_flag("--with-git", with_git, "stage a .git without its config's secrets, hooks and reflogs");
  add_several(app, "--ignore-volume", ignore_volumes, "PATH", "what the script writes under this VOLUME need not ship");
  add_value(app, "--cmd", cmd, "COMMAND", "of the image: a JSON array, or a line for the shell");
  add_value(app, "--entrypoint", entrypoint, "COMMAND", "of the image, written as --cmd is");
  add_several(app, "--label", labels, "K=V", "K=V, of the image");
  add_several(app, "--expose", expose, "PORT", "PORT[/tcp|udp|sctp], of the image");
  add_several(app, "--image-env", image_env, "K=V", "K=V, of the image");
  add_value(app, "--image-user", image_user, "USER", "USER of the image");
  add_value(app, "--image-workdir", image_workdir, "DIR", "WORKDIR of the image");
  add_several(app, "--build-arg", build_args, "K=V", "of a Dockerfile: K=V, or K for the variable; never a credential");
  add_value(app, "--target", target, "STAGE", "of a Dockerfile: build up to this stage");
  add_several(app, "--cache-from", cache_from, "IMAGE", "of a Dockerfile: also take steps from this image");
  add_several(app, "--cache-to", cache_to, "WHERE",
              "of a Dockerfile: `inline`, so that --cache-from can take its steps from this image");
  add_value(app, "--progress", progress, "HOW",
            "of a Dockerfile: plain, tty (a live view), quiet, rawjson, or auto: tty on a terminal");
  app.add_flag("--purge", purge, "of a Dockerfile: clear the engine's build cache of a build that is refused");
  add_value(app, "--fail-on", fail_on, "SEVERITY",
            "least severity that is a leak: low, medium (default), high, critical");
  app.add_flag("--keep", keep, "keep an image that is refused, untagged");
  app.add_flag("--dry-run", dry_run, "say each step, and do none");
  add_value(app, "--iidfile", iidfile, "FILE", "write the image's id to FILE");
  add_several(app, "--report", reports, "[FORMAT=]FILE", "write the report to FILE: json, or FORMAT as in `audit`");
  log.offer(app);
  add_value(app, "--engine", engine, "URL",
            "unix://PATH, tcp://HOST:PORT, ssh://HOST, podman (else DOCKER_HOST, the docker context...)");
  add_several(app, "--rules", rules, "FILE", "more rules, from FILE");
  app.add_flag("--engine-helper", engine_helper, engine_helper_says);
  app.add_flag("--no-cache", no_cache, "use nothing remembered: no step of a Dockerfile, no layer that was audited");
  app.add_flag("--no-repo-allow", no_repo_allow, "ignore the allow-entries of the context's imgbuild.toml");
}

}  // namespace imgbuild

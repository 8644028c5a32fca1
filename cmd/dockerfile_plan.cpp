// Dockerfile mode: what was said, settled. As in build_plan.cpp, whatever can be found wrong is found here.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "build_flags.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t largest_dockerfile = std::size_t{1} << 20;

std::string read_input() {
  if (::isatty(STDIN_FILENO) == 1) throw usage_error("-f -: standard input is a terminal");
  std::string text(largest_dockerfile + 1, '\0');
  text.resize(read_full(STDIN_FILENO, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, "standard input"));
  if (text.size() > largest_dockerfile) throw usage_error("-f -: larger than 1 MiB");
  return text;
}

std::string read_dockerfile(const std::string& path) {
  try {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) throw Error(printable(path) + ": is no file");
    return read_file(path, largest_dockerfile);
  } catch (const Error& error) {
    throw usage_error(std::string("Dockerfile: ") + error.what(), "-f FILE is relative to the working directory");
  }
}

// The file's path in the context; empty where it lies elsewhere. A link within leads where docker's would.
std::string path_in(const std::string& context, const std::string& file) {
  std::error_code none;
  const auto root = std::filesystem::canonical(context, none);
  const std::filesystem::path said(file);
  const auto folder = std::filesystem::canonical(said.has_parent_path() ? said.parent_path() : ".", none);
  if (root.empty() || folder.empty()) return {};
  const auto relative = (folder / said.filename()).lexically_relative(root).string();
  return relative.empty() || relative == ".." || relative.starts_with("../") ? std::string() : relative;
}

bool has_file(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(path, none);
}

// K=V, or K for the variable of that name where it is set.
std::map<std::string, std::string> arguments(const std::vector<std::string>& said) {
  std::map<std::string, std::string> all;
  for (const auto& one : said) {
    const auto equals = one.find('=');
    const std::string name = one.substr(0, equals);
    if (name.empty()) throw usage_error("--build-arg: must be K=V, or K");
    if (equals != std::string::npos)
      all[name] = one.substr(equals + 1);
    else if (const char* value = std::getenv(name.c_str()))
      all[name] = value;
  }
  return all;
}

void refuse(bool given, const char* flag, const char* instead) {
  if (given)
    throw usage_error(std::string("build: ") + flag + " is for a build by script, not for a Dockerfile", instead);
}

}  // namespace

bool wants_dockerfile(const BuildFlags& flags, const Settings& settings, const Session& session) {
  if (!flags.file.empty()) return true;
  const Setting* file = settings.find("dockerfile");
  const bool said = !flags.run.empty() || session.has_words || !flags.from.empty();
  if (file != nullptr && !said) {
    for (const char* key : {"from", "run", "command"})
      if (const Setting* other = settings.find(key))
        throw usage_error(other->from + ": both `dockerfile` and `" + key + "`", "say one of them");
    return true;
  }
  const bool script = said || settings.find("run") != nullptr || settings.find("command") != nullptr ||
                      settings.find("from") != nullptr;
  return !script && has_file(flags.path + "/Dockerfile");
}

DockerfilePlan dockerfile_plan(const BuildFlags& flags, const Settings& settings, const Session& session) {
  if (!flags.run.empty() || session.has_words)
    throw usage_error("build: both -f and a script",
                      "-f builds a Dockerfile; --run SCRIPT or -- COMMAND builds by script");
  refuse(!flags.from.empty(), "--from", "FROM says it");
  refuse(!flags.env.empty(), "--env", "--build-arg K=V, where it is no secret");
  refuse(!flags.user.empty() || !flags.image_user.empty(), "--user", "USER says it");
  refuse(!flags.workdir.empty() || !flags.image_workdir.empty(), "--workdir", "WORKDIR says it");
  refuse(!flags.cmd.empty(), "--cmd", "CMD says it");
  refuse(!flags.entrypoint.empty(), "--entrypoint", "ENTRYPOINT says it");
  refuse(!flags.expose.empty(), "--expose", "EXPOSE says it");
  refuse(!flags.image_env.empty(), "--image-env", "ENV says it");
  refuse(!flags.ignore_volumes.empty(), "--ignore-volume", "");
  refuse(!flags.timeout.empty(), "--timeout", "`timeout` in a RUN");
  refuse(!flags.ref.empty() || settings.find("ref") != nullptr, "--ref",
         "check the commit out: git worktree add DIR REV");

  DockerfilePlan plan;
  const Setting* setting = flags.file.empty() ? settings.find("dockerfile") : nullptr;
  const std::string said = setting == nullptr ? flags.file : file_of(*setting, "dockerfile", flags.path);
  if (said == "-") {
    plan.shown = "standard input";
    plan.text = read_input();
  } else {
    const std::string file = said.empty() ? flags.path + "/Dockerfile" : said;
    plan.shown = said.empty() ? "Dockerfile" : setting == nullptr ? said : setting->values.front();
    plan.text = read_dockerfile(file);
    plan.path = path_in(flags.path, file);
    if (has_file(file + ".dockerignore")) plan.ignore = read_dockerfile(file + ".dockerignore");
  }
  plan.has_ignore = plan.ignore || has_file(flags.path + "/.dockerignore");
  plan.target = flags.target.empty() ? settings.text("target").value_or("") : flags.target;
  plan.args = arguments(flags.build_args.empty() ? settings.list("build_args") : flags.build_args);
  plan.cache_from = flags.cache_from.empty() ? settings.list("cache_from") : flags.cache_from;
  // The engine's /build can hand on its cache in no other way (docker says so by this argument), and whatever else
  // exports one does so while it builds: steps would leave the engine before anybody looked at them.
  for (const auto& where : flags.cache_to.empty() ? settings.list("cache_to") : flags.cache_to) {
    if (where != "inline" && where != "type=inline")
      throw usage_error("--cache-to " + printable(where) +
                            ": a cache is exported while it builds, before it was looked at; "
                            "the engine's builder keeps it in the image only",
                        "--cache-to inline --push, which sends what was cleared, and --cache-from that image; "
                        "--target STAGE -t NAME --cache-to inline --push does it for the steps of another stage");
    plan.args["BUILDKIT_INLINE_CACHE"] = "1";
  }
  plan.no_cache = flags.no_cache;
  plan.purge = flags.purge || settings.on("purge");
  return plan;
}

void check_script_flags(const BuildFlags& flags) {
  const auto only = [](bool given, const char* flag) {
    if (given)
      throw usage_error(std::string("build: ") + flag + " is for a Dockerfile, not for a build by script",
                        "-f Dockerfile");
  };
  only(!flags.build_args.empty(), "--build-arg");
  only(!flags.target.empty(), "--target");
  only(!flags.cache_from.empty(), "--cache-from");
  only(!flags.cache_to.empty(), "--cache-to");
  only(flags.purge, "--purge");
}

}  // namespace imgbuild

// imgbuild stage: what would be handed to a builder.
#include "context/stage.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_report.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "build/seen_files.hpp"
#include "crypto/digest.hpp"
#include "session.hpp"

namespace imgbuild {
namespace {

constexpr const char* footer = R"(
A file that holds a credential is left out, a line of a known configuration format too; a credential within anything
else is refused, since source code is never changed silently. What git ignores stays out, what .dockerignore names too.

Examples:
  imgbuild stage . -o context.tar
  imgbuild stage --ref v1.2 . -o - | docker build -
  imgbuild stage --format json .

Exit status: 0 staged; 1 refused; 2 usage; 3 the tree could not be read.)";

struct Flags {
  std::string path = ".", output, format = "text", ref, fail_on, build;
  std::vector<std::string> include, rules;
  bool with_git = false, no_repo_allow = false, no_cache = false;
};

void copy(int from, int to, const std::string& what) {
  Bytes buffer(std::size_t{1} << 20);
  while (const std::size_t n = read_full(from, buffer, "the staged context")) write_full(to, {buffer.data(), n}, what);
}

// Where the tar will have its name, so that it need not be written twice.
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// A file appears whole or not at all.
void write_tar(int tar, const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {  // a pipe or a device is written as it stands
    copy(tar, Fd::open(path, O_WRONLY).get(), printable(path));
    return;
  }
  const std::string beside = path + ".part";
  try {
    ::unlink(beside.c_str());
    const std::string nameless = "/proc/self/fd/" + std::to_string(tar);
    if (::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, beside.c_str(), AT_SYMLINK_FOLLOW) != 0)  // it lies elsewhere
      copy(tar, Fd::open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW).get(), printable(path));
    if (::rename(beside.c_str(), path.c_str()) != 0) throw system_error(printable(path), errno);
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
}

// Is the tar there already, to the last byte? Then it counts as written now.
bool is_there(const Context& context, const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      static_cast<std::uint64_t>(facts.st_size) != context.bytes)
    return false;
  Sha256 hash;
  Bytes buffer(std::size_t{1} << 20);
  while (const std::size_t n = read_full(file.get(), buffer, printable(path))) hash.update(View(buffer).first(n));
  return hash.finish_digest() == context.digest && ::futimens(file.get(), nullptr) == 0;
}

int work(const Flags& flags, Session& session) {
  const Format format = format_flag(flags.format);
  const std::time_t started = std::time(nullptr);
  const bool to_stdout = flags.output == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO) == 1)
    throw usage_error("stage: a tar is not written to a terminal", "name a file: -o context.tar");
  if (!to_stdout) check_writable(flags.output);
  SettingsRequest request;
  request.context = flags.path;
  request.build = flags.build;
  request.fail_on = severity_flag(flags.fail_on);
  request.no_repo_allow = flags.no_repo_allow;
  const Settings settings = load_settings(request);
  session.load_scanner(flags.rules.empty() ? settings.list("rules") : flags.rules);

  StageOptions options;
  options.root = flags.path;
  options.ref = flags.ref.empty() ? settings.text("ref").value_or("") : flags.ref;
  options.include = flags.include.empty() ? settings.list("include") : flags.include;
  options.with_git = flags.with_git || settings.on("with_git");
  options.scanner = session.scanner;
  options.vault = &session.vault;
  options.policy = policy_from(settings, request.fail_on);
  SeenFilesRecord seen(flags.path, *session.scanner, !flags.no_cache);
  options.seen = seen.files();
  options.later = !to_stdout;
  if (!to_stdout && !flags.output.empty()) options.folder = folder_of(flags.output);
  Context context = stage(options);
  seen.keep();

  const bool refused = context.refused();
  if (!refused && to_stdout) copy(context.tar.get(), STDOUT_FILENO, "standard output");
  if (!refused && !to_stdout && !flags.output.empty() && !(context.tree && is_there(context, flags.output))) {
    need_tar(context, options);
    write_tar(context.tar.get(), flags.output);
  }

  StageReport report;
  if (!refused) report = {context.digest, context.files, context.bytes, 0, {}, {}, {}, 0, 0};
  report.seen_before = context.seen_before;
  report.withheld = context.withheld;
  report.allowed = context.allowed;
  report.notes = context.notes;
  const Redaction redaction(*session.scanner, session.vault);
  report.started = started;
  report.ended = std::time(nullptr);
  const Style style{lively(to_stdout ? STDERR_FILENO : STDOUT_FILENO), false};
  const std::string text = render(format, report, *session.scanner, redaction, style);
  to_stdout ? put_talk(text) : put_result(text);
  return static_cast<int>(refused ? Status::leak : Status::clean);
}

}  // namespace

Work offer_stage(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("PATH", flags->path, "the work tree (default: .)");
  add_value(app, "--build", flags->build, "NAME", "of the builds in imgbuild.toml this one: [build.NAME]");
  add_value(app, "-o,--output", flags->output, "FILE", "write the tar to FILE, or - for standard output");
  add_value(app, "--format", flags->format, "FORMAT", "of the report: " + format_names());
  add_value(app, "--ref", flags->ref, "REV", "stage a commit, branch or tag instead of the work tree");
  add_several(app, "--include", flags->include, "GLOB",
              "stage what matches GLOB although it is ignored (never over a scrub)");
  app.add_flag("--with-git", flags->with_git, "add a .git without its config's secrets, hooks and reflogs");
  add_value(app, "--fail-on", flags->fail_on, "SEVERITY",
            "least severity that hinders: low, medium (default), high, critical");
  add_several(app, "--rules", flags->rules, "FILE", "more rules, from FILE");
  app.add_flag("--no-cache", flags->no_cache, "look at every file, also those that are as they were the last time");
  app.add_flag("--no-repo-allow", flags->no_repo_allow, "ignore the allow-entries of the tree's imgbuild.toml");
  app.footer(footer);
  return [flags, &session] { return work(*flags, session); };
}

}  // namespace imgbuild

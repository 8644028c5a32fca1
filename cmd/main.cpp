// The process: which command, its flags, and how it ends. Everything else is in lib/.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <thread>

#include "base/interrupt.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "config/nearest.hpp"
#include "session.hpp"

namespace imgbuild {
namespace {

struct Offer {
  const char* name;
  const char* says;
  Work (*offer)(CLI::App&, Session&);
};

constexpr Offer offers[] = {
    {"build", "build an image in a container of its own, and name it once no credential is in it", offer_build},
    {"stage", "what would be handed to a builder, what not, and why", offer_stage},
    {"audit", "look at every byte of an image for credentials", offer_audit},
    {"push", "audit an image of the engine, and send what was looked at to a registry", offer_push},
    {"agent", "run a command behind the ssh-agent gateway", offer_agent},
    {"rules", "what is known about credentials: list, show, check, explain, test", offer_rules},
    {"config", "each setting, its value, and who says so; a schema for editors", offer_config},
    {"doctor", "engine, agent, keys, hosts, logins: what works, and what to do", offer_doctor},
    {"cache", "what is remembered of layers that were audited: show, verify, prune", offer_cache},
    {"gc", "remove what an interrupted build left behind", offer_gc},
};

constexpr const char* footer = R"(
Examples:
  imgbuild build . --from debian:12 --run build.sh --ssh git@github.com -t app:1
  imgbuild stage . -o context.tar
  imgbuild audit app:1
  imgbuild audit --format json archive:app.tar
  imgbuild agent --ssh git@github.com -- git clone git@github.com:me/private.git

Exit status:
  0  clean                    3  the work could not be done, or not completed
  1  a leak was found         4  the build's own script failed
  2  the command line made no sense; 130, 143: interrupted

`imgbuild COMMAND --help` tells more.)";

// Help that shows a command as it is typed.
class Help : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string) const override {
    static const std::map<std::string, std::string> forms{
        {"imgbuild", "COMMAND ..."},
        {"build", "[PATH] --from IMAGE (--run SCRIPT | -- COMMAND...) -t NAME [OPTIONS]"},
        {"stage", "[PATH] [-o FILE] [OPTIONS]"},
        {"audit", "TARGET... [OPTIONS]"},
        {"push", "IMAGE [TO] [OPTIONS]"},
        {"agent", "--ssh HOST... [OPTIONS] -- COMMAND..."},
        {"config", "[PATH] [--schema] [OPTIONS] [what `build` takes]"},
        {"doctor", "[PATH] [--ssh HOST...] [OPTIONS]"},
        {"rules", "list | show ID | check [FILE...] | explain ID | test FILE"},
        {"show", "ID"},
        {"check", "[FILE...]"},
        {"explain", "ID"},
        {"test", "FILE"}};
    std::string path = app->get_name();
    for (const auto* at = app->get_parent(); at != nullptr; at = at->get_parent()) path = at->get_name() + " " + path;
    const auto form = forms.find(app->get_name());
    return "\nUsage: " + path + (form == forms.end() ? " [OPTIONS]" : " " + form->second) + "\n";
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_size() == 0 || option->get_positional() ? "" : " " + option->get_type_name();
  }
};

// Descriptors 0, 1 and 2 must be open, or the next file that is opened becomes standard error.
void open_standard_descriptors() {
  for (int fd = 0; fd < 3; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) ::_exit(3);
}

// Every long and short name that `app` knows.
std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// What was not understood, with the nearest thing that would be.
Error unexpected(const CLI::App& program, const CLI::App& where) {
  const std::string in = where.get_parent() == nullptr ? "" : where.get_name() + ": ";
  auto extra = program.remaining(true);
  const std::string word = extra.empty() ? "" : extra.front().substr(0, extra.front().find('='));
  if (word.rfind('-', 0) == 0 && word.size() > 1) {
    const std::string near = nearest(word, names_of(where));
    return usage_error(
        in + "unknown flag " + printable(word),
        near.empty() ? "`imgbuild " + where.get_name() + " --help` lists them" : "did you mean " + near + "?");
  }
  std::vector<std::string> commands;
  for (const auto* command : where.get_subcommands({})) commands.push_back(command->get_name());
  if (commands.empty()) return usage_error(in + "unexpected word `" + printable(word) + "`");
  const std::string near = nearest(word, commands);
  return usage_error(in + "unknown command `" + printable(word) + "`",
                     near.empty() ? "commands: " + join(commands, ", ") : "did you mean " + near + "?");
}

const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

int run(int argc, char** argv, Session& session) {
  CLI::App program("Container images from private code, with proof that no credential ships in them.", "imgbuild");
  program.set_help_flag("-h,--help", "print this");
  program.set_version_flag("--version", std::string("imgbuild ") + IMGBUILD_VERSION, "print the version");
  program.formatter(std::make_shared<Help>());
  program.get_formatter()->column_width(34);
  program.require_subcommand(0, 1);  // a second command's name is then a word like any other: an image may be called so
  std::vector<std::pair<CLI::App*, Work>> works;
  for (const auto& each : offers) {
    CLI::App* app = program.add_subcommand(each.name, each.says);
    app->set_help_flag("-h,--help", "print this");
    works.emplace_back(app, each.offer(*app, session));
  }

  program.footer(footer);

  // What stands behind `--` is a command of the user's, not to be read by us.
  std::vector<std::string> words(argv + 1, argv + argc);
  const bool runs = !words.empty() && (words[0] == "build" || words[0] == "agent");
  if (const auto border = std::find(words.begin(), words.end(), "--"); runs && border != words.end()) {
    session.has_words = true;
    session.words.assign(border + 1, words.end());
    words.erase(border, words.end());
  }
  if (words.empty()) {
    put_talk(program.help());
    return static_cast<int>(Status::usage);
  }
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    program.parse(words);
  } catch (const CLI::CallForHelp&) {
    put_result(innermost(program).help());
    return 0;
  } catch (const CLI::CallForVersion& version) {
    put_result(std::string(version.what()) + "\n");
    return 0;
  } catch (const CLI::ExtrasError&) {
    throw unexpected(program, innermost(program));
  } catch (const CLI::ParseError& error) {
    const auto& where = innermost(program);
    throw usage_error((where.get_parent() == nullptr ? "" : where.get_name() + ": ") + printable(error.what()),
                      "`imgbuild " + where.get_name() + " --help` tells more");
  }
  for (const auto& [app, work] : works)
    if (app->parsed()) return work();
  throw usage_error("no command", "`imgbuild --help` lists them");
}

/// What is freed is to be of use to the next who asks, or to go: an arena for every thread keeps its own free memory,
/// and glibc's threshold, which grows with what is freed, lets none of it go. Costs no time that can be measured.
void bound_memory() {
  ::mallopt(M_ARENA_MAX, static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 4)));
  ::mallopt(M_MMAP_THRESHOLD, 2 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);  // parts of files come and go, and pages that are new cost time
}

}  // namespace
}  // namespace imgbuild

int main(int argc, char** argv) {
  using namespace imgbuild;
  bound_memory();
  open_standard_descriptors();
  forbid_dumps();
  Session session;
  int status = static_cast<int>(Status::failed);
  try {
    interrupt::watch();
    status = run(argc, argv, session);
  } catch (const Error& error) {
    say(error, session);
    status = static_cast<int>(error.status());
  } catch (const std::bad_alloc&) {
    say("out of memory");
  } catch (const std::exception& error) {
    say(session.redacted(std::string("internal error: ") + error.what()));
  }
  end_log(status);
  return status;
}

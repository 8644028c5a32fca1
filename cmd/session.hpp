#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "config/settings.hpp"
#include "inputs.hpp"
#include "scan/scanner.hpp"
#include "verdict/verdict.hpp"

/// What the commands share: the run's scanner and vault, and how they speak. The process is single-threaded here but
/// for say(), which any thread may call.
namespace imgbuild {

struct Session {
  std::shared_ptr<const Scanner> scanner;  ///< null until a command has loaded it
  Vault vault;
  SecretVariables variables;
  std::vector<std::string> words;  ///< what stood behind `--`, verbatim
  bool has_words = false;

  /// Loads the compiled-in rules and those of `rule_files`.
  void load_scanner(const std::vector<std::string>& rule_files);
  /// The text without a byte of what this run knows.
  std::string redacted(const std::string& text) const;
};

/// What a command does once its flags are read: its exit status.
using Work = std::function<int()>;
Work offer_build(CLI::App& app, Session& session);
Work offer_stage(CLI::App& app, Session& session);
Work offer_audit(CLI::App& app, Session& session);
Work offer_push(CLI::App& app, Session& session);
Work offer_agent(CLI::App& app, Session& session);
Work offer_config(CLI::App& app, Session& session);
Work offer_doctor(CLI::App& app, Session& session);
Work offer_rules(CLI::App& app, Session& session);
Work offer_cache(CLI::App& app, Session& session);
Work offer_gc(CLI::App& app, Session& session);

/// An option with a value, which help calls `value`.
void add_value(CLI::App& app, const std::string& name, std::string& into, const std::string& value,
               const std::string& says);
/// The same, given as often as one likes.
void add_several(CLI::App& app, const std::string& name, std::vector<std::string>& into, const std::string& value,
                 const std::string& says);

/// What help says of --engine-helper.
inline constexpr const char* engine_helper_says =
    "where you may not read the engine's files: a container reads them, read-only, instead of `save`";

/// One line on standard error, "imgbuild: text"; control characters are replaced.
void say(const std::string& text);
/// The same of what a build failed by: in a log an error.
void say_failure(const std::string& text);
/// An error and its hint.
void say(const Error& error, const Session& session);
class Log;
/// From here on everything that is printed also goes to that log; null: to none.
void keep_log(std::shared_ptr<Log> log);
/// The log's end: what its sinks lost is said. Nothing where there is no log.
void end_log(int status);
/// Text as it is, on standard error or standard output. Standard output that cannot be written is an Error.
void put_talk(std::string_view text);
/// Text for the log alone.
void put_log(std::string_view text);
/// On standard error, a terminal: `above` as it is, and below it lines, cut to its width, that are there until the next
/// time or until something else is said. Neither goes to the log. Any thread.
void draw(std::string_view above, const std::vector<std::string>& lines);
/// From here on talk reaches standard error as what `shape` makes of it; null: as it is. The log has it as it was.
void shape_talk(std::function<std::string(std::string_view)> shape);
void put_result(std::string_view text);
/// May a line be drawn again on this descriptor? (a terminal that is not dumb)
bool on_terminal(int fd);
/// May colour be used on it? (the same, and no NO_COLOR)
bool lively(int fd);

/// Severity of --fail-on; throws usage Error on another word.
std::optional<Severity> severity_flag(const std::string& text);
/// What decides whether a finding hinders, from the flag and the files.
Policy policy_from(const Settings& settings, std::optional<Severity> fail_on);
/// A file that is about to be written: its folder must be there and writable. Throws usage Error.
void check_writable(const std::string& path);

}  // namespace imgbuild

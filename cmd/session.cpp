#include "session.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "scan/redactor.hpp"

namespace imgbuild {

void Session::load_scanner(const std::vector<std::string>& rule_files) {
  std::vector<Rule> more;
  for (const auto& file : rule_files) {
    std::string text;
    try {
      text = read_file(file, std::size_t{16} << 20);
    } catch (const Error& error) {
      throw usage_error(error.what(), "--rules takes a file of rules in TOML");
    }
    for (auto& rule : read_rules(text, printable(file))) more.push_back(std::move(rule));
  }
  scanner = more.empty() ? Scanner::builtin() : Scanner::with(std::move(more));
}

std::string Session::redacted(const std::string& text) const { return scanner ? redact(text, *scanner, vault) : text; }

void add_value(CLI::App& app, const std::string& name, std::string& into, const std::string& value,
               const std::string& says) {
  app.add_option(name, into, says)->type_name(value);
}

void add_several(CLI::App& app, const std::string& name, std::vector<std::string>& into, const std::string& value,
                 const std::string& says) {
  app.add_option(name, into, says)->type_name(value)->allow_extra_args(false);
}

namespace {

std::atomic<bool> line_open{false};  // standard error's last line has no end yet

// Messages are printable already; this keeps what is not from moving the cursor or adding a line.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return text;
}

}  // namespace

void say(const std::string& text) {
  // Behind a script's prompt or half a line, ours begins on its own.
  put_talk((line_open ? "\nimgbuild: " : "imgbuild: ") + one_line(text) + "\n");
}

void say(const Error& error, const Session& session) {
  say(session.redacted(error.what()));
  if (!error.hint().empty()) say("hint: " + session.redacted(error.hint()));
}

void put_talk(std::string_view text) {
  if (!text.empty()) line_open = text.back() != '\n' && text.substr(0, 1) != "\r";
  // Nobody may be listening any more; that is no reason to stop half-way.
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void put_result(std::string_view text) { write_full(STDOUT_FILENO, view_of(text), "standard output"); }

bool on_terminal(int fd) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool lively(int fd) {
  const char* no = std::getenv("NO_COLOR");
  return on_terminal(fd) && (no == nullptr || *no == '\0');
}

std::optional<Severity> severity_flag(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto severity = severity_of(text);
  if (!severity) throw usage_error("--fail-on: must be low, medium, high or critical, not `" + printable(text) + "`");
  return severity;
}

Policy policy_from(const Settings& settings, std::optional<Severity> fail_on) {
  Policy policy;
  if (const auto said = settings.text("fail_on")) policy.fail_on = severity_of(*said).value_or(policy.fail_on);
  if (fail_on) policy.fail_on = *fail_on;
  policy.allow = settings.allow;
  policy.now = std::time(nullptr);
  return policy;
}

void check_writable(const std::string& path) {
  if (path.empty()) return;
  const std::filesystem::path file(path);
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  if (std::filesystem::is_directory(file)) throw usage_error(printable(path) + ": is a directory");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    const Error error = system_error(printable(path) + ": cannot be written", errno);
    throw usage_error(error.what());
  }
}

}  // namespace imgbuild

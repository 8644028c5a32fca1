#include "session.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <utility>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "log/log.hpp"
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
std::mutex talking;                  // one text after the other, and the log in the same order
std::shared_ptr<Log> log_kept;

std::function<std::string(std::string_view)> shaped;

std::size_t drawn = 0;  // lines at the end of standard error that are to go again

// Nobody may be listening any more; that is no reason to stop half-way.
void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Up by what was drawn, and clear to the end of the screen (ECMA-48, CUU and ED).
std::string undrawn() {
  const std::size_t lines = std::exchange(drawn, 0);
  return lines == 0 ? "" : "\x1b[" + std::to_string(lines) + "A\x1b[J";
}

void talk(std::string_view text, int severity) {
  const std::lock_guard hold(talking);
  if (text.empty()) return;
  put(undrawn());
  line_open = text.back() != '\n' && text.substr(0, 1) != "\r";
  if (log_kept) log_kept->text(text, severity);
  put(shaped ? shaped(text) : std::string(text));
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

// The first characters of a line; one that takes two places may still wrap it.
std::string_view cut(std::string_view line, std::size_t width) {
  std::size_t at = 0;
  for (std::size_t count = 0; at < line.size() && count + 1 < width; ++count)
    at += std::max<std::size_t>(utf8_length(line.substr(at)), 1);
  return line.substr(0, at);
}

// Messages are printable already; this keeps what is not from moving the cursor or adding a line.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return text;
}

}  // namespace

namespace {

constexpr int error_severity = 3, warning_severity = 4, talk_severity = 6;  // RFC 5424, 6.2.1

// Behind a script's prompt or half a line, ours begins on its own.
void say_as(const std::string& text, int severity) {
  if (line_open) talk("\n", talk_severity);
  talk("imgbuild: " + one_line(text) + "\n", severity);
}

}  // namespace

void say(const std::string& text) { say_as(text, text.starts_with("warning: ") ? warning_severity : talk_severity); }

void say_failure(const std::string& text) { say_as(text, error_severity); }

void say(const Error& error, const Session& session) {
  say_as(session.redacted(error.what()), error_severity);
  if (!error.hint().empty()) say_as("hint: " + session.redacted(error.hint()), error_severity);
}

void keep_log(std::shared_ptr<Log> log) {
  const std::lock_guard hold(talking);
  log_kept = std::move(log);
}

void end_log(int status) {
  std::shared_ptr<Log> log;
  {
    const std::lock_guard hold(talking);
    log = std::exchange(log_kept, nullptr);
  }
  if (!log) return;
  log->text("imgbuild: exit status " + std::to_string(status) + "\n", status == 0 ? talk_severity : error_severity);
  for (const auto& lost : log->end(std::chrono::seconds(5))) say("warning: " + lost);
}

void shape_talk(std::function<std::string(std::string_view)> shape) {
  const std::lock_guard hold(talking);
  shaped = std::move(shape);
}

void put_talk(std::string_view text) { talk(text, talk_severity); }

void put_result(std::string_view text) {
  write_full(STDOUT_FILENO, view_of(text), "standard output");
  const std::lock_guard hold(talking);
  if (log_kept) log_kept->text(text);
}

void put_log(std::string_view text) {
  const std::lock_guard hold(talking);
  if (log_kept) log_kept->text(text);
}

void draw(std::string_view above, const std::vector<std::string>& lines) {
  const std::lock_guard hold(talking);
  std::string text = undrawn();
  // Half a line of somebody else's stays.
  if (line_open.exchange(false)) text += "\n";
  text += above;
  const std::size_t width = terminal_width();
  for (const auto& line : lines) text.append(cut(line, width)) += '\n';
  drawn = lines.size();
  put(text);
}

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

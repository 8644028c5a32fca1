#include "audit_report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "lean_flags.hpp"
#include "report/answers.hpp"

namespace imgbuild {

Format format_flag(const std::string& word) {
  const auto format = format_of(word);
  if (!format) throw usage_error("--format: must be " + format_names() + ", not `" + printable(word) + "`");
  return *format;
}

std::vector<ReportFile> report_files(const std::vector<std::string>& said) {
  std::vector<ReportFile> files;
  std::set<std::string> paths;
  for (const auto& text : said) {
    ReportFile file{Format::json, text};
    const std::size_t equals = text.find('=');
    const std::string word = text.substr(0, equals == std::string::npos ? 0 : equals);
    const bool is_word =
        !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (const auto format = format_of(word)) {
      file = {*format, text.substr(equals + 1)};
    } else if (is_word) {
      throw usage_error("--report: " + printable(word) + ": no such format",
                        "FORMAT is " + format_names() + "; a file of that name is ./" + printable(text));
    }
    if (file.path.empty() || file.path == "-")
      throw usage_error("--report: " + printable(text) + ": names no file", "standard output is what --format is for");
    if (!paths.insert(file.path).second) throw usage_error("--report: " + printable(file.path) + ": named twice");
    check_writable(file.path);
    files.push_back(std::move(file));
  }
  return files;
}

void write_report(const std::string& path, const std::string& text) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode))
    write_full(Fd::open(path, O_WRONLY).get(), view_of(text), printable(path));
  else
    write_file(path, text);
}

void write_reports(const std::vector<ReportFile>& files, const Report& report, const Scanner& scanner,
                   const Redaction& redaction) {
  for (const auto& file : files)
    write_report(file.path, render(file.format, report, scanner, redaction, {.colour = false, .all = true}));
}

void AuditReporting::offer(CLI::App& app) {
  add_value(app, "--format", format_, "FORMAT", format_names());
  add_value(app, "--output", output_, "FILE", "write the report to FILE instead of standard output");
  add_several(app, "--report", said_, "FORMAT=FILE", "write another report to FILE, in that format");
  app.add_flag("--all", all_, "long lists in full");
  app.add_flag("-q,--quiet", quiet_, "print the image's id where it is clean, and nothing else");
  add_value(app, "--baseline", baseline_file_, "FILE", "only leaks that are not in FILE count");
  add_value(app, "--write-baseline", write_baseline_, "FILE", "write the leaks that are there now to FILE");
}

void AuditReporting::check(const Settings& settings) {
  if (said_.empty()) said_ = settings.list("reports");
  if (baseline_file_.empty()) baseline_file_ = settings.text("baseline").value_or("");
  how_ = format_flag(format_);
  if (output_ == "-") output_.clear();
  if (quiet_ && output_.empty() && how_ != Format::text)
    throw usage_error("audit: --quiet leaves standard output to the image's id",
                      "--report " + format_ + "=FILE writes a report beside it");
  check_writable(output_);
  check_writable(write_baseline_);
  files_ = report_files(said_);
  for (const auto& file : files_)
    if (file.path == output_ || file.path == write_baseline_)
      throw usage_error("--report: " + printable(file.path) + ": named twice");
  if (baseline_file_.empty()) return;
  const std::string name = printable(baseline_file_);
  baseline_ = Baseline::read(read_file(baseline_file_), name);
}

bool AuditReporting::shows_progress() const { return !quiet_ && on_terminal(STDERR_FILENO); }

int AuditReporting::tell(Report report, const std::vector<std::string>& ids, const Policy& policy,
                         const Session& session) const {
  const Scanner& scanner = *session.scanner;
  const Redaction redaction(scanner, session.vault);
  if (baseline_)
    for (auto& image : report.images) baseline_->apply(image, session.vault, redaction);
  report.allow_remarks = remarks_on(policy, report.images, session.vault);
  if (!write_baseline_.empty()) {
    std::size_t left_out = 0;
    write_report(write_baseline_, write_baseline(report.images, session.vault, redaction, left_out));
    if (left_out > 0)
      say("warning: " + std::to_string(left_out) + " findings have no value to bind: not in the baseline");
  }
  write_reports(files_, report, scanner, redaction);
  const Verdict verdict = verdict_of(report);
  const bool fits = report.too_large.empty();
  const bool aside = quiet_ && verdict != Verdict::clean;  // a gate that closes says why
  const Style style{output_.empty() && lively(aside ? STDERR_FILENO : STDOUT_FILENO), all_};
  if (!output_.empty())
    write_report(output_, render(how_, report, scanner, redaction, style));
  else if (aside)
    put_talk(render(how_, report, scanner, redaction, style));
  else if (!quiet_)
    put_result(render(how_, report, scanner, redaction, style));
  if (!fits) tell_too_large(report.too_large, session);
  if (quiet_ && verdict == Verdict::clean && fits) put_result(join(ids, "\n") + "\n");
  switch (verdict) {
    case Verdict::leak:
      return static_cast<int>(Status::leak);
    case Verdict::incomplete:
      return static_cast<int>(Status::failed);
    case Verdict::clean:
      break;
  }
  return static_cast<int>(fits ? Status::clean : Status::leak);
}

std::string progress_line(std::uint64_t done, std::uint64_t total, double seconds) {
  // What an archive holds beside its layers is looked at too: a little more than its size may be done.
  std::string line = human_size(done) + (total >= done && total > 0 ? " of " + human_size(total) : "") + " looked at";
  if (seconds < 0.5 || done == 0) return line;
  const double rate = static_cast<double>(done) / seconds;
  line += ", " + human_size(static_cast<std::uint64_t>(rate)) + "/s";
  if (total <= done) return line;
  const auto left = static_cast<std::uint64_t>(std::ceil(static_cast<double>(total - done) / rate));
  if (left > 360000) return line;
  line += ", ";
  if (left >= 3600) line += std::to_string(left / 3600) + " h ";
  if (left >= 60) line += std::to_string(left / 60 % 60) + " min ";
  return line + std::to_string(left % 60) + " s left";
}

void Progress::begin(std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  total_ = total;
  done_ = 0;
  start_ = Clock::now();
}

void Progress::operator()(std::uint64_t bytes) {
  const std::uint64_t done = done_ += bytes;
  const auto now = Clock::now();
  const auto tick = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  std::int64_t due = next_;
  if (tick < due || !next_.compare_exchange_strong(due, tick + 200)) return;
  const std::lock_guard lock(mutex_);
  put_talk("\r\x1b[Kimgbuild: " + progress_line(done, total_, std::chrono::duration<double>(now - start_).count()));
  shown_ = true;
}

void Progress::clear() {
  const std::lock_guard lock(mutex_);
  if (shown_) put_talk("\r\x1b[K");
  shown_ = false;
}

}  // namespace imgbuild

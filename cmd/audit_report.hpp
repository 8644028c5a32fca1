#pragma once
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "report/baseline.hpp"
#include "report/report.hpp"
#include "session.hpp"

/// The half of `audit` that tells: which forms go where, what a baseline knows, and how far the work is. `build` and
/// `stage` share what fits them.
namespace imgbuild {

/// The word of --format; throws usage Error on another one.
Format format_flag(const std::string& word);

/// A form of the report and the file that it goes to.
struct ReportFile {
  Format format = Format::json;
  std::string path;
};
/// What --report says: FORMAT=FILE, or FILE alone, which is JSON. Throws usage Error on an unknown format, on a file
/// that cannot be written or that is named twice.
std::vector<ReportFile> report_files(const std::vector<std::string>& said);
/// Writes each. Throws Error.
void write_reports(const std::vector<ReportFile>& files, const Report& report, const Scanner& scanner,
                   const Redaction& redaction);
/// A file as a whole or not at all; a pipe or a device is written as it stands.
void write_report(const std::string& path, const std::string& text);

/// The flags of `audit` about its report, as they were written.
class AuditReporting {
 public:
  void offer(CLI::App& app);
  /// Everything that can be wrong about them, before anything is looked at; reads the baseline. Throws usage Error, and
  /// Error where the baseline is damaged. `settings` say which reports and baseline there are where no flag does.
  void check(const Settings& settings);
  /// Standard error may show how far the work is.
  bool shows_progress() const;
  /// Applies baseline and policy, writes every report and the new baseline, and returns the exit status. `ids`: what
  /// --quiet prints of a clean run.
  int tell(Report report, const std::vector<std::string>& ids, const Policy& policy, const Session& session) const;

 private:
  std::string format_ = "text", output_, baseline_file_, write_baseline_;
  std::vector<std::string> said_;
  bool all_ = false, quiet_ = false;
  Format how_ = Format::text;
  std::vector<ReportFile> files_;
  std::optional<Baseline> baseline_;
};

/// "1.2 GB of 3.4 GB looked at, 410.0 MB/s, 6 s left" in one line of standard error, a few times a second, erased at
/// the end. Any thread.
class Progress {
 public:
  /// A new target; `total` bytes, 0: nobody knows.
  void begin(std::uint64_t total);
  /// So many bytes more.
  void operator()(std::uint64_t bytes);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> next_{0};  ///< when the line is due again, ms of the clock
  std::mutex mutex_;                   ///< of the line, and what follows
  std::uint64_t total_ = 0;
  Clock::time_point start_ = Clock::now();
  bool shown_ = false;
};
/// That line. `seconds` since the start.
std::string progress_line(std::uint64_t done, std::uint64_t total, double seconds);

}  // namespace imgbuild

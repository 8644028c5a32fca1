#pragma once
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/redaction.hpp"
#include "verdict/verdict.hpp"

/// A verdict as text, for people, and in the forms that other programs read. Nothing here writes: the commands do.
namespace imgbuild {

/// What a build adds to the report on its image.
struct BuildFacts {
  std::vector<Withheld> withheld;
  std::vector<Signature> ledger;
  std::vector<std::string> killed, stubs, weak_secrets;
  std::time_t unchanged = 0;  ///< nothing was run: the image is an equal build's, which began then
};

/// An allow-entry that did not do what its author may think it does.
struct AllowRemark {
  enum class State { expired, unused };
  State state = State::unused;
  std::string entry;    ///< "ssh.private-key at *:srv/test/key.pem", "srv/backup.zip"
  std::string from;     ///< the file that it stands in
  std::string expires;  ///< of an expired one
};

/// The whole of one run of `audit` or `build`. Values as they were found: each form redacts them as it is made.
struct Report {
  std::vector<ImageRecord> images;
  std::optional<BuildFacts> build;       ///< in a build's report only
  std::optional<Verdict> verdict;        ///< where it does not follow from the images (a build that was refused before)
  std::vector<std::string> not_audited;  ///< targets that could not be read, each with why; the report is incomplete
  std::vector<AllowRemark> allow_remarks;
  std::vector<std::string> too_large;  ///< why an image is refused for its size (verdict/weight.hpp)
  std::time_t started = 0, ended = 0;
};

/// What staging came to.
struct StageReport {
  std::string digest;  ///< "sha256:..."; empty where it was refused
  std::uint64_t files = 0, bytes = 0;
  std::uint64_t seen_before = 0;  ///< files that are as they were when nothing was found in them
  std::vector<Withheld> withheld;
  std::vector<Finding> allowed, notes;
  std::time_t started = 0, ended = 0;
};

/// leak beats incomplete beats clean, over all images.
Verdict verdict_of(const Report& report);
/// leak: something was refused. Else clean.
Verdict verdict_of(const StageReport& report);

/// imgbuild.audit/1 and imgbuild.stage/1, indented by two, with a line feed at the end.
std::string report_as_json(const Report& report, const Scanner& scanner, const Redaction& redaction);
std::string report_as_json(const StageReport& report, const Redaction& redaction);

/// How text for people looks.
struct Style {
  bool colour = false;  ///< with ANSI sequences
  bool all = false;     ///< long lists in full
};

/// For people: findings by secret, with the road each took into the image, what to change, where to revoke it and the
/// allow-entry to paste; then what was looked at, and the verdict in one line. A long list ends in how many more there
/// are.
std::string report_as_text(const Report& report, const Redaction& redaction, const Style& style);
std::string report_as_text(const StageReport& report, const Redaction& redaction, const Style& style);

/// What a build tells beside its image: withheld, signed, stubs, weak secrets. Processes that were ended are told as
/// they are, while it runs.
std::string facts_as_text(const BuildFacts& facts, const Redaction& redaction, const Style& style);

enum class Format { text, json, sarif, gitlab, github, junit, html };
/// By its word on the command line; nullopt for another word.
std::optional<Format> format_of(std::string_view name);
/// "text, json, sarif, gitlab, github, junit or html".
std::string format_names();

/// The report in any of the forms:
/// sarif   2.1.0 (OASIS), one run; a finding is one result with all its locations, what is answered for is suppressed
/// gitlab  a secret detection report, schema 15.0.7: one vulnerability for each secret of each image
/// github  workflow commands, one annotation a line
/// junit   one suite for each image, one test case for each secret, each thing not looked at and each target not read
/// html    one page that loads nothing
std::string render(Format format, const Report& report, const Scanner& scanner, const Redaction& redaction,
                   const Style& style = {});
std::string render(Format format, const StageReport& report, const Scanner& scanner, const Redaction& redaction,
                   const Style& style = {});

/// "staged 12 files (3.4 kB) sha256:..., withheld 1": the one line of a build.
std::string staged_line(std::uint64_t files, std::uint64_t bytes, const std::string& digest, std::size_t withheld,
                        std::uint64_t seen_before);
/// "6 layers, 8214 entries, 214.7 MB, 12 archives opened".
std::string coverage_line(const Coverage& coverage);
/// "weighs 214.7 MB, of which 210.1 MB (5 layers) are shared with debian:12, 3.2 MB hidden by later layers". Of a
/// redacted record.
std::string weight_line(const ImageRecord& record);
/// "signed for git@github.com with SHA256:...", "refused to sign for ...: why": one line of the ledger.
std::string ledger_line(const Signature& signature);
/// "allow-entry x at y (imgbuild.toml): expired on 2026-01-01".
std::string remark_line(const AllowRemark& remark);

}  // namespace imgbuild

#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/redaction.hpp"
#include "verdict/verdict.hpp"

/// A verdict as text, for people, and as JSON, for programs (design section 8). Nothing here writes: the commands do.
namespace imgbuild {

/// What a build adds to the report on its image.
struct BuildFacts {
  std::vector<Withheld> withheld;
  std::vector<Signature> ledger;
  std::vector<std::string> killed, stubs, weak_secrets;
};

/// The whole of one run of `audit` or `build`. Values as they were found: each form redacts them as it is made.
struct Report {
  std::vector<ImageRecord> images;
  std::optional<BuildFacts> build;       ///< in a build's report only
  std::optional<Verdict> verdict;        ///< where it does not follow from the images (a build that was refused before)
  std::vector<std::string> not_audited;  ///< targets that could not be read, each with why; the report is incomplete
};

/// What staging came to.
struct StageReport {
  std::string digest;  ///< "sha256:..."; empty where it was refused
  std::uint64_t files = 0, bytes = 0;
  std::vector<Withheld> withheld;
  std::vector<Finding> allowed, notes;
};

/// leak beats incomplete beats clean, over all images.
Verdict verdict_of(const Report& report);

/// imgbuild.audit/1 and imgbuild.stage/1, indented by two, with a line feed at the end.
std::string report_as_json(const Report& report, const Scanner& scanner, const Redaction& redaction);
std::string report_as_json(const StageReport& report, const Redaction& redaction);

/// For people: findings by secret, with the road each took into the image, what to change, where to revoke it and the
/// allow-entry to paste; then what was looked at, and the verdict in one line. `colour`: with ANSI sequences.
std::string report_as_text(const Report& report, const Redaction& redaction, bool colour);
std::string report_as_text(const StageReport& report, const Redaction& redaction, bool colour);

/// What a build tells beside its image: withheld, signed, stubs, weak secrets. Processes that were ended are told as
/// they are, while it runs.
std::string facts_as_text(const BuildFacts& facts, const Redaction& redaction, bool colour);

/// "staged 12 files (3.4 kB) sha256:..., withheld 1": the one line of a build.
std::string staged_line(std::uint64_t files, std::uint64_t bytes, const std::string& digest, std::size_t withheld);
/// "6 layers, 8214 entries, 214.7 MB, 12 archives opened".
std::string coverage_line(const Coverage& coverage);
/// "signed for git@github.com with SHA256:...", "refused to sign for ...: why": one line of the ledger.
std::string ledger_line(const Signature& signature);

}  // namespace imgbuild

#pragma once
#include <string>
#include <vector>

#include "report/report.hpp"

/// What every form tells, before it has one: redacted, and flat. Only this room reads it.
namespace imgbuild {

/// The rule that what was not looked at is told under.
inline constexpr const char* not_looked_at = "imgbuild.not-looked-at";

/// One thing to tell. Strings of the image are redacted, but not printable yet.
struct Issue {
  enum class Kind {
    leak,
    refused,      ///< staging: the file is not changed for anybody
    gap,          ///< not looked at, and nobody answered for it
    not_audited,  ///< a target
    note,
    known,    ///< a leak of the baseline
    allowed,  ///< also what was not looked at, answered for
    published,
    withheld,  ///< staging
  };
  Kind kind = Kind::leak;
  std::size_t subject = 0;  ///< position in Told::subjects
  bool in_tree = false;     ///< its places are files of a work tree, not of an image
  Finding finding;          ///< of a gap or a target: the rule not_looked_at, `says` why

  /// Does it make the verdict what it is? (leak, refused, gap, not_audited)
  bool hinders() const { return kind <= Kind::not_audited; }
};
const char* name_of(Issue::Kind kind);  ///< "leak", "not looked at", ...

/// One image, or the tree that was staged.
struct Subject {
  std::string name;     ///< "archive:app.tar", "the context"
  std::string id;       ///< of the image; empty where none is known
  std::string summary;  ///< what was looked at
};

struct Told {
  Verdict verdict = Verdict::clean;
  std::vector<Subject> subjects;  ///< never empty
  std::vector<Issue> issues;      ///< as the report has them, image by image
  std::vector<std::string> remarks;
  std::time_t started = 0, ended = 0;
};
Told told(const Report& report, const Redaction& redaction);
Told told(const StageReport& report, const Redaction& redaction);

/// "layer 2: root/.ssh/id_rsa:1", in a tree "src/a.js:3"; printable.
std::string place_in(const Issue& issue, const Location& place);
/// How it came in, and whether it went: "added in layer 2 by COPY ...; deleted by layer 3, and still in the image".
/// Printable; empty for a tree's file.
std::string story_of(const Location& place);
/// "ed25519, 256 bits, not encrypted, SHA256:..."; printable.
std::string key_line(const KeyFacts& key);
/// "1 secret", "2 secrets".
std::string plural(std::uint64_t count, const std::string& one, const std::string& many);
/// A line of TOML for a terminal or a page. Its own escapes are shown as they are, unless that would not be safe.
std::string safe_toml(const std::string& line);
/// All of what is to be known of an issue, a line each, its first line the heading; printable. For forms that have one
/// text for it.
std::vector<std::string> long_text(const Issue& issue);
/// "private key: its holder logs in as you", of a gap "not looked at: encrypted"; printable.
std::string headline(const Issue& issue);

/// 32 hex digits that stay the same from run to run while rule, place and key do, whatever the layers' numbers. Holds
/// nothing of the secret. `nth`: of several alike, from 0.
std::string fingerprint_of(const Issue& issue, std::size_t nth);
/// The fingerprints of all issues, in order: alike ones are counted.
std::vector<std::string> fingerprints_of(const Told& told);

std::string as_sarif(const Told& told, const Scanner& scanner);
std::string as_gitlab(const Told& told);
std::string as_github(const Told& told);
std::string as_junit(const Told& told);
std::string as_html(const Told& told);

}  // namespace imgbuild

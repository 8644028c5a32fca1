#include "report/told.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "report/mending.hpp"

namespace imgbuild {
namespace {

using Kind = Issue::Kind;

constexpr std::size_t longest_instruction = 160;

// Cut at a character, not within one.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "...";
}

Finding finding_of(const NotScanned& gap) {
  Finding finding;
  finding.rule = not_looked_at;
  finding.says = gap.why;
  finding.severity = Severity::high;
  finding.why = gap.allowed.empty() ? gap.published : gap.allowed;
  Location place;
  place.layer = gap.layer;
  place.path = gap.path;
  if (gap.layer < 0) place.kind = Location::Kind::annotation;
  finding.locations.push_back(std::move(place));
  if (gap.open() && !gap.sha256.empty())
    finding.allow =
        "[[allow]]\npath = " + toml_quoted(gap.path) + "\nsha256 = " + toml_quoted(gap.sha256) + "\nreason = \"...\"\n";
  return finding;
}

Finding finding_of(const Withheld& withheld) {
  Finding finding;
  finding.rule = withheld.rule;
  finding.says = withheld.says;
  finding.severity = Severity::high;
  finding.allow = withheld.allow;
  Location place;
  place.path = withheld.path;
  if (withheld.action != Withheld::Action::file) place.line = withheld.line;
  finding.locations.push_back(std::move(place));
  if (withheld.action != Withheld::Action::refuse)
    finding.why = withheld.action == Withheld::Action::file ? "the file is left out" : "the line is left out";
  return finding;
}

void add_all(Told& told, Kind kind, const std::vector<Finding>& findings) {
  for (const auto& finding : findings) told.issues.push_back({kind, told.subjects.size() - 1, false, finding});
}

void add_withheld(Told& told, const std::vector<Withheld>& all, const Redaction& redaction) {
  for (const auto& raw : all) {
    const Withheld one = redaction(raw);
    const Kind kind = one.action == Withheld::Action::refuse ? Kind::refused : Kind::withheld;
    told.issues.push_back({kind, told.subjects.size() - 1, true, finding_of(one)});
  }
}

// Rule, place without its layer's number, and the public half of a key: what stays when an image is built again.
std::string stable_part(const Issue& issue) {
  const Finding& finding = issue.finding;
  if (finding.key && !finding.key->fingerprint.empty()) return finding.rule + "\n" + finding.key->fingerprint;
  std::string first;
  for (const auto& place : finding.locations) {
    const std::string where = allow_place_of(place);
    std::string rest = place.layer >= 0 ? where.substr(where.find(':')) : where;
    if (first.empty() || rest < first) first = std::move(rest);
  }
  return finding.rule + "\n" + first + (issue.kind == Kind::not_audited ? finding.says : "");
}

}  // namespace

const char* name_of(Issue::Kind kind) {
  static constexpr const char* names[] = {"leak",  "refused", "not looked at", "not audited", "note",
                                          "known", "allowed", "published",     "withheld"};
  return names[static_cast<int>(kind)];
}

Told told(const Report& report, const Redaction& redaction) {
  Told told;
  told.verdict = verdict_of(report);
  told.started = report.started;
  told.ended = report.ended;
  for (const auto& raw : report.images) {
    const ImageRecord image = redaction(raw);
    told.subjects.push_back({image.source, image.id, coverage_line(image.coverage)});
    add_all(told, Kind::leak, image.leaks);
    for (const auto& gap : image.coverage.not_scanned)
      told.issues.push_back({gap.open()              ? Kind::gap
                             : gap.published.empty() ? Kind::allowed
                                                     : Kind::published,
                             told.subjects.size() - 1, false, finding_of(gap)});
    add_all(told, Kind::known, image.known);
    add_all(told, Kind::note, image.notes);
    add_all(told, Kind::allowed, image.allowed);
    add_all(told, Kind::published, image.published);
  }
  for (const auto& raw : report.not_audited) {
    Finding finding;
    finding.rule = not_looked_at;
    finding.says = redaction(raw);
    told.subjects.push_back({finding.says.substr(0, finding.says.find(": ")), "", "not audited"});
    told.issues.push_back({Kind::not_audited, told.subjects.size() - 1, false, std::move(finding)});
  }
  if (report.build && !report.build->withheld.empty()) {
    told.subjects.push_back({"the context", "", ""});
    add_withheld(told, report.build->withheld, redaction);
  }
  if (told.subjects.empty()) told.subjects.push_back({"nothing", "", ""});
  for (const auto& remark : report.allow_remarks) told.remarks.push_back(redaction(remark_line(remark)));
  return told;
}

Told told(const StageReport& report, const Redaction& redaction) {
  Told told;
  told.verdict = verdict_of(report);
  told.started = report.started;
  told.ended = report.ended;
  told.subjects.push_back(
      {"the context", report.digest,
       staged_line(report.files, report.bytes, report.digest, report.withheld.size(), report.seen_before)});
  add_withheld(told, report.withheld, redaction);
  for (const auto& raw : report.allowed) told.issues.push_back({Kind::allowed, 0, true, redaction(raw)});
  for (const auto& raw : report.notes) told.issues.push_back({Kind::note, 0, true, redaction(raw)});
  return told;
}

std::string place_in(const Issue& issue, const Location& place) {
  const bool no_layer = issue.finding.rule == not_looked_at && place.layer < 0;  // beside the layers, in no config
  if (!issue.in_tree && !no_layer) return place_of(place);
  return printable(place.path) + (place.line > 0 ? ":" + std::to_string(place.line) : "");
}

std::string story_of(const Location& place) {
  const std::string by = shortened(printable(trim(place.created_by)), longest_instruction);
  if (place.layer < 0) return by.empty() ? "" : "set by " + by;
  std::string story = "added in layer " + std::to_string(place.layer);
  if (!by.empty()) story += " by " + by;
  if (place.state == Location::State::present) return story + "; it is in the final file system";
  story += place.state == Location::State::deleted ? "; deleted" : "; overwritten";
  if (place.by_layer >= 0) story += " by layer " + std::to_string(place.by_layer);
  return story + ", and still in the image";
}

std::string key_line(const KeyFacts& key) {
  std::string text = printable(key.type);
  if (key.bits > 0) text += ", " + std::to_string(key.bits) + " bits";
  text += !key.encrypted ? ", not encrypted" : key.untried ? ", encrypted (no passphrase was tried)" : ", encrypted";
  if (!key.fingerprint.empty()) text += ", " + key.fingerprint;
  return text;
}

std::string plural(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string safe_toml(const std::string& line) {
  std::string plain;
  std::copy_if(line.begin(), line.end(), std::back_inserter(plain), [](char c) { return c != '\\'; });
  return printable(plain) == plain ? line : printable(line);
}

std::string headline(const Issue& issue) {
  const std::string says = printable(issue.finding.says);
  if (issue.finding.rule == not_looked_at)
    return (issue.kind == Kind::not_audited ? "not audited: " : "not looked at: ") + says;
  return says.empty() ? issue.finding.rule : says;
}

std::vector<std::string> long_text(const Issue& issue) {
  const Finding& finding = issue.finding;
  std::vector<std::string> lines{headline(issue)};
  if (finding.key) {
    lines.push_back("key: " + key_line(*finding.key));
    for (const auto& match : finding.key->matches) lines.push_back("it opens: " + printable(match));
  }
  if (!finding.why.empty()) lines.push_back("because: " + printable(finding.why));
  std::string before;
  for (const auto& place : finding.locations) {
    lines.push_back("where: " + place_in(issue, place));
    if (issue.in_tree || finding.rule == not_looked_at) continue;
    if (std::string story = story_of(place); !story.empty() && story != before) {
      lines.push_back("  " + story);
      before = std::move(story);
    }
  }
  if (!finding.packaged.empty()) lines.push_back("package: " + printable(finding.packaged));
  if (issue.kind == Kind::leak || issue.kind == Kind::known)
    for (const auto& step : mending(finding)) lines.push_back("fix: " + step);
  if (!finding.rotate.empty()) lines.push_back("revoke: " + printable(finding.rotate));
  if (!finding.allow.empty()) {
    lines.push_back("should it be meant, paste into imgbuild.toml:");
    for (const auto& line : split(trim(finding.allow), '\n')) lines.push_back("  " + safe_toml(line));
  }
  return lines;
}

std::string fingerprint_of(const Issue& issue, std::size_t nth) {
  return hex(sha256(view_of("imgbuild/1\n" + stable_part(issue) + "\n" + std::to_string(nth)))).substr(0, 32);
}

std::vector<std::string> fingerprints_of(const Told& told) {
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  std::vector<std::string> all;
  for (const auto& issue : told.issues) {
    const std::string& subject = told.subjects[issue.subject].name;
    all.push_back(fingerprint_of(issue, seen[{subject, stable_part(issue)}]++));
  }
  return all;
}

std::string remark_line(const AllowRemark& remark) {
  std::string line = "allow-entry " + printable(remark.entry);
  if (!remark.from.empty()) line += " (" + printable(remark.from) + ")";
  if (remark.state == AllowRemark::State::expired)
    return line + ": expired on " + remark.expires + ": it excuses nothing any more";
  return line + ": nothing was found that it answers for";
}

std::string format_names() { return "text, json, sarif, gitlab, github, junit or html"; }

std::optional<Format> format_of(std::string_view name) {
  static constexpr std::pair<std::string_view, Format> known[] = {
      {"text", Format::text},     {"json", Format::json},   {"sarif", Format::sarif}, {"gitlab", Format::gitlab},
      {"github", Format::github}, {"junit", Format::junit}, {"html", Format::html}};
  for (const auto& [word, format] : known)
    if (word == name) return format;
  return std::nullopt;
}

namespace {

std::string as(Format format, const Told& told, const Scanner& scanner) {
  switch (format) {
    case Format::sarif:
      return as_sarif(told, scanner);
    case Format::gitlab:
      return as_gitlab(told);
    case Format::github:
      return as_github(told);
    case Format::junit:
      return as_junit(told);
    default:
      return as_html(told);
  }
}

}  // namespace

std::string render(Format format, const Report& report, const Scanner& scanner, const Redaction& redaction,
                   const Style& style) {
  if (format == Format::text) return report_as_text(report, redaction, style);
  if (format == Format::json) return report_as_json(report, scanner, redaction);
  return as(format, told(report, redaction), scanner);
}

std::string render(Format format, const StageReport& report, const Scanner& scanner, const Redaction& redaction,
                   const Style& style) {
  if (format == Format::text) return report_as_text(report, redaction, style);
  if (format == Format::json) return report_as_json(report, redaction);
  return as(format, told(report, redaction), scanner);
}

}  // namespace imgbuild

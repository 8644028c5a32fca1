#include "verdict/verdict.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace imgbuild {

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::low:
      return "low";
    case Severity::medium:
      return "medium";
    case Severity::high:
      return "high";
    case Severity::critical:
      return "critical";
  }
  return "?";
}

std::optional<Severity> severity_of(std::string_view name) {
  for (const auto severity : {Severity::low, Severity::medium, Severity::high, Severity::critical})
    if (name == name_of(severity)) return severity;
  return std::nullopt;
}

const char* name_of(Location::Kind kind) {
  static constexpr const char* names[] = {"file",   "name", "link",  "xattr",   "pax",        "tail",       "git",
                                          "config", "env",  "label", "history", "annotation", "attestation"};
  return names[static_cast<int>(kind)];
}

const char* name_of(Location::State state) {
  static constexpr const char* names[] = {"present", "deleted", "overwritten"};
  return names[static_cast<int>(state)];
}

const char* name_of(Verdict verdict) {
  static constexpr const char* names[] = {"clean", "incomplete", "leak"};
  return names[static_cast<int>(verdict)];
}

const char* name_of(Withheld::Action action) {
  static constexpr const char* names[] = {"file", "line", "refuse"};
  return names[static_cast<int>(action)];
}

namespace {

/// Of a file without a layer: an unpacked root's.
bool in_a_root(const Location& location) {
  return location.layer < 0 && location.kind <= Location::Kind::git && location.kind != Location::Kind::tail;
}

}  // namespace

std::string place_of(const Location& location) {
  std::string place = location.layer >= 0   ? "layer " + std::to_string(location.layer) + ": "
                      : in_a_root(location) ? ""
                                            : "config: ";
  place += printable(location.path);
  for (const auto& part : location.inside) place += "!" + printable(part);
  if (location.line > 0) place += ":" + std::to_string(location.line);
  switch (location.kind) {
    case Location::Kind::name:
      place += " (the name)";
      break;
    case Location::Kind::link:
      place += " (link target)";
      break;
    case Location::Kind::xattr:
      place += " (extended attribute)";
      break;
    case Location::Kind::pax:
      place += " (extended header)";
      break;
    case Location::Kind::tail:
      place += " (outside every member)";
      break;
    default:
      break;
  }
  for (const auto& encoding : location.decoded) place += " (" + encoding + ")";
  return place;
}

std::string allow_place_of(const Location& location) {
  std::string place = location.layer >= 0 ? std::to_string(location.layer) + ":"
                      : in_a_root(location)
                          ? "0:"  // as if its files were an image's one layer: "*:" stands for it, too
                          : "config:";
  place += location.path;
  for (const auto& part : location.inside) place += "!" + part;
  return place;
}

std::vector<std::string> ImageRecord::damages() const {
  std::vector<std::string> lines;
  for (const NotScanned& gap : coverage.not_scanned) {
    if (!gap.damaged) continue;
    // What is said of a blob names it by its digest.
    const bool named = gap.path.empty() || gap.path.starts_with("blobs/");
    lines.push_back((gap.layer >= 0 ? "layer " + std::to_string(gap.layer) + ": "
                     : named        ? ""
                                    : gap.path + ": ") +
                    gap.why);
  }
  return lines;
}

Verdict ImageRecord::verdict() const {
  const bool damaged = std::any_of(coverage.not_scanned.begin(), coverage.not_scanned.end(),
                                   [](const NotScanned& gap) { return gap.damaged; });
  if (damaged) return Verdict::incomplete;
  if (!leaks.empty()) return Verdict::leak;
  const bool open = std::any_of(coverage.not_scanned.begin(), coverage.not_scanned.end(),
                                [](const NotScanned& gap) { return gap.open(); });
  return open ? Verdict::incomplete : Verdict::clean;
}

std::optional<Cleared> Audit::clear(std::string handle) const {
  if (verdict() != Verdict::clean) return std::nullopt;
  return Cleared(record_.id, std::move(handle));
}

}  // namespace imgbuild

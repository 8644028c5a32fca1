// What becomes of a finding. In this order: below --fail-on, or public, it is a note; an allow-entry lets it through;
// else the rule decides, and the strictest rule for the whole file. Where two rules see the same secret (a token in an
// .npmrc), the one that knows the file's format speaks: the line goes, and the secret with it. `file` is the one that
// must not go too far: a key file is left out, but a key inside of source code is refused, since a source file that
// silently vanished would be a riddle.
#include "context/judge.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "scan/allow.hpp"
#include "scan/published.hpp"

namespace imgbuild {
namespace {

using Fate = Remark::Fate;

// Blank but for the armour of what was found: PEM's own lines.
bool is_rest_of_a_key_file(std::string_view text, const std::vector<Hit>& hits) {
  std::string rest;
  std::uint64_t at = 0;
  for (const auto& hit : hits) {
    if (hit.begin > at) rest += text.substr(at, hit.begin - at);
    at = std::max(at, hit.end);
  }
  if (at < text.size()) rest += text.substr(at);
  const auto lines = split(rest, '\n');
  return std::all_of(lines.begin(), lines.end(), [](std::string_view line) {
    line = trim(line);
    return line.empty() || (line.starts_with("-----") && line.ends_with("-----"));
  });
}

Location with_digest(Location place, View content) {
  place.sha256 = sha256_digest(content);
  return place;
}

// Drops what a rule for a parsed format sees as well, and answers for.
void drop_seen_by_format(std::vector<Remark>& remarks) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lines;
  for (const auto& remark : remarks)
    if (remark.fate == Fate::line) lines.emplace_back(remark.begin, remark.end);
  std::erase_if(remarks, [&](const Remark& remark) {
    return remark.fate > Fate::line && std::any_of(lines.begin(), lines.end(), [&](const auto& line) {
             return line.first <= remark.begin && remark.end <= line.second;
           });
  });
}

}  // namespace

Judge::Judge(std::shared_ptr<const Scanner> scanner, Vault& vault, const Policy& policy)
    : scanner_(std::move(scanner)), vault_(vault), policy_(policy), values_(vault, {Origin::handed_out}) {}

// `former_path`: of an object of a history, where an entry for the file itself counts as well.
Remark Judge::remark(const Hit& hit, const Location& place, std::string_view value,
                     const std::string& former_path) const {
  Remark remark;
  remark.rule = hit.rule;
  remark.severity = hit.severity;
  remark.place = place;
  remark.place.decoded = hit.decoded;
  if (place.kind != Location::Kind::name) {
    remark.place.line = hit.line;
    const auto breaks = static_cast<std::uint32_t>(std::count(value.begin(), value.end(), '\n'));
    remark.last_line = hit.line + breaks - (value.ends_with('\n') ? 1 : 0);
  }
  remark.begin = hit.begin;
  remark.end = hit.end;
  remark.identity = hit.identity;
  remark.key = hit.key;

  std::string published = hit.rule == &vault_rule() ? "" : published_as(hit.key, place.sha256);
  const AllowEntry* entry = nullptr;
  if (hit.severity >= policy_.fail_on && published.empty()) {
    entry = find_allow(policy_, hit.rule->id, remark.place, hit.key, value);
    if (entry == nullptr && !former_path.empty()) {
      Location file;
      file.layer = place.layer;
      file.path = former_path;
      entry = find_allow(policy_, hit.rule->id, file, hit.key, value);
    }
  }
  Origin origin = Origin::found;
  if (hit.severity < policy_.fail_on) {
    remark.fate = Fate::note;
  } else if (!published.empty()) {
    remark.fate = Fate::note;
    remark.why = std::move(published);
  } else if (entry != nullptr) {
    remark.fate = Fate::allowed;
    remark.why = entry->reason;
  } else {
    switch (hit.rule == &vault_rule() ? Scrub::file : hit.rule->scrub) {
      case Scrub::line:
        remark.fate = Fate::line;
        break;
      case Scrub::file:
        remark.fate = Fate::file;
        break;
      case Scrub::refuse:
        remark.fate = Fate::refuse;
        break;
    }
    remark.value = Secret(value);
    origin = Origin::withheld;
  }
  // From here on no report or log prints it, and what was withheld is looked for in the image. The name that a rule for
  // names knows is no secret.
  if (!hit.rule->text.empty()) vault_.add(value, "value of " + hit.rule->id, origin);
  return remark;
}

std::vector<Remark> Judge::text(View text, const Location& place) const {
  const auto hits = scanner_->scan(text, {place.path, values(), nullptr});
  std::vector<Remark> remarks;
  if (hits.empty()) return remarks;
  const Location known = with_digest(place, text);
  for (const auto& hit : hits)
    remarks.push_back(remark(hit, known, text_of(text.subspan(hit.begin, hit.end - hit.begin))));
  const bool whole = is_rest_of_a_key_file(text_of(text), hits);
  for (auto& remark : remarks)
    if (remark.fate == Fate::file && !whole && remark.rule->path.empty()) remark.fate = Fate::refuse;
  drop_seen_by_format(remarks);
  return remarks;
}

std::vector<Remark> Judge::name(const std::string& path) const {
  Location place;
  place.kind = Location::Kind::name;
  place.path = path;
  std::vector<Remark> remarks;
  for (const auto& hit : scanner_->scan_name(path)) remarks.push_back(remark(hit, place, path));
  for (const auto& hit : scanner_->scan(view_of(path), {{}, values(), nullptr})) {
    remarks.push_back(remark(hit, place, std::string_view(path).substr(hit.begin, hit.end - hit.begin)));
    Remark& last = remarks.back();
    if (last.fate == Fate::file || last.fate == Fate::line) last.fate = Fate::refuse;
  }
  return remarks;
}

std::vector<Remark> Judge::object(View text, const Location& place, const std::string& path) const {
  std::vector<Remark> remarks;
  const auto hits = scanner_->scan(text, {path, values(), nullptr});
  const Location known = hits.empty() ? place : with_digest(place, text);
  const auto judge = [&](const Hit& hit, std::string_view value) {
    remarks.push_back(remark(hit, known, value, path));
    Fate& fate = remarks.back().fate;
    if (fate >= Fate::line) fate = Fate::refuse;
  };
  for (const auto& hit : scanner_->scan_name(path)) judge(hit, path);
  for (const auto& hit : hits) judge(hit, text_of(text.subspan(hit.begin, hit.end - hit.begin)));
  return remarks;
}

std::vector<Remark> Judge::stream(const std::vector<Hit>& hits, const Location& place,
                                  const std::function<std::string(std::uint64_t, std::uint64_t)>& read) const {
  std::vector<Remark> remarks;
  for (const auto& hit : hits) {
    std::string value = read(hit.begin, hit.end);
    remarks.push_back(remark(hit, place, value));
    wipe(value.data(), value.size());
    // Too large to be a key file, or a configuration that is written anew without a line.
    Remark& last = remarks.back();
    if (last.fate == Fate::line || (last.fate == Fate::file && hit.rule->path.empty())) last.fate = Fate::refuse;
  }
  return remarks;
}

std::optional<Fate> strictest(const std::vector<Remark>& remarks) {
  std::optional<Fate> found;
  for (const auto& remark : remarks)
    if (remark.fate >= Fate::line) found = std::max(found.value_or(remark.fate), remark.fate);
  return found;
}

}  // namespace imgbuild

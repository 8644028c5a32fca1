// SARIF 2.1.0 (OASIS), as code scanning services read it. One run; a finding is one result with all its locations: one
// secret in five places is revoked once. A place inside an image has a path relative to that image's root as its
// physical location (services show nothing without one) and, as its logical location, the image, the layer and the
// containers down to it. What is answered for is there too, suppressed. What could not be looked at is a result and a
// notification: an empty list would read as clean.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "report/mending.hpp"
#include "report/told.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Issue::Kind;

// RFC 3986: what is not unreserved is escaped, so that bytes that are no text survive too. A path keeps its slashes.
std::string uri_path(std::string_view path) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == '/';
    if (plain)
      out += c;
    else
      ((out += '%') += digits[byte >> 4]) += digits[byte & 15];
  }
  // "//" at the start would name a host, "/" the root of something else.
  const std::size_t begin = out.find_first_not_of('/');
  return begin == std::string::npos ? "." : out.substr(begin);
}

const char* level_of(const Issue& issue) {
  if (!issue.hinders() && issue.kind != Kind::known) return "note";
  if (issue.kind == Kind::gap) return "warning";
  return issue.finding.severity >= Severity::high     ? "error"
         : issue.finding.severity == Severity::medium ? "warning"
                                                      : "note";
}

// What code scanning sorts by: a number like a CVSS score.
const char* score_of(Severity severity) {
  static constexpr const char* scores[] = {"3.0", "5.5", "8.0", "9.5"};
  return scores[static_cast<int>(severity)];
}

Json text(const std::string& words) { return {{"text", words}}; }

bool is_uri(const std::string& text) { return text.rfind("https://", 0) == 0 || text.rfind("http://", 0) == 0; }

std::string base_id(std::size_t subject) { return "IMAGE" + std::to_string(subject); }

class Sarif {
 public:
  Sarif(const Told& told, const Scanner& scanner) : told_(told) {
    for (const auto& rule : scanner.rules()) known_[rule.id] = &rule;
    known_[vault_rule().id] = &vault_rule();
  }

  Json log() {
    Json results = Json::array(), notifications = Json::array();
    const auto fingerprints = fingerprints_of(told_);
    for (std::size_t i = 0; i < told_.issues.size(); ++i) {
      const Issue& issue = told_.issues[i];
      results.push_back(result(issue, fingerprints[i]));
      if (issue.kind == Kind::gap || issue.kind == Kind::not_audited) notifications.push_back(notification(issue));
    }
    for (const auto& remark : told_.remarks) notifications.push_back({{"level", "note"}, {"message", text(remark)}});
    Json invocation{{"executionSuccessful", told_.verdict != Verdict::incomplete && whole()},
                    {"toolExecutionNotifications", std::move(notifications)}};
    Json bases = Json::object(), images = Json::array();
    for (std::size_t i = 0; i < told_.subjects.size(); ++i) {
      const Subject& subject = told_.subjects[i];
      const std::string name = printable(subject.name);
      bases[base_id(i)] = {{"description", text(subject.id.empty() ? name : name + " " + subject.id)}};
      images.push_back({{"name", name}, {"id", subject.id}, {"lookedAt", subject.summary}});
    }
    Json run{{"tool",
              {{"driver",
                {{"name", "imgbuild"},
                 {"version", IMGBUILD_VERSION},
                 {"semanticVersion", IMGBUILD_VERSION},
                 {"rules", std::move(rules_)}}}}},
             {"invocations", Json::array({std::move(invocation)})},
             {"originalUriBaseIds", std::move(bases)},
             {"columnKind", "unicodeCodePoints"},
             {"results", std::move(results)},
             {"properties", {{"verdict", name_of(told_.verdict)}, {"images", std::move(images)}}}};
    return {{"$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"},
            {"version", "2.1.0"},
            {"runs", Json::array({std::move(run)})}};
  }

 private:
  bool whole() const {
    for (const auto& issue : told_.issues)
      if (issue.kind == Kind::gap || issue.kind == Kind::not_audited) return false;
    return true;
  }

  std::size_t index_of(const Issue& issue) {
    const Finding& finding = issue.finding;
    const auto [at, fresh] = index_.try_emplace(finding.rule, rules_.size());
    if (fresh) rules_.push_back(rule_of(issue));
    return at->second;
  }

  Json rule_of(const Issue& issue) const {
    const Finding& finding = issue.finding;
    const auto known = known_.find(finding.rule);
    const Rule* rule = known == known_.end() ? nullptr : known->second;
    const std::string shown = rule != nullptr ? printable(rule->says)
                              : finding.rule == not_looked_at
                                  ? "something could not be looked at: nobody knows whether it holds a secret"
                                  : headline(issue);
    std::string help = shown;
    if (rule != nullptr && !rule->fix.empty()) help += "\nfix: " + printable(rule->fix);
    if (rule != nullptr && !rule->rotate.empty()) help += "\nrevoke: " + printable(rule->rotate);
    if (rule != nullptr)
      for (const auto& see : rule->see) help += "\nsee: " + printable(see);
    Json json{{"id", finding.rule},
              {"shortDescription", text(shown)},
              {"fullDescription", text(shown)},
              {"help", text(help)}};
    if (rule != nullptr && !rule->see.empty() && is_uri(rule->see.front()))
      json["helpUri"] = rule->see.front();
    else if (is_uri(finding.rotate))
      json["helpUri"] = finding.rotate;
    const Severity severity = rule != nullptr ? rule->severity : finding.severity;
    json["defaultConfiguration"] = {{"level", severity >= Severity::high     ? "error"
                                              : severity == Severity::medium ? "warning"
                                                                             : "note"}};
    json["properties"] = {{"security-severity", score_of(severity)}, {"tags", Json::array({"security", "secret"})}};
    return json;
  }

  Json location(const Issue& issue, const Location& place) const {
    const Subject& subject = told_.subjects[issue.subject];
    // What is in no layer has no path: the config's entries stand under a folder of their own.
    const bool in_config = !issue.in_tree && place.layer < 0;
    Json artifact{{"uri", (in_config ? "image-config/" : "") + uri_path(place.path)}};
    if (!issue.in_tree) artifact["uriBaseId"] = base_id(issue.subject);
    Json physical{{"artifactLocation", std::move(artifact)}};
    // A line counts within the innermost container: of the file itself only where there is none.
    if (place.line > 0 && place.inside.empty() && place.decoded.empty())
      physical["region"] = {{"startLine", place.line}};
    Json json{{"physicalLocation", std::move(physical)}};
    if (issue.in_tree) return json;
    std::string full = printable(subject.name) + "/" + printable(allow_place_of(place));
    json["logicalLocations"] =
        Json::array({{{"name", place_in(issue, place)},
                      {"fullyQualifiedName", std::move(full)},
                      {"kind", place.inside.empty() ? "file of an image" : "member of a file"}}});
    if (const std::string story = story_of(place); !story.empty() && issue.kind != Kind::gap)
      json["message"] = text(story);
    json["properties"] = {{"kind", name_of(place.kind)}, {"state", name_of(place.state)}};
    Json& more = json["properties"];
    if (place.layer >= 0) more["layer"] = place.layer;
    if (place.by_layer >= 0) more["byLayer"] = place.by_layer;
    if (place.line > 0) more["line"] = place.line;
    if (!place.created_by.empty()) more["createdBy"] = printable(place.created_by);
    for (const auto* list : {&place.inside, &place.decoded}) {
      if (list->empty()) continue;
      Json& into = more[list == &place.inside ? "inside" : "decoded"] = Json::array();
      for (const auto& one : *list) into.push_back(printable(one));
    }
    return json;
  }

  Json result(const Issue& issue, const std::string& fingerprint) {
    const Finding& finding = issue.finding;
    const auto lines = long_text(issue);
    Json json{{"ruleId", finding.rule},
              {"ruleIndex", index_of(issue)},
              {"level", level_of(issue)},
              {"message", text(join(lines, "\n"))}};
    if (!finding.locations.empty()) {
      Json places = Json::array();
      for (const auto& place : finding.locations) places.push_back(location(issue, place));
      json["locations"] = std::move(places);
    }
    json["partialFingerprints"] = {{"imgbuild/v1", fingerprint}};
    if (issue.kind == Kind::known) json["baselineState"] = "unchanged";
    const bool answered = issue.kind == Kind::allowed || issue.kind == Kind::published || issue.kind == Kind::withheld;
    if (answered)
      json["suppressions"] =
          Json::array({{{"kind", "external"},
                        {"status", "accepted"},
                        {"justification", std::string(name_of(issue.kind)) + ": " + printable(finding.why)}}});
    json["properties"] = {{"verdict", name_of(issue.kind)}, {"image", told_.subjects[issue.subject].id}};
    Json& more = json["properties"];
    if (!finding.secret.empty()) more["secret"] = finding.secret;
    more["severity"] = name_of(finding.severity);
    if (finding.key && !finding.key->fingerprint.empty()) more["keyFingerprint"] = finding.key->fingerprint;
    if (!finding.packaged.empty()) more["packaged"] = printable(finding.packaged);
    if (!finding.rotate.empty()) more["rotate"] = printable(finding.rotate);
    return json;
  }

  Json notification(const Issue& issue) const {
    std::string words = headline(issue);
    if (!issue.finding.locations.empty()) words += ": " + place_in(issue, issue.finding.locations.front());
    return {{"level", "error"}, {"message", text(words)}};
  }

  const Told& told_;
  std::map<std::string, const Rule*> known_;
  std::map<std::string, std::size_t> index_;
  Json rules_ = Json::array();
};

}  // namespace

std::string as_sarif(const Told& told, const Scanner& scanner) {
  return Sarif(told, scanner).log().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace imgbuild

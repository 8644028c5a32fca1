// GitLab's secret detection report, schema 15.0.7: what its security dashboard reads from
// artifacts:reports:secret_detection. https://docs.gitlab.com/user/application_security/secret_detection/
// A vulnerability has one location, so that one secret is one vulnerability at its first place; its description tells
// the others. Its raw_source_code_extract, which would be the secret, is never written.
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/utc.hpp"
#include "report/told.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::ordered_json;

std::string time_of(std::time_t time) { return utc(time, "%Y-%m-%dT%H:%M:%S"); }

const char* severity_word(Severity severity) {
  static constexpr const char* words[] = {"Low", "Medium", "High", "Critical"};
  return words[static_cast<int>(severity)];
}

// The longest that GitLab takes of a name is 255 characters.
std::string name_for(const Issue& issue) {
  std::string name = headline(issue);
  if (name.size() > 250) {
    std::size_t most = 250;
    while (most > 0 && (static_cast<unsigned char>(name[most]) & 0xC0) == 0x80) --most;
    name.resize(most);
  }
  return name;
}

// An UUID's shape, of a fingerprint.
std::string uuid_of(const std::string& hex) {
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20, 12);
}

Json identifier(const std::string& type, const std::string& name, const std::string& value) {
  return {{"type", type}, {"name", name}, {"value", value}};
}

Json location_of(const Told& told, const Issue& issue) {
  Json json = Json::object();
  if (issue.finding.locations.empty()) {
    json["file"] = printable(told.subjects[issue.subject].name);
  } else {
    const Location& place = issue.finding.locations.front();
    json["file"] = printable(place.path);
    if (place.line > 0) json["start_line"] = json["end_line"] = place.line;
    if (!issue.in_tree) json["class"] = printable(told.subjects[issue.subject].name);
  }
  json["commit"] = {{"sha", "0000000"}};  // required; an image is no commit
  return json;
}

}  // namespace

std::string as_gitlab(const Told& told) {
  const Json tool{
      {"id", "imgbuild"}, {"name", "imgbuild"}, {"version", IMGBUILD_VERSION}, {"vendor", {{"name", "imgbuild"}}}};
  Json found = Json::array();
  const auto fingerprints = fingerprints_of(told);
  for (std::size_t i = 0; i < told.issues.size(); ++i) {
    const Issue& issue = told.issues[i];
    const Finding& finding = issue.finding;
    // What is answered for, or below --fail-on, is nobody's vulnerability; a known leak still is one.
    if (!issue.hinders() && issue.kind != Issue::Kind::known) continue;
    const auto lines = long_text(issue);
    Json one{{"id", uuid_of(fingerprints[i])},
             {"name", name_for(issue)},
             {"description", join(lines, "\n")},
             {"severity", severity_word(finding.severity)}};
    if (!finding.rotate.empty()) {
      one["solution"] = "revoke it: " + printable(finding.rotate);
      if (finding.rotate.rfind("https://", 0) == 0) one["links"] = Json::array({{{"url", printable(finding.rotate)}}});
    }
    one["identifiers"] = Json::array({identifier("imgbuild_rule", finding.rule, finding.rule)});
    if (finding.key && !finding.key->fingerprint.empty())
      one["identifiers"].push_back(identifier("key_fingerprint", finding.key->fingerprint, finding.key->fingerprint));
    one["location"] = location_of(told, issue);
    found.push_back(std::move(one));
  }
  Json messages = Json::array();
  for (const auto& remark : told.remarks) messages.push_back({{"level", "info"}, {"value", remark}});
  Json scan{{"analyzer", tool},
            {"scanner", tool},
            {"type", "secret_detection"},
            {"start_time", time_of(told.started)},
            {"end_time", time_of(told.ended)},
            {"status", told.verdict == Verdict::incomplete ? "failure" : "success"}};
  if (!messages.empty()) scan["messages"] = std::move(messages);
  const Json json{{"version", "15.0.7"}, {"scan", std::move(scan)}, {"vulnerabilities", std::move(found)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace imgbuild

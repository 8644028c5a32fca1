// The JSON forms: a contract that other programs build on, so that a key is never renamed.

#include "base/text.hpp"
#include "base/utc.hpp"
#include "report/mending.hpp"
#include "report/report.hpp"
#include "verdict/json.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json list_of(const std::vector<T>& all, const Redaction& redaction) {
  Json list = Json::array();
  for (const auto& one : all) list.push_back(to_json(redaction(one)));
  return list;
}

Json images_of(const Report& report, const Redaction& redaction) {
  Json list = Json::array();
  for (const auto& raw : report.images) {
    ImageRecord image = redaction(raw);
    for (auto* findings : {&image.leaks, &image.known})
      for (auto& finding : *findings) finding.fix = join(mending(finding), "\n");
    list.push_back(to_json(image));
  }
  return list;
}

Json remarks_of(const std::vector<AllowRemark>& remarks, const Redaction& redaction) {
  Json list = Json::array();
  for (const auto& remark : remarks) {
    Json one{{"state", remark.state == AllowRemark::State::expired ? "expired" : "unused"},
             {"entry", printable(redaction(remark.entry))},
             {"from", printable(redaction(remark.from))}};
    if (!remark.expires.empty()) one["expires"] = remark.expires;
    list.push_back(std::move(one));
  }
  return list;
}

Json texts_of(const std::vector<std::string>& all, const Redaction& redaction) {
  Json list = Json::array();
  for (const auto& one : all) list.push_back(printable(redaction(one)));
  return list;
}

// Every string is printable UTF-8 already; should one not be, it is replaced rather than the report lost.
std::string written(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string report_as_json(const Report& report, const Scanner& scanner, const Redaction& redaction) {
  Json json{
      {"schema", "imgbuild.audit/1"},
      {"tool", {{"version", IMGBUILD_VERSION}, {"rules", scanner.digest()}, {"rule_count", scanner.rules().size()}}},
      {"verdict", name_of(verdict_of(report))},
      {"images", images_of(report, redaction)}};
  if (!report.not_audited.empty()) json["not_audited"] = texts_of(report.not_audited, redaction);
  if (!report.too_large.empty()) json["too_large"] = texts_of(report.too_large, redaction);
  if (!report.allow_remarks.empty()) json["allow_remarks"] = remarks_of(report.allow_remarks, redaction);
  if (report.build) {
    const BuildFacts& build = *report.build;
    json["build"] = {{"withheld", list_of(build.withheld, redaction)},
                     {"ledger", list_of(build.ledger, redaction)},
                     {"killed", texts_of(build.killed, redaction)},
                     {"stubs", texts_of(build.stubs, redaction)},
                     {"weak_secrets", texts_of(build.weak_secrets, redaction)}};
    if (build.unchanged != 0) json["build"]["unchanged_since"] = utc(build.unchanged);
  }
  return written(json);
}

std::string report_as_json(const StageReport& report, const Redaction& redaction) {
  Json json{{"schema", "imgbuild.stage/1"}};
  json["digest"] = report.digest.empty() ? Json(nullptr) : Json(report.digest);
  json["files"] = report.files;
  json["bytes"] = report.bytes;
  if (report.seen_before > 0) json["seen_before"] = report.seen_before;
  json["withheld"] = list_of(report.withheld, redaction);
  if (!report.allowed.empty()) json["allowed"] = list_of(report.allowed, redaction);
  if (!report.notes.empty()) json["notes"] = list_of(report.notes, redaction);
  return written(json);
}

}  // namespace imgbuild

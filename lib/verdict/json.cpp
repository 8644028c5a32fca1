#include "verdict/json.hpp"

#include "base/text.hpp"
#include "base/utc.hpp"

namespace imgbuild {
namespace {

using Json = nlohmann::ordered_json;

Json strings(const std::vector<std::string>& all) {
  Json list = Json::array();
  for (const auto& one : all) list.push_back(printable(one));
  return list;
}

template <class T>
Json list_of(const std::vector<T>& all) {
  Json list = Json::array();
  for (const auto& one : all) list.push_back(to_json(one));
  return list;
}

}  // namespace

Json to_json(const Location& location) {
  Json json{{"kind", name_of(location.kind)}};
  json["layer"] = location.layer >= 0 ? Json(location.layer) : Json(nullptr);
  json["path"] = printable(location.path);
  if (location.line > 0) json["line"] = location.line;
  if (!location.inside.empty()) json["inside"] = strings(location.inside);
  if (!location.decoded.empty()) json["decoded"] = strings(location.decoded);
  if (!location.sha256.empty()) json["sha256"] = location.sha256;
  json["state"] = name_of(location.state);
  if (location.by_layer >= 0) json["by_layer"] = location.by_layer;
  if (!location.created_by.empty()) json["created_by"] = printable(location.created_by);
  return json;
}

Json to_json(const Finding& finding) {
  Json json{{"rule", finding.rule},
            {"says", finding.says},
            {"severity", name_of(finding.severity)},
            {"secret", finding.secret},
            {"locations", list_of(finding.locations)}};
  if (finding.key) {
    json["key"] = {{"type", finding.key->type},
                   {"bits", finding.key->bits},
                   {"encrypted", finding.key->encrypted},
                   {"fingerprint", finding.key->fingerprint},
                   {"matches", strings(finding.key->matches)}};
    if (finding.key->untried) json["key"]["untried"] = true;
  }
  if (!finding.packaged.empty()) json["packaged"] = printable(finding.packaged);
  if (!finding.fix.empty()) json["fix"] = finding.fix;
  if (!finding.rotate.empty()) json["rotate"] = finding.rotate;
  if (!finding.allow.empty()) json["allow"] = finding.allow;
  if (!finding.why.empty()) json["why"] = printable(finding.why);
  return json;
}

Json to_json(const ImageRecord& record) {
  Json layers = Json::array();
  std::uint64_t hidden = 0, of_base = 0;
  for (const auto& layer : record.layers) {
    hidden += layer.hidden;
    if (static_cast<std::size_t>(layer.index) < record.base_layers) of_base += layer.bytes;
    Json largest = Json::array();
    for (const auto& [path, bytes] : layer.largest) largest.push_back({{"path", printable(path)}, {"bytes", bytes}});
    layers.push_back({{"index", layer.index},
                      {"diff_id", layer.diff_id},
                      {"created_by", printable(layer.created_by)},
                      {"bytes", layer.bytes},
                      {"hidden", layer.hidden},
                      {"largest", std::move(largest)}});
  }
  Json gaps = Json::array();
  for (const auto& gap : record.coverage.not_scanned) {
    Json one{{"layer", gap.layer >= 0 ? Json(gap.layer) : Json(nullptr)},
             {"path", printable(gap.path)},
             {"why", printable(gap.why)},
             {"bytes", gap.bytes}};
    if (!gap.sha256.empty()) one["sha256"] = gap.sha256;
    if (!gap.allowed.empty()) one["allowed"] = printable(gap.allowed);
    if (!gap.published.empty()) one["published"] = printable(gap.published);
    if (gap.damaged) one["damaged"] = true;
    gaps.push_back(std::move(one));
  }
  const Coverage& seen = record.coverage;
  Json json{{"id", record.id.empty() ? Json(nullptr) : Json(record.id)},
            {"source", printable(record.source)},
            {"platform", printable(record.platform)},
            {"layers", std::move(layers)},
            {"verdict", name_of(record.verdict())},
            {"leaks", list_of(record.leaks)},
            {"notes", list_of(record.notes)},
            {"published", list_of(record.published)},
            {"allowed", list_of(record.allowed)},
            {"coverage",
             {{"layers", seen.layers},
              {"layers_cached", seen.layers_cached},
              {"entries", seen.entries},
              {"bytes", seen.bytes},
              {"archives", seen.archives},
              {"git_objects", seen.git_objects},
              {"vault_not_looked_for", seen.vault_not_looked_for},
              {"other_platforms", seen.other_platforms},
              {"not_scanned", std::move(gaps)}}}};
  json["weight"] = {{"bytes", record.coverage.bytes}, {"hidden", hidden}};
  if (!record.base.empty())
    json["weight"]["base"] = {{"name", printable(record.base)}, {"layers", record.base_layers}, {"bytes", of_base}};
  if (!record.known.empty()) json["known"] = list_of(record.known);
  return json;
}

Json to_json(const Withheld& withheld) {
  Json json{{"action", name_of(withheld.action)}, {"path", printable(withheld.path)}};
  if (withheld.line > 0) json["line"] = withheld.line;
  json["rule"] = withheld.rule;
  json["says"] = withheld.says;
  if (!withheld.allow.empty()) json["allow"] = withheld.allow;
  return json;
}

Json to_json(const Signature& signature) {
  Json json{{"time", utc(signature.time)},
            {"key", signature.key},
            {"host", printable(signature.host)},
            {"user", printable(signature.user)},
            {"granted", signature.granted}};
  if (!signature.why.empty()) json["why"] = printable(signature.why);
  return json;
}

}  // namespace imgbuild

#include "report/redaction.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "scan/redactor.hpp"

namespace imgbuild {
namespace {

// identity = "SHA256:..." or "scrypt:SALT:HASH": ours by its alphabet, and worthless when a rule mistakes it for a
// password.
bool is_identity_line(std::string_view line) {
  constexpr std::string_view before = "identity = \"";
  if (line.substr(0, before.size()) != before || line.back() != '"') return false;
  line = line.substr(before.size(), line.size() - before.size() - 1);
  if (line.substr(0, 7) != "SHA256:" && line.substr(0, 7) != "scrypt:") return false;
  return std::all_of(line.begin(), line.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=' || c == ':' || c == '$';
  });
}

}  // namespace

std::string Redaction::operator()(std::string_view text) const {
  if (text.empty()) return {};
  const auto [found, fresh] = known_.try_emplace(std::string(text));
  if (fresh) found->second = redact(text, scanner_, vault_);
  return found->second;
}

std::vector<std::string> Redaction::operator()(std::vector<std::string> texts) const {
  for (auto& text : texts) text = (*this)(text);
  return texts;
}

std::string Redaction::allow_entry(std::string_view toml) const {
  auto lines = split(toml, '\n');
  for (auto& line : lines)
    if (!is_identity_line(line)) line = (*this)(line);
  return join(lines, "\n");
}

Finding Redaction::operator()(Finding finding) const {
  for (Location& location : finding.locations) {
    location.path = (*this)(location.path);
    location.inside = (*this)(std::move(location.inside));
    location.created_by = (*this)(location.created_by);
  }
  if (finding.key) {
    for (auto& match : finding.key->matches)
      if (match.rfind("agent: ", 0) != 0) match = (*this)(match);
  }
  finding.packaged = (*this)(finding.packaged);
  finding.why = (*this)(finding.why);
  finding.allow = allow_entry(finding.allow);
  return finding;
}

ImageRecord Redaction::operator()(ImageRecord record) const {
  record.source = (*this)(record.source);
  record.platform = (*this)(record.platform);
  record.base = (*this)(record.base);
  for (auto& layer : record.layers) {
    layer.created_by = (*this)(layer.created_by);
    for (auto& file : layer.largest) file.first = (*this)(file.first);
  }
  for (auto* list : {&record.leaks, &record.notes, &record.published, &record.allowed, &record.known})
    for (auto& finding : *list) finding = (*this)(std::move(finding));
  for (auto& gap : record.coverage.not_scanned) {
    gap.path = (*this)(gap.path);
    gap.why = (*this)(gap.why);
    gap.allowed = (*this)(gap.allowed);
    gap.published = (*this)(gap.published);
  }
  return record;
}

Withheld Redaction::operator()(Withheld withheld) const {
  withheld.path = (*this)(withheld.path);
  withheld.allow = allow_entry(withheld.allow);
  return withheld;
}

Signature Redaction::operator()(Signature signature) const {
  signature.host = (*this)(signature.host);
  signature.user = (*this)(signature.user);
  signature.why = (*this)(signature.why);
  return signature;
}

}  // namespace imgbuild
